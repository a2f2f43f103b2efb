"""Eight processes at once never overspend, never deliver short and never contradict the log.

Each race says in its own file what it demands; `test_mutants.py` shows that each would notice a
broken product.
"""

import pytest

from core.tests.actions.tasks import changing
from core.tests.races.budgets import (
    race_for_a_campaign_budget,
    race_on_eight_campaigns,
    race_on_one_campaign,
)
from core.tests.races.editors import race_of_editors
from core.tests.races.edits import race_against_edits
from core.tests.races.events import (
    race_of_copied_holds,
    race_of_copies,
    race_of_crossed_batches,
    race_of_refusals,
    race_of_two_brands,
)
from core.tests.races.field import GROUPED, PRODUCT, Deeds
from core.tests.races.holds import race_of_holds, race_to_end_a_hold
from core.tests.races.many_brands import race_over_many_brands
from core.tests.races.midnights import race_across_midnights
from core.tests.races.rebuilds import race_of_rebuilds, race_of_verifications
from core.tests.races.refunds import race_of_refunds
from core.tests.races.ticks import race_of_doubled_ticks

WAYS = {"alone": PRODUCT, "together": GROUPED}
pytestmark = [pytest.mark.usefixtures("own_database"), pytest.mark.xdist_group("races")]


@pytest.fixture(params=WAYS)
def deeds(request: pytest.FixtureRequest) -> Deeds:
    """Each process spends for itself; or four threads of each, which commit together."""
    return WAYS[request.param]


def test_eight_processes_on_one_campaign_spend_the_brand_budget_to_the_unit_c5_c7_c8(
    deeds: Deeds,
) -> None:
    race_on_one_campaign(deeds)


def test_eight_processes_on_eight_campaigns_spend_the_brand_budget_to_the_unit_c5_c7_c8(
    deeds: Deeds,
) -> None:
    race_on_eight_campaigns(deeds)


def test_a_campaign_budget_below_the_brands_is_spent_to_the_unit_c4_c7_c8(deeds: Deeds) -> None:
    race_for_a_campaign_budget(deeds)


def test_an_edited_budget_binds_on_the_next_decision_and_no_edit_is_lost_c6_c7(
    deeds: Deeds,
) -> None:
    race_against_edits(deeds)


def test_of_editors_who_read_the_same_version_exactly_one_saves_c6() -> None:
    race_of_editors(PRODUCT)


def test_every_day_is_spent_to_the_unit_while_tasks_run_across_midnights_c7_c10_c26() -> None:
    race_across_midnights(PRODUCT)


def test_an_event_id_sent_64_times_at_once_is_one_entry_and_one_answer_c21(deeds: Deeds) -> None:
    race_of_copies(deeds)


def test_an_event_id_sent_for_two_brands_at_once_belongs_to_one_of_them_c21(deeds: Deeds) -> None:
    race_of_two_brands(deeds)


def test_batches_for_two_brands_with_the_same_event_ids_never_deadlock_c21_c23() -> None:
    race_of_crossed_batches(PRODUCT)


def test_a_refusal_is_replayed_even_when_the_budget_is_raised_among_the_copies_c21(
    deeds: Deeds,
) -> None:
    race_of_refusals(deeds)


def test_batches_edits_and_tasks_over_many_brands_never_deadlock_c26(deeds: Deeds) -> None:
    race_over_many_brands(deeds)


def test_holds_never_pass_a_budget_and_it_is_spent_to_the_unit_in_the_end_c7_c8_c20(
    deeds: Deeds,
) -> None:
    race_of_holds(deeds)


def test_a_hold_that_many_end_at_once_ends_once_and_the_others_are_told_so_c20(
    deeds: Deeds,
) -> None:
    race_to_end_a_hold(deeds)


def test_a_hold_and_a_capture_sent_64_times_at_once_are_one_hold_and_one_entry_c20_c21(
    deeds: Deeds,
) -> None:
    race_of_copied_holds(deeds)


def test_an_entry_asked_back_64_times_at_once_gives_what_it_has_c22(deeds: Deeds) -> None:
    race_of_refunds(deeds)


def test_totals_that_are_rebuilt_while_four_processes_spend_forget_nothing_c7_c8_c25(
    deeds: Deeds,
) -> None:
    race_of_rebuilds(deeds)


def test_verifying_while_four_processes_spend_finds_nothing_and_delays_nobody_c25(
    deeds: Deeds,
) -> None:
    race_of_verifications(deeds)


@pytest.mark.parametrize("name", changing())
def test_a_task_that_runs_twice_at_once_leaves_what_one_run_would_leave_c26(name: str) -> None:
    race_of_doubled_ticks(PRODUCT, names=[name])
