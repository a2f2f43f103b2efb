"""API keys: made here with their token shown once, revoked here, never edited (C29)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from core.actions.api_keys import create_api_key, revoke_api_key
from core.admin.columns import instant_column
from core.admin.doors import PlainAdmin, visit_of
from core.admin.filters import RevokedFilter
from core.admin.forms import ApiKeyForm
from core.models import ApiKey
from core.rules.api_keys import TOKEN_PREFIX

EXPIRES_AT = instant_column("expires_at", "expires")
REVOKED_AT = instant_column("revoked_at", "revoked")
CREATED_AT = instant_column("created_at", "created")
LAST_USED_AT = instant_column("last_used_at", "last used")


@admin.register(ApiKey)
class ApiKeyAdmin(PlainAdmin[ApiKey]):
    """Who may call the API. Only the public part of a key's token is kept to be shown."""

    form = ApiKeyForm
    list_display = (
        "name",
        "token_start",
        "allowed",
        "limited_to",
        CREATED_AT,
        EXPIRES_AT,
        LAST_USED_AT,
        REVOKED_AT,
    )
    list_filter = (RevokedFilter,)
    search_fields = ("name", "public_id")
    ordering = ("name", "-created_at")
    actions = ("revoke_selected",)

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """What a new key needs; of an existing one, what may be known."""
        if obj is None:
            return [(None, {"fields": ApiKeyForm.Meta.fields})]
        return [(None, {"fields": self.list_display})]

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Those who may change keys may revoke them; no key's settings ever change."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Nobody: entries of the spend log name the keys they came from."""
        return False

    @admin.display(description="token starts with")
    def token_start(self, key: ApiKey) -> str:
        """The public part of the token."""
        return f"{TOKEN_PREFIX}_{key.public_id}_"

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

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """The keys with their brands, in one more query however many there are."""
        return super().get_queryset(request).prefetch_related("brands")

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
            now=visit_of(request).now,
        )
        obj.pk = key.pk
        message = f"Copy the token of “{key}” now, it is not shown again: {token}"
        self.message_user(request, message, messages.WARNING)

    def save_related(
        self, request: HttpRequest, form: ModelForm[ApiKey], formsets: Any, change: bool
    ) -> None:
        """Nothing left to do: the one call took the brands along."""

    @admin.action(description="Revoke selected API keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Worthless from their next call on."""
        revoked = [key for key in queryset if key.revoked_at is None]
        for key in revoked:
            revoke_api_key(key, now=visit_of(request).now)
            self.log_change(request, key, "Revoked.")
        level = messages.SUCCESS if revoked else messages.WARNING
        self.message_user(request, f"{len(revoked)} of {len(queryset)} API keys revoked.", level)
