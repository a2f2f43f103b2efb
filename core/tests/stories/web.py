"""The web server of `make run` as a real process on the database of one test, and its killing."""

import http.client
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from stack import commands
from stack.checkout import ROOT
from stack.leash import leashed
from stack.ports import free_ports
from stack.process import children_of

PRODUCT = "budget_manager.wsgi:application"
# What is served in place of the product to a server that has the variable.
OTHERS = {
    "CLOCK_AHEAD_SECONDS": "core.tests.stories.wrong_host:application",
    "ANSWERS_LATE_SECONDS": "core.tests.stories.late_answers:application",
}
PATIENCE_SECONDS = 40.0
LOOK_SECONDS = 0.02


class WebServer:
    """A master with two workers, of which a killed one is soon replaced."""

    def __init__(self, database_url: str, more: Mapping[str, str]) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DEBUG": "0",
            "HTTPS_ONLY": "0",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECRET_KEY": "of-one-test-0123456789-abcdefghijklmnopqrstuvwxyz",
            # Each process counts for itself: these tests have no Redis.
            "RATE_LIMIT_REDIS_URL": "",
            **more,
        }
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (`stop` closes it)
        self.start()

    def start(self) -> None:
        """Start the master; it answers a moment later."""
        bound = ("--bind", f"127.0.0.1:{self.port}")
        served = next((OTHERS[name] for name in OTHERS if name in self._environment), PRODUCT)
        words = (served if word == PRODUCT else word for word in commands.WEB)
        self._master = subprocess.Popen(
            leashed(commands.spec("web", (*words, *bound), {}).command),
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def await_ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, self.said()
            time.sleep(LOOK_SECONDS)

    def said(self) -> str:
        """The end of what its processes wrote."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")[-5_000:]

    def workers(self) -> list[int]:
        """The numbers of the worker processes that there are now."""
        return children_of(self._master.pid)

    def kill_worker(self, place: int) -> None:
        """Kill one of the workers, once there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _kill_one(self.workers(), place):
            assert time.monotonic() < deadline, self.said()
            time.sleep(LOOK_SECONDS)

    def kill_master(self) -> None:
        """Kill the master, with which its workers die."""
        self._master.kill()
        self._master.wait()
        self._bury()

    def replace(self) -> int:
        """Ask it to end and start another when it has; its exit status."""
        self._master.terminate()
        status = self._master.wait(PATIENCE_SECONDS)
        self._bury()
        self.start()
        return status

    def stop(self) -> None:
        """End it and all that it started."""
        self._master.terminate()
        try:
            self._master.wait(PATIENCE_SECONDS)
        finally:
            self._bury()
            self._said.close()

    def _bury(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._master.pid, signal.SIGKILL)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz/live")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _kill_one(numbers: list[int], place: int) -> bool:
    """Kill one of these processes; whether it was still there."""
    if not numbers:
        return False
    try:
        os.kill(numbers[place % len(numbers)], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def web_server(database_url: str, **more: str) -> Iterator[WebServer]:
    """A running server for the length of the block, ready when the block begins.

    `more` are further variables of its environment.
    """
    server = WebServer(database_url, more)
    try:
        server.await_ready()
        yield server
    finally:
        server.stop()
