"""Presses on a web server over connections that stay open, and keeps how long each answer took.

One thread, raw sockets and no more of HTTP than the answers of our servers need: it shares the
cores with the server and the database, so that every microsecond of its own would be theirs.
"""

import re
import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

LONGEST_SILENCE_SECONDS = 30.0
# More often than that, a server is not busy but broken.
MOST_HANG_UPS = 100
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_NANOSECONDS = 1_000_000_000
_CHUNK = 1 << 18
HUNG_UP = b"hung up"


class ServerSilentError(Exception):
    """The server answered nothing for long, or hung up again and again."""


@dataclass(frozen=True)
class Pressure:
    """What came of pressing: latencies of the good answers in nanoseconds, and all statuses.

    A call on which the server hung up has the status `HUNG_UP`, and was sent again.
    """

    seconds: float
    latencies: Sequence[int]
    statuses: Counter[bytes]
    last_good_body: bytes

    @property
    def rate(self) -> float:
        """Good answers in a second."""
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """The latency that this share of the good answers didn't exceed."""
        in_order = sorted(self.latencies)
        return in_order[min(int(share * len(in_order)), len(in_order) - 1)] / 1_000_000

    @property
    def refused(self) -> int:
        """How many calls weren't answered with 200."""
        return sum(self.statuses.values()) - len(self.latencies)


def post(path: str, body: bytes, token: str = "") -> bytes:
    """Return a whole request."""
    key = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{key}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def press(port: int, requests: Sequence[bytes], *, callers: int, seconds: float = 0) -> Pressure:
    """Let so many callers send these requests in turn, one at a time each, for so long.

    Without `seconds` each request is sent once.
    """
    count = callers if seconds else min(callers, len(requests))
    with _Press(port, cycle(requests) if seconds else iter(requests)) as work:
        asking = [work.join() for _ in range(count)]
        started_at = time.perf_counter_ns()
        until = started_at + int(seconds * _NANOSECONDS) if seconds else None
        work.run(asking, until)
        took = (time.perf_counter_ns() - started_at) / _NANOSECONDS
    return Pressure(took, work.latencies, work.statuses, work.last_good_body)


@dataclass
class _Caller:
    """One connection, which asks again as soon as it has its answer."""

    connection: socket.socket
    request: bytes = b""
    unsent: bytes = b""
    received: bytes = b""
    asked_at: int = 0


class _Press:
    """Everybody who asks, and what they were answered."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.latencies: array[int] = array("q")
        self.statuses: Counter[bytes] = Counter()
        self.last_good_body = b""
        self._port, self._requests = port, requests
        self._poll = select.epoll()
        self._by_number: dict[int, _Caller] = {}

    def __enter__(self) -> "_Press":
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()
        for caller in self._by_number.values():
            caller.connection.close()

    def join(self) -> _Caller:
        """One more caller."""
        caller = _Caller(_connect(self._port))
        self._listen_to(caller)
        return caller

    def run(self, callers: Sequence[_Caller], until: int | None) -> None:
        """Ask on every connection again and again; what was asked in time is waited for."""
        for caller in callers:
            self._ask_or_leave(caller, until)
        while self._by_number:
            events = self._poll.poll(LONGEST_SILENCE_SECONDS)
            if not events:
                raise ServerSilentError(f"No answer in {LONGEST_SILENCE_SECONDS} seconds")
            for number, _ in events:
                caller = self._by_number[number]
                if caller.unsent:
                    self._send(caller)
                elif self._hear(caller):
                    self._ask_or_leave(caller, until)

    def _ask_or_leave(self, caller: _Caller, until: int | None) -> None:
        """Send the next request, if there is one and time for it."""
        is_over = until is not None and time.perf_counter_ns() >= until
        request = None if is_over else next(self._requests, None)
        if request is None:
            self._hang_up(caller)
        else:
            self._begin(caller, request)

    def _begin(self, caller: _Caller, request: bytes) -> None:
        caller.request, caller.unsent, caller.received = request, request, b""
        caller.asked_at = time.perf_counter_ns()
        self._send(caller)

    def _send(self, caller: _Caller) -> None:
        """Send as much as the connection takes at once, and go on when it takes more."""
        was_waiting = len(caller.unsent) < len(caller.request)
        try:
            sent = caller.connection.send(caller.unsent)
        except ConnectionError:
            self._begin_again(caller)
            return
        caller.unsent = caller.unsent[sent:] if sent < len(caller.unsent) else b""
        if was_waiting or caller.unsent:
            interest = select.EPOLLOUT if caller.unsent else select.EPOLLIN
            self._poll.modify(caller.connection.fileno(), interest)

    def _hear(self, caller: _Caller) -> bool:
        """Take what has come; say whether the answer is whole."""
        try:
            piece = caller.connection.recv(_CHUNK)
        except ConnectionError:
            piece = b""
        if not piece:
            self._begin_again(caller)
            return False
        answer = caller.received + piece if caller.received else piece
        end, length = answer.find(_HEAD_END), _LENGTH.search(answer)
        if end < 0 or length is None or len(answer) < end + len(_HEAD_END) + int(length[1]):
            caller.received = answer
            return False
        status = answer[9:12]
        self.statuses[status] += 1
        if status == b"200":
            self.latencies.append(time.perf_counter_ns() - caller.asked_at)
            self.last_good_body = answer[end + len(_HEAD_END) :]
        return True

    def _begin_again(self, caller: _Caller) -> None:
        """Send the request on another connection: the server hung up on this one."""
        self.statuses[HUNG_UP] += 1
        if self.statuses[HUNG_UP] > MOST_HANG_UPS:
            raise ServerSilentError("The server hangs up again and again")
        self._hang_up(caller)
        caller.connection = _connect(self._port)
        self._listen_to(caller)
        self._begin(caller, caller.request)

    def _hang_up(self, caller: _Caller) -> None:
        del self._by_number[caller.connection.fileno()]
        caller.connection.close()

    def _listen_to(self, caller: _Caller) -> None:
        self._by_number[caller.connection.fileno()] = caller
        self._poll.register(caller.connection.fileno(), select.EPOLLIN)


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), LONGEST_SILENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection
