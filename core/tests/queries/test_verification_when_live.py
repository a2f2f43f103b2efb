"""What is verified holds on a live system, however much there is, and of the triggers as well."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection

from core.models import Campaign, CampaignTotal, EventAnswer
from core.queries import verification
from core.queries.checks import answers, budgets, totals, verdicts
from core.queries.promises import Promise
from core.queries.verification import list_broken_promises, list_verified_answers
from core.rules.lateness import OVERDUE_AFTER
from core.tests.builders import NOON, add, hold, make_brand, make_campaign
from core.tests.queries.planting import NOW, World, make_world, sql, verify
from core.tests.queries.test_verification import (
    answer_to_what_is_not_there,
    campaign_overspent,
    change_forgotten,
)
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR

pytestmark = pytest.mark.django_db

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def world() -> World:
    return make_world()


# --- The triggers of the log ---------------------------------------------------------------------

REFUSES = "the spend log is append-only: correct an entry by a refund"
ON_POSTGRESQL = {
    "ALTER TABLE core_spendlog DISABLE TRIGGER spend_log_refuses_change": (
        "spend_log_refuses_change is switched off (tgenabled D)"
    ),
    "ALTER TABLE core_spendlog ENABLE REPLICA TRIGGER spend_log_refuses_truncate": (
        "spend_log_refuses_truncate is switched off (tgenabled R)"
    ),
    "DROP TRIGGER spend_log_refuses_change ON core_spendlog": (
        "spend_log_refuses_change is missing"
    ),
    "CREATE OR REPLACE FUNCTION refuse_spend_log_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN NEW; END $$": "spend_log_refuses_change isn't the one that refuses",
    "DROP TRIGGER spend_log_refuses_change ON core_spendlog; "
    "CREATE TRIGGER spend_log_refuses_change BEFORE UPDATE ON core_spendlog "
    "FOR EACH ROW EXECUTE FUNCTION refuse_spend_log_change()": (
        "spend_log_refuses_change isn't the one that refuses"
    ),
    "DROP TRIGGER spend_log_refuses_change ON core_spendlog; "
    "CREATE TRIGGER spend_log_refuses_change BEFORE UPDATE OR DELETE ON core_spendlog "
    "FOR EACH ROW WHEN (OLD.id < 0) EXECUTE FUNCTION refuse_spend_log_change()": (
        "spend_log_refuses_change isn't the one that refuses"
    ),
}
ON_SQLITE = {
    "DROP TRIGGER spend_log_refuses_update": "spend_log_refuses_update is missing",
    "DROP TRIGGER spend_log_refuses_delete": "spend_log_refuses_delete is missing",
    "DROP TRIGGER spend_log_refuses_replace": "spend_log_refuses_replace is missing",
    "DROP TRIGGER spend_log_refuses_delete; "
    "CREATE TRIGGER spend_log_refuses_delete BEFORE DELETE ON core_spendlog "
    f"WHEN OLD.id < 0 BEGIN SELECT RAISE(ABORT, '{REFUSES}'); END": (
        "spend_log_refuses_delete isn't the one that refuses"
    ),
}
IS_SQLITE = "sqlite" in settings.DATABASES["default"]["ENGINE"]
WEAKENED = ON_SQLITE if IS_SQLITE else ON_POSTGRESQL


@pytest.mark.parametrize(("statements", "facts"), WEAKENED.items())
def test_a_log_that_can_be_changed_is_found_c24(statements: str, facts: str) -> None:
    connection.check_constraints()
    for statement in re.split(r"; (?=CREATE)", statements):
        sql(statement)
    broken = verify()
    assert {each.promise for each in broken} == {Promise.APPEND_ONLY}
    assert f"trigger {facts}" in {each.facts for each in broken}


# --- What time alone made due -------------------------------------------------------------------


def test_what_no_tick_has_written_down_yet_is_no_fault_until_it_is_overdue_c16() -> None:
    """A window that opens, a day that turns and a hold that runs out, all at the same instant."""
    due_at = NOON.replace(hour=0) + DAY
    windowed = make_campaign(make_brand(), schedule=[window("00:00", "06:00")])
    stopped = make_campaign(make_brand(daily_budget=Decimal(5)))
    add(stopped, "5")
    holder = make_campaign(make_brand(daily_budget=Decimal(5)))
    held = hold(holder, "5", duration=due_at - NOON)

    for now in (due_at, due_at + OVERDUE_AFTER - MOMENT):
        assert verify(now) == []
    overdue = {each.facts for each in verify(due_at + OVERDUE_AFTER)}
    assert overdue == {
        *(
            f"campaign {each.pk} ({each}): is due to be judged since 2026-06-11T00:00:00Z"
            for each in (windowed, stopped, holder)
        ),
        f"hold {held.accepted()['hold_id']} is open past 2026-06-11T00:00:00Z",
    }


def test_a_verdict_that_is_wrong_and_due_is_still_wrong() -> None:
    """It would be put right at the next edge; till then it is compared with what was right."""
    campaign = make_campaign(make_brand(), schedule=[window("00:00", "13:00")])
    Campaign.objects.filter(pk=campaign.pk).update(is_active=False, reasons=("not_started",))

    (wrong,) = list_broken_promises(NOON + HOUR, [verdicts.list_wrong_verdicts])
    assert "stored not_started until 2026-06-10T13:00:00Z, judged active until" in wrong.facts


# --- However much there is ----------------------------------------------------------------------


def test_all_is_looked_at_in_chunks_c25(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (verdicts, budgets, answers, verification):
        monkeypatch.setattr(module, "CHUNK", 1)
    assert verify() == []
    monkeypatch.setattr(verdicts, "CHUNK", 2)
    for plant in (change_forgotten, answer_to_what_is_not_there, campaign_overspent):
        plant(world)
    assert len(verify()) == 3
    assert len(list(list_verified_answers(lambda: NOW))) == EventAnswer.objects.count()


def test_a_garbled_brand_is_told_of_in_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MOST_TOLD", 3)
    CampaignTotal.objects.filter(campaign__brand=world.brand).update(spent=Decimal(1))
    assert len(verify()) == 3
