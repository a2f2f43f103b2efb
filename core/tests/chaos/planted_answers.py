"""Violations that show between what clients were told and what is kept."""

import json
from datetime import timedelta

from core.tests.chaos.forged import EVENT, HOLDING, TODAY, Forger, answer_of, asked_of
from core.tests.chaos.planting import NOT_ACTIVE, NOWHERE, Plants
from core.tests.views.api import Json

PLANTS = Plants()


@PLANTS.found_by("missing")
def an_entry_that_is_not_there(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    answer = answer_of(campaign, NOWHERE)
    forger.keep(answer)
    forger.say("add", asked_of(campaign), answer)


@PLANTS.found_by("missing")
def an_entry_of_another_campaign(forger: Forger) -> None:
    other, entry_id = forger.run.scarce_campaign, forger.enter(forger.run.plenty_campaign)
    answer = answer_of(other, entry_id)
    forger.keep(answer)
    forger.say("add", asked_of(other), answer)


@PLANTS.found_by("missing")
def a_hold_that_is_not_there(forger: Forger) -> None:
    campaign, answer = forger.run.plenty_campaign, {"hold_id": NOWHERE, "amount": "0.50"}
    forger.keep(answer)
    forger.say("hold", asked_of(campaign), answer, status=201)


@PLANTS.found_by("missing")
def a_release_of_a_hold_that_expired(forger: Forger) -> None:
    _release(forger, "expired")


@PLANTS.found_by("missing")
def a_refund_of_another_entry(forger: Forger) -> None:
    refunds = "SELECT refund_of_id, id FROM core_spendlog WHERE kind = 'refund'"
    refunded_id, refund_id = forger.connection.execute(refunds).fetchone() or (NOWHERE, NOWHERE)
    forger.execute("UPDATE core_spendlog SET refund_of_id = id - 1 WHERE id = %s", refund_id)
    assert refunded_id != refund_id - 1


@PLANTS.found_by("missing")
def a_capture_of_another_hold(forger: Forger) -> None:
    states = "SELECT id FROM core_hold WHERE state = %s ORDER BY id LIMIT 1"
    ids = [
        forger.connection.execute(states, [state]).fetchone() for state in ("captured", "expired")
    ]
    captured, expired = (row[0] for row in ids if row)
    journal = forger.folder / "journals" / "client.jsonl"
    words = journal.read_text()
    assert f"/holds/{captured}/capture/" in words
    journal.write_text(words.replace(f"/holds/{captured}/", f"/holds/{expired}/"))


@PLANTS.found_by("missing")
def a_pause_that_was_not_kept(forger: Forger) -> None:
    campaign_id = forger.run.scarce_campaign["id"]
    forger.say("pause", {}, {}, campaign_id=campaign_id)


@PLANTS.found_by("missing")
def a_setting_that_was_not_kept(forger: Forger) -> None:
    _edit(forger, {"daily_budget": "77.00"})


@PLANTS.found_by("missing")
def a_budget_that_was_not_lifted(forger: Forger) -> None:
    _edit(forger, {"daily_budget": None})


@PLANTS.found_by("refused_but_present")
def an_entry_though_it_was_refused(forger: Forger) -> None:
    forger.enter(forger.run.plenty_campaign)
    _refuse(forger, NOT_ACTIVE)


@PLANTS.found_by("refused_but_present")
def a_hold_though_it_was_refused(forger: Forger) -> None:
    forger.end_hold(forger.begin_hold(), forger.run.plenty_campaign, "released")
    forger.execute(
        "UPDATE core_eventanswer SET is_refusal = true, answer = %s WHERE event_id = %s",
        json.dumps(NOT_ACTIVE),
        HOLDING,
    )
    journal = forger.folder / "journals" / "forger.jsonl"
    journal.unlink()
    body = asked_of(forger.run.plenty_campaign)
    forger.say("hold", body, NOT_ACTIVE, status=400, event_id=HOLDING)


@PLANTS.found_by("doubled")
def two_entries_of_one_event(forger: Forger) -> None:
    forger.spend(forger.run.plenty_campaign)
    forger.enter(forger.run.plenty_campaign)


@PLANTS.found_by("doubled")
def an_entry_and_a_hold_of_one_event(forger: Forger) -> None:
    forger.end_hold(forger.begin_hold(), forger.run.plenty_campaign, "released")
    forger.enter(forger.run.plenty_campaign)
    forger.execute("UPDATE core_spendlog SET event_id = %s WHERE event_id = %s", HOLDING, EVENT)


@PLANTS.found_by("doubled")
def a_hold_that_was_released_and_captured(forger: Forger) -> None:
    _release(forger, "released")
    forger.enter(forger.run.plenty_campaign, "capture")


@PLANTS.found_by("doubled")
def an_entry_that_was_taken_back_twice(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    row = forger.connection.execute(
        "SELECT refund_of_id FROM core_spendlog WHERE kind = 'refund' LIMIT 1"
    ).fetchone()
    assert row
    amount, yesterday = "2.50", TODAY - timedelta(days=1)
    micros = -2_500_000
    refund_id = forger.enter(campaign, "refund", micros=micros, day=yesterday, refund_of=row[0])
    answer = {"spend_log_id": refund_id, "amount": amount}
    forger.keep(answer)
    forger.say("refund", {"spend_log_id": row[0], "amount": amount}, answer)


@PLANTS.found_by("wrong_amount")
def an_entry_of_another_amount(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    answer = answer_of(campaign, forger.enter(campaign))
    forger.keep(answer)
    forger.say("add", asked_of(campaign, "0.60"), answer)


@PLANTS.found_by("wrong_amount")
def an_amount_that_is_none(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    answer = answer_of(campaign, forger.enter(campaign))
    forger.keep(answer)
    forger.say("add", asked_of(campaign, "0.5000001"), answer)


@PLANTS.found_by("wrong_amount")
def an_answer_of_another_amount(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    answer = {**answer_of(campaign, forger.enter(campaign)), "amount": "0.60"}
    forger.keep(answer)
    forger.say("add", asked_of(campaign), answer)


@PLANTS.found_by("wrong_amount")
def a_hold_of_another_amount(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    forger.end_hold(forger.begin_hold(), campaign, "released", micros=700_000)


@PLANTS.found_by("changed_answers")
def another_answer_to_the_same_event(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    changed = {**forger.spend(campaign), "remaining": "0.01"}
    forger.say("add", asked_of(campaign), changed, repeats={"how": "later"}, is_replay=True)


@PLANTS.found_by("changed_answers")
def a_replay_that_is_not_said(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    answer = forger.spend(campaign)
    forger.say("add", asked_of(campaign), answer, repeats={"how": "later"})


@PLANTS.found_by("changed_answers")
def other_content_that_was_not_turned_away(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    forger.spend(campaign)
    body = asked_of(campaign, "0.70")
    forger.say("add", body, NOT_ACTIVE, status=400, repeats={"how": "changed"})


@PLANTS.found_by("changed_answers")
def the_same_content_that_was_turned_away(forger: Forger) -> None:
    campaign, answer = forger.run.plenty_campaign, {"code": "event_id_reused"}
    forger.spend(campaign)
    forger.say("add", asked_of(campaign), answer, status=409, repeats={"how": "at_once"})


@PLANTS.found_by("changed_answers")
def a_first_answer_that_was_not_kept(forger: Forger) -> None:
    campaign = forger.run.plenty_campaign
    forger.say("add", asked_of(campaign), answer_of(campaign, forger.enter(campaign)))


@PLANTS.found_by("unintended")
def an_entry_that_nobody_asked_for(forger: Forger) -> None:
    forger.enter(forger.run.plenty_campaign)


@PLANTS.found_by("unintended")
def a_hold_that_nobody_asked_for(forger: Forger) -> None:
    forger.end_hold(forger.begin_hold(), forger.run.plenty_campaign, "released")
    (forger.folder / "journals" / "forger.jsonl").unlink()


@PLANTS.found_by("unanswered")
def an_intent_that_nobody_finished(forger: Forger) -> None:
    body = asked_of(forger.run.plenty_campaign)
    forger.intend({"id": "1", "event_id": EVENT, "call": "add", "path": "", "body": body})


@PLANTS.found_by("unanswered")
def a_batch_that_nobody_finished(forger: Forger) -> None:
    entry = {**asked_of(forger.run.plenty_campaign), "kind": "add", "event_id": EVENT}
    body = {"entries": [entry]}
    forger.intend({"id": "1", "event_id": "", "call": "batch", "path": "", "body": body})


@PLANTS.found_by("unanswered")
def an_edit_that_nobody_finished(forger: Forger) -> None:
    forger.intend({"id": "1", "event_id": "", "call": "pause", "path": "", "body": None})


@PLANTS.found_by("server_faults")
def a_fault_that_a_retry_got_over(forger: Forger) -> None:
    forger.fail(500)


def _refuse(forger: Forger, refusal: Json) -> None:
    """An add where there is plenty of room, turned down and nothing else."""
    forger.keep(refusal, is_refusal=True)
    forger.say("add", asked_of(forger.run.plenty_campaign), refusal, status=400)


def _release(forger: Forger, state: str) -> None:
    """The answer to the release of a hold that is in this state."""
    found = forger.connection.execute("SELECT id FROM core_hold WHERE state = %s", [state])
    row = found.fetchone()
    assert row
    answer = {"hold_id": row[0]}
    forger.keep(answer)
    forger.say("release", {}, answer, path=f"/holds/{row[0]}/release/")


def _edit(forger: Forger, body: Json) -> None:
    """An edit of the brand with room that was answered with success, and not made."""
    brand_id = forger.run.plenty["id"]
    forger.say("edit_brand", body, {}, brand_id=brand_id)
