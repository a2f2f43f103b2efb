"""A proxy before a server: passes bytes on, or does to them what networks do.

Listens on a port of 127.0.0.1 and passes to a unix socket. Its loop runs in a thread of its own;
every method may be called from any other. What is held back arrives later, as TCP would have it.
"""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# How PostgreSQL's protocol words it, when it is sent as a query of its own.
COMMIT = b"COMMIT\x00"


@dataclass
class Weather:
    """What happens to bytes now. Belongs to the loop's thread."""

    is_refusing: bool = False
    is_black_hole: bool = False
    delay_seconds: float = 0.0
    # How many connections will be cut between a COMMIT and its answer.
    commits_to_cut: int = 0
    commits_cut: int = 0
    is_fatal: Callable[[bytes], bool] = field(default=lambda data: COMMIT in data)


class Proxy:
    """Stands before the server that listens at `upstream`; `port` is where to find it."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self._weather = Weather()
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        # Bound once and for ever, so that nobody else gets the port while nobody is let in.
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Pass on for the length of the block."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()

    @property
    def commits_cut(self) -> int:
        """How many connections were cut so far between a COMMIT and its answer."""
        return self._weather.commits_cut

    def pass_on(self) -> None:
        """Fair weather: everything passes, and what was held back arrives."""
        self._do(self._clear_up)

    def refuse(self) -> None:
        """Hang up on everybody who calls, and on those who are there."""
        self._do(self._shut)

    def cut(self) -> None:
        """Hang up once on everybody who is there."""
        self._do(self._abort_all)

    def swallow(self) -> None:
        """Take every call and every byte, and let nothing arrive."""
        self._do(lambda: setattr(self._weather, "is_black_hole", True))

    def delay(self, seconds: float) -> None:
        """Let every byte arrive so much later."""
        self._do(lambda: setattr(self._weather, "delay_seconds", seconds))

    def cut_after_commits(self, count: int) -> None:
        """Of the next so many COMMITs let each reach the server, and no answer come back."""
        self._do(lambda: setattr(self._weather, "commits_to_cut", count))

    def _do(self, deed: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(deed)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = self._loop.create_server(self._new_client, sock=self._listener)
        server = self._loop.run_until_complete(serving)
        try:
            self._loop.run_forever()
        finally:
            server.close()
            self._abort_all()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    def _new_client(self) -> asyncio.Protocol:
        link = _Link(self._loop, self._weather, self._links)
        return _Front(link, self._upstream)

    def _clear_up(self) -> None:
        self._weather.is_refusing = self._weather.is_black_hole = False
        self._weather.delay_seconds, self._weather.commits_to_cut = 0.0, 0
        for link in list(self._links):
            link.resume()

    def _shut(self) -> None:
        self._weather.is_refusing = True
        self._abort_all()

    def _abort_all(self) -> None:
        for link in list(self._links):
            link.abort()


class _Lane:
    """One direction of a connection: bytes wait here until they may arrive, in their order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, weather: Weather) -> None:
        self._loop, self._weather = loop, weather
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.to: asyncio.Transport | None = None

    def put(self, data: bytes) -> None:
        """Pass it on at once when nothing stands in the way. `b""` is the end."""
        self._waiting.append((self._loop.time() + self._weather.delay_seconds, data))
        self.flow()

    def flow(self) -> None:
        """Pass on what is due."""
        if self.to is None or self._weather.is_black_hole:
            return
        while self._waiting and self._waiting[0][0] <= self._loop.time():
            _, data = self._waiting.popleft()
            self._deliver(data)
        if self._waiting and (self._timer is None or self._timer.when() <= self._loop.time()):
            self._timer = self._loop.call_at(self._waiting[0][0] + 0.0005, self.flow)

    def _deliver(self, data: bytes) -> None:
        assert self.to is not None  # noqa: S101 (`flow` has looked)
        if not data:
            self.to.close()
        elif not self.to.is_closing():
            self.to.write(data)


class _Link:
    """Both directions of one connection through the proxy."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, weather: Weather, links: set["_Link"]
    ) -> None:
        self._weather, self._links = weather, links
        self._up, self._down = _Lane(loop, weather), _Lane(loop, weather)
        self._is_doomed = False
        links.add(self)

    @property
    def is_refused(self) -> bool:
        """Whether nobody is let in."""
        return self._weather.is_refusing

    def join(self, transport: asyncio.Transport, *, is_client: bool) -> None:
        """One end is there."""
        lane = self._down if is_client else self._up
        lane.to = transport
        lane.flow()

    def take(self, data: bytes, *, is_client: bool) -> None:
        """One end has said something."""
        if is_client:
            if self._weather.commits_to_cut and self._weather.is_fatal(data):
                self._weather.commits_to_cut -= 1
                self._is_doomed = True
            self._up.put(data)
        elif self._is_doomed:
            # The server has answered, so it is committed; the client will never know.
            self._weather.commits_cut += 1
            self.abort()
        else:
            self._down.put(data)

    def end(self, *, is_client: bool) -> None:
        """One end has hung up; the other hears it after all that was said before."""
        (self._up if is_client else self._down).put(b"")
        if (self._down if is_client else self._up).to is not None:
            self._links.discard(self)

    def resume(self) -> None:
        """Let flow what was held back."""
        self._up.flow()
        self._down.flow()

    def abort(self) -> None:
        """Hang up on both ends."""
        self._links.discard(self)
        for lane in (self._up, self._down):
            if lane.to is not None:
                lane.to.abort()


class _Front(asyncio.Protocol):
    """The client's end."""

    def __init__(self, link: _Link, upstream: Path) -> None:
        self._link, self._upstream = link, upstream
        self._calling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Call the server for it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (a stream)
        self._link.join(transport, is_client=True)
        if self._link.is_refused:
            self._link.abort()
        else:
            self._calling = asyncio.get_running_loop().create_task(self._call())

    def data_received(self, data: bytes) -> None:
        """Pass it to the server."""
        self._link.take(data, is_client=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the server."""
        self._link.end(is_client=True)

    async def _call(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_unix_connection(lambda: _Back(self._link), str(self._upstream))
        except OSError:
            self._link.abort()


class _Back(asyncio.Protocol):
    """The server's end."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let flow what the client has said meanwhile."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (a stream)
        self._link.join(transport, is_client=False)

    def data_received(self, data: bytes) -> None:
        """Pass it to the client."""
        self._link.take(data, is_client=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the client."""
        with suppress(RuntimeError):  # The loop is closing.
            self._link.end(is_client=False)
