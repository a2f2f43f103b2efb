"""What a call says about itself beyond its signature: what it answers and how it refuses.

Written next to each view as `@answers(…)`; `core/views/openapi.py` makes the document of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from core.errors import (
    BudgetManagerError,
    ClocksDisagreeError,
    InvalidInputError,
    MalformedBodyError,
    NotAuthenticatedError,
    NotFoundError,
    RateLimitedError,
    ScopeMissingError,
)
from core.views.errors import PLAIN_ANSWERS, STATUSES
from core.views.parsing import BodyTooLargeError, UnsupportedMediaTypeError

# How any call may refuse, any with a body, and any with an id in its path.
OF_EVERY_CALL = (
    *(NotAuthenticatedError, RateLimitedError, ScopeMissingError, InvalidInputError),
    ClocksDisagreeError,
)
OF_EVERY_BODY = (MalformedBodyError, UnsupportedMediaTypeError, BodyTooLargeError)
OF_EVERY_PATH = (NotFoundError,)
# How Django and the server may answer in place of any call.
PLAIN_CODES = ("bad_request", "length_required", "server_error", "database_unavailable")

Refusals = Iterable[type[BudgetManagerError]]
View = TypeVar("View", bound=Callable[..., Any])
_MARK = "call_documentation"
_PLAIN_STATUSES = {code: HTTPStatus(status) for status, (code, _) in PLAIN_ANSWERS.items()}


@dataclass(frozen=True, slots=True)
class CallDocumentation:
    """What `@answers` was told. `document` is a TypedDict, or None for an empty answer.

    `asks` and `tells` name the headers that the call reads and sends beyond those of every call.
    """

    document: Any
    status: HTTPStatus
    refusals: tuple[type[BudgetManagerError], ...]
    asks: tuple[str, ...]
    tells: tuple[str, ...]


def answers(
    document: Any,
    status: int = HTTPStatus.OK,
    *,
    refusals: tuple[type[BudgetManagerError], ...] = (),
    asks: tuple[str, ...] = (),
    tells: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Document a view: its answer, the refusals that are its own, its headers."""
    documentation = CallDocumentation(document, HTTPStatus(status), refusals, asks, tells)

    def mark(view: View) -> View:
        vars(view)[_MARK] = documentation
        return view

    return mark


def get_documentation(view: Callable[..., Any]) -> CallDocumentation:
    """What `@answers` said about this view. Raises KeyError if it wasn't asked."""
    documentation: CallDocumentation = vars(view)[_MARK]
    return documentation


def group_codes(refusals: Refusals) -> dict[HTTPStatus, list[str]]:
    """The codes of these refusals and the plain ones, sorted, by their status."""
    by_status: dict[HTTPStatus, list[str]] = {}
    for code in sorted({refusal.code for refusal in refusals} | set(PLAIN_CODES)):
        by_status.setdefault(status_of(code), []).append(code)
    return dict(sorted(by_status.items()))


def status_of(code: str) -> HTTPStatus:
    """The status that answers this code."""
    return STATUSES.get(code) or _PLAIN_STATUSES.get(code, HTTPStatus.BAD_REQUEST)


def _header(description: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": schema}


ANSWER_HEADERS = {
    "X-Request-ID": _header(
        "The request's id: the caller's own if it sent a sane one.",
        required=True,
        type="string",
        pattern="^[A-Za-z0-9._-]{1,64}$",
    ),
    "Idempotent-Replayed": _header(
        "The first answer to this event id, given again.", type="string", enum=["true"]
    ),
    "ETag": _header(
        "A tag of what the answer says.", required=True, type="string", pattern='^(W/)?"[!#-~]*"$'
    ),
    "RateLimit-Limit": _header(
        "How many requests the key has per minute.", type="integer", minimum=1
    ),
    "RateLimit-Remaining": _header("How many are left in this minute.", type="integer", minimum=0),
    "RateLimit-Reset": _header("Seconds until the next minute.", type="integer", minimum=0),
    "WWW-Authenticate": _header(
        "How to authenticate.", required=True, type="string", enum=["Bearer"]
    ),
    "Retry-After": _header("Seconds to wait before trying again.", type="integer", minimum=1),
}
REQUEST_HEADERS = {
    "If-None-Match": _header(
        "The `ETag` of an answer that the caller has; 304 when nothing is new.", type="string"
    ),
    "Idempotency-Key": _header(
        "The `event_id`, if the body doesn't say it; quotes around it don't count.",
        type="string",
        pattern="^[!-~]([ -~]{0,198}[!-~])?$",
    ),
    "If-Match": _header(
        "The `ETag` of what the caller has read; 412 when somebody changed it since.",
        type="string",
        pattern=r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$',
    ),
}
# Unless there is no limit.
_OF_COUNTED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_HEADERS_OF_STATUS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
# Decisions are given again, too.
_MAY_BE_REPLAYED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def name_answer_headers(status: HTTPStatus, tells: Iterable[str]) -> tuple[str, ...]:
    """The names of the headers of an answer with this status."""
    is_replay = {"Idempotent-Replayed"} if status in _MAY_BE_REPLAYED else set()
    own = [name for name in tells if status < HTTPStatus.BAD_REQUEST or name in is_replay]
    counted = () if status == HTTPStatus.UNAUTHORIZED else _OF_COUNTED
    return ("X-Request-ID", *counted, *_HEADERS_OF_STATUS.get(status, ()), *own)
