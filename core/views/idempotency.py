"""How a caller names one call: `event_id` in the body or the `Idempotency-Key` header (C21)."""

from typing import Protocol

from django.http import HttpRequest, JsonResponse

from core.actions.spend_requests import SpendOutcome
from core.errors import InvalidFieldError
from core.rules.text import parse_event_id

HEADER = "Idempotency-Key"
# As WSGI names it; Django would make a copy of all headers to be asked for one.
_IN_ENVIRON = "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotent-Replayed"


class _NamesItsEvent(Protocol):
    event_id: str | None


def event_id_of(request: HttpRequest, body: _NamesItsEvent | None) -> str:
    """The event id of this call, "" if it has none. Raises InvalidFieldError.

    The header may be quoted, as a structured header is, or not: `"abc"` and `abc` are one id.
    """
    in_body = body.event_id if body else None
    header = request.META.get(_IN_ENVIRON)
    if header is None:
        return in_body or ""
    is_quoted = len(header) > 1 and header[0] == header[-1] == '"'
    event_id = parse_event_id(header[1:-1] if is_quoted else header, HEADER)
    if not event_id.isascii():
        raise InvalidFieldError(HEADER, "must be ASCII; send other ids as event_id in the body")
    if in_body not in (None, event_id):
        raise InvalidFieldError("event_id", f"differs from the {HEADER} header; send one of them")
    return event_id


def refuse_header(request: HttpRequest) -> None:
    """For a call whose parts each have an event id of their own. Raises InvalidFieldError."""
    if _IN_ENVIRON in request.META:
        raise InvalidFieldError(HEADER, "is not for batches; give each entry its own event_id")


def answer(outcome: SpendOutcome, status: int = 200) -> JsonResponse:
    """The answer, marked if it is the first one given again. Raises the refusal."""
    response = JsonResponse(outcome.accepted(), status=status)
    if outcome.is_replay:
        response[REPLAYED] = "true"
    return response
