"""Brands: who pays, and how much of today and this month is gone."""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core.actions.brands import BrandChanges, archive_brand, create_brand, edit_brand
from core.actions.versions import Terms
from core.admin.columns import (
    SPENT_THIS_MONTH,
    SPENT_TODAY,
    format_utc,
    instant_column,
    money_column,
    remaining_column,
)
from core.admin.doors import ActionAdmin, Visit, visit_of
from core.admin.filters import ArchivedFilter, SwitchFilter
from core.admin.forms import BrandForm
from core.models import Brand
from core.queries.admin_lists import list_numbered_brands

DAILY_BUDGET = money_column("daily_budget", "daily budget", ordering="daily_budget")
MONTHLY_BUDGET = money_column("monthly_budget", "monthly budget", ordering="monthly_budget")
REMAINING_TODAY = remaining_column([("daily_budget", "used_today")], "remaining today")
REMAINING_THIS_MONTH = remaining_column(
    [("monthly_budget", "used_this_month")], "remaining this month"
)
NUMBERS: tuple[Any, ...] = (
    "active_campaigns",
    SPENT_TODAY,
    REMAINING_TODAY,
    SPENT_THIS_MONTH,
    REMAINING_THIS_MONTH,
    "time_zone_in_effect",
    instant_column("created_at", "created"),
    instant_column("archived_at", "archived"),
)


@admin.register(Brand)
class BrandAdmin(ActionAdmin[Brand]):
    """Brands with the numbers of their own running budget day and month."""

    form = BrandForm
    list_display = (
        "name",
        "enabled",
        "active_campaigns",
        DAILY_BUDGET,
        SPENT_TODAY,
        REMAINING_TODAY,
        MONTHLY_BUDGET,
        SPENT_THIS_MONTH,
        REMAINING_THIS_MONTH,
        "currency",
        "time_zone",
    )
    list_filter = (ArchivedFilter, ("is_enabled", SwitchFilter), "currency", "time_zone")
    search_fields = ("name",)
    ordering = ("name",)
    date_hierarchy = "created_at"
    list_per_page = 50
    view_columns = {"daily_budget": DAILY_BUDGET, "monthly_budget": MONTHLY_BUDGET}
    add_fieldsets = [(None, {"fields": BrandForm.Meta.fields})]
    fieldsets = [*add_fieldsets, ("Now", {"fields": NUMBERS})]
    readonly_fields = NUMBERS

    @admin.display(boolean=True, description="enabled", ordering="is_enabled")
    def enabled(self, brand: Brand) -> bool:
        """The person's switch (C15)."""
        return brand.is_enabled

    @admin.display(description="active campaigns", ordering="active_campaigns_count")
    def active_campaigns(self, brand: Any) -> str:
        """How many campaigns run, with a way to all of them."""
        address = reverse("admin:core_campaign_changelist") + f"?brand__id__exact={brand.pk}"
        return format_html('<a href="{}">{}</a>', address, brand.active_campaigns_count)

    @admin.display(description="time zone in effect")
    def time_zone_in_effect(self, brand: Brand) -> str:
        """Which zone counts now, and until when if another was chosen (C12)."""
        if brand.previous_time_zone is None:
            return brand.time_zone
        return (
            f"{brand.previous_time_zone} until {format_utc(brand.time_zone_changes_at)} UTC, "
            f"{brand.time_zone} from then on"
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Brand]:
        """The brands with their numbers of now."""
        return list_numbered_brands(super().get_queryset(request), visit_of(request).now)

    def is_archived(self, row: Brand) -> bool:
        """Whether it was archived."""
        return row.archived_at is not None

    def save_model(
        self, request: HttpRequest, obj: Brand, form: ModelForm[Brand], change: bool
    ) -> None:
        """One call: create the brand, or edit what the reader changed (E3)."""
        visit = visit_of(request)
        changes = cast("BrandChanges", cast("BrandForm", form).changes())
        if change:
            # The form was checked against this version; fields were compared one by one before.
            seen = frozenset({obj.version})
            terms = Terms(seen, timedelta(hours=settings.SPEND_LATE_HOURS))
            edit_brand(obj.pk, changes, caller=visit.caller, now=visit.now, terms=terms)
        else:
            obj.pk = create_brand(changes, caller=visit.caller, now=visit.now).pk

    def archive(self, visit: Visit, pk: int) -> None:
        """The brand and all its campaigns stop for good; the log stays (C24)."""
        archive_brand(pk, caller=visit.caller, now=visit.now)
