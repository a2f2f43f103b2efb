"""The load generator of the measurements counts what it should, whatever the server does."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from benchmarks import load
from benchmarks.load import HUNG_UP, ServerSilentError, post, press

GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def test_answers_are_counted_whole_and_refusals_apart() -> None:
    # The first comes in three pieces, broken in the head and in the body.
    answers = [[GOOD[:20], GOOD[20:-2], GOOD[-2:]], [BUSY], [GOOD]]
    with answering([answers]) as port:
        pressure = press(port, [post("/", b"{}")] * 3, callers=1)
    assert len(pressure.latencies) == 2
    assert pressure.last_good_body == b"good"
    assert pressure.statuses == {b"200": 2, b"503": 1}
    assert pressure.refused == 1


def test_a_call_on_which_the_server_hung_up_is_sent_again_and_said() -> None:
    with answering([[[GOOD], [GOOD[:-1]]], [[GOOD]]]) as port:
        pressure = press(port, [post("/", b"{}")] * 2, callers=1)
    assert pressure.statuses == {b"200": 2, HUNG_UP: 1}
    assert pressure.refused == 1


def test_a_caller_who_is_done_hangs_up_first() -> None:
    # The server ends the idle connection while the other caller still waits.
    with answering([[[GOOD]], [[b"", b"", GOOD]]]) as port:
        pressure = press(port, [post("/", b"{}")] * 2, callers=2)
    assert pressure.statuses == {b"200": 2}


def test_a_server_that_always_hangs_up_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_HANG_UPS", 2)
    with answering([[[b""]]] * 3) as port, pytest.raises(ServerSilentError):
        press(port, [post("/", b"{}")], callers=1)


@contextmanager
def answering(connections: list[list[list[bytes]]]) -> Iterator[int]:
    """A server that gives each connection its answers, piece by piece, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer_all, args=(listener, connections))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def answer_all(listener: socket.socket, connections: list[list[list[bytes]]]) -> None:
    for answers in connections:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            for pieces in answers:
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(0.01)
