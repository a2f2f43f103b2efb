"""A schedule is open in exactly its local minutes (C13)."""

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidFieldError
from core.rules.calendar import BrandCalendar
from core.rules.dayparts import (
    WEEKDAY_NAMES,
    Daypart,
    WeeklySchedule,
    format_minute,
    is_open,
    next_edge,
    parse_minute,
    parse_weekday,
    weekly_schedule,
)
from core.tests.depth import examples
from core.tests.rules.by_the_minute import (
    EVERY_DAY,
    FRI,
    MON,
    SAT,
    SUN,
    is_open_by_the_clock,
    jumps,
    open_by_the_minute,
    some_dayparts,
    weeks,
    window,
)
from core.tests.rules.zones import DAY, MINUTE, SECOND, utc


@pytest.mark.parametrize(
    ("part", "open_at", "closed_at"),
    [
        (window("09:00", "17:00", MON), "2026-06-08T09:00", "2026-06-08T17:00"),
        (window("09:00", "17:00", MON), "2026-06-08T16:59:59.999999", "2026-06-08T08:59:59.999999"),
        (window("09:00", "17:00", MON), "2026-06-08T12:00", "2026-06-09T12:00"),
        (window("22:00", "02:00", FRI), "2026-06-12T22:00", "2026-06-12T21:59"),
        (window("22:00", "02:00", FRI), "2026-06-13T01:59", "2026-06-13T02:00"),
        (window("22:00", "02:00", FRI), "2026-06-13T00:00", "2026-06-12T00:00"),
        (window("22:00", "02:00", SUN), "2026-06-15T01:59", "2026-06-14T01:59"),
        (window("22:00", "00:00", SUN), "2026-06-14T23:59", "2026-06-15T00:00"),
        (window("00:00", "24:00", SAT), "2026-06-13T00:00", "2026-06-14T00:00"),
        (window("00:00", "00:00", SAT), "2026-06-13T23:59", "2026-06-12T23:59"),
        (window("09:00", "09:00", SAT), "2026-06-14T08:59", "2026-06-14T09:00"),
        (window("09:00", "09:00", SAT), "2026-06-13T09:00", "2026-06-13T08:59"),
        (window("23:59", "24:00", SUN), "2026-06-14T23:59", "2026-06-14T23:58"),
    ],
)
def test_a_daypart_is_half_open_and_belongs_to_the_weekday_it_started_on(
    part: Daypart, open_at: str, closed_at: str
) -> None:
    schedule, calendar = weekly_schedule([part]), BrandCalendar("UTC")
    assert is_open(schedule, utc(open_at), calendar)
    assert not is_open(schedule, utc(closed_at), calendar)


@settings(max_examples=examples(30))
@given(some_dayparts, st.one_of(jumps(), weeks()))
def test_is_open_agrees_with_the_clock_on_the_wall_in_every_minute(
    some: list[Daypart], jump: tuple[str, datetime]
) -> None:
    zone, at = jump
    schedule, calendar = weekly_schedule(some), BrandCalendar(zone)
    for minute, expected in open_by_the_minute(some, calendar, at - DAY, at + DAY):
        assert is_open(schedule, minute, calendar) == expected
        assert is_open(schedule, minute + 59 * SECOND, calendar) == expected


@settings(max_examples=examples(40))
@given(some_dayparts)
def test_windows_are_sorted_apart_and_hold_exactly_the_minutes_of_the_dayparts(
    some: list[Daypart],
) -> None:
    windows = weekly_schedule(some).windows
    assert all(before[1] < after[0] for before, after in pairwise(windows))
    assert all(0 <= start < end <= 10_080 for start, end in windows)
    monday = utc("2026-06-08T00:00")
    expected = {
        minute for minute in range(10_080) if is_open_by_the_clock(some, monday + minute * MINUTE)
    }
    assert expected == {minute for start, end in windows for minute in range(start, end)}


@given(some_dayparts)
def test_the_order_of_dayparts_and_their_repetition_change_nothing(some: list[Daypart]) -> None:
    assert weekly_schedule(some) == weekly_schedule([*reversed(some), *some])


def test_overlapping_and_touching_dayparts_merge() -> None:
    some = [
        window("09:00", "12:00", MON),
        window("12:00", "13:00", MON),
        window("10:00", "11:00", MON),
        window("20:00", "21:00", MON),
    ]
    assert weekly_schedule(some).windows == ((540, 780), (1_200, 1_260))


def test_without_dayparts_a_schedule_is_always_open_and_has_no_edge() -> None:
    schedule, calendar = weekly_schedule([]), BrandCalendar("Europe/Berlin")
    assert schedule == WeeklySchedule(())
    assert schedule.is_always_open
    assert is_open(schedule, utc("2026-03-29T01:00"), calendar)
    assert next_edge(schedule, utc("2026-03-29T01:00"), calendar) is None


@pytest.mark.parametrize(
    "some",
    [
        [window("00:00", "24:00")],
        [window("00:00", "00:00")],
        [window("09:30", "09:30")],
        [window("00:00", "12:00"), window("12:00", "24:00")],
        [window("18:00", "06:00"), window("05:00", "19:00")],
    ],
)
def test_dayparts_that_cover_the_week_are_always_open_too(some: list[Daypart]) -> None:
    schedule, calendar = weekly_schedule(some), BrandCalendar("Europe/Berlin")
    assert schedule.windows == ((0, 10_080),)
    assert schedule.is_always_open
    assert is_open(schedule, utc("2026-03-29T01:00"), calendar)
    assert next_edge(schedule, utc("2026-03-29T01:00"), calendar) is None


def test_a_schedule_that_lacks_one_minute_is_not_always_open() -> None:
    schedule = weekly_schedule([window("00:00", "24:00", *range(6)), window("00:01", "24:00", SUN)])
    assert not schedule.is_always_open
    calendar = BrandCalendar("UTC")
    assert next_edge(schedule, utc("2026-06-08"), calendar) == utc("2026-06-14T00:00")
    assert next_edge(schedule, utc("2026-06-14"), calendar) == utc("2026-06-14T00:01")


# --- Words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minute"),
    [("00:00", 0), ("00:01", 1), ("09:30", 570), ("23:59", 1_439), ("24:00", 1_440)],
)
def test_a_time_of_day_is_read_and_shown_as_minutes(text: str, minute: int) -> None:
    assert parse_minute(text, "start") == minute
    assert format_minute(minute) == text


@given(st.integers(0, 1_440))
def test_every_minute_of_the_day_reads_back(minute: int) -> None:
    assert parse_minute(format_minute(minute), "start") == minute


@pytest.mark.parametrize(
    "text",
    [
        "", "9:30", "09:3", "0930", "09:30:00", "24:01", "25:00", "09:60", "-1:00", "+9:30",
        " 09:30", "09:30\n", "09:30 ", "09.30", "9h30", "\uff10\uff19:30", "\u0660\u0669:30",
        "0\u0669:30", "09:3\u0660", "09:30am", "0_:30", "09:3\x00", "9" * 100_000,
    ],
)  # fmt: skip
def test_any_other_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_minute(text, "dayparting_start")
    assert refusal.value.field == "dayparting_start"
    assert "HH:MM" in refusal.value.problem


def test_weekdays_are_read_from_monday_to_sunday() -> None:
    assert [parse_weekday(name, "weekdays") for name in WEEKDAY_NAMES] == list(EVERY_DAY)
    assert date(2026, 6, 8).weekday() == parse_weekday("mon", "weekdays")


@pytest.mark.parametrize(
    "text", ["", "Mon", "MON", "monday", "mo", "0", "mon ", "mon\n", "m\u00f6n"]
)
def test_any_other_weekday_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_weekday(text, "weekdays")
    assert refusal.value.field == "weekdays"
    assert "mon, tue" in refusal.value.problem


def test_a_daypart_has_one_form() -> None:
    assert Daypart((4, 0, 4), 600, 0) == Daypart((0, 4), 600, 1_440)
    assert Daypart((4, 0, 4), 600, 0).weekdays == (0, 4)
    assert sorted([Daypart((1,), 0, 60), Daypart((0,), 60, 90), Daypart((0,), 0, 90)]) == [
        Daypart((0,), 0, 90),
        Daypart((0,), 60, 90),
        Daypart((1,), 0, 60),
    ]


@pytest.mark.parametrize(
    ("weekdays", "start", "end", "field"),
    [
        ((), 0, 60, "weekdays"),
        ((7,), 0, 60, "weekdays"),
        ((-1,), 0, 60, "weekdays"),
        ((0,), 1_440, 60, "start"),
        ((0,), -1, 60, "start"),
        ((0,), 0, 1_441, "end"),
        ((0,), 0, -1, "end"),
    ],
)
def test_a_daypart_out_of_range_is_refused(
    weekdays: tuple[int, ...], start: int, end: int, field: str
) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        Daypart(weekdays, start, end)
    assert refusal.value.field == field
