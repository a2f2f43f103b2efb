"""The API's overview of the whole system."""

from django.http import HttpResponse
from typing_extensions import TypedDict

from core.queries.brands import count_brands
from core.queries.campaigns import count_campaigns
from core.rules.instants import format_instant
from core.views.authentication import ApiRequest
from core.views.documentation import answers
from core.views.polling import polled_response
from core.views.wire import Count, InstantText


class StatusDocument(TypedDict):
    """The seed's fields; "over" counts campaigns that a budget of that kind has stopped."""

    total_brands: Count
    total_campaigns: Count
    active_campaigns: Count
    paused_campaigns: Count
    over_daily_budget: Count
    over_monthly_budget: Count
    server_time: InstantText | None


@answers(StatusDocument, asks=("If-None-Match",), tells=("ETag",))
def system_status(request: ApiRequest) -> HttpResponse:
    """Count what the key may see."""
    counts = count_campaigns(request.auth.brand_ids)
    document: StatusDocument = {
        "total_brands": count_brands(request.auth.brand_ids),
        "total_campaigns": counts.total,
        "active_campaigns": counts.active,
        "paused_campaigns": counts.total - counts.active,
        "over_daily_budget": counts.over_daily,
        "over_monthly_budget": counts.over_monthly,
        "server_time": format_instant(request.now.replace(microsecond=0)),
    }
    return polled_response(request, document, besides="server_time")
