"""Versions: the settings of a brand and of a campaign as they were from one instant on (C17).

Every edit writes one, under the brand's lock, so that the verdict of any past instant can be
judged again from the facts of that instant.
"""

from django.db import models

from core.models.brand import Brand
from core.models.campaign import Campaign


class Version(models.Model):
    """What a verdict needs to know, as JSON, in force from `at` until the next version's `at`.

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
    """A brand's switch, budgets and calendar."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="versions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "number"], name="brand_version_is_one"),
        ]
        indexes = [models.Index(fields=["brand", "at", "number"], name="brand_version_at")]


class CampaignVersion(Version):
    """A campaign's switch, flight, schedule and own budgets."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="versions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="campaign_version_is_one"),
        ]
        indexes = [models.Index(fields=["campaign", "at", "number"], name="campaign_version_at")]
