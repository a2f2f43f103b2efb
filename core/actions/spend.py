"""Admits and records spend, refunds and holds. All of them come through `admit_spends` (C7, C18).

One brand is one transaction: the log entries, the holds, the totals, the answers to event ids and
the verdicts commit together or not at all.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, transaction

from core.actions.caller import Caller
from core.actions.catch_up import catch_up
from core.actions.ledger import Ledger, Pending
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
)
from core.actions.verdicts import Change, judge_campaigns
from core.enums import Cause, SpendKind
from core.errors import (
    CampaignNotFoundError,
    DatabaseUnavailableError,
    EventIdReusedError,
    HoldNotFoundError,
    InvalidInputError,
    NotFoundError,
    RecordedRefusalError,
    SpendLogNotFoundError,
)
from core.models import Brand, Campaign, Hold, SpendLog
from core.models.sql import Row
from core.queries.history import get_whole_calendar
from core.queries.holds import map_holds
from core.queries.locks import lock_brand
from core.queries.spend import map_entries_to_refund, map_to_brands
from core.queries.standings import FirstAnswer, Standings, StoredVerdict, Wanted, get_standings
from core.rules.admission import LATE_LIMIT, Admission, Decision, check_occurred_at
from core.rules.entries import (
    CaptureEntry,
    Entry,
    HoldEntry,
    RefundEntry,
    ReleaseEntry,
    SpendEntry,
)
from core.rules.money import to_micros

logger = logging.getLogger(__name__)

# Two brands can meet in one event id; the loser of that race starts again and sees the winner.
ATTEMPTS = 3
# What a database says that is down, overloaded, locked for too long or, PostgreSQL by an
# InternalError, only a standby (C27).
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
_MODELS: dict[Subject, type[Campaign] | type[Hold] | type[SpendLog]] = {
    Subject.CAMPAIGN: Campaign,
    Subject.HOLD: Hold,
    Subject.ENTRY: SpendLog,
}
_NOT_FOUND: dict[Subject, Callable[[], NotFoundError]] = {
    Subject.CAMPAIGN: CampaignNotFoundError,
    Subject.HOLD: HoldNotFoundError,
    Subject.ENTRY: SpendLogNotFoundError,
}
_CAUSES = {
    SpendRequest: Cause.SPEND,
    RefundRequest: Cause.REFUND,
    HoldRequest: Cause.HOLD,
    CaptureRequest: Cause.HOLD_ENDED,
    ReleaseRequest: Cause.HOLD_ENDED,
}


def add_spend(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Ask to spend now: admitted if the campaign is active and every budget covers it (C18)."""
    add = replace(request, kind=SpendKind.ADD, occurred_at=None)
    return admit_spends([Asked(add, caller)], now=now)[0]


def report_spend(
    request: SpendRequest, *, caller: Caller, now: datetime, late_limit: timedelta
) -> SpendOutcome:
    """Record money already gone, whatever the budgets say (C19), at most `late_limit` old (C11)."""
    report = replace(request, kind=SpendKind.REPORT)
    return admit_spends([Asked(report, caller, late_limit)], now=now)[0]


def refund_spend(request: RefundRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Take back part or all of an entry, in that entry's own periods, however old (C22)."""
    return admit_spends([Asked(request, caller)], now=now)[0]


def admit_batch(
    requests: Sequence[Request], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """Decide what one caller asks together, as `admit_spends` does (C23)."""
    return admit_spends([Asked(each, caller, late_limit) for each in requests], now=now)


def admit_spends(asked: Sequence[Asked], *, now: datetime) -> list[SpendOutcome]:
    """Decide each request in order, one transaction per brand; outcomes in the order asked (C23).

    A refused or invalid entry spoils no other. Raises only while nothing is committed, and then
    nothing will be; after that, what can't be decided comes to DatabaseUnavailableError. An
    event id that two brands share makes their entries depend on each other: then it is one by one.
    A change of state that several callers brought about together is put down to the last of them.
    """
    brand_ids = _brands_of(asked)
    apart = _share_an_event_id(asked, brand_ids)
    outcomes: dict[int, SpendOutcome] = {}
    places: dict[tuple[int, int], list[int]] = {}
    for place, (each, brand_id) in enumerate(zip(asked, brand_ids, strict=True)):
        if brand_id is None:
            outcomes[place] = SpendOutcome(refusal=_NOT_FOUND[each.request.subject[0]]())
        else:
            places.setdefault((brand_id, place if apart else 0), []).append(place)
    is_committed = False
    for (brand_id, _), together in places.items():
        try:
            decided = _Session(brand_id, now).admit([asked[place] for place in together])
        except UNAVAILABLE:
            if not is_committed:
                raise
            break
        except Exception:
            if not is_committed:
                raise
            # A bug in this brand's entries is no reason to leave the others' undecided.
            logger.exception("brand %s: nothing of it is decided", brand_id)
            continue
        is_committed = True
        outcomes.update(zip(together, decided, strict=True))
    failed = SpendOutcome(refusal=DatabaseUnavailableError())
    return [outcomes.get(place, failed) for place in range(len(asked))]


def _brands_of(asked: Sequence[Asked]) -> list[int | None]:
    """Whose brand each request is about; `None` where its caller may see nothing by that id."""
    subjects = [each.request.subject for each in asked]
    named = set(subjects)
    brand_of = {
        (subject, row_id): brand_id
        for subject, model in _MODELS.items()
        for row_id, brand_id in map_to_brands(model, _ids_of(named, subject)).items()
    }

    def visible_brand(each: Asked, subject: tuple[Subject, int]) -> int | None:
        brand_id = brand_of.get(subject)
        return brand_id if brand_id is not None and each.caller.may_see(brand_id) else None

    return [visible_brand(*pair) for pair in zip(asked, subjects, strict=True)]


def _ids_of(named: Iterable[tuple[Subject, int]], subject: Subject) -> set[int]:
    return {row_id for each, row_id in named if each is subject}


def _share_an_event_id(asked: Sequence[Asked], brand_ids: Sequence[int | None]) -> bool:
    first: dict[EventName, int | None] = {}
    for each, brand_id in zip(asked, brand_ids, strict=True):
        if each.event and first.setdefault(each.event, brand_id) != brand_id:
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Session:
    """One brand's share of the work: one transaction under the brand's lock."""

    brand_id: int
    now: datetime

    def admit(self, asked: Sequence[Asked]) -> list[SpendOutcome]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._admit_once(asked)
            except IntegrityError:
                continue
        return self._admit_once(asked)

    @transaction.atomic
    def _admit_once(self, asked: Sequence[Asked]) -> list[SpendOutcome]:
        pendings = [self._pending(each) for each in asked]
        brand = lock_brand(self.brand_id)
        ledger, standings = self._read(brand, pendings)
        if standings.is_due:
            # Whatever time alone has brought comes first, and changes what was just read.
            catch_up(brand, self.now)
            ledger, standings = self._read(brand, pendings)

        admission = Admission(ledger.facts(standings.book), self.now)
        self._decide(pendings, admission, standings.answers)

        ledger.number(pendings, standings.free_ids)
        kept = _answer(pendings, standings.verdicts, ledger)
        ledger.write(pendings, admission, kept)

        if last := _last_admitted(pendings, asked):
            change = Change(last.caller, self.now, _CAUSES[type(last.request)])
            self._store_verdicts(brand, admission, standings.verdicts, change=change)
        return [pending.outcome or SpendOutcome() for pending in pendings]

    def _pending(self, asked: Asked) -> Pending:
        request = asked.request
        if not isinstance(request, SpendRequest):
            return Pending(asked, self.now, None)
        at = _occurred_at(request, self.now)
        try:
            check_occurred_at(at, self.now, asked.late_limit)
        except InvalidInputError as refusal:
            return Pending(asked, at, refusal)
        return Pending(asked, at, None)

    def _read(self, brand: Brand, pendings: Sequence[Pending]) -> tuple[Ledger, Standings]:
        """What the requests name, and what they are decided on."""
        subjects = {pending.request.subject for pending in pendings}
        holds = map_holds(brand, _ids_of(subjects, Subject.HOLD))
        logged = map_entries_to_refund(brand, _ids_of(subjects, Subject.ENTRY))
        named: list[Hold | SpendLog] = [*holds.values(), *logged.values()]
        instants = {pending.occurred_at for pending in pendings if not pending.refusal}
        if self._reaches_far_back(brand, instants):
            brand.whole_calendar = get_whole_calendar(brand)
        days = {brand.calendar.budget_day(at).starts_on for at in instants | {self.now}}
        holds_to_begin = sum(isinstance(pending.request, HoldRequest) for pending in pendings)
        wanted = Wanted(
            campaign_ids=_ids_of(subjects, Subject.CAMPAIGN) | {each.campaign_id for each in named},
            budget_days=days | {each.budget_day for each in named},
            events={pending.event for pending in pendings if pending.event},
            entries=len(pendings) - holds_to_begin,
            holds=holds_to_begin,
        )
        ledger = Ledger(brand, self.now, holds=holds, logged=logged)
        return ledger, get_standings(brand, wanted, self.now)

    def _reaches_far_back(self, brand: Brand, instants: Iterable[datetime]) -> bool:
        """Whether spend may be of days that a zone counted which the brand doesn't remember."""
        remembers_since = brand.time_zone_changes_at or self.now - LATE_LIMIT
        return min(instants, default=self.now) < min(self.now, remembers_since)

    def _decide(
        self,
        pendings: Sequence[Pending],
        admission: Admission,
        known: Mapping[EventName, FirstAnswer],
    ) -> None:
        """Give each request its decision, or the answer that its event id already has."""
        first: dict[EventName, Pending] = {}
        for pending in pendings:
            event = pending.event
            if event and event in known:
                pending.outcome = _replay(known[event], pending.request)
            elif event and event in first:
                pending.repeats = first[event]
            elif pending.refusal:
                pending.decision = Decision(pending.refusal)
            else:
                pending.decision = admission.decide(_entry(pending))
                if event and pending.is_first_answer:
                    first[event] = pending

    def _store_verdicts(
        self,
        brand: Brand,
        admission: Admission,
        verdicts: Mapping[int, StoredVerdict],
        *,
        change: Change,
    ) -> None:
        """The campaigns named, and all of the brand when a brand budget ran out or came back."""
        if admission.turns_brand:
            judge_campaigns(brand, change)
            return
        doubtful = [
            campaign_id
            for campaign_id, stored in verdicts.items()
            if not stored.is_of(admission.standing(campaign_id).reasons, self.now)
        ]
        if doubtful:
            judge_campaigns(brand, change, doubtful)


def _answer(
    pendings: Sequence[Pending], verdicts: Mapping[int, StoredVerdict], ledger: Ledger
) -> list[Row]:
    """Word each outcome; the first answers to event ids, as they are kept (C21)."""
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
    return SpendOutcome(answer=answer_of(pending, decision, name))


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


def _last_admitted(pendings: Sequence[Pending], asked: Sequence[Asked]) -> Asked | None:
    """Whom and what a change of state is put down to, of all that came together."""
    backwards = zip(reversed(pendings), reversed(asked), strict=True)
    return next((each for pending, each in backwards if pending.admitted), None)


def _replay(first: FirstAnswer, request: Request) -> SpendOutcome:
    if first.fingerprint != request.fingerprint:
        return SpendOutcome(refusal=EventIdReusedError())
    if first.is_refusal:
        return SpendOutcome(refusal=RecordedRefusalError(first.answer), is_replay=True)
    return SpendOutcome(answer=first.answer, is_replay=True)
