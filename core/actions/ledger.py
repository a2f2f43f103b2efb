"""Writes down what admission decided: log entries, holds, totals and the answers to event ids.

Only `core/actions/spend_sessions.py` and `core/actions/catch_up.py` come here, inside their
transactions. What every spend writes is hand-written SQL, sent in one round trip for all brands of
a transaction; the ORM's form is the oracle of its tests, `core/tests/actions/ledger_by_orm.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db.models import F

from core.actions.spend_requests import (
    ENDING,
    LOGGED,
    Asked,
    CaptureRequest,
    EventName,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    SpendOutcome,
    SpendRequest,
)
from core.enums import HoldState, PeriodKind, SpendKind
from core.errors import InvalidInputError, NotFoundError
from core.models import Brand, Hold, SpendLog
from core.models.sql import Row, Statement, Table, for_rows, run_together, stored_instant
from core.queries.holds import find_expired_holds
from core.queries.standings import FreeIds
from core.rules.admission import Admission, BrandBook, Decision
from core.rules.calendar import BrandCalendar
from core.rules.entries import HoldFacts, LoggedSpend
from core.rules.money import from_micros, to_micros
from core.rules.verdict import ZERO, period_of

# Answers are of our own making: nothing in them contains itself.
_TO_JSON = json.JSONEncoder(check_circular=False).encode
_TEXT, _NUMBER, _INSTANT = "text", "bigint", "timestamptz"
_PERIOD_COLUMNS = {
    **{"period": _TEXT, "starts_on": "date", "starts_at": _INSTANT, "ends_at": _INSTANT},
    **{"spent": _NUMBER, "held": _NUMBER},
}
_NEW_AMOUNTS = "DO UPDATE SET spent = excluded.spent, held = excluded.held"
SPEND_LOG = Table(
    "core_spendlog",
    {
        **{"id": _NUMBER, "brand_id": _NUMBER, "campaign_id": _NUMBER, "kind": _TEXT},
        **{"amount": _NUMBER, "over_budget": _NUMBER, "over_budget_cause": _TEXT},
        **{"currency": _TEXT, "budget_day": "date", "occurred_at": _INSTANT},
        **{"recorded_at": _INSTANT, "event_id": _TEXT, "source": _TEXT},
        **{"refund_of_id": _NUMBER, "refund_reason": _TEXT},
    },
    mostly_alike=(
        *("over_budget", "over_budget_cause", "currency", "budget_day", "occurred_at"),
        *("recorded_at", "source", "refund_of_id", "refund_reason"),
    ),
)
HOLDS = Table(
    "core_hold",
    {
        **{"id": _NUMBER, "brand_id": _NUMBER, "campaign_id": _NUMBER, "amount": _NUMBER},
        **{"currency": _TEXT, "state": _TEXT, "budget_day": "date", "held_at": _INSTANT},
        **{"expires_at": _INSTANT, "event_id": _TEXT, "source": _TEXT},
    },
)
_END_ONE_HOLD = "UPDATE core_hold SET state = %s, ended_at = %s, spend_log_id = %s WHERE id = %s"
_END_HOLDS = """
    UPDATE core_hold
    SET state = ended.state, ended_at = ended.ended_at, spend_log_id = ended.spend_log_id
    FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[])
        AS ended(state, ended_at, spend_log_id, id)
    WHERE core_hold.id = ended.id"""
BRAND_TOTALS = Table(
    "core_brandtotal",
    {"brand_id": _NUMBER, **_PERIOD_COLUMNS},
    f"ON CONFLICT (brand_id, period, starts_on) {_NEW_AMOUNTS}",
)
CAMPAIGN_TOTALS = Table(
    "core_campaigntotal",
    {"campaign_id": _NUMBER, **_PERIOD_COLUMNS},
    f"ON CONFLICT (campaign_id, period, starts_on) {_NEW_AMOUNTS}",
)
EVENT_ANSWERS = Table(
    "core_eventanswer",
    {
        **{"source": _TEXT, "event_id": _TEXT, "fingerprint": _TEXT},
        **{"is_refusal": "boolean", "answer": "jsonb", "recorded_at": _INSTANT},
    },
    mostly_alike=("source", "is_refusal", "recorded_at"),
)


class Pending:
    """One request on its way: decided, perhaps written, finally answered."""

    __slots__ = (
        *("caller", "decision", "event", "hold", "occurred_at", "outcome"),
        *("refusal", "repeats", "request", "spend_log_id"),
    )

    def __init__(self, asked: Asked, occurred_at: datetime, refusal: InvalidInputError | None):
        self.request = asked.request
        self.caller = asked.caller
        self.event: EventName | None = asked.event
        # When it counts, and why it doesn't if it is too late.
        self.occurred_at, self.refusal = occurred_at, refusal
        self.decision: Decision | None = None
        self.spend_log_id: int | None = None
        self.hold: Hold | None = None
        self.outcome: SpendOutcome | None = None
        self.repeats: Pending | None = None

    @property
    def is_first_answer(self) -> bool:
        """Whether its answer is to be kept for its event id: decided, and not just invalid."""
        if self.event is None or self.decision is None:
            return False
        return not isinstance(self.decision.refusal, InvalidInputError | NotFoundError)

    @property
    def admitted(self) -> Decision | None:
        """The decision, if it lets the request through."""
        return None if self.decision is None or self.decision.refusal else self.decision


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """What a transaction is going to write, of all its brands, by table."""

    entries: list[Row] = field(default_factory=list)
    begun_holds: list[Row] = field(default_factory=list)
    ended_holds: list[Row] = field(default_factory=list)
    brand_totals: list[Row] = field(default_factory=list)
    campaign_totals: list[Row] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)

    def write(self, *, commits: bool = False) -> None:
        """Write all of it down, in one round trip; with `commits` as the last of a transaction."""
        tables = (
            (SPEND_LOG, self.entries),
            (HOLDS, self.begun_holds),
            (BRAND_TOTALS, self.brand_totals),
            (CAMPAIGN_TOTALS, self.campaign_totals),
        )
        statements = [table.insert(rows) for table, rows in tables if rows]
        if self.ended_holds:
            statements.append(for_rows(self.ended_holds, _END_ONE_HOLD, _END_HOLDS))
        statements += self._keep_answers()
        if statements:
            run_together(statements, commits=commits)

    def _keep_answers(self) -> list[Statement]:
        # Who shares no brand shares these; in one order, nobody waits for an id while keeping a
        # later one.
        return [EVENT_ANSWERS.insert(sorted(self.answers))] if self.answers else []


class Words:
    """Instants and periods as they are stored.

    A transaction names few of them again and again; each is put into words once.
    """

    def __init__(self) -> None:
        self._instants: dict[datetime, str] = {}
        self._periods: dict[tuple[BrandCalendar, PeriodKind, date], Row] = {}

    def instant(self, at: datetime) -> str:
        """The instant, as `stored_instant`."""
        text = self._instants.get(at)
        if text is None:
            text = self._instants[at] = stored_instant(at)
        return text

    def period(self, calendar: BrandCalendar, kind: PeriodKind, starts_on: date) -> Row:
        """The columns that name a period and its bounds."""
        named = (calendar, kind, starts_on)
        columns = self._periods.get(named)
        if columns is None:
            period = period_of(*named)
            bounds = (stored_instant(period.starts_at), stored_instant(period.ends_at))
            columns = (period.kind.value, str(period.starts_on), *bounds)
            self._periods[named] = columns
        return columns


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where one brand's decisions are written; `holds` and `logged` are the rows they named."""

    brand: Brand
    now: datetime
    holds: Mapping[int, Hold] = field(default_factory=dict)
    logged: Mapping[int, SpendLog] = field(default_factory=dict)
    words: Words = field(default_factory=Words)

    def facts(self, book: BrandBook) -> BrandBook:
        """The book with the holds and the entries that the requests name."""
        if not self.holds and not self.logged:
            return book
        holds = {hold.pk: _hold_facts(hold) for hold in self.holds.values()}
        logged = {entry.pk: _logged_spend(entry) for entry in self.logged.values()}
        return replace(book, holds=holds, logged=logged)

    def number(self, pendings: Sequence[Pending], ids: FreeIds) -> None:
        """Give every entry of the log and every hold its number, in the order of the requests."""
        spend_log_ids, hold_ids = iter(ids.spend_logs), iter(ids.holds)
        for pending in pendings:
            if pending.admitted is None:
                continue
            request = pending.request
            if isinstance(request, LOGGED):
                pending.spend_log_id = next(spend_log_ids)
            if isinstance(request, HoldRequest):
                pending.hold = self._begin(pending, request, next(hold_ids))
            elif isinstance(request, ENDING):
                pending.hold = self._end(pending, request)

    def collect(
        self,
        rows: LedgerRows,
        pendings: Sequence[Pending],
        admission: Admission,
        *,
        answers: Sequence[Row] = (),
    ) -> None:
        """Add what was spent, holds begun and ended, totals that changed and first answers."""
        for pending in pendings:
            if admitted := pending.admitted:
                if pending.spend_log_id:
                    rows.entries.append(self._entry(pending, admitted))
                if pending.hold:
                    self._collect_hold(rows, pending.hold)
        self._collect_totals(rows, admission)
        rows.answers.extend(answers)

    def expire_holds(self) -> int:
        """End the holds whose time has run out, at the instant at which it did; how many."""
        expired = find_expired_holds(self.brand, self.now)
        return expired.update(state=HoldState.EXPIRED, ended_at=F("expires_at"))

    def event_answer(self, pending: Pending, answer: Any, *, is_refusal: bool) -> Row:
        """What is kept of the first answer to an event id (C21)."""
        request = pending.request
        kept = _TO_JSON(answer)
        at = self.words.instant(self.now)
        return (pending.caller.source, request.event_id, request.fingerprint, is_refusal, kept, at)

    def _entry(self, pending: Pending, decision: Decision) -> Row:
        """A row of the log."""
        request = pending.request
        kind, amount, occurred_at = SpendKind.ADD, decision.amount, pending.occurred_at
        refund_of_id = refund_reason = None
        if isinstance(request, SpendRequest):
            kind = request.kind
        elif isinstance(request, CaptureRequest):
            kind, occurred_at = SpendKind.CAPTURE, self.holds[request.hold_id].held_at
        elif isinstance(request, RefundRequest):
            kind, amount = SpendKind.REFUND, -amount
            refund_of_id, refund_reason = request.spend_log_id, request.reason or None
            occurred_at = self.logged[request.spend_log_id].occurred_at
        return (
            *(pending.spend_log_id, self.brand.pk, decision.campaign_id, kind.value, amount),
            *(decision.over_budget, decision.over_budget_cause or "", self.brand.currency),
            *(
                str(decision.budget_day),
                self.words.instant(occurred_at),
                self.words.instant(self.now),
            ),
            *(request.event_id, pending.caller.source, refund_of_id, refund_reason),
        )

    def _begin(self, pending: Pending, request: HoldRequest, hold_id: int) -> Hold:
        decision = pending.admitted or Decision()
        return Hold(
            pk=hold_id,
            brand=self.brand,
            campaign_id=decision.campaign_id,
            amount=from_micros(decision.amount),
            currency=self.brand.currency,
            budget_day=decision.budget_day,
            held_at=self.now,
            expires_at=self.now + request.duration,
            event_id=request.event_id,
            source=pending.caller.source,
        )

    def _end(self, pending: Pending, request: CaptureRequest | ReleaseRequest) -> Hold:
        hold = self.holds[request.hold_id]
        is_capture = isinstance(request, CaptureRequest)
        hold.state = HoldState.CAPTURED if is_capture else HoldState.RELEASED
        hold.ended_at, hold.spend_log_id = self.now, pending.spend_log_id
        return hold

    def _collect_hold(self, rows: LedgerRows, hold: Hold) -> None:
        """One that begins, or one that ends, once (C20)."""
        if hold.ended_at:
            at = self.words.instant(hold.ended_at)
            rows.ended_holds.append((hold.state, at, hold.spend_log_id, hold.pk))
        else:
            rows.begun_holds.append(self._hold_row(hold))

    def _hold_row(self, hold: Hold) -> Row:
        return (
            *(hold.pk, hold.brand_id, hold.campaign_id, to_micros(hold.amount), hold.currency),
            *(HoldState.OPEN.value, str(hold.budget_day), self.words.instant(hold.held_at)),
            *(self.words.instant(hold.expires_at), hold.event_id, hold.source),
        )

    def _collect_totals(self, rows: LedgerRows, admission: Admission) -> None:
        """The totals that changed. Absolute values are safe: the brand is locked."""
        calendar = admission.book.brand.calendar
        for key in admission.changed:
            counter = admission.totals.by_key[key]
            owner, of_owner = key.campaign_id, rows.campaign_totals
            if owner is None:
                owner, of_owner = self.brand.pk, rows.brand_totals
            period = self.words.period(calendar, key.period, key.starts_on)
            of_owner.append((owner, *period, counter.spent, counter.held))


def _hold_facts(hold: Hold) -> HoldFacts:
    return HoldFacts(
        hold_id=hold.pk,
        campaign_id=hold.campaign_id,
        amount=to_micros(hold.amount),
        state=HoldState(hold.state),
        budget_day=hold.budget_day,
        expires_at=hold.expires_at,
    )


def _logged_spend(entry: Any) -> LoggedSpend:
    # `refunded`, which is zero or less, is an annotation of `map_entries_to_refund`.
    return LoggedSpend(
        campaign_id=entry.campaign_id,
        kind=SpendKind(entry.kind),
        budget_day=entry.budget_day,
        refundable=to_micros(entry.amount + (entry.refunded or ZERO)),
    )
