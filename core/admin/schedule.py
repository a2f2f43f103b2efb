"""The schedule of a campaign, edited as rows on the campaign's own page (C13)."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet

from core.admin.forms import CHANGED_MEANWHILE, EditForm, read
from core.errors import InvalidFieldError
from core.models import Campaign, Schedule
from core.rules.dayparts import WEEKDAY_NAMES, Daypart, format_minute, parse_minute

WEEKDAYS = [(day, name.capitalize()) for day, name in enumerate(WEEKDAY_NAMES)]


class DaypartForm(EditForm[Schedule]):
    """One row: weekdays, start and end as a person writes them."""

    days = forms.TypedMultipleChoiceField(
        label="weekdays",
        coerce=int,
        choices=WEEKDAYS,
        initial=[day for day, _ in WEEKDAYS],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "radiolist inline"}),
    )
    start = forms.CharField(
        max_length=5,
        help_text='"HH:MM", from 00:00 to 23:59, on the clock of the brand.',
        widget=forms.TextInput(attrs={"size": 6, "placeholder": "09:00"}),
    )
    end = forms.CharField(
        max_length=5,
        help_text='"HH:MM", up to 24:00, not included. At or before the start: past midnight.',
        widget=forms.TextInput(attrs={"size": 6, "placeholder": "17:00"}),
    )

    class Meta:
        model = Schedule
        fields = ()

    def __init__(self, *args: Any, instance: Schedule | None = None, **kwargs: Any) -> None:
        self.daypart = instance.daypart if instance and instance.pk else None
        if self.daypart:
            kwargs["initial"] = {
                "days": list(self.daypart.weekdays),
                "start": format_minute(self.daypart.start_minute),
                "end": format_minute(self.daypart.end_minute),
            }
        super().__init__(*args, instance=instance, **kwargs)

    def clean_start(self) -> int:
        """The minute that the start says."""
        return read(parse_minute, self.cleaned_data["start"], "start")

    def clean_end(self) -> int:
        """The minute that the end says."""
        return read(parse_minute, self.cleaned_data["end"], "end")

    def clean(self) -> dict[str, Any]:
        """The row as the rules see it; who changed it meanwhile is the formset's to say."""
        written = self.cleaned_data
        if {"days", "start", "end"} <= written.keys():
            try:
                self.daypart = Daypart(tuple(written["days"]), written["start"], written["end"])
            except InvalidFieldError as refusal:
                self.add_error(refusal.field, refusal.problem)
        return written


class RowIdField(forms.IntegerField):
    """Which row of the database a row of the form was, when the page was shown."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Never: a row that is gone by now wasn't changed by this reader."""
        return False


class ScheduleFormSet(BaseInlineFormSet[Schedule, Campaign, DaypartForm]):
    """All rows together: they replace the schedule as a whole, and only if somebody changed one."""

    def add_fields(self, form: DaypartForm, index: int | None) -> None:
        """A plain id instead of one that must still exist."""
        super().add_fields(form, index)
        form.fields["id"] = RowIdField(initial=form.instance.pk, required=False)

    def clean(self) -> None:
        """Refuse to replace a schedule that the reader hasn't seen."""
        shown = {form.cleaned_data.get("id") for form in self.initial_forms}
        if self.has_changed() and shown != {row.pk for row in self.get_queryset()}:
            raise ValidationError(CHANGED_MEANWHILE)

    def dayparts(self) -> list[Daypart]:
        """The schedule that the rows make."""
        kept = [form for form in self.forms if form not in self.deleted_forms]
        return [form.daypart for form in kept if form.daypart]


class ScheduleInline(admin.TabularInline[Schedule, Campaign]):
    """The rows on the campaign's page."""

    model = Schedule
    form = DaypartForm
    formset: Any = ScheduleFormSet
    fields = ("days", "start", "end")
    extra = 0

    def days(self, row: Schedule) -> str:
        """For those who may only look."""
        return ", ".join(dict(WEEKDAYS)[day] for day in row.daypart.weekdays)

    def start(self, row: Schedule) -> str:
        """For those who may only look."""
        return format_minute(row.start_minute)

    def end(self, row: Schedule) -> str:
        """For those who may only look."""
        return format_minute(row.end_minute)
