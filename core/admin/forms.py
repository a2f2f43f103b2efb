"""The forms of the admin: they read by the API's rules and write only what their reader changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.text import capfirst

from core.enums import Scope
from core.errors import BudgetManagerError, InvalidFieldError
from core.models import ApiKey, Brand, Campaign
from core.queries.admin_lists import list_live_brands
from core.rules.api_keys import MOST_REQUESTS_PER_MINUTE
from core.rules.calendar import parse_time_zone
from core.rules.text import CURRENCIES, parse_currency, parse_name

M = TypeVar("M", bound=Model)
R = TypeVar("R")

CHANGED_MEANWHILE = "This was changed after you opened the page. Open it again to see the change."
MONEY_HELP = "Empty: no limit. 0: spend nothing. At most six decimals, nothing is rounded."
CURRENCY_HELP = "Can't change once something was spent."
ZONE_HELP = (
    "Budget days and months follow this clock. A change takes effect at the brand's next midnight."
)
SWITCH_HELP = "The manual pause switch. Only a person changes it, the system never does."


class EditForm(forms.ModelForm[M]):
    """A form that writes only what its reader changed since the page was shown (E3).

    Each field carries the value it was shown with. `refusal` is what the action said to the same
    input a moment ago.
    """

    refusal: ClassVar[BudgetManagerError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for bound in self:
            bound.field.show_hidden_initial = (
                self._was_shown(bound) if self.is_bound else self.instance.pk is not None
            )

    def _was_shown(self, bound: forms.BoundField) -> bool:
        widget = bound.field.hidden_widget()
        return not widget.value_omitted_from_data(self.data, self.files, bound.html_initial_name)

    def changes(self) -> dict[str, Any]:
        """What the reader changed; on a new form, what differs from the defaults."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def clean_name(self) -> str:
        """The name, as the API reads it."""
        return read(parse_name, self.cleaned_data["name"], "name")

    def clean(self) -> dict[str, Any]:
        """What two people changed at once, and what the action refused."""
        super().clean()
        for name in self.changed_data:
            if not self.has_error(name) and self._changed_meanwhile(self[name]):
                self.add_error(name, CHANGED_MEANWHILE)
        if self.refusal:
            self._show(self.refusal)
        return self.cleaned_data

    def _changed_meanwhile(self, bound: forms.BoundField) -> bool:
        field = bound.field
        if not field.show_hidden_initial:
            return False
        widget = field.hidden_widget()
        shown = widget.value_from_datadict(self.data, self.files, bound.html_initial_name)
        return field.has_changed(bound.initial, shown) and field.has_changed(
            bound.initial, bound.data
        )

    def add_error(self, field: str | None, error: Any) -> None:
        """Rules word a problem to follow the field's name; here it stands alone."""
        stated = ValidationError(error) if isinstance(error, str) else error
        if hasattr(stated, "message"):
            stated.message = capfirst(stated.message)
        super().add_error(field, stated)

    def _show(self, refusal: BudgetManagerError) -> None:
        for field, problem in refusal.fields.items():
            name = field.removesuffix("_id")
            self.add_error(name if name in self.fields else None, problem)
        if not refusal.fields:
            self.add_error(None, refusal.message)


def read(parse: Callable[[str, str], R], text: str, field: str) -> R:
    """What a rule makes of a text; its refusal as a form's error."""
    try:
        return parse(text, field)
    except InvalidFieldError as refusal:
        raise ValidationError(refusal.problem) from refusal


class BrandForm(EditForm[Brand]):
    """A brand's own settings."""

    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCIES)],
        initial="USD",
        help_text=CURRENCY_HELP,
    )
    time_zone = forms.ChoiceField(
        choices=[(name, name) for name in sorted(available_timezones())],
        initial="UTC",
        help_text=ZONE_HELP,
    )

    class Meta:
        model = Brand
        fields = ("name", "is_enabled", "currency", "time_zone", "daily_budget", "monthly_budget")
        labels = {"is_enabled": "Enabled"}
        help_texts = {
            "is_enabled": SWITCH_HELP,
            "currency": CURRENCY_HELP,
            "time_zone": ZONE_HELP,
            "daily_budget": MONEY_HELP,
            "monthly_budget": MONEY_HELP,
        }

    def clean_currency(self) -> str:
        """The currency, as the API reads it."""
        return read(parse_currency, self.cleaned_data["currency"], "currency")

    def clean_time_zone(self) -> str:
        """The zone, as the API reads it."""
        return read(parse_time_zone, self.cleaned_data["time_zone"], "time_zone")


class InstantField(forms.DateTimeField):
    """An instant in UTC with the browser's own picker, in the years that calendars cover."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M:%S")

    def clean(self, value: Any) -> datetime | None:
        """The instant. A typing error in the year is named here."""
        instant: datetime | None = super().clean(value)
        if instant and not 1970 <= instant.year <= 2200:
            raise ValidationError("The year must be from 1970 to 2200.")
        return instant


class CampaignForm(EditForm[Campaign]):
    """A campaign's own settings; its schedule is the inline below."""

    starts_at = InstantField(
        label="Flight starts at (UTC)", required=False, help_text="Empty: it has already started."
    )
    ends_at = InstantField(
        label="Flight ends at (UTC)",
        required=False,
        help_text="Empty: it never ends. It no longer runs at this instant.",
    )

    class Meta:
        model = Campaign
        fields = (
            "brand",
            "name",
            "is_enabled",
            "starts_at",
            "ends_at",
            "daily_budget",
            "monthly_budget",
            "lifetime_budget",
        )
        labels = {"is_enabled": "Enabled"}
        help_texts = {
            "is_enabled": SWITCH_HELP,
            "daily_budget": MONEY_HELP,
            "monthly_budget": MONEY_HELP,
            "lifetime_budget": MONEY_HELP,
        }


class ApiKeyForm(EditForm[ApiKey]):
    """A new key; an existing one can only be rotated and revoked."""

    scopes = forms.TypedMultipleChoiceField(
        coerce=Scope,
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text="read: look at everything. spend: add, report and refund. "
        "manage: create, edit, pause and archive brands and campaigns.",
    )
    brands = forms.ModelMultipleChoiceField(
        queryset=list_live_brands(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The key sees nothing but these. None ticked: every brand, future ones too.",
    )
    expires_at = InstantField(
        label="Expires at (UTC)", required=False, help_text="Empty: it never expires."
    )
    requests_per_minute = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_REQUESTS_PER_MINUTE,
        help_text="Empty: what the settings say. 0: no limit.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "brands", "expires_at", "requests_per_minute")
