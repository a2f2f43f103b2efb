"""The next two weeks of a campaign are those of every minute, whatever clocks do (C9, C13)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.rules.calendar import BrandCalendar, with_time_zone
from core.rules.dayparts import Daypart, weekly_schedule
from core.rules.preview import (
    CampaignDay,
    ChangedWindow,
    ClockEffect,
    coming_days,
    is_open_within,
)
from core.tests.rules.by_the_minute import (
    SAT,
    SUN,
    is_open_by_the_clock,
    jumps,
    open_by_the_minute,
    some_dayparts,
    wall_time,
    window,
)
from core.tests.rules.facts import CAMPAIGN
from core.tests.rules.zones import DAY, HOUR, MINUTE, utc, zones

NIGHTS = [window("22:00", "06:00")]
AT_TWO = [window("02:15", "02:45")]
Flight = tuple[datetime | None, datetime | None]
NO_FLIGHT: Flight = (None, None)


def days_of(
    some: list[Daypart], calendar: BrandCalendar, at: datetime, flight: Flight = NO_FLIGHT
) -> list[CampaignDay]:
    schedule = weekly_schedule(some)
    campaign = replace(CAMPAIGN, schedule=schedule, starts_at=flight[0], ends_at=flight[1])
    return coming_days(campaign, calendar, at)


def day_named(days: list[CampaignDay], label: str) -> CampaignDay:
    return next(day for day in days if day.period.starts_on == date.fromisoformat(label))


def windows_of(day: CampaignDay) -> list[tuple[str, str]]:
    return [
        (each.local_start.isoformat()[5:], each.local_end.isoformat()[5:]) for each in day.windows
    ]


# --- Against every minute ------------------------------------------------------------------------


def plain(at: datetime) -> datetime:
    """Not one that a frozen clock left in a cache: those forget which pass of an hour they are."""
    return datetime.fromisoformat(at.isoformat())


def spans_by_the_minute(
    some: list[Daypart], calendar: BrandCalendar, day: CampaignDay, flight: Flight
) -> list[tuple[datetime, datetime]]:
    starts_at, ends_at = flight
    minutes = open_by_the_minute(some, calendar, day.period.starts_at, day.period.ends_at - MINUTE)
    states = [
        (at, is_open and (not starts_at or at >= starts_at) and (not ends_at or at < ends_at))
        for at, is_open in minutes
    ]
    runs = [[at for at, _ in run] for state, run in groupby(states, lambda s: s[1]) if state]
    return [(run[0], run[-1] + MINUTE) for run in runs]


def has_jump_by_the_minute(calendar: BrandCalendar, day: CampaignDay) -> bool:
    length = day.period.ends_at - day.period.starts_at
    minutes = [plain(day.period.starts_at) + count * MINUTE for count in range(length // MINUTE)]
    offsets = {wall_time(calendar, at).utcoffset() for at in minutes}
    return length != DAY or len(offsets) > 1


def changed_by_the_minute(
    some: list[Daypart], calendar: BrandCalendar, day: date
) -> list[ChangedWindow]:
    """What the schedule says of this date on a clock that doesn't jump, and what is made of it."""
    midnight = datetime.combine(day, time.min)
    minutes = range(1_440)
    said = {count for count in minutes if is_open_by_the_clock(some, midnight + count * MINUTE)}
    starts = sorted(count for count in said if count - 1 not in said)
    ends = sorted(count + 1 for count in said if count + 1 not in said)
    shown = [
        (wall.date() == day, wall.hour * 60 + wall.minute)
        for count in range(-1_440, 2 * 1_440)
        for wall in [wall_time(calendar, midnight.replace(tzinfo=UTC) + count * MINUTE)]
    ]
    found = []
    for start, end in zip(starts, ends, strict=True):
        states = [is_date and start <= minute < end for is_date, minute in shown]
        total = sum(states)
        runs = sum(now and not before for before, now in pairwise(states))
        effect = (
            (ClockEffect.SKIPPED if total == 0 else None)
            or (ClockEffect.DOUBLED if runs > 1 else None)
            or (ClockEffect.CUT if total < end - start else None)
            or (ClockEffect.LENGTHENED if total > end - start else None)
        )
        if effect and (start, end) != (0, 1_440):
            found.append(ChangedWindow(effect, start, end, total * MINUTE))
    return found


@st.composite
def calendars(draw: st.DrawFn) -> tuple[BrandCalendar, datetime]:
    """A calendar, which may be about to move, and an instant up to two weeks before its jump."""
    zone, near = draw(jumps())
    calendar = BrandCalendar(zone)
    if draw(st.booleans()):
        calendar = with_time_zone(calendar, draw(zones), near)
    return calendar, near - draw(st.integers(0, 14)) * DAY


@st.composite
def flights(draw: st.DrawFn) -> tuple[timedelta | None, timedelta | None]:
    """Where the flight starts and ends, from the instant of the preview on."""
    spans = st.integers(-1, 15 * 24 * 60).map(lambda count: count * MINUTE)
    start, end = draw(st.none() | spans), draw(st.none() | spans)
    if start is not None and end is not None and end <= start:
        return start, None
    return start, end


@settings(deadline=None, max_examples=25)
@given(some_dayparts, calendars(), flights())
@example(NIGHTS, (BrandCalendar("Europe/Berlin"), utc("2026-03-20T12:00")), NO_FLIGHT)
@example(AT_TWO, (BrandCalendar("Europe/Berlin"), utc("2026-10-20T12:00")), NO_FLIGHT)
@example(AT_TWO, (BrandCalendar("Australia/Lord_Howe"), utc("2026-10-01T12:00")), NO_FLIGHT)
@example(NIGHTS, (BrandCalendar("Africa/Cairo"), utc("2026-04-20T12:00")), NO_FLIGHT)
@example(
    NIGHTS,
    (
        BrandCalendar("Pacific/Midway", "Pacific/Kiritimati", utc("2026-06-11T10:00")),
        utc("2026-06-10T12:00"),
    ),
    NO_FLIGHT,
)
@example([window("00:30", "05:00")], (BrandCalendar("Pacific/Apia"), utc("2011-12-28")), NO_FLIGHT)
def test_every_day_and_window_is_that_of_every_minute(
    some: list[Daypart],
    place: tuple[BrandCalendar, datetime],
    offsets: tuple[timedelta | None, timedelta | None],
) -> None:
    calendar, at = place
    start, end = (None if offset is None else at + offset for offset in offsets)
    days = days_of(some, calendar, at, (start, end))
    assert len(days) == 14
    assert days[0].period == calendar.budget_day(at)
    assert all(one.period.ends_at == two.period.starts_at for one, two in pairwise(days))
    for day in days:
        found = [(each.starts_at, each.ends_at) for each in day.windows]
        assert found == spans_by_the_minute(some, calendar, day, (start, end))
        assert day.has_clock_change == has_jump_by_the_minute(calendar, day)
        for each in day.windows:
            for shown, edge in ((each.local_start, each.starts_at), (each.local_end, each.ends_at)):
                assert shown.isoformat() == wall_time(calendar, plain(edge)).isoformat()
        if (start, end) == NO_FLIGHT:
            expected = changed_by_the_minute(some, calendar, day.period.starts_on)
            assert list(day.changed_windows) == expected


# --- By name -------------------------------------------------------------------------------------


def test_an_overnight_window_goes_on_in_the_next_day() -> None:
    days = days_of([window("22:00", "02:00", SAT)], BrandCalendar("UTC"), utc("2026-06-13T12:00"))
    assert windows_of(days[0]) == [("06-13T22:00:00+00:00", "06-14T00:00:00+00:00")]
    assert windows_of(days[1]) == [("06-14T00:00:00+00:00", "06-14T02:00:00+00:00")]
    assert [len(day.windows) for day in days[2:]] == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_a_schedule_without_windows_is_open_all_day_and_changes_only_with_its_day() -> None:
    days = days_of([], BrandCalendar("Europe/Berlin"), utc("2026-03-25T12:00"))
    assert [day.hours for day in days] == [24.0] * 4 + [23.0] + [24.0] * 9
    assert [day.has_clock_change for day in days] == [False] * 4 + [True] + [False] * 9
    assert windows_of(days[4]) == [("03-29T00:00:00+01:00", "03-30T00:00:00+02:00")]
    assert not any(day.changed_windows for day in days)


@pytest.mark.parametrize(
    ("zone", "label", "hours", "part", "expected"),
    [
        # Berlin skips 02:00–03:00 and repeats it.
        *(
            ("Europe/Berlin", "2026-03-29", 23, part, expected)
            for part, expected in (
                (("02:15", "02:45"), ("skipped", 0)),
                (("01:00", "02:30"), ("cut", 60)),
                (("22:00", "06:00"), ("cut", 300)),
                (("03:00", "04:00"), None),
                (("00:00", "24:00"), None),
            )
        ),
        *(
            ("Europe/Berlin", "2026-10-25", 25, part, expected)
            for part, expected in (
                (("02:15", "02:45"), ("doubled", 60)),
                (("01:00", "02:30"), ("doubled", 120)),
                (("01:00", "04:00"), ("lengthened", 240)),
                (("03:00", "04:00"), None),
            )
        ),
        # Half an hour.
        ("Australia/Lord_Howe", "2026-10-04", 23.5, ("02:00", "03:00"), ("cut", 30)),
        ("Australia/Lord_Howe", "2026-04-05", 24.5, ("01:30", "02:00"), ("lengthened", 60)),
        # Midnight itself isn't there.
        ("Africa/Cairo", "2026-04-24", 23, ("00:00", "00:30"), ("skipped", 0)),
        ("Africa/Cairo", "2026-04-24", 23, ("22:00", "06:00"), ("cut", 300)),
    ],
)
def test_what_the_clock_does_to_a_window_is_told(
    zone: str,
    label: str,
    *,
    hours: float,
    part: tuple[str, str],
    expected: tuple[str, int] | None,
) -> None:
    days = days_of([window(*part)], BrandCalendar(zone), utc(f"{label}T12:00") - 5 * DAY)
    day = day_named(days, label)
    assert (day.hours, day.has_clock_change) == (hours, True)
    found = [(each.effect.value, each.open_for // MINUTE) for each in day.changed_windows]
    assert found == ([expected] if expected else [])
    assert not any(other.changed_windows for other in days if other is not day)


def test_a_doubled_window_is_listed_twice_with_its_offsets() -> None:
    days = days_of(AT_TWO, BrandCalendar("Europe/Berlin"), utc("2026-10-25T12:00"))
    assert windows_of(days[0]) == [
        ("10-25T02:15:00+02:00", "10-25T02:45:00+02:00"),
        ("10-25T02:15:00+01:00", "10-25T02:45:00+01:00"),
    ]


def test_the_running_day_is_shown_as_a_whole() -> None:
    days = days_of([window("09:00", "17:00")], BrandCalendar("UTC"), utc("2026-06-13T23:59:59"))
    assert days[0].period.starts_on == date(2026, 6, 13)
    assert windows_of(days[0]) == [("06-13T09:00:00+00:00", "06-13T17:00:00+00:00")]


def test_a_pending_move_west_opens_a_window_twice_in_one_long_day() -> None:
    calendar = with_time_zone(BrandCalendar("UTC"), "America/New_York", utc("2026-11-20T12:00"))
    day = days_of([window("20:00", "23:00")], calendar, utc("2026-11-20T12:00"))[0]
    assert (day.hours, day.has_clock_change) == (29.0, True)
    assert windows_of(day) == [
        ("11-20T20:00:00+00:00", "11-20T23:00:00+00:00"),
        ("11-20T20:00:00-05:00", "11-20T23:00:00-05:00"),
    ]
    assert [each.effect for each in day.changed_windows] == [ClockEffect.DOUBLED]


def test_a_date_that_never_was_is_a_day_without_hours_that_lost_its_windows() -> None:
    days = days_of([window("09:00", "17:00")], BrandCalendar("Pacific/Apia"), utc("2011-12-28"))
    friday = day_named(days, "2011-12-30")
    assert (friday.hours, friday.has_clock_change, friday.windows) == (0.0, True, ())
    assert [each.effect for each in friday.changed_windows] == [ClockEffect.SKIPPED]


def test_windows_are_cut_to_the_flight_to_the_second() -> None:
    flight = (utc("2026-06-13T10:00:30"), utc("2026-06-14T09:30:00.5"))
    days = days_of(
        [window("09:00", "17:00")], BrandCalendar("UTC"), utc("2026-06-13T12:00"), flight
    )
    found = [(each.starts_at, each.ends_at) for day in days for each in day.windows]
    assert found == [
        (flight[0], utc("2026-06-13T17:00")),
        (utc("2026-06-14T09:00"), flight[1]),
    ]


@pytest.mark.parametrize(
    ("starts", "ends", "is_told"),
    [
        (None, "2026-03-29T01:00", False),
        (None, "2026-03-29T01:00:01", True),
        ("2026-03-29T01:00", None, False),
        ("2026-03-29T00:59:59", None, True),
    ],
)
def test_a_jump_outside_the_flight_changes_nothing(
    starts: str | None, ends: str | None, *, is_told: bool
) -> None:
    flight = (utc(starts) if starts else None, utc(ends) if ends else None)
    calendar = BrandCalendar("Europe/Berlin")
    day = days_of([window("01:00", "04:00", SUN)], calendar, utc("2026-03-29T00:00"), flight)[0]
    assert bool(day.changed_windows) == is_told


def test_a_span_is_open_if_any_part_of_a_minute_in_it_is() -> None:
    schedule, calendar = weekly_schedule([window("09:00", "10:00")]), BrandCalendar("UTC")
    nine = utc("2026-06-13T09:00")
    assert is_open_within(schedule, calendar, (nine - HOUR, nine + timedelta(microseconds=1)))
    assert is_open_within(schedule, calendar, (nine + HOUR - timedelta(microseconds=1), nine + DAY))
    assert not is_open_within(schedule, calendar, (nine - HOUR, nine))
    assert not is_open_within(schedule, calendar, (nine + HOUR, nine + DAY))
    assert not is_open_within(schedule, calendar, (nine, nine))
    assert not is_open_within(schedule, calendar, (nine + MINUTE, nine))
