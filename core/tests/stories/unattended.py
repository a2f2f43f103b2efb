"""A broker, a worker and a beat as real processes, on the database of one test."""

import io
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stack import commands, valkey
from stack.console import Console
from stack.process import Process
from stack.supervisor import await_end
from stack.throwaway import Manners, running_server, throwaway_folder

TASKS = (
    "check_budgets",
    "enforce_dayparting",
    "reset_daily_spend",
    "reset_monthly_spend",
    "expire_holds",
)
# How often a task runs that has no part in the scene.
NEVER_SECONDS = 3_600
# Reached only when something is broken, or the machine busy beyond reason.
PATIENCE_SECONDS = 40.0
LOOK_SECONDS = 0.1
STOP_SECONDS = 5.0


class Broker:
    """A Valkey server that can be killed and started again with what it had kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listens_at = folder / valkey.SOCKET_NAME
        self._running = ExitStack()
        self.url = valkey.broker_url(self._listens_at)

    def start(self) -> None:
        """Start it and wait until it answers."""
        server = valkey.spec(
            valkey.find_binary(), listens_at=self._listens_at, data=self._folder / "data"
        )
        self._running.enter_context(
            running_server(
                server.command,
                folder=self._folder,
                is_ready=lambda: valkey.answers(self._listens_at),
                manners=Manners(to_stop=signal.SIGKILL),
            )
        )

    def kill(self) -> None:
        """End it without a warning."""
        self._running.close()


class Unattended:
    """A broker, a worker, and a beat with the cadence of the scene."""

    def __init__(self, broker: Broker, database_url: str) -> None:
        self.broker = broker
        self._output = io.StringIO()
        self._console = Console(self._output)
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": broker.url,
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def said(self) -> str:
        """All that the processes have said, each line under the name of its process."""
        return self._output.getvalue()

    @contextmanager
    def beat(self, *tasks: str, name: str = "beat") -> Iterator[None]:
        """Run a beat for the length of the block: these tasks every second, no others."""
        cadence = {
            f"{task.upper()}_SECONDS": str(1 if task in tasks else NEVER_SECONDS) for task in TASKS
        }
        with self.running(name, commands.BEAT, cadence):
            yield

    @contextmanager
    def running(
        self, name: str, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> Iterator[None]:
        """Run a process for the length of the block; it and its offspring are gone afterwards."""
        spec = commands.spec(name, command, {**self._environment, **environment})
        process = Process(spec, self._console)
        try:
            yield
        finally:
            process.ask_to_stop()
            await_end([process], seconds=STOP_SECONDS)
            process.bury()

    def await_that(self, happened: Callable[[], bool], what: str) -> None:
        """Look again and again until it happened; fails with what the processes said."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < deadline, f"{what}: never seen\n{self.said}"
            time.sleep(LOOK_SECONDS)


@contextmanager
def unattended_work(
    database_url: str, *, workers: int = 1, application: str = "budget_manager"
) -> Iterator[Unattended]:
    """A broker and workers on this database, for the length of the block."""
    named = {"budget_manager": application}
    command = tuple(named.get(word, word) for word in commands.WORKER)
    with throwaway_folder("story") as folder:
        broker = Broker(folder)
        try:
            broker.start()
            work = Unattended(broker, database_url)
            with ExitStack() as running:
                for number in range(workers):
                    running.enter_context(work.running(f"worker {number + 1}", command, {}))
                yield work
        finally:
            broker.kill()
