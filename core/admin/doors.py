"""How the admin changes things: through actions, with their refusals shown on the page.

`ActionAdmin` is for what staff may edit, `ReadOnlyAdmin` for what only the system writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from core.actions.caller import Caller
from core.admin.columns import Column
from core.errors import BudgetManagerError
from core.queries.clock import get_now

T = TypeVar("T", bound=Model)


@dataclass(slots=True)
class Visit:
    """One request of a member of staff: who, the one instant it is judged at, and a refusal."""

    caller: Caller
    now: datetime
    refusal: BudgetManagerError | None = None


def visit_of(request: HttpRequest) -> Visit:
    """The visit that this request is. The clock is read once, at the first call."""
    visit: Visit | None = request.__dict__.get("visit")
    if visit is None:
        visit = Visit(Caller(f"admin:{request.user.get_username()}"), get_now())
        request.__dict__["visit"] = visit
    return visit


class PlainAdmin(admin.ModelAdmin[T]):
    """What all pages share: a list is titled after what it lists."""

    show_facets = admin.ShowFacets.NEVER

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The list under its own name."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class ActionAdmin(PlainAdmin[T]):
    """Reads like any ModelAdmin; saves and deletes nothing by itself.

    A subclass makes one call to an action in `save_model` or `save_related`, and one in
    `archive`. What is archived can be looked at but not changed. `add_fieldsets` are for what
    doesn't exist yet; `view_columns` replace fields where a page can only be looked at.
    """

    add_fieldsets: ClassVar[list[Any]] = []
    view_columns: ClassVar[Mapping[str, Column]] = {}

    def archive(self, visit: Visit, pk: int) -> None:
        """The one call behind "Archive"."""
        raise NotImplementedError

    def is_archived(self, row: T) -> bool:
        """Whether the row can only be looked at."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, or the form again with what the action refused."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except BudgetManagerError as refusal:
            # The view's transaction is rolled back: nothing was written. `get_form` hands the
            # refusal to the form, which is now invalid and shows it.
            visit_of(request).refusal = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: T | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[T]]:
        """A form class of this request's own, which may carry a refusal."""
        form = super().get_form(request, obj, change, **kwargs)
        form.refusal = visit_of(request).refusal  # type: ignore[attr-defined]  # an EditForm
        return form

    def get_fieldsets(self, request: HttpRequest, obj: T | None = None) -> Any:
        """What there is to set, or to see."""
        if obj is None:
            return self.add_fieldsets
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [(title, self._for_viewing(options)) for title, options in fieldsets]

    def _for_viewing(self, options: Any) -> dict[str, Any]:
        fields = [self.view_columns.get(name, name) for name in options["fields"]]
        return {**options, "fields": fields}

    def has_change_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        """Whoever may change the kind of thing may change it until it is archived."""
        may = super().has_change_permission(request, obj)
        return may and not (obj and self.is_archived(obj))

    def has_delete_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        """Whoever may delete may archive, once."""
        may = super().has_delete_permission(request, obj)
        return may and not (obj and self.is_archived(obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without "delete selected": archiving can't be undone and is asked for one by one."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks before archiving; goes back to the list with the refusal if there is one."""
        try:
            return super().delete_view(
                request, object_id, {"title": "Archive", **(extra_context or {})}
            )
        except BudgetManagerError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return self._to_list()

    def get_deleted_objects(
        self, objs: Sequence[T] | QuerySet[T], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Nothing: archiving deletes nothing, so nothing related stands in its way."""
        return [], {}, set(), []

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The history says what happened."""
        return [self.log_change(request, row, "Archived.") for row in queryset]

    def delete_model(self, request: HttpRequest, obj: T) -> None:
        """Archives."""
        self.archive(visit_of(request), obj.pk)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list, from which it is gone."""
        self.message_user(
            request, f"The {self.opts.verbose_name} “{obj_display}” was archived.", messages.SUCCESS
        )
        return self._to_list()

    def _to_list(self) -> HttpResponse:
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


class ReadOnlyAdmin(PlainAdmin[T]):
    """Looks at what only the system writes; nobody adds, changes or deletes here."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        """Nobody."""
        return False
