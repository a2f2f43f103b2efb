"""Simulated time: one clock in a file, which every process of the rig reads and one moves.

It runs at the pace of real time and leaps between the midnights that are worth seeing; it never
goes back. The database's own clock shows the same (`chaos/database_clock.py`).
"""

import os
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE_NAME = "clock"
# The last number is the sum of the others, since a read may meet a write halfway.
_LAYOUT = struct.Struct("4d")


@dataclass(frozen=True)
class Pace:
    """From this real instant on it is this simulated instant (seconds since 1970), this fast."""

    real_base: float
    simulated_base: float
    speed: float

    def at(self, real: float) -> datetime:
        """What the clock shows at a real instant."""
        passed = (real - self.real_base) * self.speed
        return datetime.fromtimestamp(self.simulated_base + passed, UTC)


class SimulatedClock:
    """The clock that is kept in this folder."""

    def __init__(self, folder: Path) -> None:
        """It need not be there before somebody reads it."""
        self._path = folder / FILE_NAME
        self._descriptor: int | None = None

    def now(self) -> datetime:
        """Now, in UTC."""
        return self.pace().at(time.time())

    def pace(self) -> Pace:
        """How time runs."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        while True:
            *numbers, total = _LAYOUT.unpack(os.pread(self._descriptor, _LAYOUT.size, 0))
            if sum(numbers) == total:
                return Pace(*numbers)

    def keep(self, pace: Pace) -> None:
        """Let time run like this from now on."""
        numbers = (pace.real_base, pace.simulated_base, pace.speed)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, _LAYOUT.pack(*numbers, sum(numbers)), 0)
        finally:
            os.close(descriptor)
