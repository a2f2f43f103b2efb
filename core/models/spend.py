"""What money did: the append-only log, the totals per period, the answers to event ids."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from core.enums import PeriodKind, Reason, SpendKind
from core.models.brand import Brand
from core.models.campaign import Campaign
from core.models.fields import MoneyField


class SpendLog(models.Model):
    """One entry of the spend log. Never changed, never deleted: triggers refuse it (C24).

    `amount` is negative for a refund, so that a period's total is the plain sum of its entries
    (C25). `over_budget` is the part of a report that no budget covered (C19). `budget_day` is
    the brand's local date in which the entry counts; its month is that date's month (C10).
    """

    # Every entry pays for every index and every foreign key: no index is kept that another one
    # begins with, and the brand is the campaign's, whose own key is checked.
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="spend_logs", db_index=False
    )
    kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in SpendKind])
    amount = MoneyField()
    over_budget = MoneyField()
    over_budget_cause = models.CharField(
        max_length=32, blank=True, choices=[(reason, reason) for reason in Reason]
    )
    currency = models.CharField(max_length=3)
    budget_day = models.DateField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    event_id = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=200)
    refund_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="refunds", db_index=False
    )
    # Null and not empty where there is none, so that SQLite could add the column in place.
    refund_reason = models.CharField(max_length=200, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=SpendKind.REFUND, amount__lt=0, refund_of__isnull=False)
                | (~Q(kind=SpendKind.REFUND) & Q(amount__gt=0, refund_of__isnull=True)),
                name="spend_is_positive_or_a_refund",
            ),
            models.CheckConstraint(
                condition=Q(over_budget=0, over_budget_cause="")
                | (Q(kind=SpendKind.REPORT, over_budget__gt=0) & ~Q(over_budget_cause="")),
                name="spend_over_budget_is_a_report_with_a_cause",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "id"], name="spend_of_campaign"),
            models.Index(fields=["brand", "id"], name="spend_of_brand"),
            models.Index(fields=["brand", "recorded_at"], name="spend_of_brand_as_recorded"),
            models.Index(fields=["budget_day", "id"], name="spend_of_day"),
            models.Index(fields=["occurred_at", "id"], name="spend_by_instant"),
            models.Index(
                fields=["campaign", "occurred_at", "id"], name="spend_of_campaign_by_instant"
            ),
            models.Index(fields=["brand", "occurred_at", "id"], name="spend_of_brand_by_instant"),
            # What is rare has an index that most entries don't pay for.
            models.Index(
                fields=["refund_of"],
                condition=Q(refund_of__isnull=False),
                name="spend_taken_back",
            ),
            models.Index(fields=["id"], condition=Q(kind=SpendKind.REFUND), name="spend_refunds"),
            models.Index(fields=["id"], condition=Q(over_budget__gt=0), name="spend_over_budget"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class PeriodTotal(models.Model):
    """What a period holds: spent and held. Kept per period and never zeroed (C10).

    `starts_on` names the period by its first local date; a lifetime starts on 0001-01-01. The
    bounds are UTC instants, half-open; a lifetime's are the first and last there are.
    """

    period = models.CharField(max_length=8, choices=[(kind, kind) for kind in PeriodKind])
    starts_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    spent = MoneyField(default=Decimal(0))
    held = MoneyField(default=Decimal(0))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.period} {self.starts_on}"


class BrandTotal(PeriodTotal):
    """The totals of all campaigns of a brand in one day or month.

    `closed_at` is the period's end, once unattended work has closed it there, at whatever time it
    came by (C10, C26); spend may still arrive late.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="totals")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "period", "starts_on"], name="brand_total_is_one_per_period"
            ),
            models.CheckConstraint(
                condition=Q(spent__gte=0, held__gte=0), name="brand_total_is_not_negative"
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_at"], condition=Q(closed_at=None), name="brand_total_to_close"
            ),
        ]


class CampaignTotal(PeriodTotal):
    """The totals of one campaign in one day, month or its lifetime."""

    # The constraint's index begins with the campaign; one more would only slow spending down.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="totals", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "period", "starts_on"],
                name="campaign_total_is_one_per_period",
            ),
            models.CheckConstraint(
                condition=Q(spent__gte=0, held__gte=0), name="campaign_total_is_not_negative"
            ),
        ]
        indexes = [
            # The running ones of many campaigns, among the totals of all the days that were.
            models.Index(
                fields=["period", "starts_on", "campaign"], name="campaign_total_by_period"
            ),
        ]


class EventAnswer(models.Model):
    """The first answer to a caller's event id, given again whenever the id comes back (C21).

    `fingerprint` is the SHA-256 of what was asked; the same id with other content is refused.
    Refusals are kept too, and no row ever expires.
    """

    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    is_refusal = models.BooleanField()
    answer = models.JSONField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                # The id first, so that the log finds its entries by it, too.
                fields=["event_id", "source"],
                name="event_id_is_unique_per_source",
            ),
        ]

    def __str__(self) -> str:
        return self.event_id
