"""The API's calls about brands."""

from datetime import datetime, timedelta
from typing import Annotated, Any, cast

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from ninja import Query
from pydantic import ConfigDict
from typing_extensions import TypedDict

from core.actions.brands import BrandChanges, archive_brand, create_brand, edit_brand
from core.actions.versions import Terms
from core.errors import (
    BrandNotFoundError,
    ChangedMeanwhileError,
    KeyLimitedToBrandsError,
    NameTakenError,
    TimeZoneChangeTooSoonError,
)
from core.queries.brands import BRAND_ORDERINGS, BrandFilter, get_listed_brand, list_brands
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money
from core.rules.verdict import ZERO
from core.views.authentication import ApiRequest
from core.views.documentation import answers
from core.views.pages import OrderedPage, cut_page, order_among
from core.views.parsing import (
    Body,
    Currency,
    Money,
    Name,
    Search,
    Switch,
    TimeZone,
    say_no_defaults,
)
from core.views.polling import polled_response
from core.views.preconditions import seen_versions, versioned_response
from core.views.wire import Count, CurrencyText, Cursor, InstantText, MoneyText, RowId


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

    model_config = ConfigDict(json_schema_extra=say_no_defaults)

    name: Name = ""
    daily_budget: Money | None = None
    monthly_budget: Money | None = None
    currency: Currency = ""
    time_zone: TimeZone = ""
    is_enabled: Switch = True


class BrandListFilters(OrderedPage):
    """Which brands to list."""

    listed = "brands"
    orderings = BRAND_ORDERINGS

    order_by: Annotated[str, order_among(BRAND_ORDERINGS)] = "id"
    is_enabled: bool | None = None
    search: Search | None = None


class BrandDocument(TypedDict):
    """A brand as callers see it; spend is that of the running budget day and month."""

    id: RowId
    name: str
    daily_budget: MoneyText | None
    monthly_budget: MoneyText | None
    campaigns_count: Count
    daily_spend: MoneyText
    monthly_spend: MoneyText
    currency: CurrencyText
    time_zone: str
    time_zone_changes_at: InstantText | None
    is_enabled: bool
    version: RowId


class BrandListDocument(TypedDict):
    """A page of brands, and the cursor of the next one."""

    brands: list[BrandDocument]
    next: Cursor | None


@answers(BrandListDocument, asks=("If-None-Match",), tells=("ETag",))
def brand_list(request: ApiRequest, filters: Query[BrandListFilters]) -> HttpResponse:
    """List brands, by id unless `order_by` says otherwise."""
    now = request.now
    chosen = BrandFilter(
        brand_ids=request.auth.brand_ids,
        is_enabled=filters.is_enabled,
        search=filters.search,
        ordering=filters.ordering,
        after=filters.place(),
    )
    rows, cursor = cut_page(list_brands(now, chosen), filters)
    documents = [brand_document(brand, now) for brand in rows]
    return polled_response(request, {"brands": documents, "next": cursor})


@answers(BrandDocument, 201, refusals=(NameTakenError, KeyLimitedToBrandsError), tells=("ETag",))
def brand_create(request: ApiRequest, body: BrandCreateBody) -> JsonResponse:
    """Create a brand."""
    now = request.now
    brand = create_brand(cast("BrandChanges", body.model_dump()), caller=request.auth, now=now)
    return versioned_response(brand_document(get_listed_brand(brand.pk, now), now), status=201)


@answers(BrandDocument, refusals=(BrandNotFoundError,), tells=("ETag",))
def brand_detail(request: ApiRequest, brand_id: int) -> JsonResponse:
    """Show one brand."""
    now = request.now
    return versioned_response(
        brand_document(get_listed_brand(brand_id, now, request.auth.brand_ids), now)
    )


@answers(
    BrandDocument,
    refusals=(
        BrandNotFoundError,
        ChangedMeanwhileError,
        NameTakenError,
        TimeZoneChangeTooSoonError,
    ),
    asks=("If-Match",),
    tells=("ETag",),
)
def brand_edit(request: ApiRequest, brand_id: int, body: BrandEditBody) -> JsonResponse:
    """Change what is named; budgets bind on the next decision (C6), a zone at midnight (C12)."""
    now = request.now
    terms = Terms(seen_versions(request), timedelta(hours=settings.SPEND_LATE_HOURS))
    changes = cast("BrandChanges", body.given())
    edit_brand(brand_id, changes, caller=request.auth, now=now, terms=terms)
    return versioned_response(brand_document(get_listed_brand(brand_id, now), now))


@answers(None, 204, refusals=(BrandNotFoundError, ChangedMeanwhileError), asks=("If-Match",))
def brand_archive(request: ApiRequest, brand_id: int) -> HttpResponse:
    """Archive a brand: what has spend is never deleted (C24)."""
    terms = Terms(seen_versions(request))
    archive_brand(brand_id, caller=request.auth, now=request.now, terms=terms)
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
        "version": brand.version,
    }
