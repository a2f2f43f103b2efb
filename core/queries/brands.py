"""Reads of brands."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from core.enums import PeriodKind
from core.errors import BrandNotFoundError
from core.models import Brand, BrandTotal, Campaign, Hold, SpendLog
from core.queries.orderings import list_in_order
from core.queries.totals import find_running_brand_total
from core.rules.ordering import KeyKind, Ordering, Place, orderings

BRAND_ORDERINGS = orderings(id=KeyKind.ID, name=KeyKind.TEXT)
# Digits of the largest 64-bit integer.
LONGEST_ID = 19


def get_brand(brand_id: int, brand_ids: Collection[int] | None = None) -> Brand:
    """A brand that isn't archived, among those the caller may see. Raises BrandNotFoundError."""
    brand = Brand.objects.filter(pk=brand_id, archived_at=None).first()
    if brand is None or (brand_ids is not None and brand_id not in brand_ids):
        raise BrandNotFoundError
    return brand


def get_any_brand(brand_id: int) -> Brand:
    """A brand, whether or not it is archived. Raises BrandNotFoundError."""
    brand = Brand.objects.filter(pk=brand_id).first()
    if brand is None:
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
    """Whether spend of the brand occurred, or a hold was taken, at this instant or later."""
    has_spent = SpendLog.objects.filter(brand=brand, occurred_at__gte=at).exists()
    return has_spent or Hold.objects.filter(brand=brand, held_at__gte=at).exists()


@dataclass(frozen=True, slots=True)
class BrandFilter:
    """Which brands a list shows and in which order; `None` means any.

    `brand_ids` is what the caller may see, `after` the place where the page before ended.
    """

    brand_ids: Collection[int] | None = None
    is_enabled: bool | None = None
    search: str | None = None
    ordering: Ordering = BRAND_ORDERINGS["id"]
    after: Place | None = None


def list_brands(now: datetime, chosen: BrandFilter) -> QuerySet[Brand]:
    """Brands that aren't archived, with what documents show of them.

    `campaigns_count`, `daily_spend` and `monthly_spend` (of the running budget day and month)
    come as annotations, each looked up for the rows of the page alone.
    """
    conditions = {
        "id__in": chosen.brand_ids,
        "is_enabled": chosen.is_enabled,
        # Not icontains: on SQLite that folds the case of ASCII letters alone (C30).
        "name__iregex": re.escape(chosen.search) if chosen.search else None,
    }
    named = {name: value for name, value in conditions.items() if value is not None}
    brands = Brand.objects.filter(archived_at=None, **named)
    live = Campaign.objects.filter(brand=OuterRef("pk"), archived_at=None).order_by()
    counted = live.values("brand").annotate(count=Count("pk")).values("count")
    return list_in_order(brands, chosen.ordering, chosen.after).annotate(
        campaigns_count=Coalesce(Subquery(counted, IntegerField()), Value(0)),
        daily_spend=Subquery(find_running_brand_total(PeriodKind.DAY, now, "pk").values("spent")),
        monthly_spend=Subquery(
            find_running_brand_total(PeriodKind.MONTH, now, "pk").values("spent")
        ),
    )


def get_listed_brand(
    brand_id: int, now: datetime, brand_ids: Collection[int] | None = None
) -> Brand:
    """One brand as `list_brands` gives it. Raises BrandNotFoundError."""
    brand = list_brands(now, BrandFilter(brand_ids)).filter(pk=brand_id).first()
    if brand is None:
        raise BrandNotFoundError
    return brand


def count_brands(brand_ids: Collection[int] | None) -> int:
    """How many brands that aren't archived the caller may see."""
    brands = Brand.objects.filter(archived_at=None)
    return brands.filter(id__in=brand_ids).count() if brand_ids is not None else brands.count()
