"""The API's calls about campaigns."""

from typing import cast

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Query

from core.actions.campaigns import (
    CampaignChanges,
    archive_campaign,
    create_campaign,
    edit_campaign,
    pause_campaign,
    resume_campaign,
)
from core.enums import Reason
from core.queries.campaigns import CampaignFilter, get_listed_campaign, list_campaigns
from core.views.authentication import ApiRequest
from core.views.campaign_documents import campaign_document
from core.views.pages import cut_page
from core.views.parsing import (
    Body,
    Identifier,
    Instant,
    Money,
    Name,
    Page,
    QueryIdentifier,
    Search,
    Switch,
)
from core.views.schedules import ScheduleFields


class CampaignFields(ScheduleFields, Body):
    """What may be set on a campaign; budgets here are its own."""

    name: Name = ""
    is_enabled: Switch = True
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    own_daily_budget: Money | None = None
    own_monthly_budget: Money | None = None
    own_lifetime_budget: Money | None = None

    def changes(self) -> CampaignChanges:
        """The fields that were sent, under the names that actions know."""
        sent = self.given()
        named = {
            name.removeprefix("own_"): value
            for name, value in sent.items()
            if name not in {"brand_id", *ScheduleFields.model_fields}
        }
        schedule = self.dayparts()
        if schedule is not None:
            named["schedule"] = schedule
        return cast("CampaignChanges", named)


class CampaignCreateBody(CampaignFields):
    """A new campaign; without a schedule it is always open (C13)."""

    name: Name
    brand_id: Identifier


class CampaignEditBody(CampaignFields):
    """What is absent stays as it is. A campaign never moves to another brand."""


class CampaignListFilters(Page):
    """Which campaigns to list."""

    brand_id: QueryIdentifier | None = None
    is_active: bool | None = None
    reason: Reason | None = None
    search: Search | None = None


def campaign_list(request: ApiRequest, filters: Query[CampaignListFilters]) -> JsonResponse:
    """List campaigns by id."""
    chosen = CampaignFilter(
        brand_ids=request.auth.brand_ids,
        brand_id=filters.brand_id,
        is_active=filters.is_active,
        reason=filters.reason,
        search=filters.search,
        after=filters.cursor,
    )
    rows, cursor = cut_page(list_campaigns(timezone.now(), chosen), filters.limit)
    documents = [campaign_document(campaign) for campaign in rows]
    return JsonResponse({"campaigns": documents, "next": cursor})


def campaign_create(request: ApiRequest, body: CampaignCreateBody) -> JsonResponse:
    """Create a campaign; it is judged at once."""
    now = timezone.now()
    campaign = create_campaign(body.brand_id, body.changes(), caller=request.auth, now=now)
    return JsonResponse(campaign_document(get_listed_campaign(campaign.pk, now)), status=201)


def campaign_detail(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Show one campaign."""
    campaign = get_listed_campaign(campaign_id, timezone.now(), request.auth.brand_ids)
    return JsonResponse(campaign_document(campaign))


def campaign_edit(request: ApiRequest, campaign_id: int, body: CampaignEditBody) -> JsonResponse:
    """Change what is named; it binds on the next decision (C6)."""
    now = timezone.now()
    edit_campaign(campaign_id, body.changes(), caller=request.auth, now=now)
    return JsonResponse(campaign_document(get_listed_campaign(campaign_id, now)))


def campaign_archive(request: ApiRequest, campaign_id: int) -> HttpResponse:
    """Archive a campaign: what has spend is never deleted (C24)."""
    archive_campaign(campaign_id, caller=request.auth, now=timezone.now())
    return HttpResponse(status=204)


def campaign_pause(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Turn the person's switch off (C15)."""
    now = timezone.now()
    pause_campaign(campaign_id, caller=request.auth, now=now)
    return JsonResponse(campaign_document(get_listed_campaign(campaign_id, now)))


def campaign_resume(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Turn the person's switch on; it runs if nothing else stands in the way (C15)."""
    now = timezone.now()
    resume_campaign(campaign_id, caller=request.auth, now=now)
    return JsonResponse(campaign_document(get_listed_campaign(campaign_id, now)))
