"""Another time zone takes effect at the next midnight, and no budget day comes twice (C12)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enums import PeriodKind
from core.errors import TimeZoneChangeTooSoonError
from core.rules.calendar import (
    BrandCalendar,
    Period,
    next_zone_change_at,
    whole_calendar,
    with_time_zone,
)
from core.tests.depth import examples
from core.tests.rules.zones import DAY, HOUR, SECOND, instants, near_instants, utc, zones


def test_a_move_east_takes_effect_at_the_next_midnight_and_shortens_the_day_after() -> None:
    edited_at = utc("2026-06-10T09:00")
    calendar = with_time_zone(BrandCalendar("America/New_York"), "Europe/Berlin", edited_at)
    midnight = utc("2026-06-11T04:00")  # 00:00 in New York, 06:00 in Berlin
    assert calendar == BrandCalendar("Europe/Berlin", "America/New_York", midnight)
    assert calendar.budget_day(edited_at) == Period(
        PeriodKind.DAY, date(2026, 6, 10), utc("2026-06-10T04:00"), midnight
    )
    assert calendar.budget_day(midnight) == Period(
        PeriodKind.DAY, date(2026, 6, 11), midnight, utc("2026-06-11T22:00")
    )


def test_a_move_west_lets_the_running_day_go_on_until_the_new_zones_midnight() -> None:
    edited_at = utc("2026-06-10T09:00")
    calendar = with_time_zone(BrandCalendar("Europe/Berlin"), "America/New_York", edited_at)
    assert calendar.changes_at == utc("2026-06-10T22:00")
    running = Period(
        PeriodKind.DAY, date(2026, 6, 10), utc("2026-06-09T22:00"), utc("2026-06-11T04:00")
    )
    assert calendar.budget_day(edited_at) == running
    assert calendar.budget_day(utc("2026-06-11T03:59:59")) == running
    assert calendar.budget_day(utc("2026-06-11T04:00")).starts_on == date(2026, 6, 11)
    assert calendar.zone_at(utc("2026-06-10T21:59:59")) == "Europe/Berlin"
    assert calendar.zone_at(utc("2026-06-10T22:00")) == "America/New_York"


def test_the_longest_move_west_makes_one_day_of_49_hours_and_skips_no_date() -> None:
    calendar = with_time_zone(
        BrandCalendar("Pacific/Kiritimati"), "Pacific/Midway", utc("2026-06-10T00:00")
    )
    assert calendar.changes_at == utc("2026-06-10T10:00")
    long_day = calendar.budget_day(utc("2026-06-10T00:00"))
    assert long_day.starts_on == date(2026, 6, 10)
    assert long_day.ends_at - long_day.starts_at == 49 * HOUR
    assert calendar.budget_day(long_day.ends_at).starts_on == date(2026, 6, 11)


def test_the_longest_move_east_leaves_one_date_out() -> None:
    calendar = with_time_zone(
        BrandCalendar("Pacific/Midway"), "Pacific/Kiritimati", utc("2026-06-10T00:00")
    )
    assert calendar.changes_at == utc("2026-06-10T11:00")
    assert calendar.budget_day(utc("2026-06-10T10:59:59")).starts_on == date(2026, 6, 9)
    skipped = calendar.day_period(date(2026, 6, 10))
    assert skipped.starts_at == skipped.ends_at == utc("2026-06-10T11:00")
    assert calendar.budget_day(utc("2026-06-10T11:00")) == Period(
        PeriodKind.DAY, date(2026, 6, 11), utc("2026-06-10T11:00"), utc("2026-06-11T10:00")
    )


def test_a_change_to_come_is_replaced_at_the_same_instant() -> None:
    calendar = with_time_zone(BrandCalendar("UTC"), "Asia/Tokyo", utc("2026-06-10T09:00"))
    again = with_time_zone(calendar, "America/Lima", utc("2026-06-10T10:00"))
    assert again == BrandCalendar("America/Lima", "UTC", utc("2026-06-11T00:00"))
    assert next_zone_change_at(calendar, utc("2026-06-10T10:00")) == utc("2026-06-11T00:00")


def test_a_host_whose_clock_is_behind_cannot_bring_a_change_forward() -> None:
    calendar = with_time_zone(BrandCalendar("UTC"), "Asia/Tokyo", utc("2026-06-10T09:00"))
    again = with_time_zone(calendar, "America/Lima", utc("2026-06-07T10:00"))
    assert again.changes_at == utc("2026-06-11T00:00")


def test_a_change_to_come_is_cancelled_by_choosing_the_zone_in_effect() -> None:
    calendar = with_time_zone(BrandCalendar("UTC"), "Asia/Tokyo", utc("2026-06-10T09:00"))
    assert with_time_zone(calendar, "UTC", utc("2026-06-10T10:00")) == BrandCalendar("UTC")


def test_choosing_the_zone_that_is_set_changes_nothing() -> None:
    at = utc("2026-06-10T09:00")
    calendar = with_time_zone(BrandCalendar("UTC"), "Asia/Tokyo", at)
    assert with_time_zone(BrandCalendar("UTC"), "UTC", at) == BrandCalendar("UTC")
    assert with_time_zone(calendar, "Asia/Tokyo", at) is calendar
    assert with_time_zone(calendar, "Asia/Tokyo", at + 9 * DAY) is calendar


def test_going_back_after_a_change_took_effect_is_another_change() -> None:
    calendar = with_time_zone(BrandCalendar("UTC"), "Asia/Tokyo", utc("2026-06-10T09:00"))
    back = with_time_zone(calendar, "UTC", utc("2026-06-20T09:00"))
    assert back == BrandCalendar("UTC", "Asia/Tokyo", utc("2026-06-20T15:00"))


@pytest.mark.parametrize(
    ("old", "new", "too_soon", "soon_enough"),
    [
        ("Pacific/Kiritimati", "Pacific/Midway", "2026-06-10T10:00:00", "2026-06-11T11:00:00"),
        ("Pacific/Kiritimati", "Pacific/Midway", "2026-06-11T10:59:59", "2026-06-11T11:00:00"),
        ("Pacific/Midway", "Pacific/Kiritimati", "2026-06-10T11:00:00", "2026-06-11T10:00:00"),
        ("Pacific/Midway", "Pacific/Kiritimati", "2026-06-11T09:59:59", "2026-06-11T10:00:00"),
    ],
)
def test_a_second_change_in_the_day_that_the_first_stretched_or_cut_is_refused(
    old: str, new: str, too_soon: str, soon_enough: str
) -> None:
    moved = with_time_zone(BrandCalendar(old), new, utc("2026-06-10T00:00"))
    with pytest.raises(TimeZoneChangeTooSoonError, match=f"{soon_enough}Z"):
        with_time_zone(moved, "UTC", utc(too_soon))
    again = with_time_zone(moved, "UTC", utc(soon_enough))
    assert again == BrandCalendar("UTC", new, moved.budget_day(utc(soon_enough)).ends_at)


def assert_days_and_months_tile(calendar: BrandCalendar, first: datetime, last: datetime) -> None:
    for period_at in (calendar.budget_day, calendar.budget_month):
        period = period_at(first)
        assert period.starts_at <= first < period.ends_at
        while period.ends_at <= last:
            assert period_at(period.starts_at) == period
            assert period_at(period.ends_at - SECOND) == period
            following = period_at(period.ends_at)
            assert following.starts_at == period.ends_at
            assert following.starts_on > period.starts_on
            period = following


@settings(max_examples=examples(60))
@given(zones, zones, st.one_of(near_instants, instants))
def test_periods_tile_time_across_any_change_of_zone(old: str, new: str, at: datetime) -> None:
    before = BrandCalendar(old)
    after = with_time_zone(before, new, at)
    assert_days_and_months_tile(after, at - 35 * DAY, at + 35 * DAY)
    running, was = after.budget_day(at), before.budget_day(at)
    assert (running.starts_on, running.starts_at) == (was.starts_on, was.starts_at)
    assert running.ends_at >= was.ends_at
    assert after.changes_at in (None, was.ends_at)
    for past in (at - 3 * DAY, at - 40 * DAY):
        assert after.budget_day(past) == before.budget_day(past)


@given(zones, zones, near_instants)
def test_a_zone_change_leaves_no_trace_after_three_days(old: str, new: str, at: datetime) -> None:
    later = at + 3 * DAY
    changed = with_time_zone(BrandCalendar(old), new, at)
    assert changed.budget_day(later) == BrandCalendar(new).budget_day(later)
    assert changed.zone_at(later) == new
    assert changed.local(later).astimezone(UTC) == later


@given(
    st.lists(st.tuples(zones, st.timedeltas(timedelta(), 4 * DAY)), min_size=2, max_size=5),
    near_instants,
)
def test_the_running_day_keeps_label_and_start_through_any_series_of_edits(
    edits: list[tuple[str, timedelta]], at: datetime
) -> None:
    calendar = BrandCalendar("UTC")
    label = calendar.budget_day(at).starts_on
    for zone, pause in edits:
        at += pause
        running = calendar.budget_day(at)
        assert running.starts_on >= label
        label = running.starts_on
        try:
            calendar = with_time_zone(calendar, zone, at)
        except TimeZoneChangeTooSoonError:
            continue
        kept = calendar.budget_day(at)
        assert (kept.starts_on, kept.starts_at) == (running.starts_on, running.starts_at)
        assert_days_and_months_tile(calendar, at, at + 6 * DAY)


# --- All changes, of all versions ----------------------------------------------------------------


def versions_of(edits: list[tuple[timedelta, str]]) -> list[tuple[datetime, BrandCalendar]]:
    """The calendars of a brand that is moved so, each so long after the one before."""
    at, calendar = utc("2026-03-20T10:00"), BrandCalendar("UTC")
    versions = [(at, calendar)]
    for after, zone in edits:
        at += after
        try:
            calendar = with_time_zone(calendar, zone, at)
        except TimeZoneChangeTooSoonError:
            continue
        versions.append((at, calendar))
    return versions


edits = st.tuples(
    st.sampled_from([HOUR, 7 * HOUR, 30 * HOUR, 4 * DAY, 9 * DAY]),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/Lima", "Pacific/Kiritimati", "Pacific/Midway"]),
)


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(edits, max_size=6), st.timedeltas(timedelta(0), 60 * DAY))
def test_the_whole_calendar_gives_every_instant_the_day_that_it_had_then(
    moves: list[tuple[timedelta, str]], since: timedelta
) -> None:
    versions = versions_of(moves)
    at = versions[0][0] + since
    (then,) = [
        calendar
        for (starts_at, calendar), ends_at in zip(
            versions, [*(at for at, _ in versions[1:]), utc("2200-01-01T00:00")], strict=True
        )
        if starts_at <= at < ends_at
    ]
    whole = whole_calendar(versions)
    assert whole.budget_day(at).starts_on == then.budget_day(at).starts_on
    assert whole.budget_day(at).starts_at == then.budget_day(at).starts_at
    assert whole.zone_at(at) == then.zone_at(at)
