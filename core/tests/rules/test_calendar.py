"""Budget days and months tile time in every zone and on the strangest of days (C9)."""

import struct
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.enums import PeriodKind
from core.errors import InvalidFieldError
from core.rules.calendar import (
    BrandCalendar,
    Period,
    dates_on_earth,
    day_start,
    parse_time_zone,
)
from core.tests.depth import sampled
from core.tests.rules.zones import (
    DAY,
    EPOCH,
    MINUTE,
    SECOND,
    ZONES,
    instants,
    utc,
    zones,
)

days = st.dates(date(1970, 1, 3), date(2199, 12, 1))


def midnight_of(day: date) -> datetime:
    return datetime.combine(day, time())


def wall_time(at: datetime, zone: str) -> datetime:
    return at.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)


# --- Strange days --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "starts_at", "hours"),
    [
        # D6: local midnight does not exist.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", 23),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", 23),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00", 23),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00", 23),
        ("Atlantic/Azores", "2026-03-29", "2026-03-29T01:00", 23),
        # The same, where the missing hour begins before midnight.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30", 23.5),
        # D7: local midnight happens twice.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", 25),
        ("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00", 25),
        # The clock goes back at midnight itself: the day before goes on for its repeated hour.
        ("Africa/Cairo", "2026-10-29", "2026-10-28T21:00", 25),
        ("Africa/Cairo", "2026-10-30", "2026-10-29T22:00", 24),
        ("Asia/Beirut", "2026-10-24", "2026-10-23T21:00", 25),
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00", 25),
        # The clock goes back over midnight from 00:01: the day has begun and goes on.
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", 25),
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30", 24),
        # D8: odd lengths.
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", 23.5),
        ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00", 22),
        ("Antarctica/Troll", "2026-10-25", "2026-10-24T22:00", 26),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
        # D9: a day that never was, and its neighbours.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", 24),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", 0),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00", 0),
        # Plain days.
        ("Asia/Kathmandu", "2026-06-10", "2026-06-09T18:15", 24),
        ("UTC", "2026-06-10", "2026-06-10T00:00", 24),
        ("Africa/Monrovia", "1971-06-10", "1971-06-10T00:44:30", 24),
    ],
)
def test_a_day_starts_at_its_first_instant_and_lasts_until_the_next(
    zone: str, day: str, starts_at: str, hours: float
) -> None:
    period = BrandCalendar(zone).day_period(date.fromisoformat(day))
    assert period.kind is PeriodKind.DAY
    assert period.starts_on == date.fromisoformat(day)
    assert period.starts_at == utc(starts_at)
    assert period.starts_at.tzinfo is UTC
    assert period.ends_at - period.starts_at == timedelta(hours=hours)


def test_no_instant_is_in_the_day_that_apia_never_had() -> None:
    calendar = BrandCalendar("Pacific/Apia")
    assert calendar.budget_day(utc("2011-12-30T09:59:59")).starts_on == date(2011, 12, 29)
    assert calendar.budget_day(utc("2011-12-30T10:00:00")).starts_on == date(2011, 12, 31)


def test_the_december_in_which_apia_had_no_30th_has_30_days() -> None:
    calendar = BrandCalendar("Pacific/Apia")
    december = calendar.month_period(date(2011, 12, 30))
    assert december.starts_on == date(2011, 12, 1)
    assert december.ends_at - december.starts_at == 30 * DAY
    assert calendar.budget_month(utc("2011-12-30T10:00:00")) == december


def test_a_budget_day_goes_on_when_the_clock_shows_the_day_before_again() -> None:
    calendar = BrandCalendar("America/St_Johns")
    again = utc("2010-11-07T02:45")
    assert calendar.local(again).date() == date(2010, 11, 6)
    assert calendar.budget_day(utc("2010-11-07T02:30")).starts_on == date(2010, 11, 7)
    assert calendar.budget_day(again).starts_on == date(2010, 11, 7)


def test_a_budget_month_goes_on_when_the_clock_shows_the_month_before_again() -> None:
    calendar = BrandCalendar("America/Havana")
    assert calendar.local(utc("2026-11-01T05:30")).hour == 0
    month = calendar.budget_month(utc("2026-11-01T04:00"))
    assert month == Period(
        PeriodKind.MONTH, date(2026, 11, 1), utc("2026-11-01T04:00"), utc("2026-12-01T05:00")
    )
    assert calendar.budget_month(utc("2026-11-01T05:30")) == month
    assert calendar.budget_month(utc("2026-11-01T03:59:59")).starts_on == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("UTC", "2096-02-01", 29 * 24),
        ("UTC", "2100-02-01", 28 * 24),
        ("UTC", "2104-02-29", 29 * 24),
        ("UTC", "2026-12-31", 31 * 24),
        ("UTC", "2027-01-31", 31 * 24),
        ("Europe/Berlin", "2026-03-29", 31 * 24 - 1),
        ("Europe/Berlin", "2026-10-25", 31 * 24 + 1),
        ("Africa/Cairo", "2026-04-24", 30 * 24 - 1),
        ("America/Havana", "2026-11-01", 30 * 24 + 1),
        ("Australia/Lord_Howe", "2026-04-05", 30 * 24 + 0.5),
        ("Australia/Lord_Howe", "2026-10-04", 31 * 24 - 0.5),
        ("Antarctica/Troll", "2026-03-29", 31 * 24 - 2),
        ("Antarctica/Troll", "2026-10-25", 31 * 24 + 2),
    ],
)
def test_a_month_has_its_calendar_days_in_leap_years_and_when_clocks_jump(
    zone: str, month: str, hours: float
) -> None:
    period = BrandCalendar(zone).month_period(date.fromisoformat(month))
    assert period.starts_on == date.fromisoformat(month).replace(day=1)
    assert period.ends_at - period.starts_at == timedelta(hours=hours)


@pytest.mark.parametrize("zone", ["UTC", "Africa/Cairo", "Europe/Berlin", "Pacific/Kiritimati"])
def test_every_fourth_year_has_a_leap_day_until_2100_which_has_none(zone: str) -> None:
    calendar = BrandCalendar(zone)
    for year in range(2026, 2101):
        eve = calendar.day_period(date(year, 2, 28))
        following = calendar.budget_day(eve.ends_at)
        is_leap = year in range(2028, 2100, 4)
        assert following.starts_on == (date(year, 2, 29) if is_leap else date(year, 3, 1))
        assert following.starts_at == eve.ends_at
        february = calendar.month_period(date(year, 2, 1))
        assert february.ends_at == (following.ends_at if is_leap else eve.ends_at)
        assert february.ends_at == calendar.month_period(date(year, 3, 31)).starts_at


# --- Any zone ------------------------------------------------------------------------------


@given(zones, days)
def test_a_day_start_is_the_first_instant_whose_local_date_has_come(zone: str, day: date) -> None:
    starts_at = day_start(day, zone)
    assert wall_time(starts_at, zone) >= midnight_of(day)
    assert wall_time(starts_at - SECOND, zone) < midnight_of(day)
    earlier = (starts_at - count * 5 * MINUTE for count in range(1, 36 * 12))
    assert all(wall_time(at, zone) < midnight_of(day) for at in earlier)


@given(zones, instants)
def test_every_instant_is_in_exactly_its_budget_day_and_month(zone: str, at: datetime) -> None:
    calendar = BrandCalendar(zone)
    for period in (calendar.budget_day(at), calendar.budget_month(at)):
        assert period.starts_at <= at < period.ends_at
    day = calendar.budget_day(at).starts_on
    assert calendar.budget_month(at).starts_on == day.replace(day=1)
    for other in (day - 2 * DAY, day - DAY, day + DAY, day + 2 * DAY):
        period = calendar.day_period(other)
        assert not period.starts_at <= at < period.ends_at


@given(zones, days)
def test_the_days_of_a_month_tile_it_and_add_up_to_it(zone: str, day: date) -> None:
    calendar = BrandCalendar(zone)
    month = calendar.month_period(day)
    cursor, length, label = month.starts_at, timedelta(), month.starts_on
    while label.month == month.starts_on.month:
        period = calendar.day_period(label)
        assert period.starts_at == cursor
        cursor, label = period.ends_at, label + DAY
        length += period.ends_at - period.starts_at
    assert cursor == month.ends_at
    assert length == month.ends_at - month.starts_at
    assert calendar.month_period(label).starts_at == month.ends_at


@given(zones, st.integers(1970, 2199))
def test_the_months_of_a_year_tile_it(zone: str, year: int) -> None:
    calendar = BrandCalendar(zone)
    months = [calendar.month_period(date(year, month, 15)) for month in range(1, 13)]
    for before, after in pairwise(months):
        assert before.ends_at == after.starts_at
        assert before.ends_at > before.starts_at


@pytest.mark.parametrize("year", [1970, 2200])
def test_the_promised_range_of_years_holds_at_both_ends_in_the_extreme_zones(year: int) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Midway", "Europe/Berlin"):
        for at in (utc(f"{year}-01-01T00:00"), utc(f"{year}-12-31T23:59:59")):
            period = BrandCalendar(zone).budget_day(at)
            assert period.starts_at <= at < period.ends_at


# --- Where the clock jumps -----------------------------------------------------------------


def listed_offset_changes(zone: str) -> list[datetime]:
    """The changes of UTC offset that the zone's own file lists, by a reader of our own."""
    data = zone_file(zone)
    counts = struct.unpack(">6l", data[20:44])
    utc_count, std_count, leap_count, time_count, type_count, char_count = counts
    second = 44 + time_count * 5 + type_count * 6 + char_count + leap_count * 8
    second += std_count + utc_count
    *_, time_count, type_count, _ = struct.unpack(">6l", data[second + 20 : second + 44])
    times_at = second + 44
    kinds_at = times_at + time_count * 8
    types_at = kinds_at + time_count
    times = struct.unpack(f">{time_count}q", data[times_at:kinds_at])
    offsets = [
        struct.unpack(">l", data[types_at + kind * 6 : types_at + kind * 6 + 4])[0]
        for kind in range(type_count)
    ]
    changes, offset = [], offsets[0]
    for seconds, kind in zip(times, data[kinds_at:types_at], strict=True):
        if offsets[kind] != offset:
            changes.append(EPOCH + seconds * SECOND)
        offset = offsets[kind]
    return changes


def zone_file(zone: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / zone).is_file():
            return (Path(folder) / zone).read_bytes()
    return files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def test_every_offset_change_that_a_zone_lists_is_found_to_the_second() -> None:
    first, last = utc("1970-01-01"), utc("2100-01-01")
    odd = ("Africa/Casablanca", "America/Recife", "Asia/Gaza")
    for zone in {*odd, *sampled(ZONES, one_in=75)}:
        listed = [at for at in listed_offset_changes(zone) if first < at <= last]
        until = listed[-1] if listed else utc("1980-01-01")
        assert BrandCalendar(zone).clock_jumps(first, until) == listed, zone


def test_two_changes_within_one_week_are_both_found() -> None:
    assert BrandCalendar("America/Recife").clock_jumps(utc("2000-10-01"), utc("2000-11-01")) == [
        utc("2000-10-08T03:00"),
        utc("2000-10-15T02:00"),
    ]


def test_jumps_are_after_the_first_instant_and_up_to_the_second() -> None:
    calendar, jump = BrandCalendar("Europe/Berlin"), utc("2026-03-29T01:00")
    assert calendar.clock_jumps(jump - SECOND, jump) == [jump]
    assert calendar.clock_jumps(jump, jump + SECOND) == []
    assert calendar.clock_jumps(jump - DAY, jump - SECOND) == []


def test_jumps_follow_the_zone_in_effect_and_include_its_change() -> None:
    calendar = BrandCalendar("America/New_York", "Europe/Berlin", utc("2026-04-05T22:00"))
    assert calendar.clock_jumps(utc("2026-01-01"), utc("2027-01-01")) == [
        utc("2026-03-29T01:00"),
        utc("2026-04-05T22:00"),
        utc("2026-11-01T06:00"),
    ]


# --- What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("half", [("UTC", "Asia/Tokyo", None), ("UTC", None, utc("2026-06-10"))])
def test_half_a_change_is_no_calendar(half: tuple[str, str | None, datetime | None]) -> None:
    with pytest.raises(ValueError, match="both"):
        BrandCalendar(*half)


def test_an_instant_without_a_zone_is_no_instant() -> None:
    naive = datetime(2026, 6, 10)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        BrandCalendar("UTC").local(naive)
    with pytest.raises(ValueError, match="time zone"):
        BrandCalendar("UTC").budget_day(naive)


def test_every_name_of_the_zone_list_is_accepted_as_it_is_spelled() -> None:
    assert len(ZONES) > 500
    for zone in ZONES:
        assert parse_time_zone(zone, "time_zone") == zone


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../etc/passwd",
        "/etc/localtime",
        "Europe/../UTC",
        "posix/Europe/Berlin",
        "right/UTC",
        "localtime",
        "posixrules",
        "Factory",
        "europe/berlin",
        "utc",
        "EUROPE/BERLIN",
        "Europe",
        "Europe/",
        "Europe/Berlin ",
        "Europe/Berlin\n",
        "Europe/Berlin\x00",
        "Europe\\Berlin",
        "Mars/Olympus",
        "+02:00",
        "CEST",
        "zone.tab",
        "\ud800",
        "A" * 100_000,
    ],
)
def test_any_other_name_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_time_zone(name, "time_zone")
    assert refusal.value.field == "time_zone"
    assert "Europe/Berlin" in refusal.value.problem


def test_a_day_is_looked_for_once() -> None:
    """Every verdict asks for about a dozen days, and every spend waits for verdicts."""
    day_start.cache_clear()
    for _ in range(3):
        day_start(date(2026, 6, 10), "Europe/Berlin")
    assert day_start.cache_info().misses == 1


def test_every_brand_has_a_date_that_clocks_show_somewhere_on_earth() -> None:
    for hour in range(48):
        at = datetime(2026, 2, 28, tzinfo=UTC) + timedelta(hours=hour)
        shown = {BrandCalendar(zone, None, None).budget_date(at) for zone in ZONES}
        assert shown <= dates_on_earth(at)
        assert 1 <= len(dates_on_earth(at)) <= 3
