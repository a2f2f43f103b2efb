"""Decides what is asked of brands under their locks, in one transaction: read, decide, write.

Which requests come together, and what becomes of those that failed, is said in `spend.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from django.db import IntegrityError, transaction

from core.actions.catch_up import catch_up
from core.actions.ledger import Ledger, LedgerRows, Pending, Words
from core.actions.spend_answers import answer_of
from core.actions.spend_requests import (
    Asked,
    CaptureRequest,
    EventName,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    Request,
    SpendOutcome,
    SpendRequest,
    Subject,
    ids_of,
)
from core.actions.verdicts import Change, judge_campaigns
from core.enums import Cause, SpendKind
from core.errors import EventIdReusedError, InvalidInputError, RecordedRefusalError
from core.models import Brand, Hold, SpendLog
from core.models.sql import Row
from core.queries.history import get_whole_calendar
from core.queries.holds import map_holds
from core.queries.locks import lock_brand, lock_free_brands
from core.queries.spend import map_entries_to_refund
from core.queries.standings import AskedStandings, FirstAnswer, Standings, StoredVerdict, Wanted
from core.rules.admission import LATE_LIMIT, Admission, Decision, check_occurred_at
from core.rules.calendar import dates_on_earth
from core.rules.entries import (
    CaptureEntry,
    Entry,
    HoldEntry,
    RefundEntry,
    ReleaseEntry,
    SpendEntry,
)
from core.rules.money import to_micros

# Two brands can meet in one event id; the loser of that race starts again and sees the winner.
ATTEMPTS = 3
Named = TypeVar("Named", Hold, SpendLog)
_CAUSES = {
    SpendRequest: Cause.SPEND,
    RefundRequest: Cause.REFUND,
    HoldRequest: Cause.HOLD,
    CaptureRequest: Cause.HOLD_ENDED,
    ReleaseRequest: Cause.HOLD_ENDED,
}


def admit_alone(brand_id: int, asked: Sequence[Asked], now: datetime) -> list[SpendOutcome]:
    """Decide what is asked of one brand, in a transaction that waits for whoever holds it."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _admit_one(brand_id, asked, now)
        except IntegrityError:
            continue
    return _admit_one(brand_id, asked, now)


@transaction.atomic
def _admit_one(brand_id: int, asked: Sequence[Asked], now: datetime) -> list[SpendOutcome]:
    session = Session(asked, now)
    foretold = _foretold({brand_id: session}, now)
    session.brand = lock_brand(brand_id, foretold.reading if foretold else None)
    _read([session], now, foretold)
    if session.is_due:
        # Whatever time alone has brought comes first, and changes what was just read.
        catch_up(session.brand, now)
        _read([session], now)
    session.decide()
    changes_verdicts = session.changes_verdicts
    _write([session], commits=not changes_verdicts)
    if changes_verdicts:
        session.store_verdicts()
    return session.outcomes


@transaction.atomic
def admit_free(
    asked_of: Mapping[int, Sequence[Asked]], now: datetime
) -> dict[int, list[SpendOutcome]]:
    """Decide what is asked of several brands, in one transaction that waits for none of them.

    Left out, with nothing written, are brands that somebody else holds, and those that need more
    than the statements which all share: to be caught up with, or to be judged again. Nobody else's
    brand stays locked for that.
    """
    every = {brand_id: Session(asked, now) for brand_id, asked in asked_of.items()}
    foretold = _foretold(every, now)
    sessions = []
    for brand in lock_free_brands(asked_of, foretold.reading if foretold else None):
        session = every[brand.pk]
        session.brand = brand
        sessions.append(session)
    if not sessions:
        return {}
    _read(sessions, now, foretold)
    sessions = [session for session in sessions if not session.is_due]
    for session in sessions:
        session.decide()
    sessions = [session for session in sessions if not session.changes_verdicts]
    _write(sessions, commits=True)
    return {session.brand.pk: session.outcomes for session in sessions}


def _pendings(asked: Sequence[Asked], now: datetime) -> list[Pending]:
    """Each request, with when it counts and whether it comes too late for that (C11)."""
    pendings = []
    for each in asked:
        at, refusal = now, None
        if isinstance(each.request, SpendRequest):
            at = _occurred_at(each.request, now)
            try:
                if at is not now:
                    check_occurred_at(at, now, each.late_limit)
            except InvalidInputError as error:
                refusal = error
        pendings.append(Pending(each, at, refusal))
    return pendings


def _foretold(sessions: Mapping[int, "Session"], now: datetime) -> AskedStandings | None:
    """What can be said before the lock of what has to be read behind it.

    A hold or an entry says whose campaign and day it is only when it is read itself.
    """
    wanted = {brand_id: session.foretell() for brand_id, session in sessions.items()}
    named = {subject for session in sessions.values() for subject, _ in session.subjects}
    return AskedStandings(wanted, now) if named <= {Subject.CAMPAIGN} else None


def _read(
    sessions: Sequence["Session"], now: datetime, foretold: AskedStandings | None = None
) -> None:
    """What the requests name, and what they are decided on."""
    brand_ids = [session.brand.pk for session in sessions]
    subjects = set[tuple[Subject, int]]().union(*(session.subjects for session in sessions))
    holds = map_holds(brand_ids, ids_of(subjects, Subject.HOLD))
    logged = map_entries_to_refund(brand_ids, ids_of(subjects, Subject.ENTRY))
    words = Words()
    wanted = {session.brand.pk: session.name(holds, logged, words) for session in sessions}
    if foretold is None or not all(foretold.cover(*pair) for pair in wanted.items()):
        foretold = AskedStandings(wanted, now)
    found = foretold.of([session.brand for session in sessions])
    for session, standings in zip(sessions, found, strict=True):
        session.standings = standings


def _write(sessions: Sequence["Session"], *, commits: bool) -> None:
    rows = LedgerRows()
    for session in sessions:
        session.collect(rows)
    rows.write(commits=commits)


class Session:
    """One brand's part of a transaction; it has the brand once that is locked."""

    __slots__ = ("admission", "brand", "ledger", "now", "pendings", "standings", "subjects")

    brand: Brand
    ledger: Ledger
    standings: Standings
    admission: Admission

    def __init__(self, asked: Sequence[Asked], now: datetime) -> None:
        self.pendings, self.now = _pendings(asked, now), now
        self.subjects = {pending.request.subject for pending in self.pendings}

    @property
    def is_due(self) -> bool:
        """Something has happened by time alone that isn't written down yet."""
        return self.standings.is_due

    @property
    def outcomes(self) -> list[SpendOutcome]:
        """What each request came to."""
        return [pending.outcome or SpendOutcome() for pending in self.pendings]

    def name(
        self, holds: Mapping[int, Hold], logged: Mapping[int, SpendLog], words: Words
    ) -> Wanted:
        """What has to be read; `holds` and `logged` are what the requests of all brands name."""
        self.ledger = Ledger(
            self.brand,
            self.now,
            holds=self._own(Subject.HOLD, holds),
            logged=self._own(Subject.ENTRY, logged),
            words=words,
        )
        ledger = self.ledger
        named: list[Hold | SpendLog] = [*ledger.holds.values(), *ledger.logged.values()]
        instants = self._instants()
        if self._reaches_far_back(instants):
            self.brand.whole_calendar = get_whole_calendar(self.brand)
        calendar = self.brand.calendar
        days = {calendar.budget_date(at) for at in instants}
        return self._wanted(
            {each.campaign_id for each in named}, days | {each.budget_day for each in named}
        )

    def foretell(self) -> Wanted:
        """What the requests themselves say of that, for a brand anywhere on earth."""
        return self._wanted(set(), {day for at in self._instants() for day in dates_on_earth(at)})

    def _wanted(self, campaign_ids: set[int], budget_days: set[date]) -> Wanted:
        holds_to_begin = sum(isinstance(each.request, HoldRequest) for each in self.pendings)
        return Wanted(
            campaign_ids=ids_of(self.subjects, Subject.CAMPAIGN) | campaign_ids,
            budget_days=budget_days,
            events={pending.event for pending in self.pendings if pending.event},
            entries=len(self.pendings) - holds_to_begin,
            holds=holds_to_begin,
        )

    def _instants(self) -> set[datetime]:
        return {pending.occurred_at for pending in self.pendings if not pending.refusal} | {
            self.now
        }

    def _own(self, subject: Subject, rows: Mapping[int, Named]) -> dict[int, Named]:
        if not rows:
            return {}
        named = ((row_id, rows.get(row_id)) for row_id in ids_of(self.subjects, subject))
        return {row_id: row for row_id, row in named if row and row.brand_id == self.brand.pk}

    def _reaches_far_back(self, instants: Iterable[datetime]) -> bool:
        """Whether spend may be of days that a zone counted which the brand doesn't remember."""
        remembers_since = self.brand.time_zone_changes_at or self.now - LATE_LIMIT
        return min(instants, default=self.now) < min(self.now, remembers_since)

    def decide(self) -> None:
        """Give each request its decision, or the answer that its event id already has."""
        self.admission = Admission(self.ledger.facts(self.standings.book), self.now)
        known, first = self.standings.answers, dict[EventName, Pending]()
        for pending in self.pendings:
            event = pending.event
            if event and event in known:
                pending.outcome = _replay(known[event], pending.request)
            elif event and event in first:
                pending.repeats = first[event]
            elif pending.refusal:
                pending.decision = Decision(pending.refusal)
            else:
                pending.decision = self.admission.decide(_entry(pending))
                if event and pending.is_first_answer:
                    first[event] = pending

    def collect(self, rows: LedgerRows) -> None:
        """Answer each request, and add what is to be written down."""
        self.ledger.number(self.pendings, self.standings.free_ids)
        kept = _answer(self.pendings, self.standings.verdicts, self.ledger)
        self.ledger.collect(rows, self.pendings, self.admission, answers=kept)

    @property
    def changes_verdicts(self) -> bool:
        """Whether campaigns have to be judged again: those named, or all of the brand."""
        if self._last_admitted() is None:
            return False
        return self.admission.turns_brand or bool(self._doubtful_ids())

    def store_verdicts(self) -> None:
        """The campaigns named, and all of the brand when a brand budget ran out or came back."""
        last = self._last_admitted()
        if last is None:
            return
        change = Change(last.caller, self.now, _CAUSES[type(last.request)])
        if self.admission.turns_brand:
            judge_campaigns(self.brand, change)
        elif doubtful := self._doubtful_ids():
            judge_campaigns(self.brand, change, doubtful)

    def _last_admitted(self) -> Pending | None:
        """Whom and what a change of state is put down to, of all that came together."""
        return next((pending for pending in reversed(self.pendings) if pending.admitted), None)

    def _doubtful_ids(self) -> list[int]:
        return [
            campaign_id
            for campaign_id, stored in self.standings.verdicts.items()
            if not stored.is_of(self.admission.standing(campaign_id).reasons, self.now)
        ]


def _answer(
    pendings: Sequence[Pending], verdicts: Mapping[int, StoredVerdict], ledger: Ledger
) -> list[Row]:
    """Say what each came to; the first answers to event ids, as they are kept (C21)."""
    kept = []
    for pending in pendings:
        decision, first = pending.decision, pending.repeats
        if decision is not None:
            outcome = _outcome(pending, decision, verdicts)
            pending.outcome = outcome
            if pending.event and pending.is_first_answer:
                refusal = outcome.refusal
                told = refusal.document() if refusal else outcome.answer
                kept.append(ledger.event_answer(pending, told, is_refusal=refusal is not None))
        elif first and first.outcome:
            refusal = first.outcome.refusal
            told = refusal.document() if refusal else first.outcome.answer
            known = FirstAnswer(first.request.fingerprint, refusal is not None, told)
            pending.outcome = _replay(known, pending.request)
    return kept


def _outcome(
    pending: Pending, decision: Decision, verdicts: Mapping[int, StoredVerdict]
) -> SpendOutcome:
    if decision.refusal:
        return SpendOutcome(refusal=decision.refusal)
    name = verdicts[decision.campaign_id].name
    return SpendOutcome(word=partial(answer_of, pending, decision, name))


def _occurred_at(request: SpendRequest, now: datetime) -> datetime:
    """When a spend counts: only what is already gone can have been gone earlier (C11)."""
    is_told = request.kind is not SpendKind.ADD
    return (is_told and request.occurred_at) or now


def _entry(pending: Pending) -> Entry:
    """The request as the rules see it."""
    request = pending.request
    if isinstance(request, SpendRequest):  # Most are, and a pattern of five takes its time.
        micros, at = to_micros(request.amount), pending.occurred_at
        return SpendEntry(request.kind, request.campaign_id, micros, at, request.currency)
    match request:
        case HoldRequest(campaign_id, amount, _, currency):
            return HoldEntry(campaign_id, to_micros(amount), currency)
        case CaptureRequest(hold_id, amount):
            return CaptureEntry(hold_id, None if amount is None else to_micros(amount))
        case ReleaseRequest(hold_id):
            return ReleaseEntry(hold_id)
        case RefundRequest(spend_log_id, amount):
            return RefundEntry(spend_log_id, to_micros(amount))


def _replay(first: FirstAnswer, request: Request) -> SpendOutcome:
    if first.fingerprint != request.fingerprint:
        return SpendOutcome(refusal=EventIdReusedError())
    if first.is_refusal:
        return SpendOutcome(refusal=RecordedRefusalError(first.answer), is_replay=True)
    return SpendOutcome(answer=first.answer, is_replay=True)
