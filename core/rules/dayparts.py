"""When a campaign's schedule is open: weekly windows of local minutes, and their edges (C13)."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from core.errors import InvalidFieldError
from core.rules.calendar import BrandCalendar

WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKDAYS, WEEKEND = (0, 1, 2, 3, 4), (5, 6)
EVERY_DAY = (*WORKDAYS, *WEEKEND)
MINUTES_PER_DAY = 1_440
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY

# One week's window can fall into a clock change and the next week's into a move to another zone,
# so an edge may be three weeks away.
LOOK_AHEAD = timedelta(weeks=4)

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Daypart:
    """One window on a set of weekdays (0 is Monday), in local minutes of the day (C13).

    `start_minute` is 0 to 1439, `end_minute` 1 to 1440. An end at or before the start lies on the
    next day, so that equal ones make 24 hours; an end of 0 is midnight and kept as 1440. Weekdays
    are kept sorted, each once. Raises InvalidFieldError for anything out of range.
    """

    weekdays: tuple[int, ...]
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        """Check the numbers and bring them into their one form."""
        if not self.weekdays or not set(self.weekdays) <= set(range(7)):
            raise InvalidFieldError("weekdays", "needs one weekday or more, each from mon to sun")
        if not 0 <= self.start_minute < MINUTES_PER_DAY:
            raise InvalidFieldError("start", "is out of range; send 00:00 to 23:59")
        if not 0 <= self.end_minute <= MINUTES_PER_DAY:
            raise InvalidFieldError("end", "is out of range; send 00:00 to 24:00")
        object.__setattr__(self, "weekdays", tuple(sorted(set(self.weekdays))))
        object.__setattr__(self, "end_minute", self.end_minute or MINUTES_PER_DAY)


@dataclass(frozen=True, slots=True)
class WeeklySchedule:
    """The open minutes of the local week, which starts on Monday 00:00 (C13).

    `windows` are half-open `[start, end)` within 0 to 10080, sorted and apart from each other, as
    `weekly_schedule` makes them; a window over Sunday night is split. No windows: no dayparts.
    """

    windows: tuple[tuple[int, int], ...] = ()

    @property
    def is_always_open(self) -> bool:
        """Whether no minute is closed: there are no dayparts, or they cover the week (C13)."""
        return self.windows in ((), ((0, MINUTES_PER_WEEK),))


def weekly_schedule(dayparts: Iterable[Daypart]) -> WeeklySchedule:
    """The schedule that these dayparts make together; none make one that is always open (C13)."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_windows(dayparts)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return WeeklySchedule(tuple(merged))


def _windows(dayparts: Iterable[Daypart]) -> Iterator[tuple[int, int]]:
    for daypart in dayparts:
        length = daypart.end_minute - daypart.start_minute
        if length <= 0:
            length += MINUTES_PER_DAY
        for weekday in daypart.weekdays:
            start = weekday * MINUTES_PER_DAY + daypart.start_minute
            end = start + length
            yield start, min(end, MINUTES_PER_WEEK)
            if end > MINUTES_PER_WEEK:
                yield 0, end - MINUTES_PER_WEEK


def is_open(schedule: WeeklySchedule, at: datetime, calendar: BrandCalendar) -> bool:
    """Whether the local clock shows an open minute at this instant (C13).

    So minutes that the clock skips are skipped, and minutes that it repeats are open both times.
    """
    return schedule.is_always_open or _state(schedule, calendar.local(at))[0]


def next_edge(schedule: WeeklySchedule, at: datetime, calendar: BrandCalendar) -> datetime | None:
    """The first instant after `at` at which the schedule opens or closes, in UTC (C13).

    Exact to the second across clock changes and the calendar's own change of zone, where the jump
    itself can be the edge. None if the schedule is always open.
    """
    if schedule.is_always_open:
        return None
    was_open = is_open(schedule, at, calendar)
    at = at.astimezone(UTC)
    until = at + LOOK_AHEAD
    for starts_at, ends_at in pairwise([at, *calendar.clock_jumps(at, until), until]):
        now_open, time_to_edge = _state(schedule, calendar.local(starts_at))
        if now_open != was_open:
            return starts_at
        if starts_at + time_to_edge < ends_at:
            return starts_at + time_to_edge
    return None


def _state(schedule: WeeklySchedule, local: datetime) -> tuple[bool, timedelta]:
    """Whether this wall time is open, and how long until an evenly running clock changes that.

    Only for a schedule that is not always open.
    """
    windows = schedule.windows
    minute = (local.weekday() * 24 + local.hour) * 60 + local.minute
    index = bisect_right(windows, (minute, MINUTES_PER_WEEK)) - 1
    is_inside = index >= 0 and minute < windows[index][1]
    if is_inside:
        edge = windows[index][1]
        if edge == MINUTES_PER_WEEK and windows[0][0] == 0:
            edge += windows[0][1]
    elif index + 1 < len(windows):
        edge = windows[index + 1][0]
    else:
        edge = MINUTES_PER_WEEK + windows[0][0]
    into_minute = timedelta(seconds=local.second, microseconds=local.microsecond)
    return is_inside, timedelta(minutes=edge - minute) - into_minute


def parse_minute(text: str, field: str) -> int:
    """The minute of the day that "HH:MM" says, 0 for "00:00" to 1440 for "24:00" (C13).

    Raises InvalidFieldError, naming `field`, for any other form.
    """
    if _CLOCK.fullmatch(text) is None:
        raise InvalidFieldError(field, 'is not a time of day; send "HH:MM", "00:00" to "24:00"')
    return int(text[:2]) * 60 + int(text[3:])


def format_minute(minute: int) -> str:
    """The minute of the day, 0 to 1440, as "HH:MM"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def parse_weekday(text: str, field: str) -> int:
    """The weekday that "mon" to "sun" says, 0 for Monday (C13).

    Raises InvalidFieldError, naming `field`, for any other text.
    """
    if text not in WEEKDAY_NAMES:
        raise InvalidFieldError(field, f"is not a weekday; send one of {', '.join(WEEKDAY_NAMES)}")
    return WEEKDAY_NAMES.index(text)
