"""The next edge of a schedule is exact, whatever the clock and the calendar do (C13)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.rules.calendar import BrandCalendar, with_time_zone
from core.rules.dayparts import Daypart, is_open, next_edge, weekly_schedule
from core.tests.depth import examples
from core.tests.rules.by_the_minute import (
    FRI,
    SAT,
    SUN,
    WED,
    edges_by_the_minute,
    jumps,
    some_dayparts,
    weeks,
    window,
)
from core.tests.rules.zones import DAY, HOUR, MINUTE, utc, zones


def edges(
    some: list[Daypart], calendar: BrandCalendar, after: datetime, until: datetime
) -> list[datetime]:
    schedule, found = weekly_schedule(some), []
    edge = next_edge(schedule, after, calendar)
    while edge is not None and edge <= until:
        found.append(edge)
        edge = next_edge(schedule, edge, calendar)
    return found


def test_the_edges_of_a_plain_week_skip_the_seam_of_sunday_night() -> None:
    some = [window("22:00", "02:00", SUN), window("09:00", "17:00", WED)]
    assert edges(some, BrandCalendar("UTC"), utc("2026-06-14"), utc("2026-06-18")) == [
        utc("2026-06-14T22:00"),
        utc("2026-06-15T02:00"),
        utc("2026-06-17T09:00"),
        utc("2026-06-17T17:00"),
    ]


def test_an_overnight_window_is_an_hour_shorter_when_berlin_skips_one() -> None:
    night = edges(
        [window("22:00", "06:00", SAT)],
        BrandCalendar("Europe/Berlin"),
        utc("2026-03-28T12:00"),
        utc("2026-03-29T12:00"),
    )
    assert night == [utc("2026-03-28T21:00"), utc("2026-03-29T04:00")]
    assert night[1] - night[0] == 7 * HOUR


def test_an_overnight_window_is_an_hour_longer_when_berlin_repeats_one() -> None:
    night = edges(
        [window("22:00", "06:00", SAT)],
        BrandCalendar("Europe/Berlin"),
        utc("2026-10-24T12:00"),
        utc("2026-10-25T12:00"),
    )
    assert night == [utc("2026-10-24T20:00"), utc("2026-10-25T05:00")]
    assert night[1] - night[0] == 9 * HOUR


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("01:00", "02:30", ["2026-03-29T00:00", "2026-03-29T01:00"]),  # the jump closes it
        ("02:30", "04:00", ["2026-03-29T01:00", "2026-03-29T02:00"]),  # the jump opens it
        ("02:00", "03:00", []),  # the jump skips it
        ("02:15", "02:45", []),
        ("01:30", "03:30", ["2026-03-29T00:30", "2026-03-29T01:30"]),  # an hour shorter
        ("03:00", "04:00", ["2026-03-29T01:00", "2026-03-29T02:00"]),
    ],
)
def test_minutes_that_berlin_skips_are_skipped(start: str, end: str, expected: list[str]) -> None:
    found = edges(
        [window(start, end)],
        BrandCalendar("Europe/Berlin"),
        utc("2026-03-28T23:30"),
        utc("2026-03-29T12:00"),
    )
    assert found == [utc(at) for at in expected]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("02:00", "03:00", ["2026-10-25T00:00", "2026-10-25T02:00"]),
        ("02:15", "02:45", [
            "2026-10-25T00:15", "2026-10-25T00:45", "2026-10-25T01:15", "2026-10-25T01:45",
        ]),
        ("01:00", "02:30", [
            "2026-10-24T23:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30",
        ]),
        ("02:30", "04:00", [
            "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T03:00",
        ]),
    ],
)  # fmt: skip
def test_minutes_that_berlin_repeats_are_open_both_times(
    start: str, end: str, expected: list[str]
) -> None:
    found = edges(
        [window(start, end)],
        BrandCalendar("Europe/Berlin"),
        utc("2026-10-24T22:30"),
        utc("2026-10-25T12:00"),
    )
    assert found == [utc(at) for at in expected]


def test_a_weekly_window_that_the_jump_swallows_opens_a_week_later() -> None:
    schedule = weekly_schedule([window("02:00", "03:00", SUN)])
    found = next_edge(schedule, utc("2026-03-22T02:00"), BrandCalendar("Europe/Berlin"))
    assert found == utc("2026-04-05T00:00")


def test_a_weekly_window_that_a_jump_and_then_a_move_swallow_opens_two_weeks_later() -> None:
    calendar = BrandCalendar("Europe/Helsinki", "Europe/Berlin", utc("2026-04-05T00:00"))
    schedule = weekly_schedule([window("02:00", "03:00", SUN)])
    assert next_edge(schedule, utc("2026-03-22T02:00"), calendar) == utc("2026-04-11T23:00")


def test_a_friday_that_apia_never_had_is_a_friday_without_its_window() -> None:
    found = edges(
        [window("09:00", "17:00", FRI)],
        BrandCalendar("Pacific/Apia"),
        utc("2011-12-25"),
        utc("2012-01-07"),
    )
    assert found == [utc("2012-01-05T19:00"), utc("2012-01-06T03:00")]


@pytest.mark.parametrize(
    ("zone", "part", "after", "expected"),
    [
        # Half an hour forward at 02:00, back at 02:00.
        ("Australia/Lord_Howe", window("02:15", "05:00"), "2026-10-03T12:00", "2026-10-03T15:30"),
        ("Australia/Lord_Howe", window("01:45", "05:00"), "2026-04-04T14:45", "2026-04-04T15:00"),
        # Two hours forward at 01:00.
        ("Antarctica/Troll", window("01:30", "05:00"), "2026-03-29T00:00", "2026-03-29T01:00"),
        ("Antarctica/Troll", window("00:00", "02:30"), "2026-03-29T00:00", "2026-03-29T01:00"),
        # An hour forward at midnight.
        ("Africa/Cairo", window("00:30", "05:00"), "2026-04-23T12:00", "2026-04-23T22:00"),
        # Forward on 20 October 2040 and back a week later.
        ("Asia/Gaza", window("09:00", "17:00", SUN), "2040-10-19T12:00", "2040-10-21T06:00"),
        ("Asia/Gaza", window("09:00", "17:00", SUN), "2040-10-22T12:00", "2040-10-28T07:00"),
    ],
)
def test_the_edge_is_exact_where_the_clock_jumps(
    zone: str, part: Daypart, after: str, expected: str
) -> None:
    assert next_edge(weekly_schedule([part]), utc(after), BrandCalendar(zone)) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "part", "day", "expected"),
    [
        # Midnight doesn't exist: from 00:00 to 01:00.
        ("Africa/Cairo", window("22:00", "02:00"), "2026-04-23", ["23T20:00", "23T23:00"]),
        ("Asia/Beirut", window("23:30", "00:30"), "2026-03-28", ["28T21:30", "28T22:00"]),
        ("America/Havana", window("00:00", "01:00"), "2026-03-08", []),
        ("America/Santiago", window("00:30", "02:00"), "2026-09-06", ["06T04:00", "06T05:00"]),
        # Midnight happens twice: from 01:00 back to 00:00.
        (
            "America/Havana",
            window("23:30", "00:30"),
            "2026-10-31",
            ["01T03:30", "01T04:30", "01T05:00", "01T05:30"],
        ),
        ("Atlantic/Azores", window("00:00", "01:00"), "2026-10-25", ["25T00:00", "25T02:00"]),
        # The last hour happens twice: from 24:00 back to 23:00.
        ("Africa/Cairo", window("23:00", "24:00"), "2026-10-29", ["29T20:00", "29T22:00"]),
        # Two hours back at 03:00, half an hour back at 02:00.
        ("Antarctica/Troll", window("00:00", "03:00"), "2026-10-25", ["24T22:00", "25T03:00"]),
        ("Australia/Lord_Howe", window("22:00", "03:00"), "2026-04-04", ["04T11:00", "04T16:30"]),
    ],
)
def test_a_window_of_one_night_has_the_minutes_that_its_clock_shows(
    zone: str, part: Daypart, day: str, expected: list[str]
) -> None:
    label = date.fromisoformat(day)
    calendar = BrandCalendar(zone)
    period = calendar.day_period(label)
    night = Daypart((label.weekday(),), part.start_minute, part.end_minute)
    found = edges([night], calendar, period.starts_at - MINUTE, period.ends_at + DAY)
    assert [f"{edge:%dT%H:%M}" for edge in found] == expected


def test_the_change_of_zone_itself_can_open_or_close_a_schedule() -> None:
    calendar = with_time_zone(BrandCalendar("UTC"), "Asia/Tokyo", utc("2026-06-10T12:00"))
    found = edges([window("08:00", "10:00")], calendar, utc("2026-06-10T12:00"), utc("2026-06-12"))
    assert found == [
        utc("2026-06-11T00:00"),  # midnight in UTC is 09:00 in Tokyo
        utc("2026-06-11T01:00"),
        utc("2026-06-11T23:00"),
    ]


# --- Against every minute ---------------------------------------------------------------------


@settings(max_examples=examples(25))
@given(some_dayparts, jumps())
@example([window("02:15", "02:45")], ("Europe/Berlin", utc("2026-10-25T00:00")))
@example([window("09:00", "17:00", FRI)], ("Pacific/Apia", utc("2011-12-30T10:00")))
def test_the_edges_around_a_clock_change_are_those_of_every_minute(
    some: list[Daypart], jump: tuple[str, datetime]
) -> None:
    zone, at = jump
    calendar, first, last = BrandCalendar(zone), at - 3 * DAY, at + 3 * DAY
    assert edges(some, calendar, first, last) == edges_by_the_minute(some, calendar, first, last)


@settings(max_examples=examples(25))
@given(some_dayparts, jumps(), zones)
def test_the_edges_around_a_change_of_zone_are_those_of_every_minute(
    some: list[Daypart], jump: tuple[str, datetime], new_zone: str
) -> None:
    zone, at = jump
    calendar, first, last = (
        with_time_zone(BrandCalendar(zone), new_zone, at),
        at - DAY,
        at + 3 * DAY,
    )
    assert edges(some, calendar, first, last) == edges_by_the_minute(some, calendar, first, last)


@settings(max_examples=examples(20))
@given(some_dayparts, weeks())
def test_in_any_week_of_any_zone_the_next_edge_of_each_instant_is_that_of_every_minute(
    some: list[Daypart], week: tuple[str, datetime]
) -> None:
    zone, first = week
    schedule, calendar, last = weekly_schedule(some), BrandCalendar(zone), first + 7 * DAY
    expected = edges_by_the_minute(some, calendar, first, last)
    for minute in range(0, 7 * 1_440, 41):
        at = first + minute * MINUTE
        found = next_edge(schedule, at, calendar)
        following = next((edge for edge in expected if edge > at), None)
        assert found == following or (following is None and (found is None or found > last))


@given(some_dayparts, jumps(), st.timedeltas(-2 * DAY, 2 * DAY))
def test_nothing_changes_before_the_edge_and_everything_at_it(
    some: list[Daypart], jump: tuple[str, datetime], offset: timedelta
) -> None:
    zone, near = jump
    schedule, calendar, at = weekly_schedule(some), BrandCalendar(zone), near + offset
    edge, now = next_edge(schedule, at, calendar), is_open(schedule, at, calendar)
    if edge is None:
        assert schedule.is_always_open
        return
    assert edge > at
    assert edge.tzinfo is UTC
    assert edge.microsecond == 0
    assert is_open(schedule, edge, calendar) != now
    assert is_open(schedule, edge - timedelta(microseconds=1), calendar) == now
    found_from_local = next_edge(schedule, at.astimezone(ZoneInfo(zone)), calendar)
    assert found_from_local == edge
    assert found_from_local.tzinfo is UTC


def test_liberia_had_minutes_that_began_at_30_seconds() -> None:
    schedule = weekly_schedule([window("09:00", "17:00")])
    found = next_edge(schedule, utc("1971-06-10"), BrandCalendar("Africa/Monrovia"))
    assert found == utc("1971-06-10T09:44:30")
