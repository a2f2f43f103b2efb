"""Filters of the admin's lists."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django_stubs_ext import StrOrPromise

from core.enums import Reason
from core.models import names_reason
from core.rules.explanation import REASON_SENTENCES


class SwitchFilter(admin.BooleanFieldListFilter):
    """By a yes or no, titled "enabled" instead of "is enabled"."""

    def __init__(self, field: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, *args, **kwargs)
        self.title = field.name.removeprefix("is_")


class ArchivedFilter(admin.SimpleListFilter):
    """Hides what is archived until somebody asks for it."""

    title = "archived"
    parameter_name = "archived"
    columns: tuple[str, ...] = ("archived_at",)

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, StrOrPromise]]:
        """What may be asked for besides the default."""
        return [("yes", "Archived only"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The default says what it does."""
        default, *others = super().choices(changelist)
        yield {**default, "display": "Not archived"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What isn't archived, unless asked otherwise."""
        live = Q(**dict.fromkeys(self.columns))
        match self.value():
            case "all":
                return queryset
            case "yes":
                return queryset.exclude(live)
            case _:
                return queryset.filter(live)


class CampaignArchivedFilter(ArchivedFilter):
    """The campaigns of an archived brand are as good as archived."""

    columns = ("archived_at", "brand__archived_at")


class ReasonFilter(admin.SimpleListFilter):
    """By one reason among the stored ones, whether it binds or not (C14)."""

    title = "reason"
    parameter_name = "reason"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, StrOrPromise]]:
        """Every reason, in words."""
        return [(reason.value, REASON_SENTENCES[reason]) for reason in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that name the reason."""
        return queryset.filter(names_reason(reason)) if (reason := self.value()) else queryset


class YesOrNoFilter(admin.SimpleListFilter):
    """By a yes or no that a column being empty decides. `empty` is what "no" looks like."""

    empty: ClassVar[Q]

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, StrOrPromise]]:
        """Yes or no."""
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that have it, or that don't."""
        match self.value():
            case "yes":
                return queryset.exclude(self.empty)
            case "no":
                return queryset.filter(self.empty)
            case _:
                return queryset


class RevokedFilter(YesOrNoFilter):
    """By whether an API key was revoked."""

    title = "revoked"
    parameter_name = "revoked"
    empty = Q(revoked_at=None)


class OverBudgetFilter(YesOrNoFilter):
    """Entries of which a part was over budget (C19)."""

    title = "over budget"
    parameter_name = "over_budget"
    empty = Q(over_budget_cause="")
