"""What the admin's lists show beside an object's own columns, as part of the list's one query."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from core.enums import PeriodKind
from core.models import (
    Brand,
    BrandTotal,
    Campaign,
    CampaignTotal,
    MoneyField,
    Transition,
    money_value,
)
from core.queries.totals import find_running_brand_total, find_running_campaign_total

DAY, MONTH, LIFETIME = PeriodKind


def list_live_brands() -> QuerySet[Brand]:
    """The brands that aren't archived, for a person to choose from."""
    return Brand.objects.filter(archived_at=None).order_by("name")


def list_numbered_brands(brands: QuerySet[Brand], now: datetime) -> QuerySet[Brand]:
    """The brands with what their running day and month hold, and how many campaigns run.

    `spent_…` is money gone; `used_…` counts holds too and is what budgets are compared with (C9).
    """
    running = Campaign.objects.filter(brand=OuterRef("pk"), is_active=True, archived_at=None)
    counted = running.order_by().values("brand").annotate(count=Count("pk")).values("count")
    day, month = (
        find_running_brand_total(DAY, now, "pk"),
        find_running_brand_total(MONTH, now, "pk"),
    )
    return brands.annotate(
        spent_today=_spent(day),
        used_today=_used(day),
        spent_this_month=_spent(month),
        used_this_month=_used(month),
        active_campaigns_count=Coalesce(Subquery(counted, IntegerField()), Value(0)),
    )


def list_numbered_campaigns(campaigns: QuerySet[Campaign], now: datetime) -> QuerySet[Campaign]:
    """The campaigns with what counts against every budget above them, the brand's included (C4)."""
    day, month = find_running_campaign_total(DAY, now), find_running_campaign_total(MONTH, now)
    return campaigns.select_related("brand").annotate(
        spent_today=_spent(day),
        used_today=_used(day),
        spent_this_month=_spent(month),
        used_this_month=_used(month),
        used_ever=_used(find_running_campaign_total(LIFETIME, now)),
        brand_used_today=_used(find_running_brand_total(DAY, now)),
        brand_used_this_month=_used(find_running_brand_total(MONTH, now)),
    )


def list_latest_transitions(campaign: Campaign, count: int) -> list[Transition]:
    """The campaign's latest changes of `is_active`, newest first."""
    return list(Transition.objects.filter(campaign=campaign).order_by("-at", "-id")[:count])


def _spent(totals: QuerySet[BrandTotal] | QuerySet[CampaignTotal]) -> Coalesce:
    return _amount(totals.values("spent"))


def _used(totals: QuerySet[BrandTotal] | QuerySet[CampaignTotal]) -> Coalesce:
    return _amount(totals.annotate(used=F("spent") + F("held")).values("used"))


def _amount(totals: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(totals[:1], output_field=MoneyField()), money_value(Decimal(0)))
