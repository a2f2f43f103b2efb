"""Keeps processes running: restarts what dies, stops all of them together.

Knows nothing about what they are; `stack/run.py` says that. One thread watches and starts
(the leash is held by the thread that starts a process); others only copy output.
"""

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Self

from stack.console import Console
from stack.process import Process, ProcessSpec

LOOK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OWN_NAME = "stack"


class StopRequestedError(Exception):
    """A person asked to stop while a step was under way."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a restart: doubling, bounded, forgotten after a calm while."""

    first_seconds: float = 1.0
    longest_seconds: float = 30.0
    calm_seconds: float = 60.0

    def pause(self, quick_deaths: int) -> float:
        """Return the pause after so many deaths in a row, the first included."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(quick_deaths - 1, 30))


@dataclass(frozen=True)
class Patience:
    """How long the others, and then those that stop last, may take to end after a TERM."""

    most_seconds: float = 7.0
    last_seconds: float = 1.5


class Ward:
    """One process under care: its present incarnation, or the moment of its next one."""

    def __init__(self, spec: ProcessSpec, *, console: Console, backoff: Backoff) -> None:
        self.spec = spec
        self._console = console
        self._backoff = backoff
        self._quick_deaths = 0
        self._due_at = 0.0
        self.process: Process | None = None
        self._start()

    def tend(self) -> None:
        """Bury a process that died, and start the next one when its pause is over."""
        if self.process is None:
            if time.monotonic() >= self._due_at:
                self._start()
        elif self.process.has_ended():
            status = self.process.bury()
            self.process = None
            self._plan_restart(f"ended with {describe(status)}")

    def _start(self) -> None:
        self._started_at = time.monotonic()
        try:
            self.process = Process(self.spec, self._console)
        except OSError as error:  # The machine is out of processes or memory for now.
            self._plan_restart(f"could not be started ({error.strerror})")

    def _plan_restart(self, what_happened: str) -> None:
        was_calm = time.monotonic() - self._started_at >= self._backoff.calm_seconds
        self._quick_deaths = 1 if was_calm else self._quick_deaths + 1
        pause = self._backoff.pause(self._quick_deaths)
        self._due_at = time.monotonic() + pause
        self._console.say(OWN_NAME, f"{self.spec.name} {what_happened}; next start in {pause:g} s")


class Supervisor:
    """The processes of one run. Leaving the `with` block stops every one of them."""

    def __init__(
        self, console: Console, *, backoff: Backoff = Backoff(), patience: Patience = Patience()
    ) -> None:
        self._console = console
        self._backoff = backoff
        self._patience = patience
        self._wards: list[Ward] = []
        self._is_stopping = False

    def __enter__(self) -> Self:
        """Turn the signals that mean "stop" into a wish that the loops below see."""
        for number in STOP_SIGNALS:
            is_under_nohup = number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
            if not is_under_nohup:
                signal.signal(number, self._request_stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything, also after an error."""
        self.stop()

    def start(self, spec: ProcessSpec) -> None:
        """Start a process and keep it running from now on."""
        self._wards.append(Ward(spec, console=self._console, backoff=self._backoff))

    def pid_of(self, name: str) -> int | None:
        """The process that runs under this name now; none between its death and the next start."""
        running = (ward.process for ward in self._wards if ward.spec.name == name)
        return next((process.pid for process in running if process is not None), None)

    def run_to_end(self, spec: ProcessSpec) -> int:
        """Run a step that ends by itself and return its exit status."""
        step = Process(spec, self._console)
        try:
            self.wait_for(step.has_ended)
        except StopRequestedError:
            step.ask_to_stop()
            await_end([step], seconds=self._patience.last_seconds)
            raise
        finally:
            status = step.bury()
        return status

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Tend the processes until something happened."""
        while not happened():
            if self._is_stopping or self._console.is_closed:
                raise StopRequestedError
            for ward in self._wards:
                ward.tend()
            time.sleep(LOOK_SECONDS)

    def keep_running(self) -> None:
        """Tend the processes until somebody asks to stop."""
        try:
            self.wait_for(lambda: False)
        except StopRequestedError:
            return

    def stop(self) -> None:
        """End every process: first TERM, after a while KILL; those that others need come last."""
        self._stop_each(
            (w for w in self._wards if not w.spec.stops_last), self._patience.most_seconds
        )
        self._stop_each((w for w in self._wards if w.spec.stops_last), self._patience.last_seconds)
        self._wards.clear()

    def _stop_each(self, wards: Iterable[Ward], seconds: float) -> None:
        running = {w.spec.name: w.process for w in wards if w.process is not None}
        for process in running.values():
            process.ask_to_stop()
        await_end(list(running.values()), seconds=seconds)
        for name, process in running.items():
            if not process.has_ended():
                self._console.say(OWN_NAME, f"{name} didn't stop within {seconds:g} s: killed")
            process.bury()

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True


def await_end(processes: list[Process], *, seconds: float) -> None:
    """Wait until all have ended, but no longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(p.has_ended() for p in processes):
        time.sleep(LOOK_SECONDS / 2)


def describe(status: int) -> str:
    """Name an exit status the way a person would."""
    if status < 0:
        return f"signal {-status} ({signal.strsignal(-status)})"
    return f"status {status}"
