"""Gives each request an id, and each error of the API its shape, whoever raised it (C28)."""

import os
import re
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase

from core.views.errors import plain_error_response
from core.views.rate_limits import add_rate_limit_headers

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_JSON_PATHS = ("/api/", "/healthz/")

Handler = Callable[[HttpRequest], HttpResponseBase]


def api_middleware(get_response: Handler) -> Handler:
    """The outermost layer: request ids for all, JSON errors for the API's paths."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        request.request_id = request_id  # type: ignore[attr-defined]  # read by the error shape
        is_api = f"{request.path}/".startswith(_JSON_PATHS)
        response = _answer_as_json(request, get_response) if is_api else get_response(request)
        response.headers["X-Request-ID"] = request_id
        add_rate_limit_headers(request, response)
        return response

    return handle


def _answer_as_json(request: HttpRequest, get_response: Handler) -> HttpResponseBase:
    # Django reads no body that comes in chunks, and would take it for none at all.
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return plain_error_response(request, HTTPStatus.LENGTH_REQUIRED)
    response = get_response(request)
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    if response.status_code < 400 or is_json:
        return response
    answer = plain_error_response(request, response.status_code)
    if allow := response.headers.get("Allow"):
        answer.headers["Allow"] = allow
    return answer
