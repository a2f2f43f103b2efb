"""Reads of brands."""

from collections.abc import Collection

from core.errors import BrandNotFoundError
from core.models import Brand, BrandTotal


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


def has_brand_spent(brand: Brand) -> bool:
    """Whether anything was ever spent or held under the brand."""
    return BrandTotal.objects.filter(brand=brand).exists()
