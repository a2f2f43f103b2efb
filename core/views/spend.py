"""The API's calls about spend."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, TypedDict

from django.conf import settings
from django.http import JsonResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from core.actions.spend import SpendOutcome, SpendRequest, add_spend, report_spend
from core.models import SpendLog
from core.queries.spend import SpendLogFilter, list_spend_logs
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.views.authentication import ApiRequest
from core.views.pages import cut_page
from core.views.parsing import (
    Body,
    Currency,
    EventId,
    Identifier,
    Instant,
    LocalDate,
    Page,
    PositiveMoney,
    QueryIdentifier,
)


class SpendAddBody(Body):
    """A spend that asks first. `currency`, if named, must be the brand's (C2)."""

    campaign_id: Identifier
    amount: PositiveMoney
    currency: Currency | None = None
    event_id: EventId | None = None

    def spend_request(self) -> SpendRequest:
        """The body as the actions take it."""
        return SpendRequest(
            campaign_id=self.campaign_id,
            amount=self.amount,
            currency=self.currency,
            event_id=self.event_id or "",
        )


class SpendReportBody(SpendAddBody):
    """Money already gone; `occurred_at` says when, by default now (C11)."""

    occurred_at: Instant | None = None

    def spend_request(self) -> SpendRequest:
        """The body as the actions take it."""
        return replace(super().spend_request(), occurred_at=self.occurred_at)


class SpendLogFilters(Page):
    """Which entries to list; `from` is included, `to` is not."""

    campaign_id: QueryIdentifier | None = None
    brand_id: QueryIdentifier | None = None
    date: LocalDate | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None


class SpendLogDocument(TypedDict):
    """One entry of the log; `date` is the brand's budget day in which it counts."""

    id: int
    campaign_id: int
    campaign_name: str
    brand_id: int
    brand_name: str
    date: str
    kind: str
    amount: str
    over_budget: str
    over_budget_cause: str | None
    currency: str
    occurred_at: str | None
    recorded_at: str | None
    event_id: str | None
    source: str


def spend_add(request: ApiRequest, body: SpendAddBody) -> JsonResponse:
    """Ask to spend now: admitted only if every budget covers it (C7, C18)."""
    outcome = add_spend(body.spend_request(), caller=request.auth, now=timezone.now())
    return _answer(outcome)


def spend_report(request: ApiRequest, body: SpendReportBody) -> JsonResponse:
    """Tell of money already gone; what no budget covered is labelled (C19)."""
    late_limit = timedelta(hours=settings.SPEND_LATE_HOURS)
    outcome = report_spend(
        body.spend_request(), caller=request.auth, now=timezone.now(), late_limit=late_limit
    )
    return _answer(outcome)


def spend_log_list(request: ApiRequest, filters: Query[SpendLogFilters]) -> JsonResponse:
    """List entries of the spend log, last recorded first."""
    chosen = SpendLogFilter(
        brand_ids=request.auth.brand_ids,
        campaign_id=filters.campaign_id,
        brand_id=filters.brand_id,
        budget_day=filters.date,
        occurred_from=filters.from_,
        occurred_until=filters.to,
        before=filters.cursor,
    )
    rows, cursor = cut_page(list_spend_logs(chosen), filters.limit)
    documents = [spend_log_document(entry) for entry in rows]
    return JsonResponse({"spend_logs": documents, "next": cursor})


def _answer(outcome: SpendOutcome) -> JsonResponse:
    response = JsonResponse(outcome.accepted())
    if outcome.is_replay:
        response["Idempotent-Replayed"] = "true"
    return response


def spend_log_document(entry: SpendLog) -> SpendLogDocument:
    """The document of one entry of the log."""
    return {
        "id": entry.pk,
        "campaign_id": entry.campaign_id,
        "campaign_name": entry.campaign.name,
        "brand_id": entry.brand_id,
        "brand_name": entry.brand.name,
        "date": entry.budget_day.isoformat(),
        "kind": entry.kind,
        "amount": format_money(entry.amount),
        "over_budget": format_money(entry.over_budget),
        "over_budget_cause": entry.over_budget_cause or None,
        "currency": entry.currency,
        "occurred_at": format_instant(entry.occurred_at),
        "recorded_at": format_instant(entry.recorded_at),
        "event_id": entry.event_id or None,
        "source": entry.source,
    }
