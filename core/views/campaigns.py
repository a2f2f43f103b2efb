"""The API's calls about campaigns."""

from typing import Annotated, cast

from django.http import HttpResponse, JsonResponse
from ninja import Query
from pydantic import ConfigDict

from core.actions.campaigns import (
    CampaignChanges,
    archive_campaign,
    create_campaign,
    edit_campaign,
    pause_campaign,
    resume_campaign,
)
from core.actions.versions import Terms
from core.enums import Reason
from core.errors import (
    BrandNotFoundError,
    CampaignNotFoundError,
    ChangedMeanwhileError,
    NameTakenError,
)
from core.queries.campaigns import (
    CAMPAIGN_ORDERINGS,
    CampaignFilter,
    get_campaign_page,
    get_listed_campaign,
)
from core.views.authentication import ApiRequest
from core.views.campaign_documents import (
    CampaignDocument,
    CampaignListDocument,
    campaign_document,
)
from core.views.documentation import answers
from core.views.pages import OrderedPage, cursor_at, order_among
from core.views.parsing import (
    Body,
    Identifier,
    Instant,
    Money,
    Name,
    QueryIdentifier,
    Search,
    Switch,
    say_no_defaults,
)
from core.views.polling import polled_response
from core.views.preconditions import seen_versions, versioned_response
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

    model_config = ConfigDict(json_schema_extra=say_no_defaults)


class CampaignListFilters(OrderedPage):
    """Which campaigns to list."""

    listed = "campaigns"
    orderings = CAMPAIGN_ORDERINGS

    order_by: Annotated[str, order_among(CAMPAIGN_ORDERINGS)] = "id"
    brand_id: QueryIdentifier | None = None
    is_active: bool | None = None
    is_enabled: bool | None = None
    reason: Reason | None = None
    search: Search | None = None


@answers(CampaignListDocument, asks=("If-None-Match",), tells=("ETag",))
def campaign_list(request: ApiRequest, filters: Query[CampaignListFilters]) -> HttpResponse:
    """List campaigns, by id unless `order_by` says otherwise."""
    chosen = CampaignFilter(
        brand_ids=request.auth.brand_ids,
        brand_id=filters.brand_id,
        is_active=filters.is_active,
        is_enabled=filters.is_enabled,
        reason=filters.reason,
        search=filters.search,
        ordering=filters.ordering,
        after=filters.place(),
    )
    rows, place = get_campaign_page(request.now, chosen, filters.limit)
    cursor = cursor_at(filters, place)
    documents = [campaign_document(campaign) for campaign in rows]
    return polled_response(request, {"campaigns": documents, "next": cursor})


@answers(CampaignDocument, 201, refusals=(BrandNotFoundError, NameTakenError), tells=("ETag",))
def campaign_create(request: ApiRequest, body: CampaignCreateBody) -> JsonResponse:
    """Create a campaign; it is judged at once."""
    now = request.now
    campaign = create_campaign(body.brand_id, body.changes(), caller=request.auth, now=now)
    return versioned_response(campaign_document(get_listed_campaign(campaign.pk, now)), status=201)


@answers(CampaignDocument, refusals=(CampaignNotFoundError,), tells=("ETag",))
def campaign_detail(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Show one campaign."""
    campaign = get_listed_campaign(campaign_id, request.now, request.auth.brand_ids)
    return versioned_response(campaign_document(campaign))


@answers(
    CampaignDocument,
    refusals=(CampaignNotFoundError, ChangedMeanwhileError, NameTakenError),
    asks=("If-Match",),
    tells=("ETag",),
)
def campaign_edit(request: ApiRequest, campaign_id: int, body: CampaignEditBody) -> JsonResponse:
    """Change what is named; it binds on the next decision (C6)."""
    now = request.now
    terms = Terms(seen_versions(request))
    edit_campaign(campaign_id, body.changes(), caller=request.auth, now=now, terms=terms)
    return versioned_response(campaign_document(get_listed_campaign(campaign_id, now)))


@answers(None, 204, refusals=(CampaignNotFoundError, ChangedMeanwhileError), asks=("If-Match",))
def campaign_archive(request: ApiRequest, campaign_id: int) -> HttpResponse:
    """Archive a campaign: what has spend is never deleted (C24)."""
    terms = Terms(seen_versions(request))
    archive_campaign(campaign_id, caller=request.auth, now=request.now, terms=terms)
    return HttpResponse(status=204)


@answers(
    CampaignDocument,
    refusals=(CampaignNotFoundError, ChangedMeanwhileError),
    asks=("If-Match",),
    tells=("ETag",),
)
def campaign_pause(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Turn the person's switch off (C15)."""
    now = request.now
    terms = Terms(seen_versions(request))
    pause_campaign(campaign_id, caller=request.auth, now=now, terms=terms)
    return versioned_response(campaign_document(get_listed_campaign(campaign_id, now)))


@answers(
    CampaignDocument,
    refusals=(CampaignNotFoundError, ChangedMeanwhileError),
    asks=("If-Match",),
    tells=("ETag",),
)
def campaign_resume(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Turn the person's switch on; it runs if nothing else stands in the way (C15)."""
    now = request.now
    terms = Terms(seen_versions(request))
    resume_campaign(campaign_id, caller=request.auth, now=now, terms=terms)
    return versioned_response(campaign_document(get_listed_campaign(campaign_id, now)))
