"""Lets a call in by its API key, scope and rate limit (C29)."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest

from core.actions.api_keys import note_api_key_use
from core.actions.caller import Caller
from core.actions.coalescing import Coalescer
from core.actions.spend import UNAVAILABLE
from core.enums import Scope
from core.errors import NotAuthenticatedError, ScopeMissingError
from core.queries.api_keys import OpenedKey, find_api_keys, find_brands_of_key
from core.views.rate_limits import limit_requests


def _find_together(tokens: Sequence[str]) -> list[OpenedKey | None]:
    return find_api_keys(tokens)


# Callers of the same moment share one query. It begins after each of them has come, so a key that
# was revoked is worthless from the next call on.
_LOOKUPS = Coalescer(_find_together, outages=UNAVAILABLE)


class ApiRequest(HttpRequest):
    """A request that an API key let in, and the one instant at which all of it is decided."""

    auth: Caller
    now: datetime


class KeyWith:
    """Lets in keys that have the scope; the view finds the `Caller` as `request.auth`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        """The caller behind the key; the request finds the clock as `request.now`.

        Raises NotAuthenticatedError, RateLimitedError, ScopeMissingError.
        """
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        # No key has a character that isn't printable; a database may not even take one (C30).
        is_token = kind.lower() == "bearer" and token.isprintable()
        opened = _LOOKUPS.ask(token.strip()) if is_token else None
        if opened is None:
            raise NotAuthenticatedError(
                "Send a live API key as `Authorization: Bearer …`; "
                "`python manage.py create_api_key` makes one"
            )
        key, now = opened.key, opened.at
        request.now = now  # type: ignore[attr-defined]  # an ApiRequest from here on
        limit_requests(request, key, now)
        if self.scope not in key.scopes:
            raise ScopeMissingError(f"This API key lacks the scope `{self.scope}`")
        note_api_key_use(key, now=now)
        return Caller(f"key:{key.public_id}", find_brands_of_key(key))
