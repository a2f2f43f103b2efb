"""Reads of brands."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Q, QuerySet, Subquery

from core.enums import PeriodKind
from core.errors import BrandNotFoundError
from core.models import Brand, BrandTotal, SpendLog
from core.queries.totals import find_running_brand_total

# Digits of the largest 64-bit integer.
LONGEST_ID = 19


def get_brand(brand_id: int, brand_ids: Collection[int] | None = None) -> Brand:
    """A brand that isn't archived, among those the caller may see. Raises BrandNotFoundError."""
    brand = Brand.objects.filter(pk=brand_id, archived_at=None).first()
    if brand is None or (brand_ids is not None and brand_id not in brand_ids):
        raise BrandNotFoundError
    return brand


def has_brand_name(name: str, *, besides: int | None = None) -> bool:
    """Whether a brand that isn't archived has this name."""
    named = Brand.objects.filter(name=name, archived_at=None)
    return named.exclude(pk__in=[besides] if besides else []).exists()


def list_brands_called(name_or_id: str) -> list[Brand]:
    """The brands, archived ones aside, that have this name or this id; more than one is rare."""
    called = Q(name=name_or_id)
    if name_or_id.isascii() and name_or_id.isdigit() and len(name_or_id) < LONGEST_ID:
        called |= Q(pk=int(name_or_id))
    return list(Brand.objects.filter(called, archived_at=None).order_by("id"))


def has_any_brand(names: Collection[str]) -> bool:
    """Whether there is or was a brand with one of these names, archived ones included."""
    return Brand.objects.filter(name__in=names).exists()


def has_brand_spent(brand: Brand) -> bool:
    """Whether anything was ever spent or held under the brand."""
    return BrandTotal.objects.filter(brand=brand).exists()


def has_brand_spent_from(brand: Brand, at: datetime) -> bool:
    """Whether spend of the brand is recorded that occurred at this instant or later."""
    return SpendLog.objects.filter(brand=brand, occurred_at__gte=at).exists()


def list_brands(
    now: datetime, *, brand_ids: Collection[int] | None = None, after: int | None = None
) -> QuerySet[Brand]:
    """Brands that aren't archived, by id, with what documents show of them.

    `campaigns_count`, `daily_spend` and `monthly_spend` (of the running budget day and month)
    come as annotations. `after` is the id that the page before ended with.
    """
    brands = Brand.objects.filter(archived_at=None).order_by("id")
    if brand_ids is not None:
        brands = brands.filter(id__in=brand_ids)
    if after is not None:
        brands = brands.filter(id__gt=after)
    return brands.annotate(
        campaigns_count=Count("campaigns", filter=Q(campaigns__archived_at=None)),
        daily_spend=Subquery(find_running_brand_total(PeriodKind.DAY, now, "pk").values("spent")),
        monthly_spend=Subquery(
            find_running_brand_total(PeriodKind.MONTH, now, "pk").values("spent")
        ),
    )


def get_listed_brand(
    brand_id: int, now: datetime, brand_ids: Collection[int] | None = None
) -> Brand:
    """One brand as `list_brands` gives it. Raises BrandNotFoundError."""
    brand = list_brands(now, brand_ids=brand_ids).filter(pk=brand_id).first()
    if brand is None:
        raise BrandNotFoundError
    return brand


def count_brands(brand_ids: Collection[int] | None) -> int:
    """How many brands that aren't archived the caller may see."""
    brands = Brand.objects.filter(archived_at=None)
    return brands.filter(id__in=brand_ids).count() if brand_ids is not None else brands.count()
