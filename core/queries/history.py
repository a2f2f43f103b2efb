"""Reads of what was: settings, totals, holds and transitions as of any past instant (C17).

The log is append-only and every setting has its versions, so the facts of an instant can be put
together again; `judge` makes of them the verdict that admission would have given.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When

from core.enums import PeriodKind
from core.errors import InvalidFieldError
from core.models import (
    Brand,
    BrandTotal,
    BrandVersion,
    Campaign,
    CampaignTotal,
    CampaignVersion,
    Hold,
    MoneyField,
    SpendLog,
    Transition,
)
from core.queries.books import get_book
from core.queries.orderings import list_in_order
from core.rules.calendar import BrandCalendar, whole_calendar
from core.rules.entries import LONGEST_HOLD
from core.rules.ordering import KeyKind, Ordering, Place
from core.rules.verdict import LIFETIME, ZERO, Amounts, Facts, TotalKey

NEWEST_FIRST = Ordering("-at", KeyKind.INSTANT)
TRANSITION_ORDERINGS = {NEWEST_FIRST.name: NEWEST_FIRST}
DAY, MONTH, EVER = PeriodKind

# The first and the last budget day that each running period counts.
Days = Mapping[PeriodKind, tuple[date, date]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of a campaign at an instant.

    `facts` are missing for instants before settings were kept; then `transition`, the last one
    until then, is all there is.
    """

    campaign: Campaign
    at: datetime
    facts: Facts | None
    transition: Transition | None


def get_moment(campaign: Campaign, at: datetime | None, now: datetime) -> Moment:
    """What is known of the campaign at `at`, by default now, in a fixed number of queries.

    Raises InvalidFieldError for an instant that is still to come or before the campaign was.
    """
    if at is None:
        return Moment(campaign, now, _live_facts(campaign, now), _find_transition(campaign, now))
    if at > now:
        raise InvalidFieldError("at", "lies in the future; what will be spent isn't known yet")
    if at < campaign.created_at:
        raise InvalidFieldError("at", "lies before the campaign was created")
    moment = Moment(campaign, at, find_facts(campaign, at), _find_transition(campaign, at))
    if moment.facts is None and moment.transition is None:
        raise InvalidFieldError("at", "lies before anything was recorded of the campaign")
    return moment


def find_facts(campaign: Campaign, at: datetime) -> Facts | None:
    """The facts of the campaign as they were at `at`; `None` before its settings were kept."""
    of_brand = BrandVersion.objects.filter(brand=campaign.brand, at__lte=at)
    of_campaign = CampaignVersion.objects.filter(campaign=campaign, at__lte=at)
    # The order of the numbers is the order of the edits, whatever clocks said.
    brand, version = of_brand.order_by("number").last(), of_campaign.order_by("number").last()
    if brand is None or version is None:
        return None
    is_archived = brand.settings["is_archived"] or version.settings["is_archived"]
    days = _days(brand.facts.calendar, at)
    return Facts(
        brand.facts,
        replace(version.facts, is_archived=is_archived),
        _totals(_map_spent(campaign, days, at), _map_held(campaign, days, at)),
    )


def find_latest_version(row: Brand | Campaign) -> BrandVersion | CampaignVersion | None:
    """The version that is in force for this brand or campaign."""
    if isinstance(row, Brand):
        return BrandVersion.objects.filter(brand=row).order_by("number").last()
    return CampaignVersion.objects.filter(campaign=row).order_by("number").last()


def get_whole_calendar(brand: Brand) -> BrandCalendar:
    """The brand's calendar with all changes of zone that its versions tell of, not only the last.

    Spend that is older than the change which the brand remembers belongs to the days of its time.
    """
    versions = BrandVersion.objects.filter(brand=brand).order_by("number")
    told = [(version.at, version.facts.calendar) for version in versions]
    now = (datetime.max.replace(tzinfo=UTC), brand.calendar)
    return whole_calendar([*told, now])


def find_last_change(
    brand: Brand, campaign_ids: Collection[int], *, after: datetime, until: datetime
) -> datetime | None:
    """When somebody last changed what verdicts on these campaigns rest on, within that span.

    `after` isn't included. Spend, holds and settings; what time alone brings is no change of facts.
    """
    sources: tuple[tuple[QuerySet[Any], str], ...] = (
        (SpendLog.objects.filter(brand=brand), "recorded_at"),
        # The bound says nothing new, and is the one that an index can follow.
        (Hold.objects.filter(brand=brand, expires_at__gt=after), "held_at"),
        (Hold.objects.filter(brand=brand, expires_at__gt=after), "ended_at"),
        (BrandVersion.objects.filter(brand=brand), "at"),
        (CampaignVersion.objects.filter(campaign__in=campaign_ids), "at"),
    )
    instants = (
        rows.filter(**{f"{at}__gt": after, f"{at}__lte": until}).aggregate(last=Max(at))["last"]
        for rows, at in sources
    )
    return max(filter(None, instants), default=None)


def list_transitions(
    campaign: Campaign,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Place | None = None,
) -> QuerySet[Transition]:
    """The campaign's transitions, newest first; `since` is included and `until` is not."""
    limits = {"at__gte": since, "at__lt": until}
    named = {name: limit for name, limit in limits.items() if limit is not None}
    transitions = Transition.objects.filter(campaign=campaign, **named)
    return list_in_order(transitions, NEWEST_FIRST, after)


def _find_transition(campaign: Campaign, at: datetime) -> Transition | None:
    """The last one at or before `at`."""
    return list_transitions(campaign).filter(at__lte=at).first()


def _live_facts(campaign: Campaign, now: datetime) -> Facts:
    """The facts as admission finds them, which first frees holds whose time has run out (C20)."""
    facts = get_book(campaign.brand, [campaign], [now]).facts(campaign.pk)
    spent = {key: amounts.spent for key, amounts in facts.totals.items()}
    held = _map_held(campaign, _days(facts.brand.calendar, now), now)
    return replace(facts, totals=_totals(spent, held))


# --- Totals as of an instant -----------------------------------------------------------------


def _days(calendar: BrandCalendar, at: datetime) -> Days:
    day = calendar.budget_day(at).starts_on
    first = day.replace(day=1)
    last = date(day.year + day.month // 12, day.month % 12 + 1, 1).toordinal() - 1
    return {
        DAY: (day, day),
        MONTH: (first, date.fromordinal(last)),
        EVER: (LIFETIME.starts_on, date.max),
    }


def _map_spent(campaign: Campaign, days: Days, at: datetime) -> dict[TotalKey, Decimal]:
    """What the periods had spent by `at`: what they have today without what was recorded since.

    One statement for each table, so that spend recorded meanwhile is in both sums or in neither,
    and what it reads grows with what was recorded since `at`.
    """
    periods = Q()
    for period, (starts_on, _) in days.items():
        periods |= Q(period=period, starts_on=starts_on)
    last_day = Case(*(When(period=period, then=Value(last)) for period, (_, last) in days.items()))
    since = SpendLog.objects.filter(
        brand=campaign.brand,
        recorded_at__gt=at,
        budget_day__gte=OuterRef("starts_on"),
        budget_day__lte=OuterRef("last_day"),
    ).order_by()
    of_campaign = since.filter(campaign=campaign)
    spent = {}
    for owner, totals, entries in (
        (None, BrandTotal.objects.filter(brand=campaign.brand), since),
        (campaign.pk, CampaignTotal.objects.filter(campaign=campaign), of_campaign),
    ):
        summed = entries.values("brand").annotate(sum=Sum("amount")).values("sum")
        recorded_since = Subquery(summed, output_field=MoneyField())
        rows = totals.filter(periods).annotate(last_day=last_day, recorded_since=recorded_since)
        for row in rows:
            key = TotalKey(owner, PeriodKind(row.period), row.starts_on)
            spent[key] = row.spent - (row.recorded_since or ZERO)
    return spent


def _map_held(campaign: Campaign, days: Days, at: datetime) -> dict[TotalKey, Decimal]:
    """What holds set aside in each period at `at`: they were open and had not run out (C20)."""
    keys = {
        f"{owner}_{period}": TotalKey(owner, period, starts_on)
        for owner in (None, campaign.pk)
        for period, (starts_on, _) in days.items()
    }
    open_then = Hold.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=at),
        brand=campaign.brand,
        held_at__lte=at,
        expires_at__gt=at,
        expires_at__lte=at + LONGEST_HOLD,
    )
    held = open_then.aggregate(
        **{
            name: Sum("amount", filter=_counts_in(key, days[key.period]))
            for name, key in keys.items()
        }
    )
    return {key: held[name] or ZERO for name, key in keys.items()}


def _counts_in(key: TotalKey, budget_days: tuple[date, date]) -> Q:
    of_owner = Q() if key.campaign_id is None else Q(campaign=key.campaign_id)
    return Q(budget_day__range=budget_days) & of_owner


def _totals(
    spent: Mapping[TotalKey, Decimal], held: Mapping[TotalKey, Decimal]
) -> dict[TotalKey, Amounts]:
    return {key: Amounts(spent.get(key, ZERO), amount) for key, amount in held.items()}
