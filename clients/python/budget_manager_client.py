"""A client of the Budget Manager API in one file. Python 3.10 or newer, standard library only.

    client = BudgetManager("https://budget.example.com", "the API key")
    client.add(7, "12.50")
    with client.hold(7, "0.50") as hold:
        hold.capture("0.32")

Every call that moves money carries an event id, made here unless you give one, and is tried again
with the same one until there is an answer or the deadline: it counts once, however often it was
sent. `OutcomeUnknown` means that there was none; send the call again, later, with its `event_id`.
A program that may crash writes the event id down before it calls.

Money is `Decimal`, text or a whole number, never a float; instants are aware. Any number of
threads may share a client: each call borrows a kept connection or opens one. A forked process
opens its own.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import secrets
import time
import types
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlencode, urlsplit

T = TypeVar("T")
Money = Decimal | str | int
ZERO = Decimal(0)
MOST_ENTRIES = 1_000  # in one request
PASSING = frozenset({429, 502, 503, 504})  # worth another try
DECIDED = frozenset({400, 409})  # the event id was read, so that nothing is in doubt
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds; the bound of a pause doubles from one to the other


def new_event_id() -> str:
    """Make a UUID of version 7, the time first: ids that grow keep the server's index fast."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    finer = rest * 4096 // 1_000_000
    bits = milliseconds << 80 | 7 << 76 | finer << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=bits))


class BudgetManagerError(Exception):
    """The base of all that this client raises; `event_ids` are those of the call, if it had any."""

    event_ids: tuple[str, ...] = ()

    @property
    def event_id(self) -> str:
        """The event id of the call; "" if it had none, or several."""
        return self.event_ids[0] if len(self.event_ids) == 1 else ""


class OutcomeUnknown(BudgetManagerError):
    """It was done or not. Call again, later, with the same `event_id`. `__cause__` says more."""


class Unreachable(BudgetManagerError):
    """No answer, and nothing was done."""

    status, retry_after, is_passing = 0, None, True

    def __init__(self, message: str, *, may_be_done: bool = False, was_kept: bool = False) -> None:
        super().__init__(message)
        self.may_be_done, self.was_kept = may_be_done, was_kept


class Refused(BudgetManagerError):
    """An answer that says no: `status`, a stable `code`, a `message` for people.

    `fields` says what is wrong with each field, `details` what else came along, `request_id` how
    the server's log calls the request; `replayed`: the first answer to this event id, given again.
    """

    kinds: dict[object, type[Refused]] = {}
    retry_after: float | None = None
    replayed = was_kept = False

    def __init_subclass__(cls, on: tuple[object, ...] = ()) -> None:
        cls.kinds.update(dict.fromkeys(on, cls))

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status, self.is_passing, self.may_be_done = status, status in PASSING, status >= 500
        self.code: str = document.get("code", f"http_{status}")
        self.message: str = document.get("error", "An answer that isn't the API's")
        self.fields: dict[str, str] = document.get("fields", {})
        self.request_id: str = document.get("request_id", "")
        known = {"code", "error", "fields", "request_id"}
        self.details = {name: value for name, value in document.items() if name not in known}
        super().__init__(f"{self.message} ({self.code})")


class InvalidInput(Refused, on=(400, 413, 415)):
    """The request can't be right; `fields` names what to change, `code` says more."""


class NotAllowed(Refused, on=(401, 403)):
    """The API key is unknown, expired or revoked, or may not do this."""


class NotFound(Refused, on=(404,)):
    """Nothing there by that id, or nothing that the API key may see; `code` says of what kind."""


class BudgetExceeded(Refused, on=("budget_exceeded",)):
    """A budget doesn't cover the amount: `details["budget"]`, `remaining`."""

    @property
    def remaining(self) -> Decimal:
        """What remains of that budget."""
        return Decimal(self.details["remaining"])


class CampaignNotActive(Refused, on=("campaign_not_active",)):
    """The campaign doesn't run now: `details["reasons"]`."""


class EventIdReused(Refused, on=("event_id_reused",)):
    """The event id names another call already; nothing was done."""


class HoldEnded(Refused, on=("hold_ended",)):
    """The hold has been captured or released, or has expired: `details["state"]`."""


class ChangedMeanwhile(Refused, on=("changed_meanwhile",)):
    """What `if_match` names was edited: read it again. `maybe_ours`: by a try of this call."""

    maybe_ours = False


class RateLimited(Refused, on=(429,)):
    """The API key has used up its requests; nothing was done."""


class Unavailable(Refused, on=(500, 502, 503, 504, "database_unavailable")):
    """The server or its database can't answer."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a campaign doesn't run, and the numbers if that is a budget."""

    code: str
    message: str = ""
    ends_at: datetime | None = None
    budget: Decimal | None = None
    spent: Decimal | None = None
    held: Decimal | None = None
    remaining: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Spend:
    """An entry of the log, and how the campaign stands after it.

    A report has `over_budget`, the part that no budget covered. A refund has `refund_of` and what
    is left of that entry, a capture `hold_id` and what was freed. Other entries have none of it.
    """

    spend_log_id: int
    campaign_id: int
    campaign_name: str
    amount: Decimal
    new_daily_spend: Decimal
    new_monthly_spend: Decimal
    is_active: bool
    remaining: Decimal | None
    reasons: tuple[Reason, ...]
    event_id: str
    replayed: bool
    over_budget: Decimal = ZERO
    over_budget_cause: str | None = None
    refund_of: int | None = None
    refundable: Decimal = ZERO
    hold_id: int | None = None
    released: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A hold that is `open`, `captured`, `released` or `expired`."""

    hold_id: int
    campaign_id: int
    campaign_name: str
    state: str
    amount: Decimal
    event_id: str | None
    expires_at: datetime | None = None
    held_at: datetime | None = None
    ended_at: datetime | None = None
    currency: str | None = None
    captured: Decimal | None = None
    spend_log_id: int | None = None
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """An entry of the spend log; that of a refund is negative. `date` is the budget day."""

    id: int
    campaign_id: int
    campaign_name: str
    brand_id: int
    brand_name: str
    date: date
    kind: str
    amount: Decimal
    over_budget: Decimal
    over_budget_cause: str | None
    currency: str
    occurred_at: datetime
    recorded_at: datetime
    event_id: str | None
    source: str
    refund_of: int | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Brand:
    """A brand, with the spend of its running day and month. A budget of None is no ceiling."""

    id: int
    name: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    daily_spend: Decimal
    monthly_spend: Decimal
    campaigns_count: int
    currency: str
    time_zone: str
    is_enabled: bool
    version: int


@dataclass(frozen=True)
class Daypart:
    """A window in the brand's local time: `Daypart(("mon", "fri"), "22:00", "02:00")`."""

    days: tuple[str, ...]
    start: str
    end: str


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A campaign. `daily_budget` is the tightest that applies, `own_daily_budget` its own."""

    id: int
    name: str
    brand: str
    brand_id: int
    is_active: bool
    is_enabled: bool
    reasons: tuple[Reason, ...]
    next_change_at: datetime | None
    daily_spend: Decimal
    monthly_spend: Decimal
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    own_daily_budget: Decimal | None
    own_monthly_budget: Decimal | None
    own_lifetime_budget: Decimal | None
    starts_at: datetime | None
    ends_at: datetime | None
    schedule: tuple[Daypart, ...]
    version: int


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A recorded change of `is_active`; `numbers` are those of the budgets that applied.

    `caught_up` if it was recorded noticeably after it was due, as after an outage.
    """

    id: int
    at: datetime
    is_active: bool
    reasons: tuple[Reason, ...]
    numbers: tuple[Reason, ...]
    cause: str
    actor: str
    recorded_at: datetime
    caught_up: bool


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a campaign was active or not, its budgets' numbers, and the last change before."""

    campaign_id: int
    at: datetime
    is_active: bool
    reasons: tuple[Reason, ...]
    budgets: tuple[Reason, ...]
    next_change_at: datetime | None
    transition: Transition | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """Counts of all that the API key may see."""

    total_brands: int
    total_campaigns: int
    active_campaigns: int
    paused_campaigns: int
    over_daily_budget: int
    over_monthly_budget: int
    server_time: datetime


@dataclass(frozen=True)
class Entry:
    """An entry of a batch: what `add`, `report` and `refund` take, by the name of the method."""

    kind: Literal["add", "report", "refund"]
    amount: Money
    campaign_id: int | None = None
    spend_log_id: int | None = None
    occurred_at: datetime | None = None
    currency: str = ""
    reason: str = ""
    event_id: str = field(default_factory=new_event_id)


Setting = Money | bool | datetime | Sequence[Daypart] | None


class _Request(NamedTuple):
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    event_ids: tuple[str, ...] = ()
    if_match: int = 0
    is_repeatable: bool = True  # sent twice it does what it does sent once


class _Answer(NamedTuple):
    status: int
    retry_after: float | None
    replayed: bool
    document: dict[str, Any]


class OpenHold:
    """A hold inside its `with` block; `taken` is the answer that took it."""

    def __init__(self, client: BudgetManager, taken: Hold) -> None:
        self.taken, self.is_decided, self._client = taken, False, client

    def capture(self, amount: Money | None = None, *, event_id: str = "") -> Spend:
        """Turn it into spend, without an amount all of it; the rest is freed."""
        self.is_decided = True  # Also if the outcome is unknown: no release may undo a later try.
        try:
            return self._client.capture(self.taken.hold_id, amount, event_id=event_id)
        except Refused:
            self.is_decided = False
            raise


class BudgetManager:
    """The API at `url` (without `/api`), with one key. Give up on a call after `deadline` seconds.

    Every method may raise a kind of `Refused`, `Unreachable` when nothing was done, and one that
    changes something `OutcomeUnknown`. One try may wait `timeout` seconds for the server.
    `sleep`, `clock` and `chance` are for tests.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        deadline: float = 30.0,
        timeout: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the URL of a server: {url}")
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = partial(kind, parts.hostname, parts.port)
        self._root = f"{parts.path.rstrip('/')}/api"
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._deadline, self._timeout = deadline, timeout
        self._sleep, self._clock, self._chance = sleep, clock, chance
        self._idle: list[http.client.HTTPConnection] = []
        self._process = os.getpid()

    def close(self) -> None:
        """Close the kept connections; the next call opens another."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def add(
        self, campaign_id: int, amount: Money, *, currency: str = "", event_id: str = ""
    ) -> Spend:
        """Ask to spend now. Raises BudgetExceeded, CampaignNotActive, NotFound, EventIdReused."""
        body = {"campaign_id": campaign_id, "amount": amount, "currency": currency}
        return self._move(Spend, "/spend/add/", event_id, **body)

    def report(
        self,
        campaign_id: int,
        amount: Money,
        *,
        occurred_at: datetime | None = None,
        currency: str = "",
        event_id: str = "",
    ) -> Spend:
        """Tell of money already gone; no budget refuses it. Raises NotFound, EventIdReused."""
        body = {"campaign_id": campaign_id, "amount": amount, "currency": currency}
        return self._move(Spend, "/spend/report/", event_id, occurred_at=occurred_at, **body)

    def refund(
        self, spend_log_id: int, amount: Money, *, reason: str = "", event_id: str = ""
    ) -> Spend:
        """Take back part or all of an entry. Raises InvalidInput, NotFound, EventIdReused."""
        body = {"spend_log_id": spend_log_id, "amount": amount, "reason": reason}
        return self._move(Spend, "/spend/refund/", event_id, **body)

    def batch(self, entries: Iterable[Entry]) -> list[Spend | Refused]:
        """Send any number of entries, 1,000 at a time; what each came to, in their order.

        A refusal is given and not raised; Unavailable is one to send again, and so are all entries
        after OutcomeUnknown.
        """
        every, results = list(entries), []
        for start in range(0, len(every), MOST_ENTRIES):
            results += self._batch(every[start : start + MOST_ENTRIES])
        return results

    def logs(
        self,
        *,
        campaign_id: int | None = None,
        brand_id: int | None = None,
        date: date | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        event_id: str = "",
    ) -> Iterator[LogEntry]:
        """Go through the log, last recorded first, page after page; `until` isn't included."""
        named = {"campaign_id": campaign_id, "brand_id": brand_id, "event_id": event_id}
        times = {"date": date, "from": since, "to": until}
        return self._pages(LogEntry, "/spend/logs/", "spend_logs", {**named, **times})

    @contextmanager
    def hold(
        self, campaign_id: int, amount: Money, *, seconds: int = 300, event_id: str = ""
    ) -> Iterator[OpenHold]:
        """Set an amount aside for the length of a `with` block, in which you capture it.

        Leaving without a capture frees it; so does an exception, which then goes on.
        """
        hold = OpenHold(self, self.create_hold(campaign_id, amount, seconds, event_id=event_id))
        expected: type[Exception] = BudgetManagerError  # It expires by itself anyway.
        try:
            yield hold
            expected = HoldEnded
        finally:
            if not hold.is_decided:
                with suppress(expected):
                    self.release(hold.taken.hold_id)

    def create_hold(
        self, campaign_id: int, amount: Money, seconds: int = 300, *, event_id: str = ""
    ) -> Hold:
        """Set an amount aside, at most for a day. Raises as `add` does."""
        body = {"campaign_id": campaign_id, "amount": amount, "seconds": seconds}
        return self._move(Hold, "/holds/create/", event_id, **body)

    def capture(self, hold_id: int, amount: Money | None = None, *, event_id: str = "") -> Spend:
        """Turn a hold into spend, without an amount all of it. Raises HoldEnded, InvalidInput."""
        return self._move(Spend, f"/holds/{hold_id}/capture/", event_id, amount=amount)

    def release(self, hold_id: int, *, event_id: str = "") -> Hold:
        """Free a hold; `amount` is what was freed. Raises HoldEnded."""
        return self._move(Hold, f"/holds/{hold_id}/release/", event_id)

    def get_hold(self, hold_id: int) -> Hold:
        """Read a hold as it stands now."""
        return self._get(Hold, f"/holds/{hold_id}/")

    def brands(self, *, search: str = "") -> Iterator[Brand]:
        """Go through the brands."""
        return self._pages(Brand, "/brands/", "brands", {"search": search})

    def brand(self, brand_id: int) -> Brand:
        """Read a brand."""
        return self._get(Brand, f"/brands/{brand_id}/")

    def create_brand(self, name: str, **settings: Setting) -> Brand:
        """Create a brand: `daily_budget` and `monthly_budget`, None for no ceiling, then
        `currency`, `time_zone`, `is_enabled`. Tried again only while it surely wasn't done.
        """
        body = {"name": name, **settings}
        return self._call(Brand, _Request("POST", "/brands/create/", body, is_repeatable=False))

    def edit_brand(self, brand_id: int, *, if_match: int = 0, **changes: Setting) -> Brand:
        """Change what is named. With the `version` you read as `if_match` nobody is overwritten;
        only then it is tried again. Raises ChangedMeanwhile.
        """
        return self._call(Brand, _edit("PATCH", f"/brands/{brand_id}/", if_match, changes))

    def campaigns(
        self, *, brand_id: int | None = None, is_active: bool | None = None, reason: str = ""
    ) -> Iterator[Campaign]:
        """Go through the campaigns."""
        named = {"brand_id": brand_id, "is_active": is_active, "reason": reason}
        return self._pages(Campaign, "/campaigns/", "campaigns", named)

    def campaign(self, campaign_id: int) -> Campaign:
        """Read a campaign."""
        return self._get(Campaign, f"/campaigns/{campaign_id}/")

    def create_campaign(self, brand_id: int, name: str, **settings: Setting) -> Campaign:
        """Create a campaign: `own_daily_budget`, …, `starts_at`, `ends_at`, `schedule`,
        `is_enabled`. Tried again only while it surely wasn't done.
        """
        body = {"brand_id": brand_id, "name": name, **settings}
        path = "/campaigns/create/"
        return self._call(Campaign, _Request("POST", path, body, is_repeatable=False))

    def edit_campaign(self, campaign_id: int, *, if_match: int = 0, **changes: Setting) -> Campaign:
        """Change what is named, as `edit_brand` does."""
        return self._call(Campaign, _edit("PATCH", f"/campaigns/{campaign_id}/", if_match, changes))

    def pause(self, campaign_id: int) -> Campaign:
        """Turn the person's switch off."""
        return self._call(Campaign, _Request("POST", f"/campaigns/{campaign_id}/pause/"))

    def resume(self, campaign_id: int, *, if_match: int = 0) -> Campaign:
        """Turn the person's switch on. Tried again only with `if_match`, lest it undo a pause."""
        return self._call(Campaign, _edit("POST", f"/campaigns/{campaign_id}/resume/", if_match))

    def explain(self, campaign_id: int, at: datetime | None = None) -> Explanation:
        """Say why a campaign is active or not, now or at a past instant."""
        return self._get(Explanation, _query(f"/campaigns/{campaign_id}/explain/", {"at": at}))

    def transitions(
        self, campaign_id: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Transition]:
        """Go through the changes of a campaign's `is_active`, newest first."""
        path, named = f"/campaigns/{campaign_id}/transitions/", {"from": since, "to": until}
        return self._pages(Transition, path, "transitions", named)

    def status(self) -> Status:
        """Count brands and campaigns."""
        return self._get(Status, "/status/")

    def _batch(self, entries: Sequence[Entry]) -> list[Spend | Refused]:
        told = {"entries": [_given(asdict(entry)) for entry in entries]}
        event_ids = tuple(entry.event_id for entry in entries)
        answer = self._send(_Request("POST", "/spend/batch/", told, event_ids))
        return list(map(_batch_result, answer.document["results"], event_ids))

    def _move(self, kind: type[T], path: str, event_id: str, **body: object) -> T:
        named = event_id or new_event_id()
        told = {**_given(body), "event_id": named}
        return self._call(kind, _Request("POST", path, told, (named,)))

    def _get(self, kind: type[T], path: str) -> T:
        return self._call(kind, _Request("GET", path))

    def _call(self, kind: type[T], request: _Request) -> T:
        answer = self._send(request)
        freed = {"amount": answer.document.get("released")}  # What a release answers.
        return _read(kind, {**freed, **answer.document, "replayed": answer.replayed})

    def _pages(
        self, kind: type[T], path: str, listed: str, named: Mapping[str, object]
    ) -> Iterator[T]:
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            path_of_page = _query(path, {**named, "limit": 500, "cursor": page["next"]})
            page = self._send(_Request("GET", path_of_page)).document
            yield from (_read(kind, document) for document in page[listed])

    def _send(self, request: _Request) -> _Answer:
        """Try until there is an answer that counts, or the deadline."""
        give_up_at, in_doubt = self._clock() + self._deadline, False
        for attempt in itertools.count():
            left = max(give_up_at - self._clock(), 0.001)
            try:
                answer = self._try(request, min(self._timeout, left))
                if answer.status < 300:
                    return answer
                problem: Unreachable | Refused = _refused(answer)
            except Unreachable as error:
                problem = error
            in_doubt = in_doubt or problem.may_be_done
            # A kept connection that the server had closed meanwhile is no trouble yet.
            pause = 0.0 if problem.was_kept else self._pause(attempt, problem.retry_after)
            is_over = self._clock() + pause >= give_up_at
            if is_over or not problem.is_passing or (in_doubt and not request.is_repeatable):
                raise _last_word(request, problem, in_doubt)
            self._sleep(pause)
        raise AssertionError("unreachable")

    def _pause(self, attempt: int, asked: float | None) -> float:
        """What the server asked for, and some of a bound that doubles (full jitter)."""
        bound = min(LONGEST_PAUSE, FIRST_PAUSE * float(1 << min(attempt, 30)))
        return (asked or 0.0) + bound * self._chance()

    def _try(self, request: _Request, seconds: float) -> _Answer:
        """Send it once. Raises Unreachable, which says whether it may have arrived."""
        seen = {"If-Match": f'"{request.if_match}"'} if request.if_match else {}
        body = None if request.body is None else json.dumps(request.body, default=_wire).encode()
        connection = self._borrow(fresh=not request.is_repeatable)
        is_kept = connection.sock is not None
        connection.timeout = seconds
        try:
            if not is_kept:
                connection.connect()
            connection.sock.settimeout(seconds)
        except OSError as error:
            raise Unreachable(f"no connection: {error}") from error
        try:
            connection.request(
                request.method, self._root + request.path, body, self._headers | seen
            )
            response = connection.getresponse()
            answer = _answer(response, response.read())
        except BaseException as error:
            connection.close()  # Half an answer may be in it.
            if not isinstance(error, (OSError, http.client.HTTPException)):
                raise
            self.close()
            stale = is_kept and not isinstance(error, TimeoutError)
            raise Unreachable(f"no answer: {error!r}", may_be_done=True, was_kept=stale) from error
        self._idle.append(connection)
        return answer

    def _borrow(self, *, fresh: bool) -> http.client.HTTPConnection:
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        connection = self._connection()
        with suppress(IndexError):
            connection = self._idle.pop()
        if fresh:
            connection.close()
        return connection


def _answer(response: http.client.HTTPResponse, content: bytes) -> _Answer:
    document: object = None
    with suppress(ValueError):
        document = json.loads(content)
    if not isinstance(document, dict):
        if response.status < 300:
            raise http.client.HTTPException("not an answer of the API")
        document = {}
    is_replay = response.headers.get("Idempotent-Replayed") == "true"
    asked = _seconds(response.headers.get("Retry-After", ""))
    return _Answer(response.status, asked, is_replay, document)


def _seconds(retry_after: str) -> float | None:
    """How long to wait, which is said as a number or as a date."""
    if retry_after.isdecimal():
        return float(retry_after)
    with suppress(TypeError, ValueError):
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    return None


def _refused(answer: _Answer) -> Refused:
    kinds, document = Refused.kinds, answer.document
    kind = kinds.get(document.get("code")) or kinds.get(answer.status) or Refused
    refusal = kind(answer.status, document)
    refusal.replayed, refusal.retry_after = answer.replayed, answer.retry_after
    return refusal


def _last_word(
    request: _Request, problem: Unreachable | Refused, in_doubt: bool
) -> BudgetManagerError:
    """What to raise: the problem, unless the call may have been done after all."""
    word: BudgetManagerError = problem
    if isinstance(problem, ChangedMeanwhile):
        problem.maybe_ours = in_doubt
    elif in_doubt and request.method != "GET" and problem.status not in DECIDED:
        word = OutcomeUnknown(f"{request.method} {request.path} may have been done: {problem}")
        word.__cause__ = problem
    word.event_ids = request.event_ids
    return word


def _batch_result(document: dict[str, Any], event_id: str) -> Spend | Refused:
    replayed = document["status"] == "replayed"
    if "error" not in document:
        return _read(Spend, {**document, "replayed": replayed})
    told = {name: value for name, value in document.items() if name not in ("index", "status")}
    status = 404 if str(told.get("code")).endswith("not_found") else 400
    refusal = _refused(_Answer(status, None, replayed, told))
    refusal.event_ids = (event_id,)
    return refusal


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    if any(isinstance(value, float) for value in body.values()):
        raise TypeError('a float is not exact; send Decimal or text such as "0.32"')
    return {name: value for name, value in body.items() if value not in (None, "")}


def _edit(method: str, path: str, if_match: int, body: Mapping[str, Any] | None = None) -> _Request:
    return _Request(method, path, body, if_match=if_match, is_repeatable=if_match > 0)


def _query(path: str, named: Mapping[str, object]) -> str:
    said = {name: value for name, value in named.items() if value not in (None, "")}
    words = {name: str(_wire(value)) for name, value in said.items()}
    return f"{path}?{urlencode(words)}" if words else path


def _wire(value: object) -> object:
    """What JSON has no form of, and in a query everything, in its form on the wire."""
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(f"{value}: an instant needs a time zone")
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, Daypart):
        return asdict(value)
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _read(kind: Callable[..., T], document: Mapping[str, Any]) -> T:
    """An answer from its JSON. Fields that this client doesn't know are left out."""
    readers = _readers(kind)
    return kind(**{name: read(document[name]) for name, read in readers if name in document})


@cache
def _readers(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    hints = get_type_hints(kind)
    return tuple((column.name, _reader(hints[column.name])) for column in fields(kind))


def _reader(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of this type from its JSON."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = _reader(get_args(hint)[0])
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return lambda values: tuple(map(item, values))
    if is_dataclass(hint) and isinstance(hint, type):
        return partial(_read, hint)
    if hint is datetime:
        return lambda text: datetime.fromisoformat(text.replace("Z", "+00:00"))
    readers: dict[Any, Callable[[Any], Any]] = {date: date.fromisoformat, Decimal: Decimal}
    return readers.get(hint, lambda value: value)
