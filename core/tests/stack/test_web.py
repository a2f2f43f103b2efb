"""The web server: its workers die with it and are replaced, and it ends what it has begun.

Told over raw sockets what a client may send, it hands the application what Django expects.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from core.tests.stack.echo_application import application
from stack import commands, web
from stack.checkout import ROOT
from stack.leash import leashed
from stack.ports import free_ports
from stack.process import children_of

ECHO = "core.tests.stack.echo_application:application"
LATE = "core.tests.stack.late_application:application"
WRONG_SERVER = "core.tests.stack.wrong_server"
LONGEST_SECONDS = 10.0
# Prints how many arenas glibc has made for 16 threads that allocate at once.
COUNT_ARENAS = """
import ctypes, sys, threading
from stack import web
if sys.argv[1] == "shared":
    web.share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(16)
def allocate():
    together.wait()
    libc.malloc(5_000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
stream = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(stream))
libc.fclose(ctypes.c_void_p(stream))
"""


class Echo:
    """A running server of the application that says what reached it."""

    def __init__(self, served: str, module: str) -> None:
        (self.port,) = free_ports(1)
        bound = ("--bind", f"127.0.0.1:{self.port}", "--threads", "2")
        words = (*commands.WEB[:2], module, served, *bound)
        self.master = subprocess.Popen(
            leashed(commands.spec("web", words, {}).command),
            cwd=ROOT,
            start_new_session=True,
        )
        await_that(lambda: len(self.workers()) == web.WORKERS)

    def workers(self) -> set[int]:
        return set(children_of(self.master.pid))

    def answers(self) -> bool:
        try:
            return bool(self.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        except OSError:
            return False

    def ask(self, request: bytes, *, is_all: bool = False) -> dict[str, Any]:
        """Send these bytes; what the application says of them. `is_all`: and nothing after them."""
        with socket.create_connection(("127.0.0.1", self.port), LONGEST_SECONDS) as connection:
            connection.sendall(request)
            if is_all:
                connection.shutdown(socket.SHUT_WR)
            return heard(connection)

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.master.pid, signal.SIGKILL)
        self.master.wait()


def heard(connection: socket.socket) -> dict[str, Any]:
    answer = b""
    while not answer.endswith(b"}"):
        piece = connection.recv(65_536)
        if not piece:
            raise ConnectionResetError("no answer")
        answer += piece
    told: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return told


def await_that(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(process: int) -> bool:
    """Whether it has ended; a zombie that nobody has buried yet has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextmanager
def running(served: str, module: str = commands.WEB[2]) -> Iterator[Echo]:
    server = Echo(served, module)
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def echo() -> Iterator[Echo]:
    with running(ECHO) as server:
        await_that(server.answers)
        yield server


def test_a_killed_worker_is_replaced_however_often(echo: Echo) -> None:
    for _ in range(3):
        before = echo.workers()
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        await_that(lambda before=before: len(echo.workers() - before) == web.WORKERS)  # type: ignore[misc]  # mypy doesn't infer a lambda's default
        # Whoever connected meanwhile waited in the one queue of all workers.
        assert echo.answers()


def test_workers_die_with_their_master(echo: Echo) -> None:
    workers = echo.workers()
    echo.master.kill()
    await_that(lambda: all(is_gone(worker) for worker in workers))


def test_a_worker_whose_master_has_died_before_it_was_tied_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "tie_to_parent", lambda at_death: None)
    monkeypatch.setattr("granian.wsgi.os", os)
    monkeypatch.setattr("granian._signals.set_sync_signals", None)
    assert callable(web.begin_work(application, os.getppid()))
    with pytest.raises(SystemExit):
        web.begin_work(application, os.getpid())


def test_what_was_begun_before_a_term_is_answered_and_nothing_begins_after_it(echo: Echo) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), LONGEST_SECONDS) as connection:
        connection.sendall(b"GET /?seconds=0.5 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        echo.master.terminate()
        await_that(lambda: not echo.answers())
        assert heard(connection)["pid"]
    assert echo.master.wait(LONGEST_SECONDS) == 0


@pytest.mark.parametrize("module", [commands.WEB[2], WRONG_SERVER])
def test_a_stop_that_comes_while_workers_begin_is_obeyed(module: str) -> None:
    with running(LATE, module) as late:
        asked_at = time.monotonic()
        late.master.terminate()
        assert late.master.wait(LONGEST_SECONDS) == 0
        is_killed = time.monotonic() - asked_at >= web.GRACEFUL_SECONDS
    # Who doesn't obey serves on until it is killed, whatever it is doing then.
    assert is_killed is (module == WRONG_SERVER)


def test_what_was_begun_is_answered_however_often_everybody_is_told_to_stop(echo: Echo) -> None:
    told = [echo.master.pid, *echo.workers()]
    with socket.create_connection(("127.0.0.1", echo.port), LONGEST_SECONDS) as connection:
        connection.sendall(b"GET /?seconds=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(4):
            time.sleep(0.1)
            for process in told:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
        assert heard(connection)["pid"]
    echo.master.wait(LONGEST_SECONDS)


def test_what_takes_too_long_is_cut_off_before_the_supervisor_would_kill(echo: Echo) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), LONGEST_SECONDS) as connection:
        connection.sendall(b"GET /?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        asked_at = time.monotonic()
        echo.master.terminate()
        assert echo.master.wait(LONGEST_SECONDS) == 0
        assert time.monotonic() - asked_at < web.GRACEFUL_SECONDS + 1
        with pytest.raises(ConnectionResetError):
            heard(connection)


class Answer:
    """As Django's: whole, or streaming and perhaps without end."""

    content = b"all of it"

    def __init__(self, *, streaming: bool) -> None:
        self.streaming, self.is_closed = streaming, False

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_that_is_whole_goes_out_in_one_piece(streaming: bool) -> None:
    answer = Answer(streaming=streaming)
    sent: Any = web.in_one_piece(lambda *_: answer)({}, lambda *_: print)  # type: ignore[arg-type]
    assert sent == (answer if streaming else [b"all of it"])
    # The server closes what it asks for one piece after the other.
    assert answer.is_closed is not streaming


def test_requests_do_not_see_the_variables_of_the_process(echo: Echo) -> None:
    assert "PATH" in os.environ
    assert "PATH" not in echo.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")["names"]


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


def test_a_body_that_broke_off_is_handed_over_as_far_as_it_came(echo: Echo) -> None:
    told = echo.ask(POST + b"Content-Length: 10\r\n\r\nabc", is_all=True)
    assert (told["body"], told["announced"]) == ("abc", "10")


@pytest.mark.parametrize("more", [b"", b"Content-Length: 3\r\n"])
def test_a_body_in_chunks_is_said_to_be_one(echo: Echo, more: bytes) -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    told = echo.ask(POST + more + chunks)
    # Two ways to say where the body ends are one too many: a proxy might believe the other.
    assert (told["encoding"], told["announced"]) == ("chunked", None)


@pytest.mark.parametrize("length", [b"+3", b"3, 4", b"3\r\nContent-Length: 4", b"-1", b"3x"])
def test_a_length_that_is_not_one_number_is_refused(echo: Echo, length: bytes) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), LONGEST_SECONDS) as connection:
        connection.sendall(POST + b"Content-Length: " + length + b"\r\n\r\nabcd")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_what_is_not_news_is_not_said() -> None:
    def record(text: str) -> Any:
        return logging.makeLogRecord({"msg": text})

    assert not web.is_news(record("Configuration allows spawning up to 16 Python threads"))
    assert web.is_news(record("Killing worker-1"))


def arenas(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_ARENAS, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_threads_share_as_many_arenas_as_we_say() -> None:
    assert arenas("shared") <= web.ARENAS
    assert arenas("each its own") > web.ARENAS
