"""Campaign: a group of ads of one brand, its own budgets, its flight and its stored verdict."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from core.enums import Reason
from core.models.brand import Brand
from core.models.fields import CodePoints, MoneyField, ReasonsField
from core.rules.waiting import waits_for_time_alone

OWN_BUDGETS = ("daily_budget", "monthly_budget", "lifetime_budget")


class Campaign(models.Model):
    """A campaign. `is_enabled` is what a person asked for, `is_active` what the system concludes.

    `is_active`, `reasons`, `status_since` and `next_change_at` are the stored verdict (C16). Only
    `core/actions/verdicts.py` writes them; admission never trusts them.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=200)
    is_enabled = models.BooleanField(
        default=True, help_text="The manual pause switch. Only a person changes it (C15)."
    )
    starts_at = models.DateTimeField(
        "flight starts at", null=True, blank=True, help_text="Empty: it has already started."
    )
    ends_at = models.DateTimeField(
        "flight ends at", null=True, blank=True, help_text="Empty: it never ends. Not included."
    )
    daily_budget = MoneyField("own daily budget", null=True, blank=True)
    monthly_budget = MoneyField("own monthly budget", null=True, blank=True)
    lifetime_budget = MoneyField("own lifetime budget", null=True, blank=True)
    is_active = models.BooleanField(default=True, editable=False)
    reasons = ReasonsField(editable=False)
    status_since = models.DateTimeField(null=True, editable=False)
    next_change_at = models.DateTimeField(null=True, editable=False)
    # Counts the edits; `If-Match` names it, and `core/models/version.py` keeps what it meant.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "name"],
                condition=Q(archived_at=None),
                name="campaign_name_is_unique_in_brand",
                violation_error_message="The brand already has a campaign with this name.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="campaign_flight_ends_after_start",
                violation_error_message="The flight must end after it starts.",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{budget: None}) | Q(**{f"{budget}__gte": 0}),
                    name=f"campaign_{budget}_is_not_negative",
                )
                for budget in OWN_BUDGETS
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, reasons="") | (Q(is_active=False) & ~Q(reasons="")),
                name="campaign_is_active_without_reasons",
            ),
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(is_enabled=False),
                name="campaign_archived_is_disabled",
            ),
        ]
        indexes = [
            models.Index(fields=["next_change_at"], name="campaign_next_change"),
            # The first to come of a brand, which every admission looks at.
            models.Index(
                fields=["brand", "next_change_at"],
                condition=Q(next_change_at__isnull=False),
                name="campaign_of_brand_by_change",
            ),
            models.Index(fields=["brand", "id"], name="campaign_of_brand"),
            models.Index(CodePoints("name"), "id", name="campaign_by_name"),
            models.Index("brand", CodePoints("name"), "id", name="campaign_of_brand_by_name"),
            models.Index(fields=["status_since", "id"], name="campaign_by_status"),
            models.Index(
                fields=["brand", "status_since", "id"], name="campaign_of_brand_by_status"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def awaited_change_at(self) -> datetime | None:
        """`next_change_at` if time alone brings a change, which is what people are told (C14).

        The tasks look at `next_change_at` itself, for the reasons behind a switch change, too.
        """
        budgets = {
            Reason.BRAND_DAILY_BUDGET: self.brand.daily_budget,
            Reason.BRAND_MONTHLY_BUDGET: self.brand.monthly_budget,
            Reason.CAMPAIGN_DAILY_BUDGET: self.daily_budget,
            Reason.CAMPAIGN_MONTHLY_BUDGET: self.monthly_budget,
        }
        return self.next_change_at if waits_for_time_alone(self.reasons, budgets) else None


class CampaignCounts(models.Model):
    """How many campaigns of a brand there are, archived ones aside, and what they are.

    Counting them would go through them all. Kept under the brand's lock by whatever changes them
    (`core/actions/counts.py`); a brand that never had a campaign has none.
    """

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, primary_key=True)
    campaign_count = models.IntegerField(default=0)
    active_count = models.IntegerField(default=0)
    over_daily_count = models.IntegerField(default=0)
    over_monthly_count = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.active_count} of {self.campaign_count} active"
