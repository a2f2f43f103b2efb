"""One process of the stack: how it is started, watched and ended with all that it started."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.checkout import ROOT
from stack.console import Console
from stack.leash import leashed

LAST_LINES_SECONDS = 1.0


@dataclass(frozen=True)
class ProcessSpec:
    """What to run, under which name, and whether the others need it until their end."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    stops_last: bool = False


class Process:
    """A started process: leader of its own session, so that its group is exactly its offspring."""

    def __init__(self, spec: ProcessSpec, console: Console) -> None:
        """Start it on a leash, its output going to the console."""
        self._popen = subprocess.Popen(  # noqa: S603 (a command of ours, no shell)
            leashed(spec.command),
            cwd=ROOT,
            env=spec.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        assert self._popen.stdout is not None  # noqa: S101 (we asked for the pipe)
        self._output = console.follow(spec.name, self._popen.stdout)

    def has_ended(self) -> bool:
        """Say whether the leader ended, without burying it: its number stays taken until `bury`."""
        if self._popen.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ask_to_stop(self) -> None:
        """Send TERM to the leader, which knows how to stop its own children."""
        if not self.has_ended():
            os.kill(self.pid, signal.SIGTERM)

    def bury(self) -> int:
        """Kill whatever is left of the group and return the leader's exit status."""
        if self._popen.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
            self._output.join(LAST_LINES_SECONDS)
        return self._popen.returncode


def children_of(process: int) -> list[int]:
    """The processes that a process's first thread has started and that live; none of a dead one."""
    try:
        words = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [int(word) for word in words]
