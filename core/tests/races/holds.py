"""Races of holds: taken, captured, released and left to expire, all at once (C7, C8, C20).

Time is virtual: every call moves one common clock on, and one process's clock is ahead of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import chain
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from time import sleep

from django.db.models import QuerySet

from core.actions.spend_requests import CaptureRequest, HoldRequest, ReleaseRequest
from core.enums import HoldState
from core.models import Hold, SpendLog
from core.rules.entries import LONGEST_HOLD
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.budgets import AWAKE, Heat
from core.tests.races.crowd import counter, meeting_point, run_together, witnessing
from core.tests.races.field import (
    ONE,
    Answer,
    Deeds,
    answer_of,
    demand_never_overspent,
    is_admitted,
    look_at_campaign_day,
    look_at_day,
    make_field,
)
from core.tests.races.promises import Promise, demand, demand_equal

CALL_TAKES = timedelta(seconds=1)
SWEEP_SECONDS = 0.02
# The first process's clock: what it sees expire is still open for the others.
AHEAD = timedelta(seconds=15)
HOLD_LASTS = timedelta(seconds=40)
# By then every hold of the race itself has expired, and nobody has come to sweep.
LATER = NOON + timedelta(hours=2)
# How much to take and to capture; `None` is not to capture: release it, or leave it to expire.
STEPS = ((3, 2), (1, 1), (2, None), (2, None), (1, 1))
RELEASED_STEP = 2
# One campaign's own budget, as a part of the brand's. What the other campaign captures before
# everybody spends the rest leaves room for it, in each heat.
OWN_SHARE = Decimal("0.20")
# Why holds are refused; and a capture may come late, since clocks differ.
EXPECTED = {("budget_exceeded", None), ("campaign_not_active", None), ("hold_ended", "expired")}
MIXED = Heat(requests_each=12, budget=Decimal(60))
# A process takes part in as many fights as there are holds.
FIGHTS = Heat(requests_each=12)
FOUGHT_OVER = Decimal(2)


@dataclass(frozen=True, slots=True)
class Runner:
    """One process's way through the race."""

    deeds: Deeds
    campaign_ids: Sequence[int]
    turns: int
    clock: "Synchronized[int]"
    ahead: timedelta

    def run(self, mixed_is_over: Barrier) -> list[Answer]:
        """Take holds and end them in every way; then spend what is left, 1.00 at a time."""
        answers = []
        for turn in range(self.turns):
            answers += self._take_turn(turn)
        mixed_is_over.wait()
        for campaign_id in self.campaign_ids:
            answers += self._spend_what_is_left(campaign_id)
        return answers

    def _take_turn(self, turn: int) -> list[Answer]:
        campaign_id = self.campaign_ids[turn % len(self.campaign_ids)]
        step = turn % len(STEPS)
        amount, captured = STEPS[step]
        held = self._hold(campaign_id, Decimal(amount), self._now())
        if not is_admitted(held):
            return [held]
        if captured is not None:
            return [held, self._capture(held, Decimal(captured), self._now())]
        return [held, self._release(held)] if step == RELEASED_STEP else [held]

    def _spend_what_is_left(self, campaign_id: int) -> list[Answer]:
        answers = []
        while is_admitted(held := self._hold(campaign_id, ONE, LATER)):
            answers += [held, self._capture(held, None, LATER)]
        return [*answers, held]

    def _now(self) -> datetime:
        with self.clock.get_lock():
            self.clock.value += 1
            return NOON + self.clock.value * CALL_TAKES + self.ahead

    def _hold(self, campaign_id: int, amount: Decimal, at: datetime) -> Answer:
        request = HoldRequest(campaign_id, amount, HOLD_LASTS)
        return answer_of(self.deeds.create_hold(request, caller=CALLER, now=at))

    def _capture(self, held: Answer, amount: Decimal | None, at: datetime) -> Answer:
        request = CaptureRequest(held["hold_id"], amount)
        return answer_of(self.deeds.capture_hold(request, caller=CALLER, now=at))

    def _release(self, held: Answer) -> Answer:
        request = ReleaseRequest(held["hold_id"])
        return answer_of(self.deeds.release_hold(request, caller=CALLER, now=self._now()))


def race_of_holds(deeds: Deeds, heat: Heat = MIXED) -> None:
    """Holds in every fate on two campaigns, one with a lower budget, until nothing more fits."""
    own_budget = heat.budget * OWN_SHARE
    field = make_field({"daily_budget": heat.budget}, [{"daily_budget": own_budget}, {}])
    limited, _ = field.campaign_ids
    clock, mixed_is_over = counter(), meeting_point(heat.crowd + 1)
    runners = [
        Runner(deeds, field.campaign_ids, heat.requests_each, clock, AHEAD * (place == 0))
        for place in range(heat.crowd)
    ]
    sweeping = partial(_sweep, deeds, clock, mixed_is_over)
    runs = [*(partial(runner.run, mixed_is_over) for runner in runners), sweeping]
    looks = (
        partial(look_at_day, field.brand_id, NOON.date()),
        partial(look_at_campaign_day, limited, NOON.date()),
    )
    with witnessing(lambda: tuple(look() for look in looks)) as views:
        answers = list(chain.from_iterable(run_together(runs, threads=deeds.threads)))
    demand_never_overspent(chain.from_iterable(views))
    demand(len(views) > AWAKE, Promise.NO_SURPRISE, f"the witness slept: {views}")
    _demand_only_expected_refusals(answers)
    _demand_spent_to_the_unit(SpendLog.objects.all(), heat.budget)
    _demand_spent_to_the_unit(SpendLog.objects.filter(campaign=limited), own_budget)
    deeds.expire_holds(caller=CALLER, now=LATER)
    _demand_each_hold_ended_once(answers)
    audit(LATER)


def _sweep(deeds: Deeds, clock: "Synchronized[int]", mixed_is_over: Barrier) -> list[Answer]:
    """Expire holds on and on, as the task does; what is left at the end, nobody sweeps."""
    while mixed_is_over.n_waiting < mixed_is_over.parties - 1:
        at = NOON + clock.value * CALL_TAKES
        failed = deeds.expire_holds(caller=CALLER, now=at)["failed"]
        demand_equal(failed, 0, Promise.NO_SURPRISE)
        sleep(SWEEP_SECONDS)
    mixed_is_over.wait()
    return []


def _demand_only_expected_refusals(answers: Sequence[Answer]) -> None:
    refusals = [answer for answer in answers if not is_admitted(answer)]
    reasons = {(answer["code"], answer.get("state")) for answer in refusals}
    demand(reasons <= EXPECTED, Promise.NO_SURPRISE, f"refused: {reasons}")


def _demand_spent_to_the_unit(entries: QuerySet[SpendLog], budget: Decimal) -> None:
    spent = sum((entry.amount for entry in entries), Decimal(0))
    demand(spent <= budget, Promise.ZERO_OVERSPEND, f"{spent} of {budget} spent")
    demand(spent >= budget, Promise.FULL_DELIVERY, f"{spent} of {budget} spent")


def _demand_each_hold_ended_once(answers: Sequence[Answer]) -> None:
    """Nothing is open, and each end that somebody was told of is the one that is stored."""
    told = [(answer["hold_id"], answer["state"]) for answer in filter(is_admitted, answers)]
    begun = [hold_id for hold_id, state in told if state == HoldState.OPEN]
    ended = Counter(each for each in told if each[1] != HoldState.OPEN)
    stored = set(Hold.objects.values_list("id", "state"))
    demand_equal(sorted(begun), sorted(hold_id for hold_id, _ in stored), Promise.HOLDS_END_ONCE)
    still_open = [each for each in stored if each[1] == HoldState.OPEN]
    demand(not still_open, Promise.FULL_DELIVERY, f"never ended: {still_open}")
    by_callers = Counter(each for each in stored if each[1] != HoldState.EXPIRED)
    demand_equal(ended, by_callers, Promise.HOLDS_END_ONCE)
    # A race that lacks one of the ends proves nothing about it.
    every_end = set(HoldState) - {HoldState.OPEN}
    demand_equal({state for _, state in stored}, every_end, Promise.NO_SURPRISE)


def race_to_end_a_hold(deeds: Deeds, heat: Heat = FIGHTS) -> None:
    """One hold after the other is captured, released and expired at once: one of them wins."""
    prizes = heat.requests_each * FOUGHT_OVER
    # Whoever frees a hold twice takes from this one, and no constraint notices.
    ballast = heat.crowd * prizes
    (campaign_id,) = make_field({"daily_budget": prizes + ballast}, [{}]).campaign_ids
    _begin(deeds, HoldRequest(campaign_id, ballast, LONGEST_HOLD))
    expiries = [(number + 1) * timedelta(minutes=1) for number in range(heat.requests_each)]
    hold_ids = [_begin(deeds, HoldRequest(campaign_id, FOUGHT_OVER, each)) for each in expiries]
    start = meeting_point(heat.crowd)

    def fight(place: int) -> list[Answer]:
        answers = []
        for number, hold_id in enumerate(hold_ids):
            way = WAYS_TO_END[(place + number) % len(WAYS_TO_END)]
            start.wait()
            answers.append(way(deeds, hold_id, NOON + expiries[number]))
        return answers

    by_process = run_together(
        [partial(fight, place) for place in range(heat.crowd)], threads=deeds.threads
    )
    for hold_id, answers in zip(hold_ids, zip(*by_process, strict=True), strict=True):
        _demand_one_end(hold_id, answers)
    audit(NOON + expiries[-1])


def _begin(deeds: Deeds, request: HoldRequest) -> int:
    held = deeds.create_hold(request, caller=CALLER, now=NOON).accepted()
    return int(held["hold_id"])


def _capture_all(deeds: Deeds, hold_id: int, expires_at: datetime) -> Answer:
    request = CaptureRequest(hold_id)
    return answer_of(deeds.capture_hold(request, caller=CALLER, now=expires_at - CALL_TAKES))


def _capture_half(deeds: Deeds, hold_id: int, expires_at: datetime) -> Answer:
    request = CaptureRequest(hold_id, ONE)
    return answer_of(deeds.capture_hold(request, caller=CALLER, now=expires_at - CALL_TAKES))


def _release(deeds: Deeds, hold_id: int, expires_at: datetime) -> Answer:
    request = ReleaseRequest(hold_id)
    return answer_of(deeds.release_hold(request, caller=CALLER, now=expires_at - CALL_TAKES))


def _expire(deeds: Deeds, hold_id: int, expires_at: datetime) -> Answer:
    """The task's deed, told as a caller would be: it ended the hold, or somebody else had."""
    changes = deeds.expire_holds(caller=CALLER, now=expires_at)
    demand_equal(changes["failed"], 0, Promise.NO_SURPRISE)
    if changes["expired"]:
        return {"hold_id": hold_id, "state": HoldState.EXPIRED}
    return {"code": "hold_ended"}


# Each process goes round, so that every way meets every other, itself included.
WAYS_TO_END = (_capture_all, _capture_half, _release, _expire)


def _demand_one_end(hold_id: int, answers: Sequence[Answer]) -> None:
    """One process ended the hold, as it is stored; the others were told that it had ended, how."""
    ends = [answer["state"] for answer in filter(is_admitted, answers)]
    lost = [answer for answer in answers if not is_admitted(answer)]
    hold = Hold.objects.get(pk=hold_id)
    demand_equal(ends, [hold.state], Promise.HOLDS_END_ONCE)
    demand_equal({answer["code"] for answer in lost} - {"hold_ended"}, set(), Promise.NO_SURPRISE)
    told = {answer["state"] for answer in lost if "state" in answer}
    demand(told <= {hold.state}, Promise.HOLDS_END_ONCE, f"{hold} was told to be {told}")
