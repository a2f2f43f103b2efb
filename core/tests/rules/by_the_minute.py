"""Random schedules near clock changes, and what is open in them, minute by minute.

Written without the code under test, of which only the shape of `Daypart` is used.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from core.rules.calendar import BrandCalendar
from core.rules.dayparts import Daypart, parse_minute
from core.tests.rules.zones import DAY, MINUTE, utc, zones

EVERY_DAY = tuple(range(7))
MON, TUE, WED, THU, FRI, SAT, SUN = EVERY_DAY

# Many edges near the hours at which clocks jump.
minutes = st.one_of(st.integers(0, 4 * 60), st.integers(0, 1_439))
dayparts = st.builds(
    Daypart,
    st.one_of(st.just(EVERY_DAY), st.sets(st.integers(0, 6), min_size=1).map(tuple)),
    minutes,
    st.one_of(minutes, st.just(1_440)),
)
some_dayparts = st.lists(dayparts, min_size=1, max_size=4)


def window(start: str, end: str, *weekdays: int) -> Daypart:
    return Daypart(
        weekdays or EVERY_DAY, parse_minute(start, "start_time"), parse_minute(end, "end_time")
    )


def is_open_by_the_clock(some: list[Daypart], wall: datetime) -> bool:
    today, yesterday = wall.weekday(), (wall.weekday() - 1) % 7
    now = wall.hour * 60 + wall.minute
    for part in some:
        is_overnight = part.end_minute <= part.start_minute
        has_not_ended = is_overnight or now < part.end_minute
        if today in part.weekdays and part.start_minute <= now and has_not_ended:
            return True
        if yesterday in part.weekdays and is_overnight and now < part.end_minute:
            return True
    return False


def wall_time(calendar: BrandCalendar, at: datetime) -> datetime:
    zone = calendar.time_zone
    if calendar.previous_time_zone and calendar.changes_at and at < calendar.changes_at:
        zone = calendar.previous_time_zone
    return at.astimezone(ZoneInfo(zone))


def open_by_the_minute(
    some: list[Daypart], calendar: BrandCalendar, first: datetime, last: datetime
) -> Iterator[tuple[datetime, bool]]:
    at = first
    while at <= last:
        yield at, is_open_by_the_clock(some, wall_time(calendar, at))
        at += MINUTE


def edges_by_the_minute(
    some: list[Daypart], calendar: BrandCalendar, first: datetime, last: datetime
) -> list[datetime]:
    states = open_by_the_minute(some, calendar, first, last)
    return [at for (_, before), (at, now) in pairwise(states) if before != now]


def days_with_a_jump(zone: str, year: int) -> list[datetime]:
    info, first = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
    offsets = [(first + count * DAY).astimezone(info).utcoffset() for count in range(366)]
    return [
        first + count * DAY
        for count, (before, after) in enumerate(pairwise(offsets))
        if before != after
    ]


@st.composite
def jumps(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a whole minute within a day of one of its clock changes, if it has any."""
    zone, year = draw(zones), draw(st.sampled_from([2010, 2011, 2026, 2027, 2040]))
    days = days_with_a_jump(zone, year) or [datetime(year, 5, 5, tzinfo=UTC)]
    return zone, draw(st.sampled_from(days)) + draw(st.integers(0, 1_440)) * MINUTE


@st.composite
def weeks(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a whole minute from which a week of the years 2026 to 2036 begins."""
    zone, day = draw(zones), draw(st.integers(0, 11 * 365 - 7))
    return zone, utc("2026-01-01") + day * DAY + draw(st.integers(0, 1_439)) * MINUTE
