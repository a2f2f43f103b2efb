"""Reads of spend: whose campaign it is, first answers to event ids, and the log in pages."""

from collections.abc import Collection

from core.models import Campaign, EventAnswer


def map_campaigns_to_brands(
    campaign_ids: Collection[int], brand_ids: Collection[int] | None
) -> dict[int, int]:
    """The brand of each campaign that exists among those brands (`None`: any)."""
    campaigns = Campaign.objects.filter(id__in=campaign_ids)
    if brand_ids is not None:
        campaigns = campaigns.filter(brand_id__in=brand_ids)
    return dict(campaigns.values_list("id", "brand_id"))


def map_event_answers(source: str, event_ids: Collection[str]) -> dict[str, EventAnswer]:
    """The first answers that this source has already got, by event id (C21)."""
    if not event_ids:
        return {}
    found = EventAnswer.objects.filter(source=source, event_id__in=event_ids)
    return {answer.event_id: answer for answer in found}
