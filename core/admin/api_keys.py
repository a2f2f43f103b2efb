"""API keys: made and rotated here with the token shown once, revoked here, never edited (C29)."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import DateTimeField, QuerySet, Value
from django.forms import ModelForm
from django.http import HttpRequest

from core.actions.api_keys import ROTATION_GRACE, create_api_key, revoke_api_key, rotate_api_key
from core.admin.columns import instant_column, text_column
from core.admin.doors import PlainAdmin, visit_of
from core.admin.filters import RevokedFilter
from core.admin.forms import ApiKeyForm
from core.errors import ApiKeyEndedError
from core.models import ApiKey

EXPIRES_AT = instant_column("expires_at", "expires")
REVOKED_AT = instant_column("revoked_at", "revoked")
CREATED_AT = instant_column("created_at", "created")
LAST_USED_AT = instant_column("last_used_at", "last used")
TOKEN_START = text_column("token_start", "token starts with")
GRACE_HOURS = ROTATION_GRACE // timedelta(hours=1)


@admin.register(ApiKey)
class ApiKeyAdmin(PlainAdmin[ApiKey]):
    """Who may call the API. Only the public part of a key's token is kept to be shown."""

    form = ApiKeyForm
    list_display = (
        "name",
        TOKEN_START,
        "allowed",
        "limited_to",
        "state",
        CREATED_AT,
        EXPIRES_AT,
        LAST_USED_AT,
        REVOKED_AT,
        "requests_a_minute",
    )
    list_filter = (RevokedFilter,)
    search_fields = ("name", "public_id")
    ordering = ("name", "-created_at")
    actions = ("rotate_selected", "rotate_selected_at_once", "revoke_selected")

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """What a new key needs; of an existing one, what may be known."""
        if obj is None:
            return [(None, {"fields": ApiKeyForm.Meta.fields})]
        return [(None, {"fields": self.list_display})]

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Those who may change keys may rotate and revoke them; no key's settings ever change."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Nobody: entries of the spend log name the keys they came from."""
        return False

    @admin.display(description="scopes")
    def allowed(self, key: ApiKey) -> str:
        """What it may do."""
        return ", ".join(key.scopes)

    @admin.display(description="brands", ordering="is_limited_to_brands")
    def limited_to(self, key: ApiKey) -> str:
        """What it may see."""
        if not key.is_limited_to_brands:
            return "all"
        return ", ".join(brand.name for brand in key.brands.all())

    @admin.display(description="state")
    def state(self, key: Any) -> str:
        """What has become of it by this visit; a rotating key is live with two secrets."""
        return str(key.state_at(key.looked_at))

    @admin.display(description="requests a minute", ordering="requests_per_minute")
    def requests_a_minute(self, key: ApiKey) -> str:
        """How often it may call."""
        if key.requests_per_minute is None:
            return "default"
        return str(key.requests_per_minute or "no limit")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """The keys with their brands, in one more query however many there are."""
        looked_at = Value(visit_of(request).now, DateTimeField())
        keys = super().get_queryset(request).prefetch_related("brands")
        return keys.annotate(looked_at=looked_at)

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: bool
    ) -> None:
        """One call: create the key, and show its token this once."""
        written = form.cleaned_data
        key, token = create_api_key(
            written["name"],
            scopes=written["scopes"],
            brands=written["brands"] or None,
            expires_at=written["expires_at"],
            requests_per_minute=written["requests_per_minute"],
            now=visit_of(request).now,
        )
        obj.pk = key.pk
        self._show_once(request, key, token)

    def _show_once(self, request: HttpRequest, key: ApiKey, token: str) -> None:
        message = f"Copy the token of “{key}” now, it is not shown again: {token}"
        self.message_user(request, message, messages.WARNING)

    def save_related(
        self, request: HttpRequest, form: ModelForm[ApiKey], formsets: Any, change: bool
    ) -> None:
        """Nothing left to do: the one call took the brands along."""

    @admin.action(
        description=f"Rotate selected API keys; old tokens stay good for {GRACE_HOURS} hours",
        permissions=["change"],
    )
    def rotate_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """A new secret each, and time to hand it around."""
        self._rotate(request, queryset, ROTATION_GRACE)

    @admin.action(
        description="Rotate selected API keys; old tokens end at once", permissions=["change"]
    )
    def rotate_selected_at_once(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """A new secret each, for one that got into wrong hands."""
        self._rotate(request, queryset, timedelta(0))

    def _rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey], grace: timedelta) -> None:
        for key in queryset:
            try:
                token = rotate_api_key(key, grace=grace, now=visit_of(request).now)
            except ApiKeyEndedError as refusal:
                self.message_user(request, f"“{key}”: {refusal.message}", messages.ERROR)
            else:
                self.log_change(request, key, "Rotated.")
                self._show_once(request, key, token)

    @admin.action(description="Revoke selected API keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Worthless from their next call on."""
        revoked = [key for key in queryset if key.revoked_at is None]
        for key in revoked:
            revoke_api_key(key, now=visit_of(request).now)
            self.log_change(request, key, "Revoked.")
        level = messages.SUCCESS if revoked else messages.WARNING
        self.message_user(request, f"{len(revoked)} of {len(queryset)} API keys revoked.", level)
