"""The API's overview of the whole system."""

from typing import TypedDict

from django.http import JsonResponse
from django.utils import timezone

from core.queries.brands import count_brands
from core.queries.campaigns import count_campaigns
from core.rules.instants import format_instant
from core.views.authentication import ApiRequest


class StatusDocument(TypedDict):
    """The seed's fields; "over" counts campaigns that a budget of that kind has stopped."""

    total_brands: int
    total_campaigns: int
    active_campaigns: int
    paused_campaigns: int
    over_daily_budget: int
    over_monthly_budget: int
    server_time: str | None


def system_status(request: ApiRequest) -> JsonResponse:
    """Count what the key may see."""
    counts = count_campaigns(request.auth.brand_ids)
    document: StatusDocument = {
        "total_brands": count_brands(request.auth.brand_ids),
        "total_campaigns": counts["total"],
        "active_campaigns": counts["active"],
        "paused_campaigns": counts["total"] - counts["active"],
        "over_daily_budget": counts["over_daily"],
        "over_monthly_budget": counts["over_monthly"],
        "server_time": format_instant(timezone.now().replace(microsecond=0)),
    }
    return JsonResponse(document)
