"""Races of copies: the same event id from many processes at once (C21)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import chain

from core.actions.spend_requests import (
    CaptureRequest,
    HoldRequest,
    Request,
    SpendOutcome,
    SpendRequest,
)
from core.models import Hold, SpendLog
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.crowd import CROWD, meeting_point, run_together
from core.tests.races.field import (
    ONE,
    Answer,
    Deeds,
    answer_of,
    is_admitted,
    make_field,
)
from core.tests.races.promises import Promise, demand, demand_equal

EVENTS = 5
COPIES_EACH = 8
BATCH_SIZE = 60
OPEN, SHUT = Decimal(100), Decimal(0)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one process was told, and whether as a replay."""

    answer: Answer
    is_replay: bool


# Does its part in the event of this number.
Runner = Callable[[int], list[Heard]]


def race_of_copies(deeds: Deeds) -> None:
    """Each event id is sent 64 times at once: one entry, and everybody hears the same."""
    (campaign_id,) = make_field({"daily_budget": OPEN}, [{}]).campaign_ids
    for heard in _run_by_event([_sender(deeds, campaign_id, COPIES_EACH)] * CROWD, deeds.threads):
        demand_equal(len(heard), CROWD * COPIES_EACH, Promise.ONE_ANSWER)
        _demand_one_first_answer(heard)
    demand_equal(SpendLog.objects.count(), EVENTS, Promise.ONE_ANSWER)
    audit(NOON)


def race_of_copied_holds(deeds: Deeds) -> None:
    """A hold is asked for 64 times at once, and so is its capture: one hold and one entry."""
    (campaign_id,) = make_field({"daily_budget": OPEN}, [{}]).campaign_ids
    hold = HoldRequest(campaign_id, ONE, event_id="hold")
    (heard,) = _run_by_event(
        [_copier(deeds.create_hold, hold, COPIES_EACH)] * CROWD, deeds.threads, events=1
    )
    _demand_one_first_answer(heard)
    demand_equal(Hold.objects.count(), 1, Promise.ONE_ANSWER)
    audit(NOON)
    capture = CaptureRequest(heard[0].answer["hold_id"], event_id="capture")
    (heard,) = _run_by_event(
        [_copier(deeds.capture_hold, capture, COPIES_EACH)] * CROWD, deeds.threads, events=1
    )
    _demand_one_first_answer(heard)
    demand_equal(SpendLog.objects.count(), 1, Promise.ONE_ANSWER)
    audit(NOON)


def race_of_two_brands(deeds: Deeds) -> None:
    """Each event id is sent for two brands at once, which share no lock: one of them gets it."""
    fields = [make_field({}, [{}]) for _ in range(2)]
    senders = [_sender(deeds, field.campaign_ids[0], copies=1) for field in fields]
    for heard in _run_by_event(senders * (CROWD // 2), deeds.threads):
        _demand_one_first_answer([one for one in heard if is_admitted(one.answer)])
        lost = [one.answer["code"] for one in heard if not is_admitted(one.answer)]
        demand_equal(lost, ["event_id_reused"] * (CROWD // 2), Promise.ONE_ANSWER)
    demand_equal(SpendLog.objects.count(), EVENTS, Promise.ONE_ANSWER)
    audit(NOON)


def race_of_crossed_batches(deeds: Deeds) -> None:
    """Batches for two brands name the same event ids in opposite order, and never deadlock."""
    names = [f"event-{number}" for number in range(BATCH_SIZE)]
    ours, theirs = (make_field({}, [{}]).campaign_ids[0] for _ in range(2))
    runners = [_batch_sender(deeds, ours, names), _batch_sender(deeds, theirs, names[::-1])]
    rounds = _run_by_event(runners * (CROWD // 2), deeds.threads)
    for heard in rounds:
        codes = Counter(one.answer.get("code", "admitted") for one in heard)
        each = BATCH_SIZE * CROWD // 2
        demand_equal(codes, {"admitted": each, "event_id_reused": each}, Promise.ONE_ANSWER)
    demand_equal(SpendLog.objects.count(), len(rounds) * BATCH_SIZE, Promise.ONE_ANSWER)
    audit(NOON)


def race_of_refusals(deeds: Deeds) -> None:
    """The budget is opened or shut among the copies: whichever came first, all hear the same."""
    field = make_field({"daily_budget": SHUT}, [{}])
    (campaign_id,) = field.campaign_ids
    senders = [_sender(deeds, campaign_id, COPIES_EACH)] * (CROWD - 1)
    admitted_count = 0
    for heard in _run_by_event([*senders, _budget_switch(deeds, field.brand_id)], deeds.threads):
        _demand_one_first_answer(heard)
        admitted_count += is_admitted(heard[0].answer)
    demand_equal(SpendLog.objects.count(), admitted_count, Promise.ONE_ANSWER)
    audit(NOON)


def _run_by_event(
    runners: Sequence[Runner], threads: int, events: int = EVENTS
) -> list[list[Heard]]:
    """Let all runners loose on one event after the other; everything heard of each."""
    start = meeting_point(len(runners))

    def run(runner: Runner) -> list[list[Heard]]:
        heard = []
        for number in range(events):
            start.wait()
            heard.append(runner(number))
        return heard

    by_process = run_together([partial(run, runner) for runner in runners], threads=threads)
    return [list(chain.from_iterable(of_event)) for of_event in zip(*by_process, strict=True)]


def _sender(deeds: Deeds, campaign_id: int, copies: int) -> Runner:
    def send_copies(number: int) -> list[Heard]:
        request = SpendRequest(campaign_id, ONE, event_id=f"event-{number}")
        return _copier(deeds.add_spend, request, copies)(number)

    return send_copies


def _copier(deed: Callable[..., SpendOutcome], request: Request, copies: int) -> Runner:
    def send_copies(_: int) -> list[Heard]:
        outcomes = [deed(request, caller=CALLER, now=NOON) for _ in range(copies)]
        return [Heard(answer_of(outcome), outcome.is_replay) for outcome in outcomes]

    return send_copies


def _batch_sender(deeds: Deeds, campaign_id: int, names: Sequence[str]) -> Runner:
    def send_batch(number: int) -> list[Heard]:
        requests = [SpendRequest(campaign_id, ONE, event_id=f"{name}-{number}") for name in names]
        outcomes = deeds.admit_batch(requests, caller=CALLER, now=NOON, late_limit=timedelta(0))
        return [Heard(answer_of(outcome), outcome.is_replay) for outcome in outcomes]

    return send_batch


def _budget_switch(deeds: Deeds, brand_id: int) -> Runner:
    def switch_budget(number: int) -> list[Heard]:
        budget = SHUT if number % 2 else OPEN
        deeds.edit_brand(brand_id, {"daily_budget": budget}, caller=CALLER, now=NOON)
        return []

    return switch_budget


def _demand_one_first_answer(heard: Sequence[Heard]) -> None:
    firsts = [one.answer for one in heard if not one.is_replay]
    demand_equal(len(firsts), 1, Promise.ONE_ANSWER)
    others = [one.answer for one in heard if one.answer != firsts[0]]
    demand(not others, Promise.ONE_ANSWER, f"first {firsts[0]}, then {others[:1]}")
