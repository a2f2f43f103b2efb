"""ApiKey: who may call the API, for what, and for which brands (C29)."""

from datetime import datetime

from django.db import models

from core.models.brand import Brand
from core.rules.api_keys import KeyState, is_expired, is_in_grace, token_start


class ApiKey(models.Model):
    """A caller. The secret is shown once and kept only as its SHA-256.

    `scopes` is a list of `Scope` words. A key limited to brands sees nothing else.
    """

    name = models.CharField(max_length=200)
    public_id = models.CharField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    # The secret before the last rotation, which opens the key until that instant; both or neither.
    previous_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_secret_ends_at = models.DateTimeField(null=True, editable=False)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: what the settings say. 0: no limit."
    )
    scopes = models.JSONField(default=list)
    is_limited_to_brands = models.BooleanField(default=False)
    brands = models.ManyToManyField(Brand, blank=True, related_name="+")
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(previous_secret_hash="", previous_secret_ends_at=None)
                | (
                    ~models.Q(previous_secret_hash="")
                    & models.Q(previous_secret_ends_at__isnull=False)
                ),
                name="api_key_rotation_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def token_start(self) -> str:
        """The part of its tokens that may be shown."""
        return token_start(self.public_id)

    def state_at(self, now: datetime) -> KeyState:
        """What has become of it by now. What was revoked stays so when it would expire."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if is_expired(self.expires_at, now):
            return KeyState.EXPIRED
        is_rotating = is_in_grace(self.previous_secret_ends_at, now)
        return KeyState.ROTATING if is_rotating else KeyState.LIVE
