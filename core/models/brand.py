"""Brand: who pays. Owns the currency, the time zone and two budgets."""

from django.db import models
from django.db.models import Q

from core.models.fields import MoneyField
from core.rules.calendar import BrandCalendar


class Brand(models.Model):
    """An advertiser with a daily and a monthly budget; null is no ceiling, 0 is nothing (C3)."""

    name = models.CharField(max_length=200)
    daily_budget = MoneyField(null=True, blank=True)
    monthly_budget = MoneyField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217, e.g. USD (C2)")
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        help_text="IANA name, e.g. Europe/Berlin. A change takes effect at the brand's next "
        "midnight (C12).",
    )
    # Until `time_zone_changes_at` the previous zone is in effect (C12); both are set or neither.
    previous_time_zone = models.CharField(max_length=64, null=True, editable=False)
    time_zone_changes_at = models.DateTimeField(null=True, editable=False)
    is_enabled = models.BooleanField(
        default=True, help_text="The manual pause switch. Only a person changes it (C15)."
    )
    # Counts the edits; `If-Match` names it, and `core/models/version.py` keeps what it meant.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(archived_at=None),
                name="brand_name_is_unique",
                violation_error_message="A brand with this name already exists.",
            ),
            models.CheckConstraint(
                condition=Q(daily_budget=None) | Q(daily_budget__gte=0),
                name="brand_daily_budget_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(monthly_budget=None) | Q(monthly_budget__gte=0),
                name="brand_monthly_budget_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(previous_time_zone=None, time_zone_changes_at=None)
                | Q(previous_time_zone__isnull=False, time_zone_changes_at__isnull=False),
                name="brand_time_zone_change_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(is_enabled=False),
                name="brand_archived_is_disabled",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # With every change of zone, for whoever needs days older than the one it remembers.
    whole_calendar: BrandCalendar | None = None

    @property
    def calendar(self) -> BrandCalendar:
        """When this brand's budget days and months begin and end (C9, C12)."""
        return self.whole_calendar or BrandCalendar(
            self.time_zone, self.previous_time_zone, self.time_zone_changes_at
        )
