"""Races of spend with those who verify and rebuild the totals on a live system (C25)."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import chain, repeat

from core.actions.spend_requests import HoldRequest, ReleaseRequest, SpendOutcome
from core.queries.promises import BrokenPromise
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.budgets import Heat
from core.tests.races.crowd import run_together, witnessing
from core.tests.races.field import (
    ONE,
    Answer,
    Deeds,
    Field,
    answer_of,
    demand_never_overspent,
    demand_refused_for_budget,
    demand_spent_exactly,
    is_admitted,
    look_at_day,
    make_field,
    spender,
)
from core.tests.races.promises import Promise, demand

SPENDERS = Heat(crowd=4, requests_each=60, budget=Decimal(200))
HOLDERS = Heat(crowd=4, requests_each=60, budget=ONE)
# Who was never there while money moved proves nothing.
AWAKE = 3


def race_of_rebuilds(deeds: Deeds) -> None:
    """Four processes spend one budget to the unit while another one rebuilds its totals."""
    heat = SPENDERS
    field = make_field({"daily_budget": heat.budget}, [{}, {}])
    runners: list[Callable[[], list[Answer]]] = [
        partial(_spend, deeds, field, heat.requests_each) for _ in range(heat.crowd)
    ]
    rebuilder = partial(_rebuild, deeds, field.brand_id)
    look = partial(look_at_day, field.brand_id, NOON.date())
    with witnessing(look) as views, witnessing(rebuilder):
        answers = list(chain.from_iterable(run_together(runners, threads=deeds.threads)))
    demand_never_overspent(views)
    demand(len(views) > AWAKE, Promise.NO_SURPRISE, f"the witness slept: {views}")
    audit(NOON)
    demand_spent_exactly(heat.budget, answers)
    demand_refused_for_budget(answers)


def race_of_verifications(deeds: Deeds) -> None:
    """Four processes pause and wake a brand while another one verifies, and never cries wolf."""
    heat = HOLDERS
    field = make_field({"daily_budget": heat.budget}, [{}, {}])
    runners = [
        partial(_hold_and_release, deeds, field, heat.requests_each) for _ in range(heat.crowd)
    ]
    with witnessing(partial(_verify, deeds, field.brand_id)) as seen:
        run_together(runners, threads=deeds.threads)
    found = [broken for _, all_broken in seen for broken in all_broken]
    demand(not found, Promise.NO_FALSE_ALARM, found[:3])
    counts = {transitions for transitions, _ in seen}
    demand(len(counts) > AWAKE, Promise.NO_SURPRISE, f"the verifier slept: {counts}")
    audit(NOON)


def _spend(deeds: Deeds, field: Field, times: int) -> list[Answer]:
    return spender(deeds, field.campaign_ids, repeat(NOON, times))()


def _rebuild(deeds: Deeds, brand_id: int) -> None:
    deeds.rebuild_brand(brand_id, caller=CALLER, now=NOON)


def _hold_and_release(deeds: Deeds, field: Field, times: int) -> list[Answer]:
    """Each hold uses up the budget and pauses the brand, each release brings it back."""
    answers = []
    for turn in range(times):
        request = HoldRequest(field.campaign_ids[turn % 2], ONE)
        held: SpendOutcome = deeds.create_hold(request, caller=CALLER, now=NOON)
        answers.append(answer_of(held))
        if is_admitted(answers[-1]):
            release = ReleaseRequest(held.accepted()["hold_id"])
            answers.append(answer_of(deeds.release_hold(release, caller=CALLER, now=NOON)))
    return answers


def _verify(deeds: Deeds, brand_id: int) -> tuple[int, list[BrokenPromise]]:
    verified = deeds.verify_brand(brand_id, lambda: NOON)
    return verified.checked["transitions"], verified.broken
