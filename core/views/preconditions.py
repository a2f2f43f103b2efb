"""Lets a caller change only what it has read: `ETag` tells the version, `If-Match` asks for it."""

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse

from core.errors import InvalidFieldError

IF_MATCH = "If-Match"
_TAG = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_VERSION = re.compile(r'"([1-9][0-9]{0,9})"', re.ASCII)


def seen_versions(request: HttpRequest) -> frozenset[int] | None:
    """The versions that `If-Match` names; `None` when any will do (no header, or `*`).

    A weak tag or a strange one is no version, and so never the one that is there (RFC 9110).
    Raises InvalidFieldError.
    """
    header = request.headers.get(IF_MATCH)
    if header is None or header.strip() == "*":
        return None
    if not _TAGS.fullmatch(header):
        raise InvalidFieldError(IF_MATCH, 'must be the `ETag` of what you read, such as "3", or *')
    versions = map(_VERSION.fullmatch, re.findall(_TAG, header))
    return frozenset(int(version[1]) for version in versions if version)


def versioned_response(document: Mapping[str, Any], status: int = 200) -> JsonResponse:
    """A brand or a campaign with its version as `ETag`.

    The tag names what a person set; spend moves without it, so it never answers `If-None-Match`.
    """
    return JsonResponse(document, status=status, headers={"ETag": f'"{document["version"]}"'})
