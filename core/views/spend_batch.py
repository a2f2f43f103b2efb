"""The API's call that takes many spends at once (C23)."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import JsonResponse
from pydantic import Field, ValidationError

from core.actions.spend import admit_batch
from core.actions.spend_requests import Request, SpendOutcome
from core.errors import (
    BudgetManagerError,
    DatabaseUnavailableError,
    EventIdReusedError,
    InvalidFieldError,
    InvalidInputError,
    NotFoundError,
)
from core.models.lending import LENDING
from core.views.authentication import ApiRequest
from core.views.documentation import answers
from core.views.errors import SECONDS_UNTIL_RETRY, invalid_input
from core.views.idempotency import refuse_header
from core.views.parsing import Body
from core.views.spend import SpendAddBody, SpendRefundBody, SpendReportBody
from core.views.spend_documents import SpendBatchDocument
from core.views.wire import ShownAs

MOST_ENTRIES = 1_000


class BatchAddBody(SpendAddBody):
    """As `POST /api/spend/add/` takes it."""

    kind: Literal["add"]


class BatchReportBody(SpendReportBody):
    """As `POST /api/spend/report/` takes it."""

    kind: Literal["report"]


class BatchRefundBody(SpendRefundBody):
    """As `POST /api/spend/refund/` takes it."""

    kind: Literal["refund"]


KINDS: dict[str, type[BatchAddBody | BatchReportBody | BatchRefundBody]] = {
    "add": BatchAddBody,
    "report": BatchReportBody,
    "refund": BatchRefundBody,
}
# Read one by one: a bad entry doesn't spoil the others.
Entry = Annotated[Any, ShownAs(BatchAddBody | BatchReportBody | BatchRefundBody)]


class SpendBatchBody(Body):
    """Up to 1,000 entries: `kind`, and what the single call of that kind takes."""

    entries: Annotated[list[Entry], Field(min_length=1, max_length=MOST_ENTRIES)]


@answers(SpendBatchDocument, tells=("Retry-After",))
def spend_batch(request: ApiRequest, body: SpendBatchBody) -> JsonResponse:
    """Decide each entry as if they were sent one by one in this order."""
    refuse_header(request)
    readings = [_read(entry) for entry in body.entries]
    with LENDING.connection():
        outcomes = admit_batch(
            [reading for reading in readings if not isinstance(reading, InvalidInputError)],
            caller=request.auth,
            now=request.now,
            late_limit=timedelta(hours=settings.SPEND_LATE_HOURS),
        )
    return _response(readings, outcomes)


def _read(entry: Any) -> Request | InvalidInputError:
    """The entry as the actions take it, or what is wrong with it."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        return InvalidFieldError("kind", f"must be one of {', '.join(KINDS)}")
    try:
        body = KINDS[kind].model_validate(entry)
    except ValidationError as error:
        return invalid_input(error.errors())
    return body.spend_request(body.event_id or "")


def _response(
    readings: list[Request | InvalidInputError], outcomes: list[SpendOutcome]
) -> JsonResponse:
    """Each entry's result in the order of the entries."""
    decided = iter(outcomes)
    in_order = [
        SpendOutcome(refusal=reading) if isinstance(reading, InvalidInputError) else next(decided)
        for reading in readings
    ]
    results = [
        {"index": index, "status": _status(outcome), **_document(outcome)}
        for index, outcome in enumerate(in_order)
    ]
    response = JsonResponse({"results": results})
    if any(result["status"] == "failed" for result in results):
        response["Retry-After"] = str(SECONDS_UNTIL_RETRY)
    return response


def _status(outcome: SpendOutcome) -> str:
    if outcome.is_replay:
        return "replayed"
    match outcome.refusal:
        case None:
            return "admitted"
        case InvalidInputError() | NotFoundError() | EventIdReusedError():
            return "invalid"
        case DatabaseUnavailableError():
            return "failed"
        case BudgetManagerError():
            return "refused"


def _document(outcome: SpendOutcome) -> dict[str, Any]:
    return outcome.refusal.document() if outcome.refusal else (outcome.answer or {})
