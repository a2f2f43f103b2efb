"""Reads of campaigns."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, Subquery

from core.enums import PeriodKind, Reason
from core.errors import CampaignNotFoundError
from core.models import Brand, Campaign, names_reason
from core.queries.orderings import list_in_order
from core.queries.totals import find_running_campaign_total
from core.rules.ordering import KeyKind, Ordering, Place, orderings

CAMPAIGN_ORDERINGS = orderings(
    id=KeyKind.ID, name=KeyKind.TEXT, status_since=KeyKind.OPTIONAL_INSTANT
)


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
    in_order = list_in_order(_chosen(chosen), chosen.ordering, chosen.after)
    campaigns = in_order.select_related("brand")
    day = find_running_campaign_total(PeriodKind.DAY, now)
    month = find_running_campaign_total(PeriodKind.MONTH, now)
    return campaigns.prefetch_related("dayparts").annotate(
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


def count_campaigns(brand_ids: Collection[int] | None) -> dict[str, int]:
    """How many campaigns there are, run, are paused, and were stopped by a budget."""
    over_daily = names_reason(Reason.BRAND_DAILY_BUDGET)
    over_daily |= names_reason(Reason.CAMPAIGN_DAILY_BUDGET)
    over_monthly = names_reason(Reason.BRAND_MONTHLY_BUDGET)
    over_monthly |= names_reason(Reason.CAMPAIGN_MONTHLY_BUDGET)
    return _chosen(CampaignFilter(brand_ids)).aggregate(
        total=Count("id"),
        active=Count("id", filter=Q(is_active=True)),
        over_daily=Count("id", filter=over_daily),
        over_monthly=Count("id", filter=over_monthly),
    )


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
