"""Campaigns: whether each runs, why not, and what is left; with the schedule on the same page."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from core.actions.campaigns import (
    CampaignChanges,
    archive_campaign,
    create_campaign,
    edit_campaign,
    pause_campaign,
    resume_campaign,
)
from core.actions.versions import Terms
from core.admin.columns import (
    NO_LIMIT,
    SPENT_THIS_MONTH,
    SPENT_TODAY,
    format_utc,
    instant_column,
    money_column,
    reason_words,
    remaining_column,
)
from core.admin.doors import ActionAdmin, Visit, visit_of
from core.admin.filters import CampaignArchivedFilter, ReasonFilter, SwitchFilter
from core.admin.forms import CampaignForm
from core.admin.preview import preview_box
from core.admin.schedule import ScheduleFormSet, ScheduleInline
from core.errors import BudgetManagerError
from core.models import Campaign
from core.queries.admin_lists import (
    list_latest_transitions,
    list_live_brands,
    list_numbered_campaigns,
)
from core.queries.books import get_book
from core.rules.explanation import describe_numbers, describe_obstacles
from core.rules.money import format_money
from core.rules.verdict import judge

REMAINING = remaining_column(
    [
        ("brand.daily_budget", "brand_used_today"),
        ("brand.monthly_budget", "brand_used_this_month"),
        ("daily_budget", "used_today"),
        ("monthly_budget", "used_this_month"),
        ("lifetime_budget", "used_ever"),
    ],
    "remaining",
)
TRANSITIONS_SHOWN = 5


@admin.register(Campaign)
class CampaignAdmin(ActionAdmin[Campaign]):
    """Campaigns with their stored verdict and everything that counts against their budgets."""

    form = CampaignForm
    inlines = (ScheduleInline,)
    list_display = (
        "name",
        "brand",
        "active",
        "why_not",
        instant_column("status_since", "since"),
        "enabled",
        SPENT_TODAY,
        SPENT_THIS_MONTH,
        "own_budgets",
        REMAINING,
        "currency",
        "next_change",
    )
    list_filter = (
        CampaignArchivedFilter,
        ("is_active", SwitchFilter),
        ReasonFilter,
        ("is_enabled", SwitchFilter),
        ("brand", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("name", "brand__name")
    ordering = ("brand__name", "name")
    date_hierarchy = "created_at"
    list_per_page = 50
    actions = ("pause_selected", "resume_selected")
    add_fieldsets = [
        (None, {"fields": ("brand", "name", "is_enabled")}),
        ("Own budgets", {"fields": ("daily_budget", "monthly_budget", "lifetime_budget")}),
        ("Flight", {"fields": ("starts_at", "ends_at")}),
    ]
    fieldsets = add_fieldsets
    view_columns = {
        "daily_budget": money_column("daily_budget", "own daily budget"),
        "monthly_budget": money_column("monthly_budget", "own monthly budget"),
        "lifetime_budget": money_column("lifetime_budget", "own lifetime budget"),
        "starts_at": instant_column("starts_at", "flight starts at"),
        "ends_at": instant_column("ends_at", "flight ends at"),
    }

    @admin.display(boolean=True, description="active", ordering="is_active")
    def active(self, campaign: Campaign) -> bool:
        """What the system concludes (C16)."""
        return campaign.is_active

    @admin.display(description="reasons")
    def why_not(self, campaign: Campaign) -> str:
        """Why it is not active, in words."""
        return reason_words(campaign.reasons)

    @admin.display(boolean=True, description="enabled", ordering="is_enabled")
    def enabled(self, campaign: Campaign) -> bool:
        """The person's switch (C15)."""
        return campaign.is_enabled

    @admin.display(description="next change (UTC)", ordering="next_change_at")
    def next_change(self, campaign: Campaign) -> str:
        """When time alone brings a change (C14)."""
        return format_utc(campaign.awaited_change_at)

    @admin.display(description="own budgets")
    def own_budgets(self, campaign: Campaign) -> str:
        """The budgets beside the brand's, in one column."""
        budgets = {
            "day": campaign.daily_budget,
            "month": campaign.monthly_budget,
            "lifetime": campaign.lifetime_budget,
        }
        named = (f"{format_money(b)} a {n}" for n, b in budgets.items() if b is not None)
        return ", ".join(named) or NO_LIMIT

    @admin.display(description="currency", ordering="brand__currency")
    def currency(self, campaign: Campaign) -> str:
        """The brand's (C2)."""
        return campaign.brand.currency

    @admin.action(description="Pause selected campaigns", permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        """The person's switch off (C15)."""
        self._switch(request, queryset, pause_campaign, "paused")

    @admin.action(description="Resume selected campaigns", permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        """The person's switch on (C15)."""
        self._switch(request, queryset, resume_campaign, "resumed")

    def _switch(
        self,
        request: HttpRequest,
        queryset: QuerySet[Campaign],
        deed: Callable[..., Campaign],
        done: str,
    ) -> None:
        visit = visit_of(request)
        changed = 0
        for campaign in queryset:
            try:
                after = deed(campaign.pk, caller=visit.caller, now=visit.now)
            except BudgetManagerError as refusal:
                self.message_user(request, f"{campaign}: {refusal.message}", messages.ERROR)
                continue
            if after.is_enabled != campaign.is_enabled:
                changed += 1
                self.log_change(request, after, f"{done.capitalize()}.")
        level = messages.SUCCESS if changed else messages.WARNING
        self.message_user(request, f"{changed} of {len(queryset)} campaigns {done}.", level)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """The campaigns with their numbers of now."""
        return list_numbered_campaigns(super().get_queryset(request), visit_of(request).now)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Campaign | None = None
    ) -> tuple[Any, ...]:
        """A campaign never moves to another brand."""
        return ("brand",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A new campaign belongs to a brand that isn't archived."""
        return super().formfield_for_foreignkey(
            db_field, request, **{**kwargs, "queryset": list_live_brands()}
        )

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """The brand is chosen here, and changed and archived on its own page."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "brand" and field is not None:
            field.widget.can_change_related = field.widget.can_delete_related = False
        return field

    def is_archived(self, row: Campaign) -> bool:
        """Whether it, or its brand, was archived."""
        return row.archived_at is not None or row.brand.archived_at is not None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form under the campaign's standing, which is judged when the page is rendered."""
        standing = partial(self._standing, request, object_id)
        context = {"standing": standing, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _standing(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        """Whether it runs at this instant, why not, and each budget's numbers (C14)."""
        campaign = self.get_object(request, object_id)
        if campaign is None:
            return {}
        now = visit_of(request).now
        facts = get_book(campaign.brand, [campaign], [now]).facts(campaign.pk)
        verdict = judge(facts, now)
        return {
            "campaign": campaign,
            "verdict": verdict,
            "reasons": describe_obstacles(verdict.obstacles),
            "budgets": [
                {"label": row["code"].replace("_", " ").capitalize(), **row}
                for row in describe_numbers(verdict)
            ],
            "preview": preview_box(facts, now),
            "transitions": list_latest_transitions(campaign, TRANSITIONS_SHOWN),
        }

    def save_model(
        self, request: HttpRequest, obj: Campaign, form: ModelForm[Campaign], change: bool
    ) -> None:
        """Nothing yet: `save_related` knows the schedule too and makes the one call."""

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[Campaign],
        formsets: Any,
        change: bool,
    ) -> None:
        """One call: create the campaign, or edit what the reader changed, with its schedule."""
        visit, campaign = visit_of(request), form.instance
        changes = cast("CampaignForm", form).changes() | _schedule_changes(formsets)
        brand = changes.pop("brand", None)
        settings = cast("CampaignChanges", changes)
        if change:
            # The form was checked against this version; fields were compared one by one before.
            terms = Terms(frozenset({campaign.version}))
            edit_campaign(campaign.pk, settings, caller=visit.caller, now=visit.now, terms=terms)
        else:
            created = create_campaign(brand.pk, settings, caller=visit.caller, now=visit.now)
            campaign.pk = created.pk

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """The history names the schedule like any other field."""
        message = super().construct_change_message(request, form, [], add)
        if add or not _schedule_changes(formsets):
            return message
        fields = [name for entry in message for name in entry["changed"]["fields"]]
        return [{"changed": {"fields": [*fields, "Schedule"]}}]

    def archive(self, visit: Visit, pk: int) -> None:
        """The campaign stops for good; its log stays (C24)."""
        archive_campaign(pk, caller=visit.caller, now=visit.now)


def _schedule_changes(formsets: list[ScheduleFormSet]) -> dict[str, Any]:
    """The new schedule if somebody changed a row; there is one formset, or none to see."""
    changed = [rows for rows in formsets if rows.has_changed()]
    return {"schedule": changed[0].dayparts()} if changed else {}
