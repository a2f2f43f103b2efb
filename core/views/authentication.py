"""Lets calls in by API key, scope and rate limit (C29), all of the same moment together."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest

from core.actions.api_keys import note_api_key_use
from core.actions.caller import Caller
from core.actions.coalescing import Coalescer
from core.actions.spend import UNAVAILABLE
from core.enums import Scope
from core.errors import BudgetManagerError, NotAuthenticatedError, ScopeMissingError
from core.models import ApiKey
from core.models.lending import LENDING
from core.models.sql import Reading
from core.queries.api_keys import OpenedKey, find_api_keys, map_brands_of_keys
from core.views.rate_limits import RateLimit, count_requests

logger = logging.getLogger(__name__)

# Set in the environment of a call whose body will be refused: its key is looked at first.
KEY_COMES_FIRST = "budget_manager.key_comes_first"


class ApiRequest(HttpRequest):
    """A request that an API key let in, and the one instant at which all of it is decided."""

    auth: Caller
    now: datetime


@dataclass(slots=True, eq=False)
class Visit:
    """A call at the door: the key that it shows, and once that is looked at, who calls and when.

    Without a caller it has a refusal.
    """

    token: str
    scope: Scope
    caller: Caller | None = None
    now: datetime | None = None
    rate_limit: RateLimit | None = None
    refusal: BudgetManagerError | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether its key hasn't been looked at."""
        return self.caller is None and self.refusal is None


def open_together(visits: Sequence[Visit], along: Reading | None = None) -> Sequence[Visit]:
    """Look at the keys of visits that came at one moment, by one query; others may go along.

    It begins after each of them has come, so a key that was revoked is worthless from the next
    call on.
    """
    opened = find_api_keys([visit.token for visit in visits], along)
    by_key: dict[str, list[tuple[Visit, OpenedKey]]] = {}
    for visit, found in zip(visits, opened, strict=True):
        if found is None:
            visit.refusal = _unknown_key()
        else:
            by_key.setdefault(found.key.public_id, []).append((visit, found))
    brands = map_brands_of_keys(of_key[0][1].key for of_key in by_key.values())
    for of_key in by_key.values():
        _let_in(of_key, brands[of_key[0][1].key.pk])
    return visits


def _let_in(of_key: Sequence[tuple[Visit, OpenedKey]], brand_ids: frozenset[int] | None) -> None:
    """Let in those who came with one key, as far as its limit and its scopes go."""
    found = of_key[0][1]
    key, now = found.key, found.at
    limits = count_requests(key, now, len(of_key))
    caller = Caller(f"key:{key.public_id}", brand_ids)
    for (visit, _), limit in zip(of_key, limits, strict=True):
        visit.now, visit.rate_limit = now, limit
        if limit and limit.is_exceeded:
            visit.refusal = limit.refusal()
        elif visit.scope not in key.scopes:
            visit.refusal = ScopeMissingError(f"This API key lacks the scope `{visit.scope}`")
        else:
            visit.caller = caller
    if any(visit.caller for visit, _ in of_key):
        _note_use(key, now)


def _note_use(key: ApiKey, now: datetime) -> None:
    """Note it if that can be done: a key that somebody edits for long refuses nobody's calls."""
    try:
        note_api_key_use(key, now=now)
    except UNAVAILABLE as error:
        logger.warning("the use of key %s wasn't noted: %s", key.public_id, error)


_DOOR = Coalescer(LENDING.connection()(open_together), outages=UNAVAILABLE)


class KeyWith:
    """Lets in keys that have the scope; the view finds the `Caller` as `request.auth`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> object:
        """The caller behind the key; the request finds the clock as `request.now`.

        Raises NotAuthenticatedError, RateLimitedError, ScopeMissingError.
        """
        return _enter(request, self.visit(request))

    def visit(self, request: HttpRequest) -> Visit:
        """The call as it comes to the door. Raises NotAuthenticatedError."""
        kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        # No key has a character that isn't printable; a database may not even take one (C30).
        if kind.lower() != "bearer" or not token.isprintable():
            raise _unknown_key()
        return Visit(token.strip(), self.scope)


class KeyWithSpend(KeyWith):
    """Lets a call that moves money through to its admission, which looks at the key beside it.

    So it waits for one group of others, not for two, and both take one question to the database.
    """

    def __call__(self, request: HttpRequest) -> object:
        """What `take_visit` gives; the caller where the key has to be looked at here."""
        if not settings.GROUP_COMMIT or KEY_COMES_FIRST in request.META:
            return super().__call__(request)
        visit = self.visit(request)
        vars(request)["visit"] = visit
        return visit


def take_visit(request: HttpRequest) -> Visit | None:
    """The visit of a call whose key nobody has looked at, once."""
    visit: Visit | None = vars(request).pop("visit", None)
    return visit


def find_refusal(request: HttpRequest) -> Exception | None:
    """What is wrong with the key of a call that failed before anybody had looked at that."""
    visit = take_visit(request)
    if visit is None:
        return None
    try:
        _enter(request, visit)
    except Exception as refusal:  # Whatever it is, it comes before what else is wrong.
        return refusal
    return None


def _enter(request: HttpRequest, visit: Visit) -> Caller:
    _DOOR.ask(visit)
    return note_entry(request, visit)


def note_entry(request: HttpRequest, visit: Visit) -> Caller:
    """Tell the request what came of its visit. Raises the refusal."""
    # An ApiRequest from here on; the limit is read for the headers of the answer.
    vars(request).update(now=visit.now, rate_limit=visit.rate_limit)
    if visit.caller is None:
        raise visit.refusal or _unknown_key()
    return visit.caller


def _unknown_key() -> NotAuthenticatedError:
    return NotAuthenticatedError(
        "Send a live API key as `Authorization: Bearer …`; "
        "`python manage.py create_api_key` makes one"
    )
