"""Admits and records spend. Everything that spends comes through `admit_spends` (C7, C18, C19).

One brand is one transaction: the log entries, the totals, the answers to event ids and the
verdicts commit together or not at all.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, transaction

from core.actions.caller import Caller
from core.actions.verdicts import Change, judge_campaigns, judging_instant, store_verdicts
from core.enums import Cause, SpendKind
from core.errors import (
    BudgetManagerError,
    CampaignNotFoundError,
    EventIdReusedError,
    InvalidInputError,
    NotFoundError,
    RecordedRefusalError,
)
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, EventAnswer, SpendLog
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.locks import lock_brand
from core.queries.spend import map_campaigns_to_brands, map_event_answers
from core.rules.admission import Admission, Decision, SpendEntry, check_occurred_at
from core.rules.explanation import describe_obstacles
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.rules.verdict import TotalKey, period_of, used_up_brand_budgets

# Two brands can meet in one event id; the loser of that race starts again and sees the winner.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class SpendRequest:
    """What a caller asks. `occurred_at` of `None` is now; `event_id` of "" is none (C21)."""

    campaign_id: int
    amount: Decimal
    kind: SpendKind = SpendKind.ADD
    occurred_at: datetime | None = None
    currency: str | None = None
    event_id: str = ""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the content: equal for equal requests, whatever their event id."""
        content = (
            self.kind.value,
            self.campaign_id,
            format_money(self.amount),
            format_instant(self.occurred_at),
            self.currency,
        )
        return hashlib.sha256(repr(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SpendOutcome:
    """What one request came to: an answer as JSON values, or a refusal."""

    answer: dict[str, Any] | None = None
    refusal: BudgetManagerError | None = None
    is_replay: bool = False

    def accepted(self) -> dict[str, Any]:
        """The answer. Raises the refusal if there is one."""
        if self.refusal:
            raise self.refusal
        return self.answer or {}


def add_spend(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Ask to spend now: admitted if the campaign is active and every budget covers it (C18)."""
    asked = replace(request, kind=SpendKind.ADD, occurred_at=None)
    return admit_spends([asked], caller=caller, now=now, late_limit=timedelta(0))[0]


def report_spend(
    request: SpendRequest, *, caller: Caller, now: datetime, late_limit: timedelta
) -> SpendOutcome:
    """Record money already gone, whatever the budgets say (C19), at most `late_limit` old (C11)."""
    told = replace(request, kind=SpendKind.REPORT)
    return admit_spends([told], caller=caller, now=now, late_limit=late_limit)[0]


def admit_spends(
    requests: Sequence[SpendRequest], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """Decide each request in order, one transaction per brand; outcomes in the order asked (C23).

    A refused or invalid entry spoils no other. Raises nothing but database errors. An event id
    that two brands share makes their entries depend on each other: then it is one by one.
    """
    brand_of = map_campaigns_to_brands(
        {request.campaign_id for request in requests}, caller.brand_ids
    )
    apart = _share_an_event_id(requests, brand_of)
    outcomes: dict[int, SpendOutcome] = {}
    places: dict[tuple[int, int], list[int]] = {}
    for place, request in enumerate(requests):
        brand_id = brand_of.get(request.campaign_id)
        if brand_id is None:
            outcomes[place] = SpendOutcome(refusal=CampaignNotFoundError())
        else:
            places.setdefault((brand_id, place if apart else 0), []).append(place)
    for (brand_id, _), together in places.items():
        session = _Session(brand_id, caller, now, late_limit)
        decided = session.admit([requests[place] for place in together])
        outcomes.update(zip(together, decided, strict=True))
    return [outcomes[place] for place in range(len(requests))]


def _share_an_event_id(requests: Sequence[SpendRequest], brand_of: dict[int, int]) -> bool:
    first: dict[str, int | None] = {}
    for request in requests:
        brand_id = brand_of.get(request.campaign_id)
        if request.event_id and first.setdefault(request.event_id, brand_id) != brand_id:
            return True
    return False


@dataclass(slots=True)
class _Entry:
    """One request on its way: decided, perhaps logged, finally answered."""

    request: SpendRequest
    occurred_at: datetime
    decision: Decision | None = None
    log: SpendLog | None = None
    outcome: SpendOutcome | None = None
    repeats: "_Entry | None" = None

    @property
    def is_first_answer(self) -> bool:
        """Whether this entry's answer is to be kept for its event id: decided, not just invalid."""
        if not self.request.event_id or self.decision is None:
            return False
        return not isinstance(self.decision.refusal, InvalidInputError | NotFoundError)


@dataclass(frozen=True, slots=True)
class _Session:
    """One brand's share of the work: one transaction under the brand's lock."""

    brand_id: int
    caller: Caller
    now: datetime
    late_limit: timedelta

    def admit(self, requests: Sequence[SpendRequest]) -> list[SpendOutcome]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._admit_once(requests)
            except IntegrityError:
                continue
        return self._admit_once(requests)

    @transaction.atomic
    def _admit_once(self, requests: Sequence[SpendRequest]) -> list[SpendOutcome]:
        entries = [_Entry(request, self._occurred_at(request)) for request in requests]
        brand = lock_brand(self.brand_id)
        campaigns = list_campaigns_to_judge(brand, {request.campaign_id for request in requests})
        instants = [self.now, *(entry.occurred_at for entry in entries if self._is_timely(entry))]
        instants += [judging_instant(campaign, self.now) for campaign in campaigns]

        admission = Admission(get_book(brand, campaigns, instants), self.now)
        self._decide(entries, admission)

        self._log(entries, brand)
        self._store_totals(brand, admission)
        self._store_verdicts(brand, campaigns, admission)

        names = {campaign.pk: campaign.name for campaign in campaigns}
        self._answer(entries, names)
        return [entry.outcome or SpendOutcome() for entry in entries]

    def _occurred_at(self, request: SpendRequest) -> datetime:
        """When it counts: only what is already gone can have been gone earlier (C11)."""
        is_told = request.kind is not SpendKind.ADD
        return (is_told and request.occurred_at) or self.now

    def _is_timely(self, entry: _Entry) -> bool:
        return _time_refusal(entry, self.now, self.late_limit) is None

    def _decide(self, entries: Sequence[_Entry], admission: Admission) -> None:
        """Give each entry its decision, or the answer that its event id already has."""
        event_ids = {entry.request.event_id for entry in entries} - {""}
        known = map_event_answers(self.caller.source, event_ids)
        first: dict[str, _Entry] = {}
        for entry in entries:
            event_id = entry.request.event_id
            if event_id in known:
                entry.outcome = _replay(known[event_id], entry.request)
            elif event_id in first:
                entry.repeats = first[event_id]
            else:
                refusal = _time_refusal(entry, self.now, self.late_limit)
                entry.decision = Decision(refusal) if refusal else admission.decide(_spend(entry))
                if entry.is_first_answer:
                    first[event_id] = entry

    def _log(self, entries: Sequence[_Entry], brand: Brand) -> None:
        for entry in entries:
            if entry.decision and not entry.decision.refusal:
                entry.log = self._log_entry(entry, entry.decision, brand)
        SpendLog.objects.bulk_create([entry.log for entry in entries if entry.log])

    def _log_entry(self, entry: _Entry, decision: Decision, brand: Brand) -> SpendLog:
        return SpendLog(
            brand=brand,
            campaign_id=entry.request.campaign_id,
            kind=entry.request.kind,
            amount=entry.request.amount,
            over_budget=decision.over_budget,
            over_budget_cause=decision.over_budget_cause or "",
            currency=brand.currency,
            budget_day=brand.calendar.budget_day(entry.occurred_at).starts_on,
            occurred_at=entry.occurred_at,
            recorded_at=self.now,
            event_id=entry.request.event_id,
            source=self.caller.source,
        )

    def _store_totals(self, brand: Brand, admission: Admission) -> None:
        """Write the totals that changed. Absolute values are safe: the brand is locked."""
        of_brand, of_campaigns = [], []
        for key in admission.changed:
            amounts = admission.totals[key]
            columns = _period_columns(brand, key) | {"spent": amounts.spent, "held": amounts.held}
            if key.campaign_id is None:
                of_brand.append(BrandTotal(brand=brand, **columns))
            else:
                of_campaigns.append(CampaignTotal(campaign_id=key.campaign_id, **columns))
        BrandTotal.objects.bulk_create(
            of_brand,
            update_conflicts=True,
            unique_fields=["brand", "period", "starts_on"],
            update_fields=["spent", "held"],
        )
        CampaignTotal.objects.bulk_create(
            of_campaigns,
            update_conflicts=True,
            unique_fields=["campaign", "period", "starts_on"],
            update_fields=["spent", "held"],
        )

    def _store_verdicts(
        self, brand: Brand, campaigns: list[Campaign], admission: Admission
    ) -> None:
        """The campaigns that spent, and all of the brand when a brand budget ran out (C5, C16)."""
        if not admission.changed:
            return
        change = Change(self.caller, self.now, Cause.SPEND)
        before, after = (
            used_up_brand_budgets(book.brand, book.totals, self.now)
            for book in (admission.before, admission.book)
        )
        if before != after:
            judge_campaigns(brand, change)
        else:
            store_verdicts(campaigns, admission.book, change)

    def _answer(self, entries: Sequence[_Entry], names: dict[int, str]) -> None:
        """Word each outcome, and keep the first answer to each event id (C21)."""
        answers = []
        for entry in entries:
            if entry.decision:
                entry.outcome = _outcome(entry, entry.decision, names)
            if entry.is_first_answer and entry.outcome:
                answers.append(self._event_answer(entry.request, entry.outcome))
        # Two brands share no lock; in one order, neither waits for an id while keeping a later one.
        answers.sort(key=attrgetter("event_id"))
        EventAnswer.objects.bulk_create(answers)
        for entry in entries:
            if entry.repeats and entry.repeats.outcome:
                first = self._event_answer(entry.repeats.request, entry.repeats.outcome)
                entry.outcome = _replay(first, entry.request)

    def _event_answer(self, request: SpendRequest, outcome: SpendOutcome) -> EventAnswer:
        refusal = outcome.refusal
        return EventAnswer(
            source=self.caller.source,
            event_id=request.event_id,
            fingerprint=request.fingerprint,
            is_refusal=refusal is not None,
            answer=refusal.document() if refusal else outcome.answer,
            recorded_at=self.now,
        )


def _time_refusal(entry: _Entry, now: datetime, late_limit: timedelta) -> InvalidInputError | None:
    try:
        check_occurred_at(entry.occurred_at, now, late_limit)
    except InvalidInputError as refusal:
        return refusal
    return None


def _spend(entry: _Entry) -> SpendEntry:
    request = entry.request
    return SpendEntry(
        request.kind, request.campaign_id, request.amount, entry.occurred_at, request.currency
    )


def _period_columns(brand: Brand, key: TotalKey) -> dict[str, Any]:
    period = period_of(brand.calendar, key.period, key.starts_on)
    return {
        "period": period.kind,
        "starts_on": period.starts_on,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
    }


def _replay(first: EventAnswer, request: SpendRequest) -> SpendOutcome:
    if first.fingerprint != request.fingerprint:
        return SpendOutcome(refusal=EventIdReusedError())
    if first.is_refusal:
        return SpendOutcome(refusal=RecordedRefusalError(first.answer), is_replay=True)
    return SpendOutcome(answer=first.answer, is_replay=True)


def _outcome(entry: _Entry, decision: Decision, names: dict[int, str]) -> SpendOutcome:
    """The answer to a single spend as it stands on the wire: the seed's fields, then ours."""
    if decision.refusal or decision.verdict is None or entry.log is None:
        return SpendOutcome(refusal=decision.refusal)
    request, verdict = entry.request, decision.verdict
    answer: dict[str, Any] = {
        "campaign_id": request.campaign_id,
        "campaign_name": names[request.campaign_id],
        "amount": format_money(request.amount),
        "new_daily_spend": format_money(decision.day.spent),
        "new_monthly_spend": format_money(decision.month.spent),
        "is_active": verdict.is_active,
        "event_id": request.event_id or None,
        "spend_log_id": entry.log.pk,
        "remaining": None if verdict.remaining is None else format_money(verdict.remaining),
        "reasons": describe_obstacles(verdict),
    }
    if request.kind is SpendKind.REPORT:
        answer["over_budget"] = format_money(decision.over_budget)
        answer["over_budget_cause"] = decision.over_budget_cause
    return SpendOutcome(answer=answer)
