"""How each refusal is answered over HTTP: one shape, one place for statuses (C27, C28)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from core.actions.spend import UNAVAILABLE
from core.errors import (
    BudgetManagerError,
    DatabaseUnavailableError,
    InvalidInputError,
    MalformedBodyError,
)

logger = logging.getLogger(__name__)

STATUSES = {
    "malformed_body": HTTPStatus.BAD_REQUEST,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "not_authenticated": HTTPStatus.UNAUTHORIZED,
    "scope_missing": HTTPStatus.FORBIDDEN,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "key_limited_to_brands": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "brand_not_found": HTTPStatus.NOT_FOUND,
    "campaign_not_found": HTTPStatus.NOT_FOUND,
    "hold_not_found": HTTPStatus.NOT_FOUND,
    "spend_log_not_found": HTTPStatus.NOT_FOUND,
    "event_id_reused": HTTPStatus.CONFLICT,
    "hold_ended": HTTPStatus.CONFLICT,
    "changed_meanwhile": HTTPStatus.PRECONDITION_FAILED,
    "clocks_disagree": HTTPStatus.SERVICE_UNAVAILABLE,
    "database_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
# What a person reads where Django or the server answered in HTML.
PLAIN_ANSWERS = {
    400: ("bad_request", "The request is malformed"),
    403: ("forbidden", "This is not allowed"),
    404: ("not_found", "There is nothing at this path; mind the trailing slash"),
    405: ("method_not_allowed", "This path doesn't answer that method"),
    411: ("length_required", "Send the body with a Content-Length, not in chunks"),
    413: ("body_too_large", "The body is too large"),
    500: ("server_error", "Something broke on our side"),
    503: (DatabaseUnavailableError.code, DatabaseUnavailableError().message),
}
SECONDS_UNTIL_RETRY = 1
# An answer names what is wrong; it doesn't echo a body full of unknown names.
MOST_FIELDS_NAMED = 20
LONGEST_FIELD_NAMED = 100


def error_response(request: HttpRequest, status: int, document: dict[str, Any]) -> JsonResponse:
    """The error shape with this request's id (C28)."""
    request_id = getattr(request, "request_id", "")
    return JsonResponse({**document, "request_id": request_id}, status=status)


def plain_error_response(request: HttpRequest, status: int) -> JsonResponse:
    """The error shape for an answer that came without one."""
    code, sentence = PLAIN_ANSWERS.get(status, PLAIN_ANSWERS[500])
    return error_response(request, status, {"error": sentence, "code": code, "fields": {}})


def database_error_response(request: HttpRequest) -> JsonResponse:
    """Fail closed: the database is down, busy for too long or only a standby (C27)."""
    return not_now_response(request, DatabaseUnavailableError())


def not_now_response(request: HttpRequest, refusal: BudgetManagerError) -> JsonResponse:
    """The caller may try again, and the same event id never counts twice (C27)."""
    response = error_response(request, HTTPStatus.SERVICE_UNAVAILABLE, refusal.document())
    response["Retry-After"] = str(SECONDS_UNTIL_RETRY)
    return response


def register_error_answers(api: NinjaAPI) -> None:
    """Tell the API how to answer each kind of exception."""
    # The stubs want each handler to take its exception's class too, which never arrives: `Any`.
    api.add_exception_handler(BudgetManagerError, _answer_refusal)
    api.add_exception_handler(ValidationError, _answer_invalid_input)
    api.add_exception_handler(HttpError, _answer_http_error)
    api.add_exception_handler(RequestDataTooBig, _answer_too_large)
    api.add_exception_handler(UnreadablePostError, _answer_unreadable)
    for outage in UNAVAILABLE:
        api.add_exception_handler(outage, _answer_database_error)
    api.add_exception_handler(Exception, _answer_server_fault)


def _answer_refusal(request: HttpRequest, refusal: Any) -> JsonResponse:
    status = STATUSES.get(refusal.code, HTTPStatus.BAD_REQUEST)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return not_now_response(request, refusal)
    response = error_response(request, status, refusal.document())
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    if refusal.is_replay:
        response["Idempotent-Replayed"] = "true"
    return response


def _answer_invalid_input(request: HttpRequest, error: Any) -> JsonResponse:
    # A body's location starts with `body` and the view's parameter, a query's with `query`.
    items = [{**item, "loc": _without_place(item["loc"])} for item in error.errors]
    return _answer_refusal(request, invalid_input(items))


def _without_place(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return (location[2:] if location[0] == "body" else location[1:]) or location[:1]


def invalid_input(items: Sequence[Mapping[str, Any]]) -> InvalidInputError:
    """The refusal that names what pydantic found wrong, the first of it if there is much."""
    shown = items[:MOST_FIELDS_NAMED]
    return InvalidInputError(
        {_field(item["loc"])[:LONGEST_FIELD_NAMED]: _problem(item) for item in shown}
    )


def _field(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location)


def _problem(item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known field here"
        case _:
            message: str = item["msg"]
            return message.replace("Input should be", "must be")


def _answer_http_error(request: HttpRequest, error: Any) -> JsonResponse:
    if isinstance(error.__cause__, BudgetManagerError):
        return _answer_refusal(request, error.__cause__)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return _answer_refusal(request, MalformedBodyError("The body can't be read"))
    return plain_error_response(request, error.status_code)


def _answer_database_error(request: HttpRequest, error: Any) -> JsonResponse:
    logger.error("database unavailable: %s", error)
    return database_error_response(request)


def _answer_server_fault(request: HttpRequest, error: Any) -> JsonResponse:
    request_id = getattr(request, "request_id", "")
    logger.error("request %s failed", request_id, exc_info=error)
    return plain_error_response(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def _answer_too_large(request: HttpRequest, _error: Any) -> JsonResponse:
    return plain_error_response(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _answer_unreadable(request: HttpRequest, _error: Any) -> JsonResponse:
    return plain_error_response(request, HTTPStatus.BAD_REQUEST)
