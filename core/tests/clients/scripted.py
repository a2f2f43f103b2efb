"""A server that answers as a script says, badly where it says so, and a clock that tests move."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from budget_manager_client import BudgetManager

Json = dict[str, Any]
ADDED: Json = {
    "campaign_id": 7,
    "campaign_name": "Summer Sale",
    "amount": "12.50",
    "new_daily_spend": "12.50",
    "new_monthly_spend": "12.50",
    "spend_log_id": 1,
    "is_active": True,
    "remaining": "87.50",
    "reasons": [],
    "event_id": "e",
}


@dataclass(frozen=True)
class Request:
    """What arrived, and over the how many-th connection."""

    connection: int
    line: str
    headers: dict[str, str]
    body: Json | None


# Does something with the connection; whether it stays open.
Step = Callable[[socket.socket], bool]


def answers(status: int, document: object, **headers: str) -> Step:
    """An answer as it should be."""
    content = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    told = "\r\n".join([*lines, "", ""]).encode() + content

    def answer(connection: socket.socket) -> bool:
        connection.sendall(told)
        return True

    return answer


def cuts(connection: socket.socket) -> bool:
    """The request was read, and then there is no answer."""
    return False


def cuts_midway(connection: socket.socket) -> bool:
    """Half an answer."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"campaign_id": 7')
    return False


def then_closes(step: Step) -> Step:
    """That, after which the server closes a connection that the client would keep."""
    return lambda connection: step(connection) and False


class Scripted:
    """Takes one step of the script for each request; after the last one it is silent."""

    def __init__(self, *script: Step) -> None:
        self.requests: list[Request] = []
        self._script = list(script)
        self._connections: list[socket.socket] = []
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Listen. Until then nothing does, and nobody can connect."""
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close everything."""
        for one in (self._listener, *self._connections):
            one.close()

    def bodies(self, name: str) -> list[Any]:
        """What each request said in this field."""
        return [(request.body or {}).get(name) for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            place = len(self._connections)
            threading.Thread(target=self._serve, args=(connection, place), daemon=True).start()

    def _serve(self, connection: socket.socket, place: int) -> None:
        with connection, connection.makefile("rb") as stream:
            for request in _requests(stream, place):
                self.requests.append(request)
                if self._script and not self._script.pop(0)(connection):
                    connection.shutdown(socket.SHUT_RDWR)
                    return


def _requests(stream: Any, place: int) -> Iterator[Request]:
    while line := stream.readline().decode().strip():
        headers = {}
        while header := stream.readline().decode().strip():
            name, _, value = header.partition(": ")
            headers[name] = value
        content = stream.read(int(headers.get("Content-Length", 0)))
        yield Request(place, line, headers, json.loads(content) if content else None)


@dataclass
class Time:
    """A clock that only sleeping moves, and a chance that is always the same."""

    now: float = 0.0
    luck: float = 0.5
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds

    def client(self, url: str, **limits: float) -> BudgetManager:
        """A client that lives in this time."""
        return BudgetManager(
            url,
            "a key",
            sleep=self.sleep,
            clock=lambda: self.now,
            chance=lambda: self.luck,
            **limits,
        )


@contextmanager
def scripted(*script: Step) -> Iterator[tuple[Scripted, BudgetManager, Time]]:
    """Such a server, a client of it, and their time."""
    server, time = Scripted(*script), Time()
    server.start()
    try:
        yield server, time.client(server.url), time
    finally:
        server.stop()
