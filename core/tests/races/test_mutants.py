"""Every race notices what it is there for: with a broken deed in it, it fails (the mutant dies).

A race that let its mutant live would let the same mistake into the product.
"""

import inspect
from collections.abc import Callable
from dataclasses import astuple, dataclass
from decimal import Decimal
from functools import partial

import pytest
from django.conf import settings

from core.tests.conftest import OwnDatabases
from core.tests.races import (
    budgets,
    editors,
    edits,
    events,
    holds,
    many_brands,
    midnights,
    mutants,
    mutants_of_holds,
    mutants_of_rebuilds,
    mutants_of_tasks,
    rebuilds,
    refunds,
    ticks,
)
from core.tests.races.field import Deeds
from core.tests.races.promises import Promise, demand_caught

pytestmark = pytest.mark.xdist_group("races")

VENDOR = "sqlite" if "sqlite" in settings.DATABASES["default"]["ENGINE"] else "postgresql"
SQLITE, POSTGRESQL = frozenset({"sqlite"}), frozenset({"postgresql"})
SHORT = budgets.Heat(requests_each=10, budget=Decimal(40))
ALONE = budgets.Heat(crowd=1, requests_each=50, budget=Decimal(40))

Race = Callable[..., None]
RACES: set[Race] = {
    function
    for module in (
        *(budgets, editors, edits, events, holds, many_brands, midnights),
        *(rebuilds, refunds, ticks),
    )
    for name, function in vars(module).items()
    if name.startswith("race_")
}
RACES_WITH_HEATS = {race for race in RACES if "heat" in inspect.signature(race).parameters}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken deed, the race that catches it, and the promise that it is seen to break there."""

    race: Race
    deeds: Deeds
    breaks: Promise
    vendors: frozenset[str] = SQLITE | POSTGRESQL
    # Some forget something, rather than look at the wrong moment.
    is_right_alone: bool = True

    def run(self, heat: budgets.Heat) -> None:
        """Run the race with the broken deed. Raises PromiseBrokenError if the race catches it."""
        if self.race in RACES_WITH_HEATS:
            self.race(self.deeds, heat)
        else:
            self.race(self.deeds)


MUTANTS = {
    "read_then_save": Mutant(
        budgets.race_on_one_campaign,
        Deeds(add_spend=mutants.read_then_save),
        Promise.ZERO_OVERSPEND,
    ),
    "check_then_increment": Mutant(
        budgets.race_on_eight_campaigns,
        Deeds(add_spend=mutants.check_then_increment),
        Promise.ZERO_OVERSPEND,
    ),
    "stored_flag_trusted": Mutant(
        budgets.race_for_a_campaign_budget,
        Deeds(add_spend=mutants.stored_flag_trusted),
        Promise.ZERO_OVERSPEND,
    ),
    "limit_through_a_join": Mutant(
        budgets.race_on_one_campaign,
        Deeds(add_spend=mutants.limit_through_a_join),
        Promise.ZERO_OVERSPEND,
        POSTGRESQL,
    ),
    "lock_left_out": Mutant(
        budgets.race_on_one_campaign,
        Deeds(add_spend=mutants.lock_left_out),
        Promise.ZERO_OVERSPEND,
        POSTGRESQL,
    ),
    "facts_read_before_the_lock": Mutant(
        budgets.race_on_one_campaign,
        Deeds(add_spend=mutants.facts_read_before_the_lock),
        Promise.ZERO_OVERSPEND,
        POSTGRESQL,
    ),
    "brand_saved_whole": Mutant(
        edits.race_against_edits, Deeds(edit_brand=mutants.brand_saved_whole), Promise.EDITS_BIND
    ),
    "version_checked_before_lock": Mutant(
        editors.race_of_editors,
        Deeds(edit_brand=mutants.version_checked_before_lock),
        Promise.EDITS_BIND,
    ),
    "brand_judged_without_lock": Mutant(
        edits.race_against_edits,
        Deeds(edit_brand=mutants.brand_judged_without_lock),
        Promise.STORED_VERDICTS,
    ),
    "campaign_saved_whole": Mutant(
        edits.race_against_edits,
        Deeds(edit_campaign=mutants.campaign_saved_whole),
        Promise.STORED_VERDICTS,
    ),
    "totals_zeroed_at_midnight": Mutant(
        midnights.race_across_midnights,
        Deeds(reset_daily_spend=mutants.totals_zeroed_at_midnight),
        Promise.ZERO_OVERSPEND,
    ),
    "doubtful_judged_without_lock": Mutant(
        midnights.race_across_midnights,
        Deeds(check_budgets=mutants.doubtful_judged_without_lock),
        Promise.STORED_VERDICTS,
    ),
    "event_id_checked_then_inserted": Mutant(
        events.race_of_copies,
        Deeds(add_spend=mutants.event_id_checked_then_inserted),
        Promise.ONE_ANSWER,
    ),
    "event_id_checked_for_two_brands": Mutant(
        events.race_of_two_brands,
        Deeds(add_spend=mutants.event_id_checked_then_inserted),
        Promise.ONE_ANSWER,
    ),
    "event_id_conflict_not_retried": Mutant(
        events.race_of_two_brands,
        Deeds(add_spend=mutants.event_id_conflict_not_retried),
        Promise.NO_SURPRISE,
        POSTGRESQL,
    ),
    "answers_kept_in_order_of_arrival": Mutant(
        events.race_of_crossed_batches,
        Deeds(admit_batch=mutants.answers_kept_in_order_of_arrival),
        Promise.NO_SURPRISE,
        POSTGRESQL,
    ),
    "batches_begin_deferred": Mutant(
        events.race_of_crossed_batches,
        Deeds(admit_batch=mutants.transactions_begin_deferred),
        Promise.NO_SURPRISE,
        SQLITE,
    ),
    "refusal_forgotten": Mutant(
        events.race_of_refusals, Deeds(add_spend=mutants.refusal_forgotten), Promise.ONE_ANSWER
    ),
    "every_brand_in_one_transaction": Mutant(
        many_brands.race_over_many_brands,
        Deeds(admit_batch=mutants.every_brand_in_one_transaction),
        Promise.NO_SURPRISE,
        POSTGRESQL,
    ),
    "read_then_save_for_many_brands": Mutant(
        many_brands.race_of_calls_for_many_brands,
        Deeds(add_spend=mutants.read_then_save),
        Promise.ZERO_OVERSPEND,
    ),
    "calls_for_brands_not_locked": Mutant(
        many_brands.race_of_calls_for_many_brands,
        Deeds(threads=4, add_spend=mutants.calls_for_brands_not_locked),
        Promise.ZERO_OVERSPEND,
        POSTGRESQL,
    ),
    "free_brands_waited_for": Mutant(
        many_brands.race_over_many_brands,
        Deeds(admit_batch=mutants.free_brands_waited_for),
        Promise.NO_SURPRISE,
        POSTGRESQL,
    ),
    "free_brands_not_locked": Mutant(
        many_brands.race_over_many_brands,
        Deeds(admit_batch=mutants.free_brands_not_locked),
        Promise.TOTALS_ARE_THE_LOG,
        POSTGRESQL,
    ),
    "transactions_begin_deferred": Mutant(
        many_brands.race_over_many_brands,
        Deeds(admit_batch=mutants.transactions_begin_deferred),
        Promise.NO_SURPRISE,
        SQLITE,
    ),
    "hold_checked_before_the_lock": Mutant(
        holds.race_of_holds,
        Deeds(create_hold=mutants_of_holds.hold_checked_before_the_lock),
        Promise.ZERO_OVERSPEND,
    ),
    "held_column_forgotten": Mutant(
        holds.race_of_holds,
        Deeds(
            create_hold=mutants_of_holds.held_column_forgotten,
            capture_hold=mutants_of_holds.held_column_forgotten,
            release_hold=mutants_of_holds.held_column_forgotten,
            expire_holds=mutants_of_holds.nobody_sweeps,
        ),
        Promise.ZERO_OVERSPEND,
    ),
    "hold_never_expires": Mutant(
        holds.race_of_holds,
        Deeds(
            create_hold=mutants_of_holds.hold_never_expires,
            capture_hold=mutants_of_holds.hold_never_expires,
            release_hold=mutants_of_holds.hold_never_expires,
            expire_holds=mutants_of_holds.nobody_sweeps,
        ),
        Promise.FULL_DELIVERY,
        is_right_alone=False,
    ),
    "rest_kept": Mutant(
        holds.race_of_holds,
        Deeds(capture_hold=mutants_of_holds.rest_kept),
        Promise.FULL_DELIVERY,
        is_right_alone=False,
    ),
    "hold_read_before_the_lock": Mutant(
        holds.race_to_end_a_hold,
        Deeds(
            capture_hold=mutants_of_holds.hold_read_before_the_lock,
            release_hold=mutants_of_holds.hold_read_before_the_lock,
        ),
        Promise.HOLDS_END_ONCE,
    ),
    "expired_summed_before_the_lock": Mutant(
        holds.race_to_end_a_hold,
        Deeds(expire_holds=mutants_of_holds.expired_summed_before_the_lock),
        Promise.HOLDS_END_ONCE,
    ),
    "event_id_checked_for_copied_holds": Mutant(
        events.race_of_copied_holds,
        Deeds(create_hold=mutants.event_id_checked_then_inserted),
        Promise.ONE_ANSWER,
    ),
    "event_id_checked_for_copied_captures": Mutant(
        events.race_of_copied_holds,
        Deeds(capture_hold=mutants.event_id_checked_then_inserted),
        Promise.ONE_ANSWER,
    ),
    "refund_checked_before_the_lock": Mutant(
        refunds.race_of_refunds,
        Deeds(refund_spend=mutants_of_holds.refund_checked_before_the_lock),
        Promise.REFUNDS_ARE_COVERED,
    ),
    "doubtful_unlocked": Mutant(
        ticks.race_of_doubled_ticks,
        Deeds(check_budgets=mutants_of_tasks.doubtful_unlocked),
        Promise.TICKS_ARE_ONE,
    ),
    "due_unlocked": Mutant(
        ticks.race_of_doubled_ticks,
        Deeds(enforce_dayparting=mutants_of_tasks.due_unlocked),
        Promise.TICKS_ARE_ONE,
    ),
    "days_unlocked": Mutant(
        ticks.race_of_doubled_ticks,
        Deeds(reset_daily_spend=mutants_of_tasks.days_unlocked),
        Promise.TICKS_ARE_ONE,
    ),
    "months_unlocked": Mutant(
        ticks.race_of_doubled_ticks,
        Deeds(reset_monthly_spend=mutants_of_tasks.months_unlocked),
        Promise.TICKS_ARE_ONE,
    ),
    "expiry_unlocked": Mutant(
        ticks.race_of_doubled_ticks,
        Deeds(expire_holds=mutants_of_tasks.expiry_unlocked),
        Promise.TICKS_ARE_ONE,
    ),
    "log_read_before_the_lock": Mutant(
        rebuilds.race_of_rebuilds,
        Deeds(rebuild_brand=mutants_of_rebuilds.log_read_before_the_lock),
        Promise.TOTALS_ARE_THE_LOG,
        is_right_alone=False,
    ),
    "verified_without_a_snapshot": Mutant(
        rebuilds.race_of_verifications,
        Deeds(verify_brand=mutants_of_rebuilds.verified_without_a_snapshot),
        Promise.NO_FALSE_ALARM,
        is_right_alone=False,
    ),
    "due_found_before_the_lock": Mutant(
        ticks.race_of_doubled_ticks,
        Deeds(enforce_dayparting=mutants_of_tasks.due_found_before_the_lock),
        Promise.TICKS_ARE_ONE,
    ),
}
MUTANTS_HERE = {name: mutant for name, mutant in MUTANTS.items() if VENDOR in mutant.vendors}
# A mutant's books are the same on any database: one is enough to check them.
RIGHT_ALONE = [
    name
    for name, mutant in MUTANTS_HERE.items()
    if mutant.race in RACES_WITH_HEATS and mutant.is_right_alone
    if min(mutant.vendors, key="sqlite postgresql".split().index) == VENDOR
]


@pytest.mark.parametrize("name", MUTANTS_HERE)
def test_the_race_catches_the_mutant(name: str, own_databases: OwnDatabases) -> None:
    mutant = MUTANTS_HERE[name]
    demand_caught(mutant.breaks, partial(mutant.run, SHORT), own_databases)


@pytest.mark.parametrize("name", RIGHT_ALONE)
def test_the_mutant_is_right_when_it_runs_alone(name: str, own_database: str) -> None:
    # So it is the race that kills it, not a slip in its books.
    MUTANTS_HERE[name].run(ALONE)


def test_every_race_has_a_mutant_on_this_database() -> None:
    assert {mutant.race for mutant in MUTANTS_HERE.values()} == RACES


def test_every_mutant_is_in_a_race() -> None:
    written = {
        function
        for module in (mutants, mutants_of_holds, mutants_of_rebuilds, mutants_of_tasks)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert written <= {deed for mutant in MUTANTS.values() for deed in astuple(mutant.deeds)}
