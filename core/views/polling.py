"""Answers callers that ask for the same list again and again: nothing new is an empty answer."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import parse_etags

_TAG_BYTES = 18


def polled_response(
    request: HttpRequest, document: Mapping[str, Any], *, besides: str = ""
) -> HttpResponse:
    """The document with a tag of what it says, or 304 without it when the caller has that.

    The tag is a hash of the answer, so the list is still read each time. That saves transfer and
    the caller's work, and can't be wrong about what changed. It leaves out the field `besides`,
    which differs in each answer.
    """
    told = {name: value for name, value in document.items() if name != besides}
    digest = sha256(json.dumps(told).encode()).digest()[:_TAG_BYTES]
    tag = f'"{urlsafe_b64encode(digest).decode()}"'
    response: HttpResponse = JsonResponse(document)
    if _has_already(request, tag):
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
        del response.headers["Content-Type"]
    response["ETag"] = f"W/{tag}"
    # To be kept by the caller alone, and never used again without asking.
    response["Cache-Control"] = "private, no-cache"
    return response


def _has_already(request: HttpRequest, tag: str) -> bool:
    """Compared weakly, as RFC 9110 wants it for reads: `W/` makes no difference."""
    named = parse_etags(request.headers.get("If-None-Match", ""))
    return any(known == "*" or known.removeprefix("W/") == tag for known in named)
