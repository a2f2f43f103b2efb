"""What only the system writes: the spend log, holds, transitions, each task's last run."""

from typing import Any, ClassVar

from django.contrib import admin

from core.admin.columns import (
    NOTHING_TO_SHOW,
    format_utc,
    instant_column,
    money_column,
    reason_words,
    text_column,
)
from core.admin.doors import ReadOnlyAdmin
from core.admin.filters import OverBudgetFilter, ReasonFilter, SwitchFilter
from core.enums import Reason
from core.models import Hold, SpendLog, TaskRun, Transition
from core.rules.explanation import REASON_SENTENCES
from core.rules.money import format_money

OCCURRED_AT = instant_column("occurred_at", "occurred")
BUDGET_DAY = text_column("budget_day", "budget day", ordering="budget_day")
AMOUNT = money_column("amount", "amount", ordering="amount")
OVER_BUDGET = money_column("over_budget", "over budget", ordering="over_budget")
HELD_AT = instant_column("held_at", "taken")
EXPIRES_AT = instant_column("expires_at", "expires")
ENDED_AT = instant_column("ended_at", "ended")
CHANGED_AT = instant_column("at", "at")


@admin.register(SpendLog)
class SpendLogAdmin(ReadOnlyAdmin[SpendLog]):
    """The append-only log (C24)."""

    list_display = (
        OCCURRED_AT,
        BUDGET_DAY,
        "brand",
        "campaign",
        "kind",
        AMOUNT,
        "currency",
        OVER_BUDGET,
        "cause",
        "source",
        "event_id",
    )
    list_display_links = (OCCURRED_AT,)
    list_filter = ("kind", OverBudgetFilter, "brand__currency", "brand")
    list_select_related = ("brand", "campaign")
    search_fields = ("campaign__name", "brand__name", "=event_id", "=source")
    search_help_text = "Part of a campaign's or brand's name; a whole event id or source."
    ordering = ("-occurred_at", "-id")
    date_hierarchy = "occurred_at"
    show_full_result_count = False
    fields: ClassVar[tuple[Any, ...]] = (
        "id",
        "brand",
        "campaign",
        "kind",
        AMOUNT,
        "currency",
        OVER_BUDGET,
        "cause",
        BUDGET_DAY,
        OCCURRED_AT,
        instant_column("recorded_at", "recorded"),
        "source",
        "event_id",
        "refund_of",
        "refund_reason",
    )
    readonly_fields = fields

    @admin.display(description="cause", ordering="over_budget_cause")
    def cause(self, entry: SpendLog) -> str:
        """Which budget no longer covered it, in words (C19)."""
        cause = entry.over_budget_cause
        return REASON_SENTENCES[Reason(cause)] if cause else NOTHING_TO_SHOW


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin[Hold]):
    """What callers have set aside, and how each of it ended (C20)."""

    list_display = (
        HELD_AT,
        "brand",
        "campaign",
        AMOUNT,
        "currency",
        "state",
        EXPIRES_AT,
        ENDED_AT,
        "captured",
        "source",
    )
    list_display_links = (HELD_AT,)
    list_filter = ("state", "brand")
    list_select_related = ("brand", "campaign", "spend_log")
    search_fields = ("campaign__name", "brand__name", "=event_id", "=source")
    search_help_text = "Part of a campaign's or brand's name; a whole event id or source."
    ordering = ("-id",)
    show_full_result_count = False
    fields: ClassVar[tuple[Any, ...]] = (
        "id",
        "brand",
        "campaign",
        AMOUNT,
        "currency",
        BUDGET_DAY,
        "state",
        HELD_AT,
        EXPIRES_AT,
        ENDED_AT,
        "captured",
        "spend_log",
        "source",
        "event_id",
    )
    readonly_fields = fields

    @admin.display(description="captured")
    def captured(self, hold: Hold) -> str:
        """What became spend of it."""
        return format_money(hold.spend_log.amount) if hold.spend_log else NOTHING_TO_SHOW


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin[Transition]):
    """Every change of `is_active`, with what was known at that moment (C17)."""

    list_display = (
        CHANGED_AT,
        "brand",
        "campaign",
        "became_active",
        "why_not",
        "cause",
        "actor",
        "caught_up",
    )
    list_display_links = (CHANGED_AT,)
    list_filter = (("is_active", SwitchFilter), ReasonFilter, "cause", "campaign__brand")
    list_select_related = ("campaign__brand",)
    search_fields = ("campaign__name", "campaign__brand__name", "=actor")
    search_help_text = "Part of a campaign's or brand's name; a whole actor."
    ordering = ("-at", "-id")
    date_hierarchy = "at"
    show_full_result_count = False
    fields: ClassVar[tuple[Any, ...]] = (
        "brand",
        "campaign",
        CHANGED_AT,
        "became_active",
        "why_not",
        "budgets",
        "cause",
        "actor",
        instant_column("recorded_at", "recorded"),
        "caught_up",
    )
    readonly_fields = fields

    @admin.display(description="brand", ordering="campaign__brand__name")
    def brand(self, transition: Transition) -> str:
        """The brand of the campaign."""
        return transition.campaign.brand.name

    @admin.display(boolean=True, description="active", ordering="is_active")
    def became_active(self, transition: Transition) -> bool:
        """What it changed to."""
        return transition.is_active

    @admin.display(description="reasons")
    def why_not(self, transition: Transition) -> str:
        """Why it paused, in words."""
        return reason_words(transition.reasons)

    @admin.display(description="caught up (UTC)")
    def caught_up(self, transition: Transition) -> str:
        """When it was written down, if that was noticeably after it was due (C26)."""
        return format_utc(transition.recorded_at if transition.caught_up else None)

    @admin.display(description="budgets at that moment")
    def budgets(self, transition: Transition) -> str:
        """Every budget that applied, with its numbers."""
        lines = (
            f"{row['code'].replace('_', ' ').capitalize()}: {row['spent']} spent and "
            f"{row['held']} held of {row['budget']}, {row['remaining']} remaining"
            for row in transition.numbers
        )
        return "\n".join(lines) or NOTHING_TO_SHOW


@admin.register(TaskRun)
class TaskRunAdmin(ReadOnlyAdmin[TaskRun]):
    """When each unattended task last finished, and what it changed."""

    list_display = ("task", instant_column("finished_at", "finished"), "changes")
    ordering = ("task",)
    fields: ClassVar[tuple[Any, ...]] = list_display
    readonly_fields = fields

    @admin.display(description="changed")
    def changes(self, run: TaskRun) -> str:
        """The counts of its last run."""
        counts = (f"{count} {word}" for word, count in run.changed.items())
        return ", ".join(counts) or NOTHING_TO_SHOW
