"""Moves simulated time: from midnight to midnight while it runs, and past everything at the end."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from chaos.clock import SimulatedClock
from chaos.database_clock import is_quiet, set_clocks
from chaos.gate import Gate
from chaos.midnights import next_midnight
from chaos.scene import Scene
from chaos.wishes import FOCUS_FILE

# Of each midnight we see so much before it and the rest of a period after it.
LEAD = timedelta(seconds=1.7)
PERIOD_SECONDS = 3.8
PATIENCE_SECONDS = 1.0
LOOK_SECONDS = 0.01


@dataclass
class TimeMachine:
    """Leaps only while nothing is under way; what can't leap now leaps a little later."""

    folder: Path
    database_url: str
    scene: Scene
    midnights: list[tuple[datetime, list[int]]] = field(default_factory=list)
    leaps: int = 0
    postponed: int = 0

    def __post_init__(self) -> None:
        """The clock and the gate of the folder."""
        self.clock, self._gate = SimulatedClock(self.folder), Gate(self.folder)

    def leap_to_midnight(self) -> bool:
        """Go to shortly before the next midnight of anybody; whether it went."""
        now = self.clock.now()
        midnight, brand_ids = next_midnight(self.scene.zones, now)
        if midnight - now > LEAD and not self.leap(midnight - LEAD):
            return False
        self.midnights.append((midnight, brand_ids))
        focus_on(self.folder, brand_ids)
        return True

    def leap(
        self, to: datetime, *, speed: float = 1.0, patience_seconds: float = PATIENCE_SECONDS
    ) -> bool:
        """Go there, never back; whether everybody stood still in time."""
        with self._standstill(patience_seconds) as connection:
            if connection is None:
                self.postponed += 1
                return False
            set_clocks(connection, self.clock, max(to, self.clock.now()), speed=speed)
            self.leaps += 1
            return True

    @contextmanager
    def _standstill(self, patience_seconds: float) -> Iterator[psycopg.Connection | None]:
        """A connection while nothing is under way, or None when something is for too long."""
        deadline = time.monotonic() + patience_seconds
        try:
            with (
                self._gate.closed(patience_seconds) as is_closed,
                psycopg.connect(self.database_url, autocommit=True) as connection,
            ):
                # A killed process leaves the gate at once, its statement the database later.
                while is_closed and not is_quiet(connection):
                    is_closed = time.monotonic() < deadline
                    time.sleep(LOOK_SECONDS)
                yield connection if is_closed else None
        except psycopg.OperationalError:
            yield None


def focus_on(folder: Path, brand_ids: list[int]) -> None:
    """Tell the clients whose midnight is near."""
    draft = folder / f"{FOCUS_FILE}.draft"
    draft.write_text(json.dumps(brand_ids))
    draft.replace(folder / FOCUS_FILE)
