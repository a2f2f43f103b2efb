"""Reads of campaigns."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from core.enums import PeriodKind, Reason
from core.errors import CampaignNotFoundError
from core.models import Brand, Campaign, CampaignCounts, names_reason
from core.queries.orderings import (
    Page,
    Stretch,
    get_merged_page,
    get_page,
    list_brands_apart,
    list_in_order,
)
from core.queries.totals import find_running_campaign_total
from core.rules.ordering import KeyKind, Ordering, Place, orderings

CAMPAIGN_ORDERINGS = orderings(
    id=KeyKind.ID, name=KeyKind.TEXT, status_since=KeyKind.OPTIONAL_INSTANT
)


class CampaignNumbers(NamedTuple):
    """How many campaigns there are, run, and were stopped by budgets for a day or a month."""

    total: int = 0
    active: int = 0
    over_daily: int = 0
    over_monthly: int = 0


# The columns that hold them.
COUNTS = ("campaign_count", "active_count", "over_daily_count", "over_monthly_count")
NO_CAMPAIGNS = CampaignNumbers()


def get_campaign(campaign_id: int, brand_ids: Collection[int] | None = None) -> Campaign:
    """A campaign that isn't archived, nor its brand, among the brands the caller may see.

    Its brand comes along. Raises CampaignNotFoundError.
    """
    live = Campaign.objects.filter(archived_at=None, brand__archived_at=None)
    campaign = live.select_related("brand").filter(pk=campaign_id).first()
    if campaign is None or (brand_ids is not None and campaign.brand_id not in brand_ids):
        raise CampaignNotFoundError
    return campaign


def has_campaign_name(brand: Brand, name: str, *, besides: int | None = None) -> bool:
    """Whether the brand has a campaign by this name that isn't archived."""
    named = Campaign.objects.filter(brand=brand, name=name, archived_at=None)
    return named.exclude(pk__in=[besides] if besides else []).exists()


def map_campaign_names(brand_id: int, names: Collection[str]) -> dict[str, int]:
    """The brand's campaigns with these names; one that isn't archived wins over those that are."""
    named = Campaign.objects.filter(brand_id=brand_id, name__in=names)
    by_standing = named.order_by(F("archived_at").asc(nulls_last=True), "id")
    return dict(by_standing.values_list("name", "id"))


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which campaigns a list shows and in which order; `None` means any.

    `brand_ids` is what the caller may see, `after` the place where the page before ended.
    """

    brand_ids: Collection[int] | None = None
    brand_id: int | None = None
    is_active: bool | None = None
    is_enabled: bool | None = None
    reason: Reason | None = None
    search: str | None = None
    ordering: Ordering = CAMPAIGN_ORDERINGS["id"]
    after: Place | None = None


def list_campaigns(now: datetime, chosen: CampaignFilter) -> QuerySet[Campaign]:
    """Campaigns that aren't archived, with what documents show of them.

    The brand and the dayparts come along; `daily_spend` and `monthly_spend` (of the running
    budget day and month) are annotations.
    """
    return list_in_order(_described(_chosen(chosen), now), chosen.ordering, chosen.after)


def get_campaign_page(now: datetime, chosen: CampaignFilter, count: int) -> Page[Campaign]:
    """Up to `count` of the listed campaigns, and the place from which to read on.

    A brand is a range of an index; everything else sifts what it gives, so that a page may be
    short before the end.
    """
    stretch = Stretch(chosen.ordering, chosen.after, count)
    return get_merged_page(
        [
            get_page(_described(_chosen(each), now), _find_range(each), stretch)
            for each in _by_brand(chosen)
        ],
        stretch,
    )


def _by_brand(chosen: CampaignFilter) -> list[CampaignFilter]:
    """The same for each of the brands. No other is read: a cursor tells where that ended (C29)."""
    brand_ids = chosen.brand_ids
    if chosen.brand_id is not None:
        brand_ids = {chosen.brand_id} if brand_ids is None else {chosen.brand_id} & set(brand_ids)
    if brand_ids is None:
        return [chosen]
    return [
        replace(chosen, brand_id=brand_id, brand_ids=several)
        for brand_id, several in list_brands_apart(brand_ids)
    ]


def _find_range(chosen: CampaignFilter) -> QuerySet[Campaign]:
    """What an index gives in order."""
    if chosen.brand_id is not None:
        return Campaign.objects.filter(brand_id=chosen.brand_id)
    if chosen.brand_ids is not None:
        return Campaign.objects.filter(brand_id__in=chosen.brand_ids)
    return Campaign.objects.all()


def _described(campaigns: QuerySet[Campaign], now: datetime) -> QuerySet[Campaign]:
    day = find_running_campaign_total(PeriodKind.DAY, now)
    month = find_running_campaign_total(PeriodKind.MONTH, now)
    described = campaigns.select_related("brand").prefetch_related("dayparts")
    return described.annotate(
        daily_spend=Subquery(day.values("spent")), monthly_spend=Subquery(month.values("spent"))
    )


def get_listed_campaign(
    campaign_id: int, now: datetime, brand_ids: Collection[int] | None = None
) -> Campaign:
    """One campaign as `list_campaigns` gives it. Raises CampaignNotFoundError."""
    campaigns = list_campaigns(now, CampaignFilter(brand_ids))
    campaign = campaigns.filter(pk=campaign_id).first()
    if campaign is None:
        raise CampaignNotFoundError
    return campaign


def count_campaigns(brand_ids: Collection[int] | None) -> CampaignNumbers:
    """How many campaigns there are, run, and were stopped by a budget, from their brands' counts.

    What it costs grows with the brands and not with their campaigns.
    """
    counted = CampaignCounts.objects.filter(brand__archived_at=None)
    if brand_ids is not None:
        counted = counted.filter(brand_id__in=brand_ids)
    sums = counted.aggregate(**{column: Coalesce(Sum(column), 0) for column in COUNTS})
    return CampaignNumbers(*(sums[column] for column in COUNTS))


def map_campaign_counts(brand_ids: Collection[int] | None = None) -> dict[int, CampaignNumbers]:
    """What is stored as the counts of each of these brands, or of all, archived ones included."""
    counts = CampaignCounts.objects.filter(**_of_brands(brand_ids))
    rows = counts.values_list("brand_id", *COUNTS)
    return {brand_id: CampaignNumbers(*numbers) for brand_id, *numbers in rows}


def map_counted_campaigns(brand_ids: Collection[int] | None = None) -> dict[int, CampaignNumbers]:
    """What these counts should be: every campaign of these brands, or of all, is looked at."""
    over_daily = names_reason(Reason.BRAND_DAILY_BUDGET)
    over_daily |= names_reason(Reason.CAMPAIGN_DAILY_BUDGET)
    over_monthly = names_reason(Reason.BRAND_MONTHLY_BUDGET)
    over_monthly |= names_reason(Reason.CAMPAIGN_MONTHLY_BUDGET)
    live = Campaign.objects.filter(archived_at=None, **_of_brands(brand_ids))
    rows = (
        live.order_by()
        .values_list("brand_id")
        .annotate(
            total=Count("id"),
            active=Count("id", filter=Q(is_active=True)),
            over_daily=Count("id", filter=over_daily),
            over_monthly=Count("id", filter=over_monthly),
        )
    )
    return {brand_id: CampaignNumbers(*numbers) for brand_id, *numbers in rows}


def _of_brands(brand_ids: Collection[int] | None) -> dict[str, Collection[int]]:
    return {} if brand_ids is None else {"brand_id__in": brand_ids}


def _chosen(chosen: CampaignFilter) -> QuerySet[Campaign]:
    conditions = {
        "brand_id__in": chosen.brand_ids,
        "brand_id": chosen.brand_id,
        "is_active": chosen.is_active,
        "is_enabled": chosen.is_enabled,
        # Not icontains: on SQLite that folds the case of ASCII letters alone (C30).
        "name__iregex": re.escape(chosen.search) if chosen.search else None,
    }
    named = {name: value for name, value in conditions.items() if value is not None}
    campaigns = Campaign.objects.filter(archived_at=None, brand__archived_at=None, **named)
    return campaigns.filter(names_reason(chosen.reason)) if chosen.reason else campaigns
