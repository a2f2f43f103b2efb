"""Violations that show in the database and its server, for the rows that look there."""

import json
from datetime import timedelta

from core.tests.chaos.forged import NOW, TODAY, Forger, asked_of
from core.tests.chaos.planting import NOT_ACTIVE, Plants
from core.tests.views.api import Json

PLANTS = Plants()
NO_ROOM = {"code": "budget_exceeded", "budget": "brand_daily_budget", "remaining": "0.10"}


# --- The walk through history ---------------------------------------------------------------


@PLANTS.found_by("overspend")
def an_add_beyond_the_budget(forger: Forger) -> None:
    forger.spend(forger.run.scarce_campaign)


@PLANTS.found_by("overspend")
def a_hold_beyond_the_budget_that_is_over_by_now(forger: Forger) -> None:
    forger.end_hold(forger.begin_hold(), forger.run.scarce_campaign, "expired")


@PLANTS.found_by("overspend")
def a_capture_of_more_than_its_hold(forger: Forger) -> None:
    campaign, held = forger.run.plenty_campaign, forger.begin_hold()
    entry_id = forger.enter(campaign, "capture", micros=600_000_000)
    answer = {"hold_id": held["hold_id"], "spend_log_id": entry_id, "amount": "600.00"}
    forger.keep(answer)
    path = f"/holds/{held['hold_id']}/capture/"
    forger.say("capture", {"amount": "600.00"}, answer, path=path)
    forger.end_hold(held, campaign, "captured", spend_log_id=entry_id)
    _set_lifetime_budget(forger, "1000.00")


@PLANTS.found_by("overspend")
def an_add_while_the_budget_was_below_what_was_spent(forger: Forger) -> None:
    _set_lifetime_budget(forger, "0.01")
    forger.spend(forger.run.plenty_campaign)
    _set_lifetime_budget(forger, "500.00")


@PLANTS.found_by("admitted_inactive")
def an_add_while_the_campaign_was_paused(forger: Forger) -> None:
    _spend_while(forger, {"is_enabled": False})


@PLANTS.found_by("admitted_inactive")
def an_add_before_the_flight(forger: Forger) -> None:
    _spend_while(forger, {"starts_at": "2024-02-01T00:00:00Z"})


@PLANTS.found_by("admitted_inactive")
def an_add_after_the_flight(forger: Forger) -> None:
    _spend_while(forger, {"ends_at": "2024-01-01T00:00:00Z"})


@PLANTS.found_by("admitted_inactive")
def an_add_outside_of_the_schedule(forger: Forger) -> None:
    # It is half past four on a Tuesday in New York.
    _spend_while(forger, {"dayparts": [[[1], 0, 270], [[0], 600, 240], [[2], 0, 1440]]})


@PLANTS.found_by("admitted_inactive")
def an_add_while_the_brand_was_off(forger: Forger) -> None:
    brand_id = forger.run.plenty["id"]
    for number, is_enabled in ((8, "false"), (9, "true")):
        forger.execute(
            """INSERT INTO core_brandversion (brand_id, number, at, actor, settings)
            SELECT brand_id, %s, at, actor, jsonb_set(settings, '{is_enabled}', %s)
            FROM core_brandversion WHERE brand_id = %s ORDER BY number DESC LIMIT 1""",
            *(number, is_enabled, brand_id),
        )
        if is_enabled == "false":
            forger.spend(forger.run.plenty_campaign)


@PLANTS.found_by("under_delivery")
def a_refusal_though_there_was_room(forger: Forger) -> None:
    _refuse(forger, NO_ROOM)


@PLANTS.found_by("under_delivery")
def a_refusal_for_a_budget_that_there_is_none(forger: Forger) -> None:
    _refuse(forger, {**NO_ROOM, "budget": "campaign_daily_budget"})


@PLANTS.found_by("under_delivery")
def a_campaign_called_inactive_for_a_budget_that_has_room(forger: Forger) -> None:
    _refuse(forger, {**NOT_ACTIVE, "reasons": [{"code": "campaign_lifetime_budget"}]})


@PLANTS.found_by("under_delivery")
def a_refusal_for_a_switch_that_was_on(forger: Forger) -> None:
    _refuse(forger, {**NOT_ACTIVE, "reasons": [{"code": "campaign_disabled"}]})


@PLANTS.found_by("under_delivery")
def a_run_that_turned_nothing_down(forger: Forger) -> None:
    forger.execute(
        """UPDATE core_eventanswer SET answer = answer || '{"code": "other"}' WHERE is_refusal"""
    )
    for journal in (forger.folder / "journals").iterdir():
        words = journal.read_text()
        for code in ("budget_exceeded", "campaign_not_active", "refund_above_entry"):
            words = words.replace(f'"{code}"', '"other"')
        journal.write_text(words)


@PLANTS.found_by("wrong_days")
def an_add_counted_in_yesterday(forger: Forger) -> None:
    forger.spend(forger.run.plenty_campaign, day=TODAY - timedelta(days=1))


@PLANTS.found_by("wrong_days")
def a_report_counted_in_tomorrow(forger: Forger) -> None:
    forger.spend(forger.run.plenty_campaign, "report", day=TODAY + timedelta(days=1))


@PLANTS.found_by("mislabelled")
def a_report_over_budget_that_does_not_say_so(forger: Forger) -> None:
    forger.spend(forger.run.scarce_campaign, "report")


# --- The database against itself -------------------------------------------------------------


@PLANTS.found_by("drift")
def a_total_above_its_log(forger: Forger) -> None:
    forger.execute("UPDATE core_brandtotal SET spent = spent + 1 WHERE period = 'month'")


@PLANTS.found_by("drift")
def a_total_that_is_gone(forger: Forger) -> None:
    forger.execute("DELETE FROM core_campaigntotal WHERE period = 'lifetime' AND spent > 0")


@PLANTS.found_by("leaked_holds")
def a_hold_that_nobody_ended(forger: Forger) -> None:
    forger.end_hold(forger.begin_hold(), forger.run.plenty_campaign, "open")


@PLANTS.found_by("leaked_holds")
def an_amount_held_for_no_hold(forger: Forger) -> None:
    forger.execute("UPDATE core_brandtotal SET held = 1")


@PLANTS.found_by("broken_transitions")
def the_same_state_twice(forger: Forger) -> None:
    columns = "campaign_id, at, is_active, reasons, numbers, cause, actor, recorded_at"
    forger.execute(
        f"INSERT INTO core_transition ({columns}) SELECT {columns} FROM core_transition "
        "ORDER BY id DESC LIMIT 1"
    )


@PLANTS.found_by("broken_transitions")
def a_history_that_goes_back(forger: Forger) -> None:
    first = "(SELECT min(id) FROM core_transition)"
    forger.execute(f"UPDATE core_transition SET at = '2025-01-01Z' WHERE id = {first}")


@PLANTS.found_by("broken_transitions")
def a_last_transition_that_is_missing(forger: Forger) -> None:
    last = "(SELECT max(id) FROM core_transition)"
    forger.execute(f"DELETE FROM core_transition WHERE id = {last}")


@PLANTS.found_by("broken_transitions")
def a_change_at_another_time(forger: Forger) -> None:
    forger.execute("UPDATE core_campaign SET status_since = %s", NOW)


@PLANTS.found_by("broken_transitions")
def a_pause_without_a_reason(forger: Forger) -> None:
    forger.execute("UPDATE core_transition SET reasons = '' WHERE NOT is_active")


@PLANTS.found_by("wrong_verdicts")
def a_reason_that_is_none(forger: Forger) -> None:
    forger.execute("UPDATE core_campaign SET reasons = ',ended,' WHERE NOT is_active")


@PLANTS.found_by("wrong_verdicts")
def a_brand_switched_off_unnoticed(forger: Forger) -> None:
    forger.execute("UPDATE core_brand SET is_enabled = false")


@PLANTS.found_by("wrong_verdicts")
def a_switch_that_nobody_looked_at(forger: Forger) -> None:
    forger.execute("UPDATE core_campaign SET is_enabled = false")


@PLANTS.found_by("wrong_verdicts")
def a_window_that_closed_unnoticed(forger: Forger) -> None:
    five_past_four = 4 * 60 + 5
    forger.execute("UPDATE core_schedule SET end_minute = %s", five_past_four)


@PLANTS.found_by("wrong_verdicts")
def a_flight_that_ended_unnoticed(forger: Forger) -> None:
    forger.execute("UPDATE core_campaign SET ends_at = %s WHERE is_active", NOW)


@PLANTS.found_by("wrong_verdicts")
def a_flight_that_has_not_begun(forger: Forger) -> None:
    forger.execute("UPDATE core_campaign SET starts_at = '2024-02-01Z' WHERE is_active")


@PLANTS.found_by("wrong_verdicts")
def a_budget_that_was_used_up_unnoticed(forger: Forger) -> None:
    _set_lifetime_budget(forger, "0.01")


# --- The servers -----------------------------------------------------------------------------


@PLANTS.found_by("deadlocks")
def a_deadlock_in_the_log(forger: Forger) -> None:
    (forger.folder / "logs" / "postgres.log").write_text("ERROR:  deadlock detected\n")


@PLANTS.found_by("deadlocks")
def a_deadlock_that_the_rig_counted(forger: Forger) -> None:
    settled = forger.folder / "settled.json"
    settled.write_text(json.dumps({**json.loads(settled.read_text()), "deadlocks": 1}))


def _set_lifetime_budget(forger: Forger, budget: str) -> None:
    _keep_version(forger, {"lifetime_budget": budget})


def _spend_while(forger: Forger, settings: Json) -> None:
    """An add while these settings were in force, which were others before and after."""
    latest = "SELECT settings FROM core_campaignversion WHERE campaign_id = %s ORDER BY number"
    campaign = forger.run.plenty_campaign
    *_, (before,) = forger.connection.execute(latest, [campaign["id"]])
    _keep_version(forger, settings)
    forger.spend(campaign)
    _keep_version(forger, before)


def _keep_version(forger: Forger, settings: Json) -> None:
    """A version of the campaign with room, whose row stays as it is."""
    forger.execute(
        """INSERT INTO core_campaignversion (campaign_id, number, at, actor, settings)
        SELECT campaign_id, number + 1, at, actor, settings || %s
        FROM core_campaignversion WHERE campaign_id = %s ORDER BY number DESC LIMIT 1""",
        json.dumps(settings),
        forger.run.plenty_campaign["id"],
    )


def _refuse(forger: Forger, refusal: Json) -> None:
    """An add where there is plenty of room, turned down and nothing else."""
    forger.keep(refusal, is_refusal=True)
    forger.say("add", asked_of(forger.run.plenty_campaign), refusal, status=400)
