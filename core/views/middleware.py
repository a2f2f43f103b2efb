"""Gives each request an id, and each error of the API its shape, whoever raised it (C28)."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from core.views.errors import plain_error_response
from core.views.rate_limits import add_rate_limit_headers

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_JSON_PATHS = ("/api/", "/healthz/")

Handler = Callable[[HttpRequest], HttpResponseBase]


def api_middleware(get_response: Handler) -> Handler:
    """The outermost layer: request ids for all, JSON errors for the API's paths."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # read by the error shape
        response = get_response(request)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        is_api = f"{request.path}/".startswith(_JSON_PATHS)
        if response.status_code >= 400 and not is_json and is_api:
            allow = response.headers.get("Allow")
            response = plain_error_response(request, response.status_code)
            if allow:
                response.headers["Allow"] = allow
        response.headers["X-Request-ID"] = request_id
        add_rate_limit_headers(request, response)
        return response

    return handle
