"""ApiKey: who may call the API, for what, and for which brands (C29)."""

from django.db import models

from core.models.brand import Brand


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
