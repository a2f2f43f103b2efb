"""In every zone there is, budget days and months tile the years 2026 to 2036 (C9).

Ordinarily each zone is looked at in one of these months, the odd ones in more; by `make test-deep`
in all of them.
"""

from datetime import date, datetime, time, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

from core.rules.calendar import BrandCalendar, Period
from core.tests.depth import sampled
from core.tests.rules.zones import DAY, HOUR, ODD_ZONES, SECOND, ZONES

MONTHS = [date(year, month, 1) for year in range(2026, 2037) for month in range(1, 13)]


def test_in_every_zone_each_instant_is_in_exactly_one_day_and_one_month() -> None:
    # One less than the months of a zone, so that each zone has its turn with another month.
    for zone, month in sampled(list(product(ZONES, MONTHS)), one_in=len(MONTHS) - 1):
        for day in tiled_days(zone, month):
            assert 22 * HOUR <= length(day) <= 26 * HOUR, (zone, day.starts_on)


def test_a_day_lasts_22_to_26_hours_and_every_one_of_these_lengths_comes_by() -> None:
    days = [day for zone in ODD_ZONES for month in MONTHS[:12] for day in tiled_days(zone, month)]
    hours = (22, 23, 23.5, 24, 24.5, 25, 26)
    assert {length(day) for day in days} == {timedelta(hours=count) for count in hours}


def length(period: Period) -> timedelta:
    return period.ends_at - period.starts_at


def tiled_days(zone: str, first: date) -> list[Period]:
    """The days of a month, after a look at whether they tile it and hold what they should."""
    calendar = BrandCalendar(zone)
    month = calendar.month_period(first)
    days = [calendar.day_period(label) for label in labels(first)]
    assert [day.starts_on for day in days] == labels(first)
    assert (days[0].starts_at, days[-1].ends_at) == (month.starts_at, month.ends_at), (zone, first)
    assert all(day.ends_at == after.starts_at for day, after in pairwise(days)), (zone, first)
    assert sum(map(length, days), timedelta()) == length(month), (zone, first)
    for day in days:
        midnight, last = datetime.combine(day.starts_on, time()), day.ends_at - timedelta.resolution
        assert wall_time(zone, day.starts_at - SECOND) < midnight, (zone, day.starts_on)
        assert wall_time(zone, day.starts_at) >= midnight, (zone, day.starts_on)
        assert calendar.budget_day(day.starts_at) == calendar.budget_day(last) == day, zone
        assert calendar.budget_month(day.starts_at) == calendar.budget_month(last) == month, zone
    assert calendar.month_period(month.starts_on + 32 * DAY).starts_at == month.ends_at, zone
    return days


def labels(first: date) -> list[date]:
    """All dates of the month, by a calendar of our own."""
    dates = (first + count * DAY for count in range(31))
    return [day for day in dates if day.month == first.month]


def wall_time(zone: str, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
