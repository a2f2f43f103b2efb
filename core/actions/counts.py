"""Keeps the counts of a brand's campaigns that the status shows, under the brand's lock."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import F

from core.enums import Reason
from core.models import Campaign, CampaignCounts

OVER_DAILY = {Reason.BRAND_DAILY_BUDGET, Reason.CAMPAIGN_DAILY_BUDGET}
OVER_MONTHLY = {Reason.BRAND_MONTHLY_BUDGET, Reason.CAMPAIGN_MONTHLY_BUDGET}
# By column of `CampaignCounts`.
Tally = Counter[str]


def tally(campaigns: Iterable[Campaign]) -> Tally:
    """What these campaigns count for; archived ones count for nothing."""
    counted = Tally()
    for campaign in campaigns:
        if campaign.archived_at is None:
            counted["campaign_count"] += 1
            counted["active_count"] += campaign.is_active
            counted["over_daily_count"] += not OVER_DAILY.isdisjoint(campaign.reasons)
            counted["over_monthly_count"] += not OVER_MONTHLY.isdisjoint(campaign.reasons)
    return counted


def change_counts(brand_id: int, *, before: Tally, after: Tally) -> None:
    """Count campaigns of a locked brand as what they are after a change."""
    more = {
        column: after[column] - before[column]
        for column in before.keys() | after.keys()
        if after[column] != before[column]
    }
    if not more:
        return
    changed = CampaignCounts.objects.filter(brand_id=brand_id).update(
        **{column: F(column) + count for column, count in more.items()}
    )
    if not changed:
        CampaignCounts.objects.create(brand_id=brand_id, **more)
