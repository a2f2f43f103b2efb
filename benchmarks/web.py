"""Web servers for the length of a block, started by the command that serves the product."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack import commands
from stack.checkout import ROOT
from stack.errors import ServerFailedError
from stack.leash import leashed
from stack.ports import free_ports
from stack.process import children_of
from stack.throwaway import throwaway_folder

PRODUCT = "budget_manager.wsgi:application"
FREE = "benchmarks.free_application:application"
NOOP = "benchmarks.noop_application:application"
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.05
LOG_TAIL = 2_000


@dataclass(frozen=True)
class Shape:
    """How many processes with how many threads each."""

    workers: int
    threads: int

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """Read `2x32`."""
        workers, _, threads = text.partition("x")
        return cls(int(workers), int(threads))

    def __str__(self) -> str:
        return f"{self.workers}x{self.threads}"


@dataclass(frozen=True)
class Memory:
    """Megabytes of one worker: all that it maps, and its share of what several map."""

    resident: float
    proportional: float


@dataclass(frozen=True)
class WebServer:
    """A running server: where it listens, and its first process."""

    port: int
    shape: Shape
    master: int

    def memory_of_workers(self) -> list[Memory]:
        """What each worker takes by now."""
        return [_memory_of(process) for process in children_of(self.master)]


def environment_of(database_url: str, **more: str) -> dict[str, str]:
    """What production sets; calls are not counted, since no limit is to be reached."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DEBUG": "0",
        "HTTPS_ONLY": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "REQUESTS_PER_MINUTE": "0",
        "RATE_LIMIT_REDIS_URL": "",
        "LOG_LEVEL": "ERROR",
        **more,
    }


@contextmanager
def serving(
    shape: Shape, environment: Mapping[str, str], *, application: str = PRODUCT
) -> Iterator[WebServer]:
    """Serve the application for the length of the block."""
    with throwaway_folder("web") as folder:
        (port,) = free_ports(1)
        with (folder / "said").open("wb") as said:
            master = subprocess.Popen(  # noqa: S603 (the product's own command)
                leashed(_command(application, shape, port)),
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _await_listening(port, master, folder / "said")
            yield WebServer(port, shape, master.pid)
        finally:
            master.terminate()
            try:
                master.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(master.pid, signal.SIGKILL)
                master.wait()


def _command(application: str, shape: Shape, port: int) -> tuple[str, ...]:
    """The product's command line, for this application, shape and port."""
    words = [application if word == PRODUCT else word for word in commands.WEB]
    assert application in words
    words += ["--workers", str(shape.workers), "--threads", str(shape.threads)]
    words += ["--bind", f"127.0.0.1:{port}"]
    return commands.spec("web", tuple(words), {}).command


def _await_listening(port: int, master: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if master.poll() is None and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
                continue
            raise ServerFailedError("the web server", said.read_text()[-LOG_TAIL:]) from None
        return


def _memory_of(process: int) -> Memory:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
    }
    return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)
