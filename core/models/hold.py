"""Hold: part of what remains, set aside for a caller until it is captured, released or expires."""

from django.db import models
from django.db.models import F, Q

from core.enums import HoldState
from core.models.brand import Brand
from core.models.campaign import Campaign
from core.models.fields import MoneyField
from core.models.spend import SpendLog


class Hold(models.Model):
    """An amount set aside (C20). It counts as held in `budget_day` and in that date's month.

    While `state` is open the amount stands in the `held` column of each total that applies. Each
    hold ends exactly once: `spend_log` is the entry that a capture made of it. An open hold that
    is past `expires_at` is as good as expired; the amount is taken back by whoever locks the
    brand next.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="holds")
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    state = models.CharField(
        max_length=8, choices=[(state, state) for state in HoldState], default=HoldState.OPEN
    )
    budget_day = models.DateField()
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    spend_log = models.OneToOneField(
        SpendLog, on_delete=models.PROTECT, null=True, related_name="hold"
    )
    event_id = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="hold_is_positive"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("held_at")), name="hold_expires_after_it_was_taken"
            ),
            models.CheckConstraint(
                condition=Q(state=HoldState.OPEN, ended_at=None)
                | (~Q(state=HoldState.OPEN) & Q(ended_at__isnull=False)),
                name="hold_is_open_until_it_ended",
            ),
            models.CheckConstraint(
                condition=Q(state=HoldState.CAPTURED, spend_log__isnull=False)
                | (~Q(state=HoldState.CAPTURED) & Q(spend_log=None)),
                name="hold_captured_has_an_entry",
            ),
        ]
        indexes = [
            models.Index(
                fields=["brand", "expires_at"],
                condition=Q(state=HoldState.OPEN),
                name="hold_open_of_brand",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(state=HoldState.OPEN), name="hold_to_expire"
            ),
            models.Index(fields=["campaign", "id"], name="hold_of_campaign"),
            models.Index(fields=["brand", "expires_at"], name="hold_of_brand_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.amount} {self.currency}"
