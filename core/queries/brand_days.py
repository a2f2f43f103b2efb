"""Reads what became of a brand day by day: spent, over budget, and how long budgets paused it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from django.db.models import Sum

from core.enums import PeriodKind, Reason
from core.models import Brand, BrandTotal, SpendLog, Transition
from core.rules.calendar import Period
from core.rules.verdict import LIFETIME, ZERO


@dataclass(frozen=True, slots=True)
class BrandDay:
    """One budget day of a brand.

    `paused` adds up, over its campaigns, the time from a pause by a budget until the campaign's
    state changed or the budget was renewed; `first_pause_at` is when the day's first one began.
    """

    starts_on: date
    spent: Decimal
    over_budget: Decimal
    paused: timedelta
    first_pause_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Pause:
    starts_at: datetime
    ends_at: datetime


def list_brand_days(brand: Brand, since: datetime, until: datetime) -> list[BrandDay]:
    """The budget days that lie in `[since, until)` at least in part, oldest first."""
    spent = BrandTotal.objects.filter(brand=brand, period=PeriodKind.DAY)
    spent_on = dict(spent.values_list("starts_on", "spent"))
    over = SpendLog.objects.filter(brand=brand).order_by().values("budget_day")
    over_on = dict(over.annotate(Sum("over_budget")).values_list("budget_day", "over_budget__sum"))
    pauses = _list_pauses(brand, until)
    return [
        BrandDay(
            starts_on=day.starts_on,
            spent=spent_on.get(day.starts_on, ZERO),
            over_budget=over_on.get(day.starts_on, ZERO),
            paused=sum((_overlap(pause, day) for pause in pauses), timedelta(0)),
            first_pause_at=min(
                (
                    each.starts_at
                    for each in pauses
                    if day.starts_at <= each.starts_at < day.ends_at
                ),
                default=None,
            ),
        )
        for day in _days(brand, since, until)
    ]


def _days(brand: Brand, since: datetime, until: datetime) -> list[Period]:
    days = [brand.calendar.budget_day(since)]
    while days[-1].ends_at < until:
        days.append(brand.calendar.budget_day(days[-1].ends_at))
    return days


def _list_pauses(brand: Brand, until: datetime) -> list[_Pause]:
    """Each pause by a budget, to the campaign's next change, the budget's renewal or `until`."""
    transitions = Transition.objects.filter(campaign__brand=brand).order_by("campaign_id", "id")
    pauses = []
    for _, changes in groupby(transitions, key=lambda change: change.campaign_id):
        ordered = list(changes)
        ends = [*(change.at for change in ordered[1:]), until]
        for change, ends_at in zip(ordered, ends, strict=True):
            if renewed_at := _renewed_at(brand, change):
                pauses.append(_Pause(change.at, min(ends_at, renewed_at, until)))
    return pauses


def _renewed_at(brand: Brand, pause: Transition) -> datetime | None:
    """When the last of the budgets that paused it is full again; `None` if none paused it."""
    calendar = brand.calendar
    renewals = {
        Reason.BRAND_DAILY_BUDGET: calendar.budget_day(pause.at).ends_at,
        Reason.CAMPAIGN_DAILY_BUDGET: calendar.budget_day(pause.at).ends_at,
        Reason.BRAND_MONTHLY_BUDGET: calendar.budget_month(pause.at).ends_at,
        Reason.CAMPAIGN_MONTHLY_BUDGET: calendar.budget_month(pause.at).ends_at,
        Reason.CAMPAIGN_LIFETIME_BUDGET: LIFETIME.ends_at,
    }
    return max((renewals[reason] for reason in pause.reasons if reason in renewals), default=None)


def _overlap(pause: _Pause, day: Period) -> timedelta:
    shared = min(pause.ends_at, day.ends_at) - max(pause.starts_at, day.starts_at)
    return max(shared, timedelta(0))
