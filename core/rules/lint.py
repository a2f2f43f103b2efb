"""What looks wrong with a campaign's settings: warnings for people, never refusals (C4, C13).

Each can be said from the settings alone. What was spent doesn't count, and nothing is forecast.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.rules.calendar import BrandCalendar
from core.rules.dayparts import WeeklySchedule, format_minute
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.rules.preview import (
    CampaignDay,
    ChangedWindow,
    ClockEffect,
    Span,
    is_open_within,
)
from core.rules.verdict import BrandFacts, CampaignFacts, tightest_budget

# The days of a longer flight aren't counted.
LONGEST_COUNTED = timedelta(days=366)

_ONE_DAY = timedelta(days=1)
_EFFECTS = {
    ClockEffect.SKIPPED: "the clock skips the window {window}",
    ClockEffect.CUT: "the clock cuts the window {window} to {length}",
    ClockEffect.LENGTHENED: "the clock lengthens the window {window} to {length}",
    ClockEffect.DOUBLED: "the clock opens the window {window} twice, for {length} together",
}


class WarningCode(StrEnum):
    """The stable name of a warning."""

    NEVER_OPEN = "never_open"
    FLIGHT_OUTSIDE_SCHEDULE = "flight_outside_schedule"
    OWN_BUDGET_ABOVE_BRANDS = "own_budget_above_brands"
    MONTHLY_BELOW_DAILY = "monthly_below_daily"
    BUDGET_OUT_OF_REACH = "budget_out_of_reach"
    WINDOW_CHANGED_BY_CLOCK = "window_changed_by_clock"


@dataclass(frozen=True, slots=True)
class SettingWarning:
    """One warning, and the field of the campaign (or `brand.…`) that it concerns."""

    code: WarningCode
    field: str
    message: str


def campaign_warnings(
    brand: BrandFacts, campaign: CampaignFacts, at: datetime, *, days: Iterable[CampaignDay]
) -> list[SettingWarning]:
    """Everything that looks wrong at `at`, the worst first; `days` are its `coming_days`.

    Of a flight that is over nothing is said but what its budgets are.
    """
    return [
        *_closed_flights(campaign, brand.calendar, at),
        *_higher_budgets(brand, campaign),
        *_upside_down_budgets(brand, campaign),
        *_unreachable_budgets(brand, campaign, at),
        *_changed_windows(days),
    ]


def _closed_flights(
    campaign: CampaignFacts, calendar: BrandCalendar, at: datetime
) -> Iterator[SettingWarning]:
    """`never_open`: no open minute is left in the flight, in the zone's own clock.

    `flight_outside_schedule` on top of it: there was none from the start, so the flight and the
    schedule miss each other. A flight without a start has begun nobody knows when: nothing is said
    of its whole. Without an end there is always another window.
    """
    starts_at, ends_at = campaign.starts_at, campaign.ends_at
    if ends_at is None or ends_at <= at:
        return
    left = (max(at, starts_at or at), ends_at)
    if is_open_within(campaign.schedule, calendar, left):
        return
    yield SettingWarning(
        WarningCode.NEVER_OPEN,
        "schedule",
        f"The schedule is closed until the flight ends at {format_instant(ends_at)}: no minute "
        "is left in which the campaign may run.",
    )
    if starts_at and not is_open_within(campaign.schedule, calendar, (starts_at, ends_at)):
        yield SettingWarning(
            WarningCode.FLIGHT_OUTSIDE_SCHEDULE,
            "ends_at",
            f"The flight from {format_instant(starts_at)} to {format_instant(ends_at)} contains "
            "no open window of the schedule; move the flight or widen the schedule.",
        )


def _higher_budgets(brand: BrandFacts, campaign: CampaignFacts) -> Iterator[SettingWarning]:
    """`own_budget_above_brands`: a budget that can never be what stops the campaign (C4)."""
    for kind, own, brands in (
        ("daily", campaign.daily_budget, brand.daily_budget),
        ("monthly", campaign.monthly_budget, brand.monthly_budget),
    ):
        if own is not None and brands is not None and own > brands:
            yield SettingWarning(
                WarningCode.OWN_BUDGET_ABOVE_BRANDS,
                f"own_{kind}_budget",
                f"The own {kind} budget, {format_money(own)}, is above the brand's, "
                f"{format_money(brands)}, which stops the campaign before.",
            )


def _upside_down_budgets(brand: BrandFacts, campaign: CampaignFacts) -> Iterator[SettingWarning]:
    """`monthly_below_daily`: a single day may use up the month."""
    for field, whose, daily, monthly in (
        ("own_monthly_budget", "own", campaign.daily_budget, campaign.monthly_budget),
        ("brand.monthly_budget", "brand's", brand.daily_budget, brand.monthly_budget),
    ):
        if daily is not None and monthly is not None and monthly < daily:
            yield SettingWarning(
                WarningCode.MONTHLY_BELOW_DAILY,
                field,
                f"The {whose} monthly budget, {format_money(monthly)}, is smaller than the "
                f"{whose} daily one, {format_money(daily)}: one day can use up the month.",
            )


def _unreachable_budgets(
    brand: BrandFacts, campaign: CampaignFacts, at: datetime
) -> Iterator[SettingWarning]:
    """`budget_out_of_reach`: the daily ceilings alone keep a longer budget from being used up.

    That is a fact and no forecast: a day can't spend more than the tighter of the campaign's and
    the brand's daily budget, and only days with an open minute spend at all. So the own monthly
    budget is out of reach if it is more than that times such days of the running month, as if the
    flight were the whole of it, and the own lifetime budget if it is more than that times such
    days of the whole flight. A pace isn't asked for: the facts know what was spent, not what there
    was to buy.
    """
    daily = tightest_budget(campaign.daily_budget, brand.daily_budget)
    if daily is None:
        return
    month = brand.calendar.budget_month(at)
    for kind, budget, span in (
        ("monthly", campaign.monthly_budget, (month.starts_at, month.ends_at)),
        ("lifetime", campaign.lifetime_budget, _counted_flight(campaign, at)),
    ):
        if budget is None or span is None:
            continue
        count = _open_day_count(campaign.schedule, brand.calendar, span)
        if daily * count < budget:
            in_what = "this month" if kind == "monthly" else "the flight"
            yield SettingWarning(
                WarningCode.BUDGET_OUT_OF_REACH,
                f"own_{kind}_budget",
                f"The own {kind} budget, {format_money(budget)}, is out of reach: {in_what} has "
                f"{count} {'day' if count == 1 else 'days'} with open minutes, and a day can spend "
                f"{format_money(daily)}, together {format_money(daily * count)}.",
            )


def _counted_flight(campaign: CampaignFacts, at: datetime) -> Span | None:
    starts_at, ends_at = campaign.starts_at, campaign.ends_at
    if starts_at is None or ends_at is None or ends_at <= at:
        return None
    return (starts_at, ends_at) if ends_at - starts_at <= LONGEST_COUNTED else None


def _open_day_count(schedule: WeeklySchedule, calendar: BrandCalendar, span: Span) -> int:
    """How many budget days have an open minute in the span."""
    first, last = span
    count, day = 0, calendar.budget_day(first)
    while day.starts_at < last:
        part = (max(day.starts_at, first), min(day.ends_at, last))
        count += is_open_within(schedule, calendar, part)
        day = calendar.day_period(day.starts_on + _ONE_DAY)
    return count


def _changed_windows(days: Iterable[CampaignDay]) -> Iterator[SettingWarning]:
    """`window_changed_by_clock`: a window that isn't open for as long as the schedule says."""
    for day in days:
        for changed in day.changed_windows:
            yield SettingWarning(
                WarningCode.WINDOW_CHANGED_BY_CLOCK,
                "schedule",
                f"On {day.period.starts_on} {describe_changed_window(changed)}.",
            )


def describe_changed_window(changed: ChangedWindow) -> str:
    """What the clock does to the window, in words."""
    minutes = changed.open_for // timedelta(minutes=1)
    window = f"{format_minute(changed.start_minute)}–{format_minute(changed.end_minute)}"
    length = f"{minutes // 60} h {minutes % 60:02d} min"
    return _EFFECTS[changed.effect].format(window=window, length=length)
