"""The API's calls about spend."""

from datetime import timedelta
from typing import Annotated

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from ninja import Query
from pydantic import Field
from typing_extensions import TypedDict

from core.actions.spend_requests import RefundRequest, SpendRequest
from core.enums import SpendKind
from core.errors import (
    BudgetExceededError,
    CampaignNotActiveError,
    CampaignNotFoundError,
    EventIdReusedError,
    NotRefundableError,
    RefundAboveEntryError,
    SpendLogNotFoundError,
)
from core.models import SpendLog
from core.queries.spend import SPEND_LOG_ORDERINGS, SpendLogFilter, get_spend_log_page
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.views.admission import admit
from core.views.authentication import ApiRequest
from core.views.documentation import answers
from core.views.idempotency import HEADER, REPLAYED, answer, event_id_of
from core.views.pages import OrderedPage, cursor_at, order_among
from core.views.parsing import (
    Body,
    Currency,
    EventId,
    Identifier,
    Instant,
    LocalDate,
    Name,
    PositiveMoney,
    QueryIdentifier,
)
from core.views.polling import polled_response
from core.views.spend_documents import (
    SpendAddDocument,
    SpendRefundDocument,
    SpendReportDocument,
)
from core.views.wire import (
    CurrencyText,
    Cursor,
    DateText,
    InstantText,
    MoneyText,
    ReasonWord,
    RowId,
    SignedMoneyText,
    SpendKindWord,
)


class SpendAddBody(Body):
    """A spend that asks first. `currency`, if named, must be the brand's (C2)."""

    campaign_id: Identifier
    amount: PositiveMoney
    currency: Currency | None = None
    event_id: EventId | None = None

    def spend_request(self, event_id: str) -> SpendRequest:
        """The body as the actions take it, under this event id."""
        return SpendRequest(
            campaign_id=self.campaign_id,
            amount=self.amount,
            currency=self.currency,
            event_id=event_id,
        )


class SpendReportBody(SpendAddBody):
    """Money already gone; `occurred_at` says when, by default now (C11)."""

    occurred_at: Instant | None = None

    def spend_request(self, event_id: str) -> SpendRequest:
        """The body as the actions take it, under this event id."""
        return SpendRequest(
            campaign_id=self.campaign_id,
            amount=self.amount,
            kind=SpendKind.REPORT,
            occurred_at=self.occurred_at,
            currency=self.currency,
            event_id=event_id,
        )


class SpendRefundBody(Body):
    """Part or all of an entry of the log to take back (C22); `reason` is for people."""

    spend_log_id: Identifier
    amount: PositiveMoney
    reason: Name | None = None
    event_id: EventId | None = None

    def spend_request(self, event_id: str) -> RefundRequest:
        """The body as the actions take it, under this event id."""
        return RefundRequest(self.spend_log_id, self.amount, self.reason or "", event_id)


class SpendLogFilters(OrderedPage):
    """Which entries to list; `from` is included, `to` is not."""

    listed = "spend_logs"
    orderings = SPEND_LOG_ORDERINGS

    order_by: Annotated[str, order_among(SPEND_LOG_ORDERINGS)] = "-id"
    campaign_id: QueryIdentifier | None = None
    brand_id: QueryIdentifier | None = None
    date: LocalDate | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    kind: SpendKind | None = None
    event_id: EventId | None = None
    over_budget: bool | None = None


class _RefundDocument(TypedDict):
    refund_of: RowId | None
    reason: str | None


class SpendLogDocument(_RefundDocument):
    """One entry of the log; `date` is the brand's budget day in which it counts."""

    id: RowId
    campaign_id: RowId
    campaign_name: str
    brand_id: RowId
    brand_name: str
    date: DateText
    kind: SpendKindWord
    amount: SignedMoneyText
    over_budget: MoneyText
    over_budget_cause: ReasonWord | None
    currency: CurrencyText
    occurred_at: InstantText | None
    recorded_at: InstantText | None
    event_id: str | None
    source: str


class SpendLogListDocument(TypedDict):
    """A page of entries, and the cursor of the next one."""

    spend_logs: list[SpendLogDocument]
    next: Cursor | None


@answers(
    SpendAddDocument,
    refusals=(
        CampaignNotFoundError,
        CampaignNotActiveError,
        BudgetExceededError,
        EventIdReusedError,
    ),
    asks=(HEADER,),
    tells=(REPLAYED,),
)
def spend_add(request: ApiRequest, body: SpendAddBody) -> JsonResponse:
    """Ask to spend now: admitted only if every budget covers it (C7, C18)."""
    asked = body.spend_request(event_id_of(request, body))
    return answer(admit(request, asked))


@answers(
    SpendReportDocument,
    refusals=(CampaignNotFoundError, EventIdReusedError),
    asks=(HEADER,),
    tells=(REPLAYED,),
)
def spend_report(request: ApiRequest, body: SpendReportBody) -> JsonResponse:
    """Tell of money already gone; what no budget covered is labelled (C19)."""
    told = body.spend_request(event_id_of(request, body))
    late_limit = timedelta(hours=settings.SPEND_LATE_HOURS)
    return answer(admit(request, told, late_limit))


@answers(
    SpendRefundDocument,
    refusals=(
        SpendLogNotFoundError,
        NotRefundableError,
        RefundAboveEntryError,
        EventIdReusedError,
    ),
    asks=(HEADER,),
    tells=(REPLAYED,),
)
def spend_refund(request: ApiRequest, body: SpendRefundBody) -> JsonResponse:
    """Take back part or all of an entry, in the day and month in which it counts (C22)."""
    asked = body.spend_request(event_id_of(request, body))
    return answer(admit(request, asked))


@answers(SpendLogListDocument, asks=("If-None-Match",), tells=("ETag",))
def spend_log_list(request: ApiRequest, filters: Query[SpendLogFilters]) -> HttpResponse:
    """List entries of the spend log, last recorded first unless `order_by` says otherwise."""
    chosen = SpendLogFilter(
        brand_ids=request.auth.brand_ids,
        campaign_id=filters.campaign_id,
        brand_id=filters.brand_id,
        budget_day=filters.date,
        occurred_from=filters.from_,
        occurred_until=filters.to,
        kind=filters.kind,
        event_id=filters.event_id,
        is_over_budget=filters.over_budget,
        ordering=filters.ordering,
        after=filters.place(),
    )
    rows, place = get_spend_log_page(chosen, filters.limit)
    cursor = cursor_at(filters, place)
    documents = [spend_log_document(entry) for entry in rows]
    return polled_response(request, {"spend_logs": documents, "next": cursor})


def spend_log_document(entry: SpendLog) -> SpendLogDocument:
    """The document of one entry of the log."""
    return {
        **_refund(entry),
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


def _refund(entry: SpendLog) -> _RefundDocument:
    return {"refund_of": entry.refund_of_id, "reason": entry.refund_reason}
