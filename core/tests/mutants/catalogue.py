"""Every seeded defect, what it breaks, and the test that it can't get past: the one list of them.

`make mutants` runs it, `test_catalogue.py` holds it to what there is.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from core.tests.mutants.defects import DEFECTS
from core.tests.races.test_mutants import MUTANTS, POSTGRESQL, SQLITE

TESTS = Path(__file__).resolve().parents[1]
RACES = "core/tests/races/test_races.py"
RACED = "core/tests/races/test_mutants.py::test_the_race_catches_the_mutant"

STOPPED = "core/tests/stack/test_web.py::test_a_stop_that_comes_while_workers_begin_is_obeyed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One defect: what it breaks, in words, and the test that kills it.

    A defect of `defects.py` is put into the product, and the test has to fail. Others need a world
    of their own, which another test makes: its name is `shown_by`, and it has to pass.
    """

    breaks: str
    killed_by: str
    shown_by: str | None = None
    is_on_postgresql: bool = False


# Which test of those below `core/tests` fails with each of `defects.py`.
_KILLERS = {
    "float_money": (
        "rules/test_admission_sequences.py::"
        "test_any_sequence_is_decided_as_a_plain_ledger_decides_it_c18_c19"
    ),
    "totals_zeroed_in_place": (
        "actions/test_reset_daily_spend.py::test_no_total_is_ever_zeroed_c10"
    ),
    "exact_budget_not_used_up": (
        "rules/test_verdict.py::test_reaching_a_budget_exactly_uses_it_up_c5"
    ),
    "siblings_left_active": (
        "actions/test_add_spend.py::"
        "test_the_spend_that_fills_the_budget_pauses_every_campaign_of_the_brand_c5_c16"
    ),
    "late_spend_counts_today": (
        "actions/test_report_spend.py::test_late_spend_counts_in_its_own_day_and_month_c11"
    ),
    "any_lateness_taken": (
        "actions/test_report_spend.py::"
        "test_a_report_beyond_the_limits_is_refused_and_leaves_no_trace_c11"
    ),
    "report_dropped_when_over_budget": (
        "actions/test_report_spend.py::"
        "test_the_part_that_no_budget_covers_is_kept_with_its_cause_c19"
    ),
    "refund_without_limit": (
        "actions/test_refund_spend.py::"
        "test_what_is_left_of_an_entry_can_be_refunded_and_not_a_micro_more"
    ),
    "refusals_not_kept": (
        "actions/test_event_ids.py::"
        "test_a_refusal_is_the_answer_too_even_when_there_is_budget_again"
    ),
    "content_of_an_event_id_ignored": (
        "actions/test_event_ids.py::"
        "test_the_same_id_with_other_content_is_refused_and_writes_nothing"
    ),
    "batch_decided_backwards": (
        "actions/test_admit_spends.py::"
        "test_a_batch_is_answered_and_stored_as_its_entries_one_by_one"
    ),
    "other_brands_seen": (
        "actions/test_admit_spends.py::test_a_caller_limited_to_brands_can_only_spend_there_c29"
    ),
    "held_money_not_counted": (
        "actions/test_holds.py::test_held_money_counts_against_every_budget_c7"
    ),
    "capture_frees_nothing": (
        "actions/test_holds.py::test_a_capture_in_part_frees_the_rest_and_brings_campaigns_back"
    ),
    "capture_counts_today": (
        "actions/test_holds.py::test_a_capture_counts_in_the_period_in_which_the_hold_was_taken"
    ),
    "capture_above_hold_taken": (
        "actions/test_holds.py::test_a_capture_above_the_hold_is_refused_and_the_hold_stays_open"
    ),
    "hold_ends_twice": "actions/test_holds.py::test_what_has_ended_ends_no_second_time",
    "naive_local_midnight": (
        "rules/test_calendar.py::test_a_day_starts_at_its_first_instant_and_lasts_until_the_next"
    ),
    "days_of_24_hours": (
        "rules/test_calendar.py::test_a_day_starts_at_its_first_instant_and_lasts_until_the_next"
    ),
    "new_zone_at_once": (
        "rules/test_zone_change.py::"
        "test_a_move_east_takes_effect_at_the_next_midnight_and_shortens_the_day_after"
    ),
    "windows_a_minute_late": (
        "rules/test_dayparts.py::test_is_open_agrees_with_the_clock_on_the_wall_in_every_minute"
    ),
    "reset_resumes_campaigns": (
        "actions/test_reset_daily_spend.py::test_what_else_stands_in_the_way_still_does_c15"
    ),
    "transitions_forgotten": (
        "actions/test_add_spend.py::"
        "test_the_transition_keeps_the_numbers_the_actor_and_the_instant_c17"
    ),
}
# Defects of whole processes, whose stories have them beside the right ones.
_OF_PROCESSES = {
    "clock_of_the_host_trusted": Entry(
        "a host whose clock is two hours off spends another day's budget (C7)",
        "core/tests/stories/test_wrong_clocks.py::"
        "test_a_host_two_hours_off_decides_by_the_clock_of_the_database",
        "core/tests/stories/test_wrong_clocks.py::"
        "test_hosts_that_trust_their_own_clocks_spend_another_days_budget",
        is_on_postgresql=True,
    ),
    "workers_forget_the_lock": Entry(
        "two beats' ticks happen twice (C26)",
        "core/tests/stories/test_two_beats.py::"
        "test_what_two_beats_tick_happens_once_and_in_order_c10_c13_c17_c20_c26",
        "core/tests/stories/test_two_beats.py::"
        "test_the_story_notices_workers_that_forget_the_lock_c26",
    ),
    "stops_taken_by_handlers": Entry(
        "a worker that begins is deaf to a stop, and is killed in the middle of its calls",
        f"{STOPPED}[stack.web]",
        f"{STOPPED}[core.tests.stack.wrong_server]",
    ),
    "new_event_id_for_each_try": Entry(
        "what a client tries again is spent again (C21)",
        "core/tests/stories/test_crashes.py::"
        "test_clients_and_servers_killed_200_times_spend_exactly_what_was_intended_c7_c20_c21",
        "core/tests/stories/test_crashes.py::"
        "test_the_audit_catches_a_client_that_makes_a_new_event_id_for_each_try_c21",
    ),
}


def _tests_of_races() -> dict[str, str]:
    """Which test of the product runs each race."""
    module = ast.parse((TESTS / "races" / "test_races.py").read_text())
    return {
        name.id: f"{RACES}::{test.name}"
        for test in module.body
        if isinstance(test, ast.FunctionDef)
        for name in ast.walk(test)
        if isinstance(name, ast.Name) and name.id.startswith("race_")
    }


def _raced() -> dict[str, Entry]:
    tests = _tests_of_races()
    return {
        name: Entry(
            mutant.breaks.value,
            tests[mutant.race.__name__],
            f"{RACED}[{name}]",
            is_on_postgresql=mutant.vendors != SQLITE and mutant.vendors >= POSTGRESQL,
        )
        for name, mutant in MUTANTS.items()
    }


def _installed() -> dict[str, Entry]:
    return {
        name: Entry((defect.__doc__ or "").rstrip("."), f"core/tests/{_KILLERS[name]}")
        for name, defect in DEFECTS.items()
    }


CATALOGUE: dict[str, Entry] = {**_installed(), **_raced(), **_OF_PROCESSES}
