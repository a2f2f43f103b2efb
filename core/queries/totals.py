"""Reads of period totals: which still run, which are due to be closed, what lists show."""

from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet

from core.enums import PeriodKind
from core.models import Brand, BrandTotal, CampaignTotal

# The longest budget day is 26 hours and the longest month 31 days and a few hours; a change of
# zone can stretch either by two days (C12). Rows that started earlier have ended.
_LONGEST = {PeriodKind.DAY: timedelta(days=4), PeriodKind.MONTH: timedelta(days=35)}


def list_running_brand_totals(brand: Brand, now: datetime) -> list[BrandTotal]:
    """The brand's day and month totals that haven't ended, future ones included."""
    return list(BrandTotal.objects.filter(brand=brand, ends_at__gt=now))


def list_running_campaign_totals(brand: Brand, now: datetime) -> list[CampaignTotal]:
    """The day and month totals of the brand's campaigns that haven't ended."""
    running = CampaignTotal.objects.filter(campaign__brand=brand, ends_at__gt=now)
    return list(running.exclude(period=PeriodKind.LIFETIME))


def list_brands_to_close(period: PeriodKind, now: datetime) -> list[int]:
    """The brands with a day or month that has ended and isn't closed yet (C10, C26)."""
    due = BrandTotal.objects.filter(period=period, ends_at__lte=now, closed_at=None)
    return list(due.order_by("brand_id").values_list("brand_id", flat=True).distinct())


def list_totals_to_close(brand: Brand, period: PeriodKind, now: datetime) -> list[BrandTotal]:
    """The brand's ended and unclosed days or months, oldest first."""
    due = BrandTotal.objects.filter(brand=brand, period=period, ends_at__lte=now, closed_at=None)
    return list(due.order_by("starts_on"))


def find_running_brand_total(
    period: PeriodKind, now: datetime, brand: str = "brand_id"
) -> QuerySet[BrandTotal]:
    """For subqueries: the total that runs at `now` of the brand in the outer column `brand`."""
    return BrandTotal.objects.filter(brand=OuterRef(brand), **_running(period, now))


def find_running_campaign_total(period: PeriodKind, now: datetime) -> QuerySet[CampaignTotal]:
    """For subqueries: the total that runs at `now` of the outer campaign."""
    return CampaignTotal.objects.filter(campaign=OuterRef("pk"), **_running(period, now))


def _running(period: PeriodKind, now: datetime) -> dict[str, object]:
    if period is PeriodKind.LIFETIME:
        return {"period": period}
    oldest = (now - _LONGEST[period]).date()
    return {
        "period": period,
        "starts_on__gte": oldest,
        "starts_at__lte": now,
        "ends_at__gt": now,
    }
