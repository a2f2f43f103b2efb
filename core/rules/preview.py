"""What schedule, flight and zone make of a campaign's next two weeks, day by day (C9, C13).

Only when it may run: budgets and switches are the verdict's business. What an open minute is,
`core/rules/dayparts.py` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

from core.rules.calendar import BrandCalendar, Period
from core.rules.dayparts import MINUTES_PER_DAY, WeeklySchedule, is_open, next_edge
from core.rules.verdict import CampaignFacts

DAYS_SHOWN = 14

_ONE_DAY = timedelta(days=1)
_ONE_HOUR = timedelta(hours=1)

# From the first instant to the second, which isn't included.
Span = tuple[datetime, datetime]


class ClockEffect(StrEnum):
    """What a jump of the local clock does to a window."""

    SKIPPED = "skipped"
    CUT = "cut"
    LENGTHENED = "lengthened"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A stretch in which the campaign may run, and what its local clock shows at both ends."""

    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    local_end: datetime


@dataclass(frozen=True, slots=True)
class ChangedWindow:
    """A window of one local date, as the schedule says it, that isn't open for just that long."""

    effect: ClockEffect
    start_minute: int
    end_minute: int
    open_for: timedelta


@dataclass(frozen=True, slots=True)
class CampaignDay:
    """One budget day: a window that goes on past its end goes on in the next day."""

    period: Period
    has_clock_change: bool
    windows: tuple[OpenWindow, ...]
    changed_windows: tuple[ChangedWindow, ...]

    @property
    def hours(self) -> float:
        """How long the day is; none at all if it is a date that never was."""
        return (self.period.ends_at - self.period.starts_at) / _ONE_HOUR


def coming_days(
    campaign: CampaignFacts, calendar: BrandCalendar, at: datetime
) -> list[CampaignDay]:
    """The budget day that `at` is in, as a whole, and the thirteen after it (C9).

    All of it as the settings stand now: what was open earlier today under other settings isn't
    told. A day that clocks or a move to another zone make longer or shorter, or in which they
    jump, says so.
    """
    first = calendar.budget_day(at).starts_on
    periods = (calendar.day_period(first + count * _ONE_DAY) for count in range(DAYS_SHOWN))
    return [_campaign_day(campaign, calendar, period) for period in periods]


def is_open_within(schedule: WeeklySchedule, calendar: BrandCalendar, span: Span) -> bool:
    """Whether there is an open minute in the span, or a part of one (C13)."""
    return any(_open_spans(schedule, calendar, span))


def _campaign_day(campaign: CampaignFacts, calendar: BrandCalendar, period: Period) -> CampaignDay:
    starts_at, ends_at = period.starts_at, period.ends_at
    spans = _open_spans(campaign.schedule, calendar, _flight_part(campaign, (starts_at, ends_at)))
    # A jump at the very start makes another length, or is that of a move that moves no clock.
    jumps = calendar.clock_jumps(starts_at, ends_at)
    return CampaignDay(
        period,
        ends_at - starts_at != _ONE_DAY or any(jump < ends_at for jump in jumps),
        tuple(OpenWindow(*span, *(_shown(calendar, at) for at in span)) for span in spans),
        tuple(_changed_windows(campaign, calendar, period.starts_on)),
    )


def _shown(calendar: BrandCalendar, at: datetime) -> datetime:
    """What the local clock shows, with its offset alone: that keeps repeated hours apart."""
    wall = calendar.local(at).replace(tzinfo=None)
    return wall.replace(tzinfo=timezone(wall - at.astimezone(UTC).replace(tzinfo=None)), fold=0)


def _flight_part(campaign: CampaignFacts, span: Span) -> Span:
    """The part of the span that lies in the flight; it ends before it starts if none does."""
    starts_at, ends_at = span
    return (
        max(starts_at, campaign.starts_at or starts_at),
        min(ends_at, campaign.ends_at or ends_at),
    )


def _open_spans(schedule: WeeklySchedule, calendar: BrandCalendar, span: Span) -> Iterator[Span]:
    at, last = span
    open_now = is_open(schedule, at, calendar)
    while at < last:
        edge = min(next_edge(schedule, at, calendar) or last, last)
        if open_now:
            yield at, edge
        at, open_now = edge, not open_now


def _changed_windows(
    campaign: CampaignFacts, calendar: BrandCalendar, day: date
) -> Iterator[ChangedWindow]:
    # No zone is a whole day from UTC: all instants that show this date lie in here, and none
    # that shows the same weekday of another week.
    midnight = datetime.combine(day, time.min, tzinfo=UTC)
    around = (midnight - _ONE_DAY, midnight + 2 * _ONE_DAY)
    if not any(_is_amid_flight(campaign, jump) for jump in calendar.clock_jumps(*around)):
        return
    for start, end in _windows_on(campaign.schedule, day.weekday()):
        of_week = day.weekday() * MINUTES_PER_DAY
        alone = WeeklySchedule(((of_week + start, of_week + end),))
        lengths = [ends - starts for starts, ends in _open_spans(alone, calendar, around)]
        effect = _effect(lengths, timedelta(minutes=end - start))
        if effect:
            yield ChangedWindow(effect, start, end, sum(lengths, timedelta()))


def _windows_on(schedule: WeeklySchedule, weekday: int) -> Iterator[tuple[int, int]]:
    """The schedule's windows on this weekday in minutes of the day, each cut at midnight.

    A weekday that is open throughout is left out: it changes with the day and says nothing more.
    """
    midnight = weekday * MINUTES_PER_DAY
    for opens, closes in schedule.windows:
        start, end = max(opens - midnight, 0), min(closes - midnight, MINUTES_PER_DAY)
        if start < end and end - start < MINUTES_PER_DAY:
            yield start, end


def _effect(lengths: list[timedelta], expected: timedelta) -> ClockEffect | None:
    total = sum(lengths, timedelta())
    if not total:
        return ClockEffect.SKIPPED
    if len(lengths) > 1:
        return ClockEffect.DOUBLED
    if total == expected:
        return None
    return ClockEffect.CUT if total < expected else ClockEffect.LENGTHENED


def _is_amid_flight(campaign: CampaignFacts, at: datetime) -> bool:
    has_started = campaign.starts_at is None or campaign.starts_at < at
    return has_started and (campaign.ends_at is None or at < campaign.ends_at)
