"""A race of spends against people who edit the budgets that they spend from (C6)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain, pairwise, repeat, takewhile
from multiprocessing.synchronize import Event

from core.models import Brand, Campaign
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.crowd import (
    CROWD,
    LOOK_SECONDS,
    PATIENCE_SECONDS,
    run_together,
    signal,
    witnessing,
)
from core.tests.races.field import (
    Answer,
    DayView,
    Deeds,
    demand_refused_for_budget,
    demand_spent_exactly,
    is_admitted,
    look_at_day,
    make_field,
    spender,
)
from core.tests.races.promises import Promise, demand, demand_equal

# The brand's daily budget through the race: up, down, below what is spent. No value comes twice,
# so that the budget in force tells how many edits there had been.
DAILY_BUDGETS = tuple(map(Decimal, (15, 30, 10, 45, 20, 60, 3, 70)))
# What the other editors count up from: these never bind, they change the same rows.
MONTHLY_BUDGET, OWN_BUDGET = Decimal(10_000), Decimal(5_000)
# A budget is lowered shortly before it is used up, among spends that are under way.
MARGIN = 4
SECONDS_BETWEEN_EDITS = 0.03
REST_SECONDS = 0.005
LAST_REQUESTS_EACH = 10


def race_against_edits(deeds: Deeds) -> None:
    """Five spenders against three editors; then everybody spends what the last edit allows."""
    field = make_field(
        {"daily_budget": DAILY_BUDGETS[0], "monthly_budget": MONTHLY_BUDGET},
        [{"daily_budget": OWN_BUDGET}],
    )
    (campaign_id,) = field.campaign_ids
    brand_desk = Desk(Brand, field.brand_id, deeds.edit_brand)
    campaign_desk = Desk(Campaign, campaign_id, deeds.edit_campaign)
    is_over = signal()
    until_it_is_over = takewhile(lambda _: not is_over.is_set(), repeat(NOON))
    look = partial(look_at_day, field.brand_id, NOON.date())
    runners = [
        _leading_editor(brand_desk, look, is_over),
        _busy_editor(brand_desk, "monthly_budget", MONTHLY_BUDGET, is_over),
        _busy_editor(campaign_desk, "daily_budget", OWN_BUDGET, is_over),
    ]
    spend = spender(deeds, [campaign_id], until_it_is_over, rest_seconds=REST_SECONDS)
    runners += [spend] * (CROWD - len(runners))
    with witnessing(look) as views:
        answers = list(chain.from_iterable(run_together(runners, threads=deeds.threads)))
    _demand_every_decision_knew_the_budget(answers)
    _demand_lowering_stopped_all_spend(views)
    audit(NOON)
    _spend_what_is_left(deeds, campaign_id, answers)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an editor works on, and with which deed."""

    model: type[Brand | Campaign]
    row_id: int
    edit: Callable[..., object]

    def replace(self, column: str, before: Decimal, budget: Decimal) -> None:
        """Edit a column that nobody else edits: what was there must still be there (C6)."""
        found = getattr(self.model._default_manager.get(pk=self.row_id), column)
        demand_equal(found, before, Promise.EDITS_BIND)
        self.edit(self.row_id, {column: budget}, caller=CALLER, now=NOON)


def _leading_editor(
    desk: Desk, look: Callable[[], DayView | None], is_over: Event
) -> Callable[[], list[Answer]]:
    """Changes the budget that binds, whenever it is used up or nearly so."""

    def edit_on_and_on() -> list[Answer]:
        for before, budget in pairwise(DAILY_BUDGETS):
            _await_spent(before, before if budget > before else before - MARGIN, look)
            desk.replace("daily_budget", before, budget)
        is_over.set()
        return []

    return edit_on_and_on


def _await_spent(budget: Decimal, amount: Decimal, look: Callable[[], DayView | None]) -> None:
    """Wait until so much is spent, while the budget in force is the one that was set."""
    deadline = time.monotonic() + PATIENCE_SECONDS / 2
    while not (view := look()) or view[0] < amount:
        demand(view is None or view[2] == budget, Promise.EDITS_BIND, f"set {budget}, then {view}")
        demand(time.monotonic() < deadline, Promise.FULL_DELIVERY, f"{amount} never spent: {view}")
        time.sleep(LOOK_SECONDS)


def _busy_editor(
    desk: Desk, column: str, first: Decimal, is_over: Event
) -> Callable[[], list[Answer]]:
    """Edits something else in the same rows all the time."""

    def edit_on_and_on() -> list[Answer]:
        before = first
        while not is_over.is_set():
            desk.replace(column, before, before + 1)
            before += 1
            time.sleep(SECONDS_BETWEEN_EDITS)
        return []

    return edit_on_and_on


def _demand_every_decision_knew_the_budget(answers: Sequence[Answer]) -> None:
    """Each spend counted one up, within the budget of its moment, and that was never an old one."""
    demand_refused_for_budget(answers)
    admitted = [
        (Decimal(answer["new_daily_spend"]), Decimal(answer["remaining"]))
        for answer in filter(is_admitted, answers)
    ]
    spent = sorted(spent for spent, _ in admitted)
    demand_equal(spent, list(range(1, len(spent) + 1)), Promise.TOTALS_ARE_THE_LOG)
    in_force = [spent + remaining for spent, remaining in sorted(admitted)]
    demand(set(in_force) <= set(DAILY_BUDGETS), Promise.ZERO_OVERSPEND, f"in force: {in_force}")
    edits_before = [DAILY_BUDGETS.index(budget) for budget in in_force]
    demand(edits_before == sorted(edits_before), Promise.EDITS_BIND, f"in force: {in_force}")


def _demand_lowering_stopped_all_spend(views: Sequence[DayView | None]) -> None:
    """While a budget was in force that had been reached, the witness saw nothing spent."""
    for (spent, _, budget), (spent_next, _, budget_next) in pairwise(filter(None, views)):
        is_used_up = budget is not None and budget == budget_next and spent >= budget
        demand(
            not (is_used_up and spent_next > spent),
            Promise.ZERO_OVERSPEND,
            f"{spent_next} after {spent} at a budget of {budget}",
        )


def _spend_what_is_left(deeds: Deeds, campaign_id: int, earlier: Sequence[Answer]) -> None:
    runner = spender(deeds, [campaign_id], repeat(NOON, LAST_REQUESTS_EACH))
    answers = run_together([runner] * CROWD, threads=deeds.threads)
    demand_spent_exactly(DAILY_BUDGETS[-1], [*earlier, *chain.from_iterable(answers)])
    audit(NOON)
