"""The proxy passes on, cuts, swallows; and what was cut after its COMMIT is committed."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chaos.proxy import Proxy
from core.tests.stack.benching import needs_postgres
from stack.postgres import throwaway_postgres
from stack.throwaway import throwaway_folder

SILENCE_SECONDS = 0.3


@pytest.fixture
def echoing() -> Iterator[Path]:
    """A server that says everything back, behind a unix socket."""
    with throwaway_folder("echo") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "echo.sock"))
        listener.listen()
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield folder / "echo.sock"
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_echo, args=(connection,), daemon=True).start()


def _echo(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(1_000):
            connection.sendall(data)


def call(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), 5)


def ask(connection: socket.socket, words: bytes) -> bytes:
    connection.sendall(words)
    return connection.recv(1_000)


def hears_nothing(connection: socket.socket) -> bool:
    connection.settimeout(SILENCE_SECONDS)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def is_hung_up_on(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_it_passes_on_and_tells_each_end_when_the_other_hangs_up(echoing: Path) -> None:
    with Proxy(echoing).running() as proxy, call(proxy) as connection:
        assert ask(connection, b"hello") == b"hello"
        connection.shutdown(socket.SHUT_WR)
        assert is_hung_up_on(connection)


def test_a_cut_hangs_up_on_everybody_once(echoing: Path) -> None:
    with Proxy(echoing).running() as proxy, call(proxy) as cut:
        assert ask(cut, b"hello") == b"hello"
        proxy.cut()
        assert is_hung_up_on(cut)
        with call(proxy) as fresh:
            assert ask(fresh, b"again") == b"again"


def test_who_is_refused_is_hung_up_on_until_it_passes_on_again(echoing: Path) -> None:
    with Proxy(echoing).running() as proxy:
        proxy.refuse()
        with call(proxy) as refused:
            assert is_hung_up_on(refused)
        proxy.pass_on()
        with call(proxy) as fresh:
            assert ask(fresh, b"again") == b"again"


def test_a_black_hole_answers_nobody_and_lets_all_arrive_afterwards_in_order(echoing: Path) -> None:
    with Proxy(echoing).running() as proxy, call(proxy) as before:
        assert ask(before, b"hello") == b"hello"
        proxy.swallow()
        with call(proxy) as newcomer:
            for connection in (before, newcomer):
                connection.sendall(b"one ")
                connection.sendall(b"two")
                assert hears_nothing(connection)
            proxy.pass_on()
            for connection in (before, newcomer):
                heard = b""
                while len(heard) < len(b"one two"):
                    heard += connection.recv(100)
                assert heard == b"one two"


def test_what_is_delayed_arrives_later_and_in_order_when_the_delay_ends(echoing: Path) -> None:
    with Proxy(echoing).running() as proxy, call(proxy) as connection:
        proxy.delay(0.2)
        time.sleep(0.05)
        began_at = time.monotonic()
        assert ask(connection, b"late") == b"late"
        assert time.monotonic() - began_at >= 0.4
        connection.sendall(b"first ")
        time.sleep(0.05)
        proxy.pass_on()
        connection.sendall(b"second")
        heard = b""
        while len(heard) < len(b"first second"):
            heard += connection.recv(100)
        assert heard == b"first second"


@needs_postgres
def test_what_is_cut_after_its_commit_was_sent_is_committed_and_nobody_was_told() -> None:
    with (
        throwaway_postgres() as server,
        Proxy(server.socket_folder / ".s.PGSQL.5432").running() as proxy,
        psycopg.connect(server.url, autocommit=True) as direct,
    ):
        direct.execute("CREATE TABLE kept (number int)")
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/budget_manager?sslmode=disable"
        with psycopg.connect(url) as client:
            client.execute("INSERT INTO kept VALUES (1)")
            proxy.cut_after_commits(1)
            time.sleep(0.05)
            with pytest.raises(psycopg.OperationalError):
                client.commit()
        assert proxy.commits_cut == 1
        assert direct.execute("SELECT number FROM kept").fetchall() == [(1,)]
        with psycopg.connect(url) as unharmed:
            unharmed.execute("INSERT INTO kept VALUES (2)")
        assert direct.execute("SELECT count(*) FROM kept").fetchone() == (2,)
