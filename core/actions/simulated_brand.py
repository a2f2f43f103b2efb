"""One brand of a simulation: its callers and its person do, through the real actions, as planned.

Here is also what only they can see of a broken promise: the answers that they get.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import IntegrityError

from core.actions.brands import BrandChanges, create_brand, edit_brand
from core.actions.caller import Caller
from core.actions.campaigns import create_campaign, edit_campaign, pause_campaign, resume_campaign
from core.actions.holds import capture_hold, create_hold, release_hold
from core.actions.spend import add_spend, refund_spend, report_spend
from core.actions.spend_requests import (
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    SpendOutcome,
    SpendRequest,
)
from core.enums import SpendKind
from core.errors import BudgetExceededError, CampaignNotActiveError, HoldEndedError
from core.models import Brand, Campaign
from core.queries.checks.budgets import list_wrong_admissions
from core.queries.promises import BrokenPromise, Promise
from core.rules.admission import LATE_LIMIT
from core.rules.traffic import (
    Ask,
    BrandPlan,
    Event,
    Fate,
    Move,
    NewBudget,
    SetAside,
    Switch,
    TakeBack,
    Tell,
    day_starts_at,
    flight,
)

PERSON = Caller("simulation:person")
# How long after its end somebody still tries to capture a hold that was forgotten.
TOO_LATE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class HoldDecision:
    """What becomes of a hold that was taken, at the instant at which its caller decides."""

    at: datetime
    campaign_id: int
    hold_id: int
    amount: Decimal
    fate: Fate


@dataclass(slots=True)
class SimulatedBrand:
    """A brand, and what its callers remember: entries, answers and the promises they saw broken."""

    plan: BrandPlan
    brand: Brand
    campaign_ids: list[int]
    requests: int = 0
    refused: Counter[date] = field(default_factory=Counter)
    broken: list[BrokenPromise] = field(default_factory=list)
    _entries: defaultdict[int, list[tuple[int, Decimal]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _switched_off: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, plan: BrandPlan, first_day: date) -> "SimulatedBrand":
        """Create the brand and its campaigns at the start of that day."""
        now = day_starts_at(first_day)
        brand = create_brand(
            {
                "name": plan.name,
                "time_zone": plan.time_zone,
                "currency": plan.currency,
                "daily_budget": plan.daily_budget,
                "monthly_budget": plan.monthly_budget,
            },
            caller=PERSON,
            now=now,
        )
        campaign_ids = []
        for campaign in plan.campaigns:
            starts_at, ends_at = flight(campaign, plan.calendar(first_day), first_day)
            created = create_campaign(
                brand.pk,
                {
                    "name": campaign.name,
                    "starts_at": starts_at,
                    "ends_at": ends_at,
                    "schedule": campaign.schedule,
                    "daily_budget": campaign.daily_budget,
                    "monthly_budget": campaign.monthly_budget,
                    "lifetime_budget": campaign.lifetime_budget,
                },
                caller=PERSON,
                now=now,
            )
            campaign_ids.append(created.pk)
        return cls(plan, brand, campaign_ids)

    @property
    def caller(self) -> Caller:
        """The program that spends for this brand."""
        return Caller(f"simulation:{self.brand.pk}", frozenset({self.brand.pk}))

    def play(self, event: Event | HoldDecision) -> HoldDecision | None:
        """Do what the event says; what is to be decided later about a hold that it took."""
        try:
            return self._play(event)
        except IntegrityError as error:
            self.broken.append(BrokenPromise(Promise.NO_SURPRISE, event.at, str(error)))
            return None

    def _play(self, event: Event | HoldDecision) -> HoldDecision | None:
        match event:
            case Ask():
                self._ask(event)
            case Tell():
                self._tell(event)
            case SetAside():
                return self._set_aside(event)
            case HoldDecision():
                self._decide(event)
            case TakeBack():
                self._take_back(event)
            case Switch():
                self._switch(event)
            case NewBudget():
                self._set_budget(event)
            case Move():
                self._edit({"time_zone": event.time_zone}, event.at)
        return None

    def list_turned_switches(self, at: datetime) -> list[BrokenPromise]:
        """Campaigns whose switch isn't where the person left it (C15)."""
        campaigns = Campaign.objects.filter(brand=self.brand).order_by("id")
        return [
            BrokenPromise(Promise.SWITCHES, at, f"{campaign}: is_enabled is {campaign.is_enabled}")
            for campaign in campaigns
            if campaign.is_enabled == (campaign.pk in self._switched_off)
        ]

    def _ask(self, event: Ask) -> None:
        """Ask; where too little remains, ask for just that, which nothing may refuse (C8)."""
        campaign_id = self.campaign_ids[event.campaign]
        event_id = f"ask-{self.requests}" if event.is_repeated else ""
        request = SpendRequest(campaign_id, event.amount, event_id=event_id)
        outcome = self._add(request, event.at)
        if event.is_repeated:
            again = add_spend(request, caller=self.caller, now=event.at)
            is_same = again.is_replay and _words(again) == _words(outcome)
            self._demand(is_same, Promise.ONE_ANSWER, at=event.at, outcome=again)
        if isinstance(outcome.refusal, BudgetExceededError):
            remaining = Decimal(outcome.refusal.details["remaining"])
            rest = self._add(SpendRequest(campaign_id, remaining), event.at)
            self._demand(not rest.refusal, Promise.FULL_DELIVERY, at=event.at, outcome=rest)

    def _add(self, request: SpendRequest, at: datetime) -> SpendOutcome:
        outcome = add_spend(request, caller=self.caller, now=at)
        self._check_answer(outcome, request, at)
        self._remember(request.campaign_id, request.amount, outcome)
        return outcome

    def _tell(self, event: Tell) -> None:
        campaign_id = self.campaign_ids[event.campaign]
        request = SpendRequest(
            campaign_id, event.amount, kind=SpendKind.REPORT, occurred_at=event.occurred_at
        )
        outcome = report_spend(request, caller=self.caller, now=event.at, late_limit=LATE_LIMIT)
        self.requests += 1
        self._demand(not outcome.refusal, Promise.REPORTS, at=event.at, outcome=outcome)
        self._remember(campaign_id, event.amount, outcome)

    def _set_aside(self, event: SetAside) -> HoldDecision | None:
        campaign_id = self.campaign_ids[event.campaign]
        request = HoldRequest(campaign_id, event.amount, event.duration)
        outcome = create_hold(request, caller=self.caller, now=event.at)
        self._check_answer(outcome, request, event.at)
        if outcome.answer is None:
            return None
        is_forgotten = event.fate is Fate.FORGOTTEN
        wait = event.duration + TOO_LATE if is_forgotten else event.decides_after
        hold_id = outcome.answer["hold_id"]
        return HoldDecision(event.at + wait, campaign_id, hold_id, event.amount, event.fate)

    def _decide(self, event: HoldDecision) -> None:
        self.requests += 1
        if event.fate is Fate.RELEASED:
            release = ReleaseRequest(event.hold_id)
            outcome = release_hold(release, caller=self.caller, now=event.at)
        else:
            part = self._part(event.amount, 50 if event.fate is Fate.CAPTURED_IN_PART else 100)
            capture = CaptureRequest(event.hold_id, part)
            outcome = capture_hold(capture, caller=self.caller, now=event.at)
            self._remember(event.campaign_id, part, outcome)
        if event.fate is Fate.FORGOTTEN:
            has_ended = isinstance(outcome.refusal, HoldEndedError)
            self._demand(has_ended, Promise.HOLDS_END, at=event.at, outcome=outcome)
        else:
            self._demand(not outcome.refusal, Promise.HOLDS_CAPTURED, at=event.at, outcome=outcome)

    def _take_back(self, event: TakeBack) -> None:
        entries = self._entries[self.campaign_ids[event.campaign]]
        if not entries:
            return
        self.requests += 1
        entry_id, amount = entries.pop()
        request = RefundRequest(entry_id, self._part(amount, event.percent))
        outcome = refund_spend(request, caller=self.caller, now=event.at)
        self._demand(not outcome.refusal, Promise.REFUNDS, at=event.at, outcome=outcome)

    def _switch(self, event: Switch) -> None:
        campaign_id = self.campaign_ids[event.campaign]
        if event.is_on:
            resume_campaign(campaign_id, caller=PERSON, now=event.at)
            self._switched_off.discard(campaign_id)
        else:
            pause_campaign(campaign_id, caller=PERSON, now=event.at)
            self._switched_off.add(campaign_id)

    def _set_budget(self, event: NewBudget) -> None:
        place = event.campaign
        plan = self.plan if place is None else self.plan.campaigns[place]
        changes: Any = {event.name: plan.budgets[event.name] * event.percent / 100}
        if place is None:
            self._edit(changes, event.at)
        else:
            edit_campaign(self.campaign_ids[place], changes, caller=PERSON, now=event.at)

    def _edit(self, changes: BrandChanges, at: datetime) -> None:
        self.brand = edit_brand(self.brand.pk, changes, caller=PERSON, now=at)

    def _check_answer(
        self, outcome: SpendOutcome, request: SpendRequest | HoldRequest, at: datetime
    ) -> None:
        """Count a request that could be refused, and look whether the answer can be true."""
        self.requests += 1
        refusal = outcome.refusal
        if refusal is None:
            self.broken += list_wrong_admissions(request.campaign_id, at)
            return
        self.refused[self.brand.calendar.budget_day(at).starts_on] += 1
        if isinstance(refusal, BudgetExceededError):
            is_due = Decimal(refusal.details["remaining"]) < request.amount
        else:
            is_due = isinstance(refusal, CampaignNotActiveError)
        self._demand(is_due, Promise.FULL_DELIVERY, at=at, outcome=outcome)

    def _remember(self, campaign_id: int, amount: Decimal, outcome: SpendOutcome) -> None:
        if outcome.answer is not None:
            self._entries[campaign_id].append((outcome.answer["spend_log_id"], amount))

    def _part(self, amount: Decimal, percent: int) -> Decimal:
        """So many percent, in whole smallest units, at least one of them."""
        part = (amount * percent / 100).quantize(self.plan.smallest, ROUND_DOWN)
        return max(part, self.plan.smallest)

    def _demand(
        self, is_kept: bool, promise: Promise, *, at: datetime, outcome: SpendOutcome
    ) -> None:
        if not is_kept:
            facts = f"{self.brand} was answered {_words(outcome)}"
            self.broken.append(BrokenPromise(promise, at, facts))


def _words(outcome: SpendOutcome) -> dict[str, Any]:
    """What the caller was told, as JSON values."""
    return outcome.refusal.document() if outcome.refusal else outcome.answer or {}
