"""Versions: the settings of a brand and of a campaign as they were from one instant on (C17).

Every edit writes one, under the brand's lock, so that the verdict of any past instant can be
judged again from the facts of that instant.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models

from core.models.brand import Brand
from core.models.campaign import Campaign
from core.rules.calendar import BrandCalendar
from core.rules.dayparts import Daypart, weekly_schedule
from core.rules.instants import format_instant
from core.rules.money import format_optional_money
from core.rules.verdict import BrandFacts, CampaignFacts


class Version(models.Model):
    """All that a person may set, as JSON, in force from `at` until the next version's `at`.

    `number` counts from 1 and is the `version` of the row that it describes.
    """

    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    settings = models.JSONField()
    actor = models.CharField(max_length=200)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"version {self.number} since {self.at:%Y-%m-%d %H:%M:%S}"


class BrandVersion(Version):
    """A brand's name, switch, budgets and calendar."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="versions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "number"], name="brand_version_is_one"),
        ]
        indexes = [models.Index(fields=["brand", "at", "number"], name="brand_version_at")]

    @classmethod
    def of(cls, brand: Brand) -> "BrandVersion":
        """An unsaved row for the brand as it is; whoever saves it says when and by whom."""
        settings = {
            "name": brand.name,
            "is_enabled": brand.is_enabled,
            "is_archived": brand.archived_at is not None,
            "currency": brand.currency,
            "daily_budget": format_optional_money(brand.daily_budget),
            "monthly_budget": format_optional_money(brand.monthly_budget),
            "time_zone": brand.time_zone,
            "previous_time_zone": brand.previous_time_zone,
            "time_zone_changes_at": format_instant(brand.time_zone_changes_at),
        }
        return cls(brand=brand, number=brand.version, settings=settings)

    @property
    def facts(self) -> BrandFacts:
        """The brand as a verdict saw it while this version was in force."""
        told = self.settings
        return BrandFacts(
            is_enabled=told["is_enabled"],
            calendar=BrandCalendar(
                told["time_zone"],
                told["previous_time_zone"],
                _instant(told["time_zone_changes_at"]),
            ),
            currency=told["currency"],
            daily_budget=_money(told["daily_budget"]),
            monthly_budget=_money(told["monthly_budget"]),
        )


class CampaignVersion(Version):
    """A campaign's name, switch, flight, schedule and own budgets."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="versions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="campaign_version_is_one"),
        ]
        indexes = [models.Index(fields=["campaign", "at", "number"], name="campaign_version_at")]

    @classmethod
    def of(cls, campaign: Campaign, dayparts: Iterable[Daypart]) -> "CampaignVersion":
        """An unsaved row for the campaign as it is; whoever saves it says when and by whom."""
        settings = {
            "name": campaign.name,
            "is_enabled": campaign.is_enabled,
            "is_archived": campaign.archived_at is not None,
            "starts_at": format_instant(campaign.starts_at),
            "ends_at": format_instant(campaign.ends_at),
            "daily_budget": format_optional_money(campaign.daily_budget),
            "monthly_budget": format_optional_money(campaign.monthly_budget),
            "lifetime_budget": format_optional_money(campaign.lifetime_budget),
            "dayparts": [
                [list(daypart.weekdays), daypart.start_minute, daypart.end_minute]
                for daypart in dayparts
            ],
        }
        return cls(campaign=campaign, number=campaign.version, settings=settings)

    @property
    def facts(self) -> CampaignFacts:
        """The campaign as a verdict saw it while this version was in force."""
        told = self.settings
        dayparts = (Daypart(tuple(days), start, end) for days, start, end in told["dayparts"])
        return CampaignFacts(
            campaign_id=self.campaign_id,
            is_enabled=told["is_enabled"],
            is_archived=told["is_archived"],
            starts_at=_instant(told["starts_at"]),
            ends_at=_instant(told["ends_at"]),
            schedule=weekly_schedule(dayparts),
            daily_budget=_money(told["daily_budget"]),
            monthly_budget=_money(told["monthly_budget"]),
            lifetime_budget=_money(told["lifetime_budget"]),
        )


def _money(told: Any) -> Decimal | None:
    return None if told is None else Decimal(told)


def _instant(told: Any) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
