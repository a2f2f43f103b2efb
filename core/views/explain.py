"""The API's answers to "why is it, or was it, not running?" (C14, C17)."""

from typing import Annotated, Any

from django.http import HttpResponse, JsonResponse
from ninja import Query
from pydantic import Field
from typing_extensions import TypedDict

from core.errors import CampaignNotFoundError
from core.models import Transition
from core.queries.campaigns import get_campaign
from core.queries.history import TRANSITION_ORDERINGS, Moment, get_moment, list_transitions
from core.rules.explanation import describe_numbers, describe_obstacles
from core.rules.instants import format_instant
from core.rules.verdict import judge
from core.views.authentication import ApiRequest
from core.views.campaign_documents import ReasonDocument, reason_documents
from core.views.documentation import answers
from core.views.pages import Page, cut_page
from core.views.parsing import Filters, Instant
from core.views.polling import polled_response
from core.views.wire import (
    CauseWord,
    Cursor,
    InstantText,
    MoneyText,
    ObstacleDocument,
    ReasonWord,
    RowId,
)


class ExplainFilters(Filters):
    """Which instant to explain; now unless `at` says otherwise."""

    at: Instant | None = None


class TransitionListFilters(Page):
    """Which transitions to list; `from` is included, `to` is not."""

    listed = "transitions"
    orderings = TRANSITION_ORDERINGS

    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None


class BudgetDocument(TypedDict):
    """One budget that applied, with its numbers at that moment."""

    code: ReasonWord
    budget: MoneyText
    spent: MoneyText
    held: MoneyText
    remaining: MoneyText


class TransitionDocument(TypedDict):
    """One change of `is_active`; `caught_up` if it was recorded over 60 s after it was due."""

    id: RowId
    at: InstantText
    is_active: bool
    reasons: list[ReasonDocument]
    numbers: list[BudgetDocument]
    cause: CauseWord
    actor: str
    recorded_at: InstantText
    caught_up: bool


class TransitionListDocument(TypedDict):
    """A page of transitions, and the cursor of the next one."""

    transitions: list[TransitionDocument]
    next: Cursor | None


class ExplanationDocument(TypedDict):
    """Whether the campaign was active at that instant and why not, and the last change before."""

    campaign_id: RowId
    at: InstantText
    is_active: bool
    reasons: list[ObstacleDocument]
    budgets: list[BudgetDocument]
    next_change_at: InstantText | None
    transition: TransitionDocument | None


@answers(ExplanationDocument, refusals=(CampaignNotFoundError,))
def campaign_explain(
    request: ApiRequest, campaign_id: int, asked: Query[ExplainFilters]
) -> JsonResponse:
    """Explain why a campaign is or was running or not, with the numbers of that moment (C17)."""
    campaign = get_campaign(campaign_id, request.auth.brand_ids)
    return JsonResponse(explanation_document(get_moment(campaign, asked.at, request.now)))


@answers(
    TransitionListDocument,
    refusals=(CampaignNotFoundError,),
    asks=("If-None-Match",),
    tells=("ETag",),
)
def transition_list(
    request: ApiRequest, campaign_id: int, filters: Query[TransitionListFilters]
) -> HttpResponse:
    """List the changes of a campaign's `is_active`, newest first."""
    campaign = get_campaign(campaign_id, request.auth.brand_ids)
    transitions = list_transitions(
        campaign, since=filters.from_, until=filters.to, after=filters.place()
    )
    rows, cursor = cut_page(transitions, filters)
    documents = [transition_document(transition) for transition in rows]
    return polled_response(request, {"transitions": documents, "next": cursor})


def explanation_document(moment: Moment) -> dict[str, Any]:
    """What is known of that moment: judged from its facts, or as it was recorded."""
    transition = moment.transition
    return {
        "campaign_id": moment.campaign.pk,
        "at": format_instant(moment.at),
        **(_judged(moment) or _recorded(transition)),
        "transition": transition and transition_document(transition),
    }


def _judged(moment: Moment) -> dict[str, Any] | None:
    if moment.facts is None:
        return None
    verdict = judge(moment.facts, moment.at)
    next_change_at = verdict.next_change_at if verdict.waits_for_time_alone else None
    return {
        "is_active": verdict.is_active,
        "reasons": describe_obstacles(verdict.obstacles),
        "budgets": describe_numbers(verdict),
        "next_change_at": format_instant(next_change_at),
    }


def _recorded(transition: Transition | None) -> dict[str, Any]:
    """For moments before settings were kept; what would have ended a reason isn't known."""
    if transition is None:
        raise CampaignNotFoundError
    reasons = reason_documents(transition.reasons)
    return {
        "is_active": transition.is_active,
        "reasons": [{**reason, "ends_at": None} for reason in reasons],
        "budgets": transition.numbers,
        "next_change_at": None,
    }


def transition_document(transition: Transition) -> TransitionDocument:
    """The document of one transition."""
    return {
        "id": transition.pk,
        "at": format_instant(transition.at),
        "is_active": transition.is_active,
        "reasons": reason_documents(transition.reasons),
        "numbers": transition.numbers,
        "cause": transition.cause,
        "actor": transition.actor,
        "recorded_at": format_instant(transition.recorded_at),
        "caught_up": transition.caught_up,
    }
