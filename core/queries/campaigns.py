"""Reads of campaigns."""

from collections.abc import Collection

from core.errors import CampaignNotFoundError
from core.models import Brand, Campaign


def get_campaign(campaign_id: int, brand_ids: Collection[int] | None = None) -> Campaign:
    """A campaign that isn't archived, nor its brand, among the brands the caller may see.

    Its brand comes along. Raises CampaignNotFoundError.
    """
    live = Campaign.objects.filter(archived_at=None, brand__archived_at=None)
    campaign = live.select_related("brand").filter(pk=campaign_id).first()
    if campaign is None or (brand_ids is not None and campaign.brand_id not in brand_ids):
        raise CampaignNotFoundError
    return campaign


def has_campaign_name(brand: Brand, name: str, *, besides: int | None = None) -> bool:
    """Whether the brand has a campaign by this name that isn't archived."""
    named = Campaign.objects.filter(brand=brand, name=name, archived_at=None)
    return named.exclude(pk__in=[besides] if besides else []).exists()
