"""Admits and records spend, refunds and holds. All of them come through `admit_spends` (C7, C18).

One brand is one transaction: the log entries, the holds, the totals, the answers to event ids and
the verdicts commit together or not at all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter

from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, transaction

from core.actions.caller import Caller
from core.actions.catch_up import catch_up
from core.actions.ledger import Ledger, Pending, occurred_at
from core.actions.spend_answers import outcome_of
from core.actions.spend_requests import (
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    Request,
    SpendOutcome,
    SpendRequest,
    Subject,
)
from core.actions.verdicts import Change, judge_campaigns, judging_instant, store_verdicts
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
from core.models import Brand, Campaign, EventAnswer, Hold, SpendLog
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.history import get_whole_calendar
from core.queries.holds import map_holds
from core.queries.locks import lock_brand
from core.queries.spend import map_entries_to_refund, map_event_answers, map_to_brands
from core.rules.admission import LATE_LIMIT, Admission, Decision, check_occurred_at
from core.rules.entries import (
    CaptureEntry,
    Entry,
    HoldEntry,
    RefundEntry,
    ReleaseEntry,
    SpendEntry,
)
from core.rules.verdict import used_up_brand_budgets

# Two brands can meet in one event id; the loser of that race starts again and sees the winner.
ATTEMPTS = 3
# What a database says that is down, overloaded, locked for too long or, PostgreSQL by an
# InternalError, only a standby (C27).
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
NOT_LATE = timedelta(0)
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
    asked = replace(request, kind=SpendKind.ADD, occurred_at=None)
    return admit_spends([asked], caller=caller, now=now, late_limit=NOT_LATE)[0]


def report_spend(
    request: SpendRequest, *, caller: Caller, now: datetime, late_limit: timedelta
) -> SpendOutcome:
    """Record money already gone, whatever the budgets say (C19), at most `late_limit` old (C11)."""
    told = replace(request, kind=SpendKind.REPORT)
    return admit_spends([told], caller=caller, now=now, late_limit=late_limit)[0]


def refund_spend(request: RefundRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Take back part or all of an entry, in that entry's own periods, however old (C22)."""
    return admit_spends([request], caller=caller, now=now, late_limit=NOT_LATE)[0]


def admit_spends(
    requests: Sequence[Request], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """Decide each request in order, one transaction per brand; outcomes in the order asked (C23).

    A refused or invalid entry spoils no other. Raises nothing but database errors, and those only
    while nothing is committed; after that, what is left comes to DatabaseUnavailableError. An
    event id that two brands share makes their entries depend on each other: then it is one by one.
    """
    brand_ids = _brands_of(requests, caller)
    apart = _share_an_event_id(requests, brand_ids)
    outcomes: dict[int, SpendOutcome] = {}
    places: dict[tuple[int, int], list[int]] = {}
    for place, (request, brand_id) in enumerate(zip(requests, brand_ids, strict=True)):
        if brand_id is None:
            outcomes[place] = SpendOutcome(refusal=_NOT_FOUND[request.subject[0]]())
        else:
            places.setdefault((brand_id, place if apart else 0), []).append(place)
    is_committed = False
    for (brand_id, _), together in places.items():
        session = _Session(brand_id, caller, now, late_limit)
        try:
            decided = session.admit([requests[place] for place in together])
        except UNAVAILABLE:
            if not is_committed:
                raise
            break
        is_committed = True
        outcomes.update(zip(together, decided, strict=True))
    failed = SpendOutcome(refusal=DatabaseUnavailableError())
    return [outcomes.get(place, failed) for place in range(len(requests))]


def _brands_of(requests: Sequence[Request], caller: Caller) -> list[int | None]:
    """Whose brand each request is about; `None` where the caller may see nothing by that id."""
    brand_of = {
        subject: map_to_brands(model, _ids_of(requests, subject), caller.brand_ids)
        for subject, model in _MODELS.items()
    }
    subjects = [request.subject for request in requests]
    return [brand_of[subject].get(named) for subject, named in subjects]


def _ids_of(requests: Iterable[Request], subject: Subject) -> set[int]:
    return {request.subject[1] for request in requests if request.subject[0] is subject}


def _share_an_event_id(requests: Sequence[Request], brand_ids: Sequence[int | None]) -> bool:
    first: dict[str, int | None] = {}
    for request, brand_id in zip(requests, brand_ids, strict=True):
        if request.event_id and first.setdefault(request.event_id, brand_id) != brand_id:
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Session:
    """One brand's share of the work: one transaction under the brand's lock."""

    brand_id: int
    caller: Caller
    now: datetime
    late_limit: timedelta

    def admit(self, requests: Sequence[Request]) -> list[SpendOutcome]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._admit_once(requests)
            except IntegrityError:
                continue
        return self._admit_once(requests)

    @transaction.atomic
    def _admit_once(self, requests: Sequence[Request]) -> list[SpendOutcome]:
        pendings = [Pending(request) for request in requests]
        brand = lock_brand(self.brand_id)
        catch_up(brand, self.now)
        self._settle(brand, pendings)
        return [pending.outcome or SpendOutcome() for pending in pendings]

    def _settle(self, brand: Brand, pendings: Sequence[Pending]) -> None:
        """Decide, write and answer."""
        requests = [pending.request for pending in pendings]
        instants = list(self._instants(requests))
        if self._reaches_far_back(brand, instants):
            brand.whole_calendar = get_whole_calendar(brand)
        ledger = Ledger(
            brand,
            self.caller.source,
            self.now,
            holds=map_holds(brand, _ids_of(requests, Subject.HOLD)),
            logged=map_entries_to_refund(brand, _ids_of(requests, Subject.ENTRY)),
        )
        named: list[Hold | SpendLog] = [*ledger.holds.values(), *ledger.logged.values()]
        campaigns = list_campaigns_to_judge(
            brand,
            _ids_of(requests, Subject.CAMPAIGN) | {each.campaign_id for each in named},
        )
        instants += [self.now, *(judging_instant(campaign, self.now) for campaign in campaigns)]
        budget_days = {each.budget_day for each in named}
        book = get_book(brand, campaigns, instants, budget_days=budget_days)

        admission = Admission(ledger.facts(book), self.now)
        self._decide(pendings, admission)

        ledger.write(pendings, admission)
        self._store_verdicts(brand, campaigns, admission=admission, cause=_cause(pendings))

        self._answer(pendings, {campaign.pk: campaign.name for campaign in campaigns})

    def _reaches_far_back(self, brand: Brand, instants: Iterable[datetime]) -> bool:
        """Whether spend may be of days that a zone counted which the brand doesn't remember."""
        remembers_since = brand.time_zone_changes_at or self.now - LATE_LIMIT
        return min(instants, default=self.now) < min(self.now, remembers_since)

    def _instants(self, requests: Iterable[Request]) -> Iterator[datetime]:
        """When the spend occurred that isn't too late to count."""
        for request in requests:
            if isinstance(request, SpendRequest) and not self._time_refusal(request):
                yield occurred_at(request, self.now)

    def _time_refusal(self, request: Request) -> InvalidInputError | None:
        if not isinstance(request, SpendRequest):
            return None
        try:
            check_occurred_at(occurred_at(request, self.now), self.now, self.late_limit)
        except InvalidInputError as refusal:
            return refusal
        return None

    def _decide(self, pendings: Sequence[Pending], admission: Admission) -> None:
        """Give each request its decision, or the answer that its event id already has."""
        event_ids = {pending.request.event_id for pending in pendings} - {""}
        known = map_event_answers(self.caller.source, event_ids)
        first: dict[str, Pending] = {}
        for pending in pendings:
            event_id = pending.request.event_id
            if event_id in known:
                pending.outcome = _replay(known[event_id], pending.request)
            elif event_id in first:
                pending.repeats = first[event_id]
            else:
                refusal = self._time_refusal(pending.request)
                entry = _entry(pending.request, self.now)
                pending.decision = Decision(refusal) if refusal else admission.decide(entry)
                if pending.is_first_answer:
                    first[event_id] = pending

    def _store_verdicts(
        self, brand: Brand, campaigns: list[Campaign], *, admission: Admission, cause: Cause
    ) -> None:
        """The campaigns named, and all of the brand when a brand budget ran out or came back."""
        if not admission.changed:
            return
        change = Change(self.caller, self.now, cause)
        before, after = (
            used_up_brand_budgets(book.brand, book.totals, self.now)
            for book in (admission.before, admission.book)
        )
        if before != after:
            judge_campaigns(brand, change)
        else:
            store_verdicts(campaigns, admission.book, change)

    def _answer(self, pendings: Sequence[Pending], names: dict[int, str]) -> None:
        """Word each outcome, and keep the first answer to each event id (C21)."""
        answers = []
        for pending in pendings:
            if pending.decision:
                pending.outcome = outcome_of(pending, names)
            if pending.is_first_answer and pending.outcome:
                answers.append(self._event_answer(pending.request, pending.outcome))
        # Two brands share no lock; in one order, neither waits for an id while keeping a later one.
        answers.sort(key=attrgetter("event_id"))
        EventAnswer.objects.bulk_create(answers)
        for pending in pendings:
            if pending.repeats and pending.repeats.outcome:
                first = self._event_answer(pending.repeats.request, pending.repeats.outcome)
                pending.outcome = _replay(first, pending.request)

    def _event_answer(self, request: Request, outcome: SpendOutcome) -> EventAnswer:
        refusal = outcome.refusal
        return EventAnswer(
            source=self.caller.source,
            event_id=request.event_id,
            fingerprint=request.fingerprint,
            is_refusal=refusal is not None,
            answer=refusal.document() if refusal else outcome.answer,
            recorded_at=self.now,
        )


def _entry(request: Request, now: datetime) -> Entry:
    """The request as the rules see it."""
    match request:
        case SpendRequest(campaign_id, amount, kind):
            at = occurred_at(request, now)
            return SpendEntry(kind, campaign_id, amount, at, request.currency)
        case HoldRequest(campaign_id, amount):
            return HoldEntry(campaign_id, amount, request.currency)
        case CaptureRequest(hold_id, amount):
            return CaptureEntry(hold_id, amount)
        case ReleaseRequest(hold_id):
            return ReleaseEntry(hold_id)
        case RefundRequest(spend_log_id, amount):
            return RefundEntry(spend_log_id, amount)


def _cause(pendings: Iterable[Pending]) -> Cause:
    """What to call a change of state: what was done, or spend where that was several things."""
    causes = {_CAUSES[type(pending.request)] for pending in pendings if pending.admitted}
    return causes.pop() if len(causes) == 1 else Cause.SPEND


def _replay(first: EventAnswer, request: Request) -> SpendOutcome:
    if first.fingerprint != request.fingerprint:
        return SpendOutcome(refusal=EventIdReusedError())
    if first.is_refusal:
        return SpendOutcome(refusal=RecordedRefusalError(first.answer), is_replay=True)
    return SpendOutcome(answer=first.answer, is_replay=True)
