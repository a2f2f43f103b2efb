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

    A refused or invalid entry spoils no other. Raises nothing but database errors, and those only
    while nothing is committed; after that, what is left comes to DatabaseUnavailableError. An
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
        is_committed = True
        outcomes.update(zip(together, decided, strict=True))
    failed = SpendOutcome(refusal=DatabaseUnavailableError())
    return [outcomes.get(place, failed) for place in range(len(asked))]


def _brands_of(asked: Sequence[Asked]) -> list[int | None]:
    """Whose brand each request is about; `None` where its caller may see nothing by that id."""
    requests = [each.request for each in asked]
    brand_of = {
        subject: map_to_brands(model, _ids_of(requests, subject))
        for subject, model in _MODELS.items()
    }

    def visible_brand(each: Asked) -> int | None:
        subject, named = each.request.subject
        brand_id = brand_of[subject].get(named)
        return brand_id if brand_id is not None and each.caller.may_see(brand_id) else None

    return [visible_brand(each) for each in asked]


def _ids_of(requests: Iterable[Request], subject: Subject) -> set[int]:
    return {request.subject[1] for request in requests if request.subject[0] is subject}


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
        pendings = [Pending(each) for each in asked]
        brand = lock_brand(self.brand_id)
        catch_up(brand, self.now)
        self._settle(brand, pendings)
        return [pending.outcome or SpendOutcome() for pending in pendings]

    def _settle(self, brand: Brand, pendings: Sequence[Pending]) -> None:
        """Decide, write and answer."""
        requests = [pending.request for pending in pendings]
        instants = list(self._instants(pendings))
        if self._reaches_far_back(brand, instants):
            brand.whole_calendar = get_whole_calendar(brand)
        ledger = Ledger(
            brand,
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
        self._store_verdicts(brand, campaigns, admission=admission, last=_last_admitted(pendings))

        self._answer(pendings, {campaign.pk: campaign.name for campaign in campaigns})

    def _reaches_far_back(self, brand: Brand, instants: Iterable[datetime]) -> bool:
        """Whether spend may be of days that a zone counted which the brand doesn't remember."""
        remembers_since = brand.time_zone_changes_at or self.now - LATE_LIMIT
        return min(instants, default=self.now) < min(self.now, remembers_since)

    def _instants(self, pendings: Iterable[Pending]) -> Iterator[datetime]:
        """When the spend occurred that isn't too late to count."""
        for pending in pendings:
            request = pending.request
            if isinstance(request, SpendRequest) and not self._time_refusal(pending.asked):
                yield occurred_at(request, self.now)

    def _time_refusal(self, asked: Asked) -> InvalidInputError | None:
        request = asked.request
        if not isinstance(request, SpendRequest):
            return None
        try:
            check_occurred_at(occurred_at(request, self.now), self.now, asked.late_limit)
        except InvalidInputError as refusal:
            return refusal
        return None

    def _decide(self, pendings: Sequence[Pending], admission: Admission) -> None:
        """Give each request its decision, or the answer that its event id already has."""
        events = [pending.asked.event for pending in pendings]
        known = map_event_answers(filter(None, events))
        first: dict[EventName, Pending] = {}
        for pending, event in zip(pendings, events, strict=True):
            if event and event in known:
                pending.outcome = _replay(known[event], pending.request)
            elif event and event in first:
                pending.repeats = first[event]
            else:
                refusal = self._time_refusal(pending.asked)
                entry = _entry(pending.request, self.now)
                pending.decision = Decision(refusal) if refusal else admission.decide(entry)
                if event and pending.is_first_answer:
                    first[event] = pending

    def _store_verdicts(
        self,
        brand: Brand,
        campaigns: list[Campaign],
        *,
        admission: Admission,
        last: Asked | None,
    ) -> None:
        """The campaigns named, and all of the brand when a brand budget ran out or came back."""
        if last is None:
            return
        change = Change(last.caller, self.now, _CAUSES[type(last.request)])
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
                answers.append(self._event_answer(pending.asked, pending.outcome))
        # Two brands share no lock; in one order, neither waits for an id while keeping a later one.
        answers.sort(key=attrgetter("source", "event_id"))
        EventAnswer.objects.bulk_create(answers)
        for pending in pendings:
            if pending.repeats and pending.repeats.outcome:
                first = self._event_answer(pending.repeats.asked, pending.repeats.outcome)
                pending.outcome = _replay(first, pending.request)

    def _event_answer(self, asked: Asked, outcome: SpendOutcome) -> EventAnswer:
        refusal = outcome.refusal
        return EventAnswer(
            source=asked.caller.source,
            event_id=asked.request.event_id,
            fingerprint=asked.request.fingerprint,
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


def _last_admitted(pendings: Sequence[Pending]) -> Asked | None:
    """Whom and what a change of state is put down to, of all that came together."""
    return next((each.asked for each in reversed(pendings) if each.admitted), None)


def _replay(first: EventAnswer, request: Request) -> SpendOutcome:
    if first.fingerprint != request.fingerprint:
        return SpendOutcome(refusal=EventIdReusedError())
    if first.is_refusal:
        return SpendOutcome(refusal=RecordedRefusalError(first.answer), is_replay=True)
    return SpendOutcome(answer=first.answer, is_replay=True)
