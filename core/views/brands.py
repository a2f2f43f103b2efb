"""The API's calls about brands."""

from datetime import datetime, timedelta
from typing import Any, TypedDict, cast

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Query

from core.actions.brands import BrandChanges, archive_brand, create_brand, edit_brand
from core.queries.brands import get_listed_brand, list_brands
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money
from core.rules.verdict import ZERO
from core.views.authentication import ApiRequest
from core.views.pages import cut_page
from core.views.parsing import Body, Currency, Money, Name, Page, Switch, TimeZone


class BrandCreateBody(Body):
    """Both budgets have to be said; `null` is no ceiling (C3)."""

    name: Name
    daily_budget: Money | None
    monthly_budget: Money | None
    currency: Currency = "USD"
    time_zone: TimeZone = "UTC"
    is_enabled: Switch = True


class BrandEditBody(Body):
    """What is absent stays as it is."""

    name: Name = ""
    daily_budget: Money | None = None
    monthly_budget: Money | None = None
    currency: Currency = ""
    time_zone: TimeZone = ""
    is_enabled: Switch = True


class BrandDocument(TypedDict):
    """A brand as callers see it; spend is that of the running budget day and month."""

    id: int
    name: str
    daily_budget: str | None
    monthly_budget: str | None
    campaigns_count: int
    daily_spend: str
    monthly_spend: str
    currency: str
    time_zone: str
    time_zone_changes_at: str | None
    is_enabled: bool


def brand_list(request: ApiRequest, page: Query[Page]) -> JsonResponse:
    """List brands by id."""
    now = timezone.now()
    brands = list_brands(now, brand_ids=request.auth.brand_ids, after=page.cursor)
    rows, cursor = cut_page(brands, page.limit)
    documents = [brand_document(brand, now) for brand in rows]
    return JsonResponse({"brands": documents, "next": cursor})


def brand_create(request: ApiRequest, body: BrandCreateBody) -> JsonResponse:
    """Create a brand."""
    now = timezone.now()
    brand = create_brand(cast("BrandChanges", body.dict()), caller=request.auth, now=now)
    return JsonResponse(brand_document(get_listed_brand(brand.pk, now), now), status=201)


def brand_detail(request: ApiRequest, brand_id: int) -> JsonResponse:
    """Show one brand."""
    now = timezone.now()
    return JsonResponse(
        brand_document(get_listed_brand(brand_id, now, request.auth.brand_ids), now)
    )


def brand_edit(request: ApiRequest, brand_id: int, body: BrandEditBody) -> JsonResponse:
    """Change what is named; budgets bind on the next decision (C6), a zone at midnight (C12)."""
    now = timezone.now()
    late_limit = timedelta(hours=settings.SPEND_LATE_HOURS)
    changes = cast("BrandChanges", body.given())
    edit_brand(brand_id, changes, caller=request.auth, now=now, late_limit=late_limit)
    return JsonResponse(brand_document(get_listed_brand(brand_id, now), now))


def brand_archive(request: ApiRequest, brand_id: int) -> HttpResponse:
    """Archive a brand: what has spend is never deleted (C24)."""
    archive_brand(brand_id, caller=request.auth, now=timezone.now())
    return HttpResponse(status=204)


def brand_document(brand: Any, now: datetime) -> BrandDocument:
    """The document of a brand that `list_brands` annotated."""
    changes_at = brand.time_zone_changes_at
    return {
        "id": brand.pk,
        "name": brand.name,
        "daily_budget": format_optional_money(brand.daily_budget),
        "monthly_budget": format_optional_money(brand.monthly_budget),
        "campaigns_count": brand.campaigns_count,
        "daily_spend": format_money(brand.daily_spend or ZERO),
        "monthly_spend": format_money(brand.monthly_spend or ZERO),
        "currency": brand.currency,
        "time_zone": brand.time_zone,
        "time_zone_changes_at": format_instant(
            changes_at if changes_at and changes_at > now else None
        ),
        "is_enabled": brand.is_enabled,
    }
