"""What stops a campaign apart from its budgets, by a tiny judge of the audit's own (C13, C14).

Switches, the flight, and the weekly windows on the local clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Its weekdays as bits, Monday first, and the first minute and the one after the last.
Window = tuple[int, int, int]
STANDING = frozenset(
    {"brand_disabled", "campaign_disabled", "not_started", "ended", "outside_schedule"}
)


@dataclass(frozen=True, slots=True)
class Switches:
    """What a person has set of a campaign, but for its budgets."""

    is_enabled: bool
    starts_at: datetime | None
    ends_at: datetime | None
    windows: tuple[Window, ...]

    @classmethod
    def of_version(cls, settings: dict[str, Any]) -> "Switches":
        """As a kept version tells them."""
        starts_at, ends_at = settings["starts_at"], settings["ends_at"]
        return cls(
            settings["is_enabled"],
            starts_at and datetime.fromisoformat(starts_at),
            ends_at and datetime.fromisoformat(ends_at),
            tuple(
                (sum(1 << day for day in days), start, end)
                for days, start, end in settings["dayparts"]
            ),
        )

    def reasons(self, at: datetime, local: datetime) -> Iterator[str]:
        """Why the campaign doesn't run at an instant, whose local wall time is `local`."""
        if not self.is_enabled:
            yield "campaign_disabled"
        if self.starts_at and at < self.starts_at:
            yield "not_started"
        if self.ends_at and at >= self.ends_at:
            yield "ended"
        if self.windows and not any(_is_open(window, local) for window in self.windows):
            yield "outside_schedule"


def _is_open(window: Window, local: datetime) -> bool:
    weekdays, start, end = window
    minute = local.hour * 60 + local.minute
    is_todays = bool(weekdays >> local.weekday() & 1)
    if start < end:
        return is_todays and start <= minute < end
    # Past midnight the window belongs to the weekday on which it began (C13).
    is_yesterdays = bool(weekdays >> (local.weekday() - 1) % 7 & 1)
    return (is_todays and minute >= start) or (is_yesterdays and minute < end)
