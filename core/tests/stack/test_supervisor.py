"""The supervisor restarts, stops and never leaves anything behind; a run prepares itself."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import kombu
import pytest

from stack import checkout, demo, environment, folders
from stack.checkout import ROOT, held_for_this_run
from stack.errors import AlreadyRunningError, PortInvalidError, PortTakenError
from stack.postgres_binaries import has_binaries
from stack.run import refuse_taken_port
from stack.supervisor import Backoff, Patience
from stack.throwaway import LOCK_NAME, throwaway_folder
from stack.valkey import throwaway_valkey

DRIVER = """
import json, signal, sys
from stack.console import Console
from stack.leash import tie_to_parent
from stack.process import ProcessSpec
from stack.supervisor import Backoff, Patience, Supervisor

order = json.loads(sys.argv[1])
tie_to_parent(signal.SIGTERM)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Whoever runs the tests may be under nohup.
backoff, patience = Backoff(*order["backoff"]), Patience(*order["patience"])
with Supervisor(Console(sys.stdout), backoff=backoff, patience=patience) as supervisor:
    for name, script in order["scripts"].items():
        supervisor.start(ProcessSpec(name, ("sh", "-c", script), stops_last=name == "base"))
    supervisor.keep_running()
"""
POSTGRES_HOLDER = """
import time
from stack.postgres import throwaway_postgres

with throwaway_postgres() as server:
    print(server.socket_folder, flush=True)
    time.sleep(1000)
"""
SLEEPS = "echo $$; exec sleep 1000"
LONGEST_SECONDS = 10.0
# Doesn't listen to TERM, and has a child that doesn't either.
STUBBORN = "trap '' TERM; sh -c 'echo $$; sleep 1000; echo' & echo $$; while :; do sleep 1000; done"
# Says when it was told to stop.
POLITE = "trap 'echo told; exit 0' TERM; echo $$; while :; do sleep 0.02; done"
SLOW = "trap 'sleep 0.3; echo told; exit 0' TERM; echo $$; while :; do sleep 0.02; done"


class Driver:
    """A supervisor in a process of its own, and what it has said so far."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self._unread: list[tuple[str, str]] = []

    def lines(self) -> Iterator[tuple[str, str]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, said = line.split("|", 1)
            yield name.strip(), said.strip()

    def next_said(self, name: str) -> str:
        for index, (who, said) in enumerate(self._unread):
            if who == name:
                del self._unread[index]
                return said
        for who, said in self.lines():
            if who == name:
                return said
            self._unread.append((who, said))
        raise AssertionError(f"{name} said nothing more")

    def next_pid(self, name: str) -> int:
        return int(self.next_said(name))


@contextmanager
def supervised(
    *,
    backoff: tuple[float, ...] = (0.05, 0.2, 60.0),
    patience: tuple[float, ...] = (7.0, 1.5),
    before: tuple[str, ...] = (),
    **scripts: str,
) -> Iterator[Driver]:
    order = json.dumps({"backoff": backoff, "patience": patience, "scripts": scripts})
    driver = Driver((*before, sys.executable, "-c", DRIVER, order))
    too_long = threading.Timer(LONGEST_SECONDS, driver.process.kill)
    too_long.start()
    try:
        yield driver
    finally:
        driver.process.terminate()
        driver.process.communicate()
        too_long.cancel()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def becomes_true(fact: Callable[[], bool], *, seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_killed_process_comes_back() -> None:
    with supervised(a=SLEEPS) as driver:
        first = driver.next_pid("a")
        os.kill(first, signal.SIGKILL)
        assert driver.next_said("stack") == "a ended with signal 9 (Killed); next start in 0.05 s"
        second = driver.next_pid("a")
        assert second != first
        assert is_alive(second)


def test_a_process_that_keeps_dying_is_started_ever_later_up_to_a_bound() -> None:
    with supervised(a="exit 3") as driver:
        said = [driver.next_said("stack") for _ in range(4)]
    assert said == [f"a ended with status 3; next start in {s} s" for s in (0.05, 0.1, 0.2, 0.2)]


def test_a_process_that_ran_well_for_a_while_comes_back_soon() -> None:
    with supervised(a="sleep 0.3", backoff=(0.05, 0.2, 0.25)) as driver:
        said = [driver.next_said("stack") for _ in range(3)]
    assert said == ["a ended with status 0; next start in 0.05 s"] * 3


def test_pauses_grow_from_one_second_to_thirty() -> None:
    pauses = [Backoff().pause(deaths) for deaths in (1, 2, 3, 4, 5, 6, 7, 1_000)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert Backoff().calm_seconds == 60


def test_what_a_dead_process_started_dies_before_it_comes_back() -> None:
    with supervised(a="sleep 1000 & echo $!; wait") as driver:
        orphan = driver.next_pid("a")
        parent = int(Path(f"/proc/{orphan}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(parent, signal.SIGKILL)
        driver.next_pid("a")
        assert not is_alive(orphan)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_at_once(number: signal.Signals) -> None:
    with supervised(a=SLEEPS, b=SLEEPS) as driver:
        pids = [driver.next_pid("a"), driver.next_pid("b")]
        asked_at = time.monotonic()
        driver.process.send_signal(number)
        assert driver.process.wait(5) == 0
        assert time.monotonic() - asked_at < 2
        assert not any(map(is_alive, pids))


def test_who_ignores_term_is_killed_with_its_children() -> None:
    with supervised(a=STUBBORN, patience=(0.3, 0.1)) as driver:
        pids = [driver.next_pid("a"), driver.next_pid("a")]
        driver.process.terminate()
        assert driver.next_said("stack") == "a didn't stop within 0.3 s: killed"
        assert driver.process.wait(5) == 0
        assert not any(map(is_alive, pids))


def test_all_patience_together_stays_below_ten_seconds() -> None:
    assert Patience().most_seconds + Patience().last_seconds < 9


def test_what_others_need_is_stopped_after_them() -> None:
    with supervised(base=POLITE, a=SLOW) as driver:
        driver.next_pid("base")
        driver.next_pid("a")
        driver.process.terminate()
        told = [name for name, said in driver.lines() if said == "told"]
    assert told == ["a", "base"]


def test_killing_the_supervisor_leaves_nothing_behind() -> None:
    with supervised(a=SLEEPS, b=SLEEPS) as driver:
        pids = [driver.next_pid("a"), driver.next_pid("b")]
        assert all(map(is_alive, pids))
        driver.process.kill()
        assert becomes_true(lambda: not any(map(is_alive, pids)))


def test_killing_the_supervisors_parent_stops_everything() -> None:
    with supervised(a=SLEEPS, before=("sh", "-c", '"$@"; :', "sh")) as shell:
        pid = shell.next_pid("a")
        shell.process.kill()
        assert becomes_true(lambda: not is_alive(pid))


def test_a_second_run_is_refused_and_told_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "RUN_LOCK", tmp_path / "run.lock")
    with held_for_this_run("http://127.0.0.1:8000"):
        facts = f"process {os.getpid()} at http://127.0.0.1:8000"
        with (
            pytest.raises(AlreadyRunningError, match=facts),
            held_for_this_run("http://127.0.0.1:9000"),
        ):
            pass
    with held_for_this_run("http://127.0.0.1:9000"):
        pass


def test_a_taken_port_is_refused_by_name() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"Port {port} .* PORT="):
            refuse_taken_port(port)
    refuse_taken_port(port)


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "80 ", "²"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PortInvalidError):
        environment.port_of({"PORT": text})


def test_the_port_is_8000_unless_said_otherwise() -> None:
    assert environment.port_of({}) == environment.port_of({"PORT": ""}) == 8000
    assert environment.port_of({"PORT": "9000"}) == 9000


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, True),
        ({"DATABASE_URL": "", "CELERY_BROKER_URL": ""}, True),
        ({"DATABASE_URL": "postgresql://x/y"}, False),
        ({"CELERY_BROKER_URL": "redis://x"}, False),
        ({"DATABASE_URL": "postgresql://x/y", "DEMO": "1"}, True),
        ({"DEMO": "0"}, False),
    ],
)
def test_demo_data_never_enters_a_persons_own_database_unasked(
    said: dict[str, str], wanted: bool
) -> None:
    assert environment.wants_demo(said) is wanted


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    made = environment.kept_secret_key(path)
    assert len(made) >= 50
    assert environment.kept_secret_key(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_the_person_set_wins_over_the_defaults() -> None:
    said = {"SECRET_KEY": "k", "DEBUG": "1", "DATABASE_URL": "postgresql://x/y", "HTTPS_ONLY": ""}
    complete = environment.complete(said, broker_url="redis+socket:///x")
    assert {n: complete[n] for n in said} == {**said, "HTTPS_ONLY": "0"}
    assert complete["CELERY_BROKER_URL"] == "redis+socket:///x"
    assert complete["ALLOWED_HOSTS"] == "127.0.0.1,localhost,[::1]"


@pytest.fixture
def way_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a demo of the default database was loaded before."""
    for name in ("CREDENTIALS_FILE", "DATABASE_MARK_FILE", "SQLITE_FILE"):
        monkeypatch.setattr(demo, name, tmp_path / name)
    (tmp_path / "SQLITE_FILE").touch()
    demo.forget_credentials_of_another_database(environment.SQLITE_URL)
    demo.CREDENTIALS_FILE.write_text(json.dumps({"url": "http://127.0.0.1:8000", "api_key": "k"}))
    return demo.CREDENTIALS_FILE


def test_the_demo_is_loaded_once_and_its_url_follows_the_port(way_in: Path) -> None:
    demo.forget_credentials_of_another_database(environment.SQLITE_URL)
    assert demo.loading(url="http://127.0.0.1:9000", environment={}) is None
    assert demo.credentials() == {"url": "http://127.0.0.1:9000", "api_key": "k"}
    assert stat.S_IMODE(way_in.stat().st_mode) == 0o600


def test_a_lost_or_another_database_gets_a_demo_of_its_own(way_in: Path) -> None:
    kept = way_in.read_text()
    demo.forget_credentials_of_another_database("postgresql://x/y")
    assert demo.credentials() == {}
    assert demo.loading(url="http://127.0.0.1:8000", environment={}) is not None
    demo.forget_credentials_of_another_database(environment.SQLITE_URL)
    way_in.write_text(kept)
    way_in.with_name("SQLITE_FILE").unlink()
    demo.forget_credentials_of_another_database(environment.SQLITE_URL)
    assert demo.credentials() == {}


def test_the_embedded_broker_carries_messages() -> None:
    with throwaway_valkey() as url:
        with kombu.Connection(url) as connection, connection.SimpleQueue("trial") as queue:
            queue.put({"hello": "there"})
            message = queue.get(timeout=2)
            message.ack()
        assert message.payload == {"hello": "there"}
        folder = Path(url.removeprefix("redis+socket://").split("?")[0]).parent
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.skipif(not has_binaries(), reason="this system has no PostgreSQL wheel")
def test_a_throwaway_postgres_ends_with_its_holder_even_by_sigkill() -> None:
    command = (sys.executable, "-c", POSTGRES_HOLDER)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        assert is_alive(server)
        holder.kill()
        assert becomes_true(lambda: not is_alive(server))
    shutil.rmtree(folder)


def test_what_a_killed_run_left_is_removed_by_the_next_but_not_what_is_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory() as root:
        monkeypatch.setattr(folders, "temporary_roots", lambda: [Path(root)])
        with throwaway_folder("trial") as used, throwaway_folder("trial") as left:
            copy = left.with_name(f"{left.name}-left")
            shutil.copytree(left, copy)
            for folder in (used, copy):
                os.utime(folder / LOCK_NAME, (0, 0))
            with throwaway_folder("trial"):
                assert used.exists()
                assert not copy.exists()
        assert list(Path(root).iterdir()) == []
