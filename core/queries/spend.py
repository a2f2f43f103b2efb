"""Reads of spend: whose campaign it is, first answers to event ids, and the log in pages."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from core.models import Campaign, EventAnswer, SpendLog


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


@dataclass(frozen=True, slots=True)
class SpendLogFilter:
    """Which entries a page of the log shows; `None` means any.

    `occurred_from` is included and `occurred_until` is not. `before` is the id that the page
    before ended with.
    """

    brand_ids: Collection[int] | None = None
    campaign_id: int | None = None
    brand_id: int | None = None
    budget_day: date | None = None
    occurred_from: datetime | None = None
    occurred_until: datetime | None = None
    before: int | None = None


def list_spend_logs(chosen: SpendLogFilter) -> QuerySet[SpendLog]:
    """Entries of the log, last recorded first; inserts never move a page that was read."""
    conditions = {
        "brand_id__in": chosen.brand_ids,
        "campaign_id": chosen.campaign_id,
        "brand_id": chosen.brand_id,
        "budget_day": chosen.budget_day,
        "occurred_at__gte": chosen.occurred_from,
        "occurred_at__lt": chosen.occurred_until,
        "id__lt": chosen.before,
    }
    named = {name: value for name, value in conditions.items() if value is not None}
    return SpendLog.objects.filter(**named).order_by("-id").select_related("brand", "campaign")
