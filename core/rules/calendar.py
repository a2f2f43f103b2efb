"""When a brand's budget days and months begin and end, as UTC instants (C9, C11, C12).

The one place where UTC becomes local time. Right for instants from 1970 to 2200; doors refuse
others. The zone rules are those of the tzdata that `zoneinfo` finds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import groupby, pairwise, zip_longest
from operator import itemgetter
from zoneinfo import ZoneInfo, available_timezones

from core.enums import PeriodKind
from core.errors import InvalidFieldError, TimeZoneChangeTooSoonError

# Files of a machine's zone directory that name no place: they differ from host to host.
_NOT_PLACES = frozenset({"Factory", "localtime", "posixrules"})

_ONE_SECOND = timedelta(seconds=1)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """One budget day, month or lifetime: `[starts_at, ends_at)` in UTC, labelled by a local date.

    A date that never was (Apia, 2011-12-30) is a period of no length, which no instant is in.
    """

    kind: PeriodKind
    starts_on: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class BrandCalendar:
    """The time zone of a brand, and the one before it until an edit takes effect (C9, C12).

    Before `changes_at` the previous zone is in effect, from then on `time_zone`. Both are set or
    neither; anything else raises ValueError. `earlier` is the calendar until that change where
    changes before it matter too; a brand remembers one, its versions all (`whole_calendar`).
    """

    time_zone: str
    previous_time_zone: str | None = None
    changes_at: datetime | None = None
    earlier: "BrandCalendar | None" = None

    def __post_init__(self) -> None:
        """Refuse half a change, and one from another zone than the calendar before it had."""
        if (self.previous_time_zone is None) != (self.changes_at is None):
            raise ValueError("A change of zone needs both the previous zone and its instant")
        if self.earlier and self.earlier.time_zone != self.previous_time_zone:
            raise ValueError("The calendar before a change ends with the previous zone")

    def budget_day(self, at: datetime) -> Period:
        """The budget day that `at` is in: the last one that has begun (C9)."""
        return self.day_period(self.budget_date(at))

    def budget_month(self, at: datetime) -> Period:
        """The budget month that `at` is in: the month of its budget day's label (C9)."""
        return self.month_period(self.budget_date(at))

    def day_period(self, day: date) -> Period:
        """The budget day with this label (C9)."""
        starts_at = self.first_instant(day)
        return Period(PeriodKind.DAY, day, starts_at, self.first_instant(day + _ONE_DAY))

    def month_period(self, day: date) -> Period:
        """The budget month of this date: all budget days labelled in it (C9)."""
        first = day.replace(day=1)
        next_first = (first + timedelta(days=31)).replace(day=1)
        starts_at = self.first_instant(first)
        return Period(PeriodKind.MONTH, first, starts_at, self.first_instant(next_first))

    def first_instant(self, day: date) -> datetime:
        """Where the budget day with this label begins; never before that of an earlier label (C12).

        A day that the previous zone began goes on until the new zone's next midnight: going west
        makes it longer, going east makes the day after it shorter. No label comes twice.
        """
        if self.previous_time_zone is None or self.changes_at is None:
            return day_start(day, self.time_zone)
        before_change = (
            self.earlier.first_instant(day)
            if self.earlier
            else day_start(day, self.previous_time_zone)
        )
        if before_change < self.changes_at:
            return before_change
        return max(self.changes_at, day_start(day, self.time_zone))

    def budget_date(self, at: datetime) -> date:
        """The label of the budget day that `at` is in (C9)."""
        # The clock can show yesterday's date again after midnight (St. John's, 2010-11-07, and
        # for up to 25 hours after a move west). The budget day that has begun goes on.
        label = self.local(at).date()
        while self.first_instant(label + _ONE_DAY) <= at:
            label += _ONE_DAY
        return label

    def zone_at(self, at: datetime) -> str:
        """The name of the zone in effect at this instant (C12)."""
        if self.previous_time_zone is None or self.changes_at is None or at >= self.changes_at:
            return self.time_zone
        return self.earlier.zone_at(at) if self.earlier else self.previous_time_zone

    def local(self, at: datetime) -> datetime:
        """The same instant as local wall time, to read hours and dates from, not to compare.

        (Python holds a wall time that happens twice to be unequal to the same instant in UTC.)
        Raises ValueError if `at` has no zone.
        """
        if at.tzinfo is None:
            raise ValueError("An instant needs a time zone")
        return at.astimezone(ZoneInfo(self.zone_at(at)))

    def clock_jumps(self, after: datetime, until: datetime) -> list[datetime]:
        """The instants in `(after, until]` at which local clocks may jump, in order, in UTC.

        Between two of them local time runs evenly. Includes the calendar's own change of zone.
        """
        if self.previous_time_zone is None or self.changes_at is None:
            return _offset_changes(self.time_zone, after, until)
        changes_at = self.changes_at
        before = self.earlier or BrandCalendar(self.previous_time_zone)
        jumps = before.clock_jumps(after, min(until, changes_at))
        jumps += [changes_at] if after < changes_at <= until else []
        jumps += _offset_changes(self.time_zone, max(after, changes_at), until)
        return sorted(set(jumps))


def dates_on_earth(at: datetime) -> set[date]:
    """The dates that clocks show at this instant, from the last place that has a day to the first.

    A brand's budget day is one of them but for its days around a change of zone (C12).
    """
    return {at.astimezone(timezone(timedelta(hours=hours))).date() for hours in (-12, 0, 14)}


@lru_cache(maxsize=65_536)
def day_start(day: date, zone_name: str) -> datetime:
    """The first UTC instant whose local time in the zone is `day` 00:00 or later (C9).

    That is local midnight; the first instant after it where midnight doesn't exist; the first of
    the two where it happens twice.
    """
    midnight = datetime.combine(day, time.min, tzinfo=UTC)
    # No zone is a whole day away from UTC, so local midnight is less than a day from this one.
    earliest, latest = midnight - _ONE_DAY, midnight + _ONE_DAY
    stretches = pairwise([earliest, *_offset_changes(zone_name, earliest, latest), latest])
    return next(
        candidate
        for starts_at, ends_at in stretches
        if (candidate := max(starts_at, midnight - _offset(zone_name, starts_at))) < ends_at
    )


def _offset_changes(zone_name: str, after: datetime, until: datetime) -> list[datetime]:
    """The instants in `(after, until]` from which another UTC offset is in effect, in order."""
    years = range(after.astimezone(UTC).year, until.astimezone(UTC).year + 1)
    changes = (change for year in years for change in _offset_changes_of_year(zone_name, year))
    return [change for change in changes if after < change <= until]


@lru_cache(maxsize=8_192)
def _offset_changes_of_year(zone_name: str, year: int) -> tuple[datetime, ...]:
    # zoneinfo doesn't tell where offsets change, so compare day by day and bisect. No zone has
    # changed twice within a day since 1970; Gaza will within a week, in October 2040.
    last = datetime(year, 1, 1, tzinfo=UTC) - _ONE_SECOND
    end = datetime(year + 1, 1, 1, tzinfo=UTC) - _ONE_SECOND
    changes = []
    while last < end:
        sample = min(last + _ONE_DAY, end)
        if _offset(zone_name, last) != _offset(zone_name, sample):
            changes.append(_bisected_change(zone_name, last, sample))
        last = sample
    return tuple(changes)


def _bisected_change(zone_name: str, before: datetime, after: datetime) -> datetime:
    old = _offset(zone_name, before)
    while after - before > _ONE_SECOND:
        middle = before + timedelta(seconds=(after - before) // _ONE_SECOND // 2)
        if _offset(zone_name, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone_name: str, at: datetime) -> timedelta:
    # Wall time minus UTC, and not utcoffset(): a frozen clock's datetimes forget which pass of a
    # repeated hour they are in.
    wall = at.astimezone(ZoneInfo(zone_name)).replace(tzinfo=None)
    return wall - at.astimezone(UTC).replace(tzinfo=None)


def next_zone_change_at(calendar: BrandCalendar, at: datetime) -> datetime:
    """Where a zone edited at `at` takes effect (C12).

    At the end of the budget day that runs then; a change that is still to come keeps its instant.
    """
    if calendar.changes_at is not None and at < calendar.changes_at:
        return calendar.changes_at
    return calendar.budget_day(at).ends_at


def with_time_zone(calendar: BrandCalendar, new_zone: str, at: datetime) -> BrandCalendar:
    """The calendar after a person chose another zone at `at` (C12).

    A change that is still to come is replaced, or cancelled by choosing the zone in effect. The
    calendar remembers one change, so a second one within the day that the first has stretched or
    cut would give that day another label or start: it raises TimeZoneChangeTooSoonError.
    """
    if new_zone == calendar.time_zone:
        return calendar
    zone_now = calendar.zone_at(at)
    if new_zone == zone_now:
        return BrandCalendar(new_zone)
    changes_at = next_zone_change_at(calendar, at)
    changed = BrandCalendar(new_zone, zone_now, changes_at)
    running, kept = calendar.budget_day(at), changed.budget_day(at)
    if (running.starts_on, running.starts_at) != (kept.starts_on, kept.starts_at):
        again_at = f"{changes_at:%Y-%m-%dT%H:%M:%SZ}"
        raise TimeZoneChangeTooSoonError(
            "time_zone", f"took effect within this budget day; change it again from {again_at} on"
        )
    return changed


def whole_calendar(versions: Iterable[tuple[datetime, BrandCalendar]]) -> BrandCalendar:
    """The last of these calendars, with every change of zone that took effect before (C12).

    Each was in force from its instant until the next one's. A change that was replaced or
    cancelled before its instant never took effect. Raises IndexError for none.
    """
    steps = [next(alike) for _, alike in groupby(versions, key=itemgetter(1))]
    whole = steps[0][1]
    for (_, calendar), following in zip_longest(steps, steps[1:]):
        if calendar.previous_time_zone and calendar.changes_at:
            is_replaced = following is not None and following[0] < calendar.changes_at
            before = BrandCalendar(calendar.previous_time_zone)
            whole = _joined(whole, before if is_replaced else calendar)
        else:
            whole = _joined(whole, calendar)
    return whole


def _joined(whole: BrandCalendar, calendar: BrandCalendar) -> BrandCalendar:
    """The calendar that goes on from a whole one; as it is where the two don't fit together."""
    if calendar.changes_at is None:
        return whole if whole.time_zone == calendar.time_zone else calendar
    if whole.changes_at is None or whole.time_zone != calendar.previous_time_zone:
        return calendar
    return replace(calendar, earlier=whole)


def check_zone_change(calendar: BrandCalendar, at: datetime, late_limit: timedelta) -> None:
    """Refuse a second change while spend from before the first may still come in late (C11, C12).

    The calendar remembers one change; such spend would be filed by the wrong zone. Raises
    TimeZoneChangeTooSoonError.
    """
    if calendar.changes_at is None or at < calendar.changes_at:
        return
    settled_at = calendar.changes_at + late_limit
    if at < settled_at:
        raise TimeZoneChangeTooSoonError(
            "time_zone",
            "changed a short while ago, and spend from before may still come in late; "
            f"change it again from {settled_at:%Y-%m-%dT%H:%M:%SZ} on",
        )


def parse_time_zone(name: str, field: str) -> str:
    """The name itself if it is an IANA time zone, spelled exactly (C9).

    Raises InvalidFieldError, naming `field`, for anything else.
    """
    if name not in _time_zone_names():
        raise InvalidFieldError(
            field,
            'is not an IANA time zone; send a name spelled as in the zone list, such as "UTC" '
            'or "Europe/Berlin"',
        )
    return name


@lru_cache(maxsize=1)
def _time_zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_PLACES
