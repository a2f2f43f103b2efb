"""Unattended work may run twice, late, never or in any order: the result is the same (C26)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from typing import Any

import pytest
from django.db import OperationalError

from core.actions import delivery
from core.actions.catch_up import catch_up
from core.actions.delivery import record_task_run
from core.enums import Cause, Reason
from core.models import Brand, Campaign, TaskRun
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.locks import lock_brand
from core.rules.verdict import judge
from core.tests.actions.tasks import (
    DEEDS,
    INSTANTS,
    World,
    corrupt,
    make_holding_world,
    make_world,
    outcome,
    run,
)
from core.tests.builders import (
    NOON,
    add,
    code_of,
    everything_stored,
    fresh,
    transitions_of,
    undone,
)
from core.tests.rules.zones import HOUR, utc

each_deed = pytest.mark.parametrize("name", DEEDS)

pytestmark = pytest.mark.django_db


def is_nothing(changes: dict[str, int]) -> bool:
    return not any(changes.values())


@each_deed
def test_running_twice_is_running_once(name: str) -> None:
    make_world()
    for now in INSTANTS.values():
        with undone():
            run(name, now)
            once = everything_stored()
            assert is_nothing(run(name, now))
            assert everything_stored() == once


def outcome_of(names: Iterable[str], now: datetime) -> Any:
    """What these deeds in this order would leave behind."""
    with undone():
        for name in names:
            run(name, now)
        return outcome()


def test_every_order_ends_in_the_same_state() -> None:
    make_world()
    now = INSTANTS["after the month's end in both"]
    # Every fifth order: each deed comes first, last and in between.
    outcomes = [outcome_of(order, now) for order in list(permutations(DEEDS))[::5]]
    assert all(before == after for before, after in pairwise(outcomes))
    assert outcomes[0] != outcome_of([], now), "there was something to do"


def test_there_and_back_and_twice_end_in_the_same_state_at_any_instant() -> None:
    make_world()
    for now in INSTANTS.values():
        there, back = outcome_of(DEEDS, now), outcome_of(reversed(DEEDS), now)
        assert there == back == outcome_of([*DEEDS, *DEEDS], now)


def test_late_or_step_by_step_ends_in_the_same_verdicts() -> None:
    """After an outage one tick catches up with what every tick would have done."""
    make_world()
    last = INSTANTS["after an outage of seven weeks"]
    late = outcome_of(DEEDS, last)
    for now in INSTANTS.values():
        for name in DEEDS:
            run(name, now)
    for table, columns in (("Campaign", VERDICT), ("BrandTotal", TOTAL), ("CampaignTotal", TOTAL)):
        assert _columns(outcome()[table], columns) == _columns(late[table], columns)


VERDICT = ("name", "is_enabled", "is_active", "reasons", "next_change_at")
TOTAL = ("period", "starts_on", "spent", "held")


def _columns(rows: list[dict[str, Any]], columns: Iterable[str]) -> list[Any]:
    return sorted(repr([row[column] for column in columns]) for row in rows)


def test_after_all_of_them_every_stored_verdict_is_the_judged_one_c16() -> None:
    make_world()
    for now in INSTANTS.values():
        for name in DEEDS:
            run(name, now)
        for brand in Brand.objects.all():
            campaigns = list_campaigns_to_judge(brand)
            book = get_book(brand, campaigns, [now])
            for campaign in campaigns:
                verdict = judge(book.facts(campaign.pk), now)
                stored = (campaign.is_active, campaign.reasons, campaign.next_change_at)
                judged = (verdict.is_active, verdict.reasons, verdict.next_change_at)
                assert stored == judged, campaign.name


def test_each_brand_comes_back_at_its_own_midnight_c9_c10() -> None:
    world = make_world()
    came_back = {}
    for instant, now in INSTANTS.items():
        for name in DEEDS:
            run(name, now)
        came_back[instant] = world.active()
    of_tokyo = {"plain", "flight"}
    of_new_york = {"own day", "unlimited"}
    assert {instant: names - {"held"} for instant, names in came_back.items()} == {
        "within the day": set(),
        "after midnight in Tokyo": {"plain"},
        "in the morning in Tokyo": {"plain", "mornings"},
        "after midnight in both": of_tokyo,
        "after the month's end in Tokyo": of_tokyo,
        "after the month's end in both": of_tokyo | of_new_york,
        "after an outage of seven weeks": of_tokyo | of_new_york,
    }


def test_what_waits_for_a_hold_comes_back_when_it_has_expired_c20() -> None:
    world = make_world()
    run("expire_holds", NOON + timedelta(minutes=5) - timedelta(microseconds=1))
    assert world.active() == set()
    changes = run("expire_holds", NOON + timedelta(minutes=5))
    assert changes == {"expired": 1, "activated": 1, "paused": 0, "failed": 0}
    assert world.active() == {"held"}
    last = transitions_of(world.campaigns["held"])[-1]
    assert (last.cause, last.actor) == (Cause.HOLD_ENDED, "clock")


def test_nobody_needs_them_to_spend_safely_c10() -> None:
    world = make_world()
    now = INSTANTS["after the month's end in both"]
    assert world.active() == set()
    outcomes = [add(world.campaigns[name], "1", now=now) for name in ("plain", "unlimited")]
    assert [code_of(outcome) for outcome in outcomes] == [None, None]
    assert code_of(add(world.campaigns["plain"], "9.000001", now=now)) == "budget_exceeded"


def test_none_of_them_turns_a_persons_switch_c15() -> None:
    world = make_world()
    for now in INSTANTS.values():
        for name in [*DEEDS, *DEEDS]:
            run(name, now)
        by_hand = fresh(world.campaigns["paused by hand"])
        assert (by_hand.is_enabled, by_hand.is_active) == (False, False)
        assert Reason.CAMPAIGN_DISABLED in by_hand.reasons
    assert Campaign.objects.filter(is_enabled=False).count() == 1
    assert not Brand.objects.filter(is_enabled=False).exists()
    assert len(transitions_of(by_hand)) == 2


def test_when_nothing_is_due_nobody_writes_anything() -> None:
    make_world()
    for name in DEEDS:
        run(name, NOON + timedelta(minutes=10))
    before = everything_stored()
    for name in DEEDS:
        assert is_nothing(run(name, NOON + timedelta(minutes=30)))
    assert everything_stored() == before


# --- A brand that is busy or broken ------------------------------------------------------------


def make_work_in_both(name: str) -> tuple[World, datetime]:
    """A world and an instant at which this deed has something to do in both brands."""
    if name == "expire_holds":
        return make_holding_world(), NOON + timedelta(minutes=5)
    world = make_world()
    if name == "check_budgets":
        corrupt(world.campaigns["plain"])
        corrupt(world.campaigns["unlimited"])
        return world, NOON
    return world, INSTANTS["after the month's end in both"]


@each_deed
def test_a_brand_that_fails_stops_no_other_and_is_counted(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world, now = make_work_in_both(name)
    busy = world.tokyo.pk

    def lock(brand_id: int) -> Brand:
        if brand_id == busy:
            raise OperationalError("canceling statement due to lock timeout")
        return lock_brand(brand_id)

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "lock_brand", lock)
        changes = run(name, now)
    assert changes["failed"] == 1
    assert f"brand {busy} is busy or unreachable" in caplog.text
    moved = _brands_moved_at(now)
    assert world.new_york.pk in moved
    assert busy not in moved

    changes = run(name, now)
    assert changes["failed"] == 0, "the next tick tries again"
    assert {world.new_york.pk, busy} <= _brands_moved_at(now)


def _brands_moved_at(now: datetime) -> set[int]:
    unattended = {Cause.TIME, Cause.PERIOD_TURNED, Cause.HOLD_ENDED, Cause.BUDGET_CHECK}
    found = [t for campaign in Campaign.objects.all() for t in transitions_of(campaign)]
    moved = (t for t in found if t.recorded_at == now and t.cause in unattended)
    return {transition.campaign.brand_id for transition in moved}


@each_deed
def test_a_brand_that_fails_half_way_keeps_and_counts_nothing_of_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, now = make_work_in_both(name)
    before = everything_stored()

    def catch_up_and_break(*args: Any) -> None:
        catch_up(*args)
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(delivery, "catch_up", catch_up_and_break)
    changes = run(name, now)
    assert changes.pop("failed") >= 2
    assert everything_stored() == before
    assert is_nothing(changes)


@each_deed
def test_any_other_fault_is_not_hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, now = make_work_in_both(name)

    def fail(*_args: Any, **_options: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(delivery, "catch_up", fail)
    with pytest.raises(ZeroDivisionError):
        run(name, now)


def test_each_run_is_remembered_by_its_task_alone() -> None:
    for minutes, changed in ((0, {"paused": 1}), (1, {"paused": 0})):
        record_task_run("core.check_budgets", changed, now=NOON + minutes * HOUR)
    record_task_run("core.enforce_dayparting", {}, now=utc("2026-06-10T11:00"))
    runs = {run.task: (run.finished_at, run.changed) for run in TaskRun.objects.all()}
    assert runs == {
        "core.check_budgets": (NOON + HOUR, {"paused": 0}),
        "core.enforce_dayparting": (NOON - HOUR, {}),
    }
