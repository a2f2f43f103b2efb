"""What the log, the holds and the settings don't give is found, and in sound facts nothing is."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actions import delivery
from core.actions.brands import edit_brand
from core.actions.campaigns import pause_campaign, resume_campaign
from core.actions.ledger import Ledger
from core.actions.spend_requests import SpendOutcome
from core.models import Campaign, Transition
from core.queries.promises import BrokenPromise, Promise
from core.queries.replayed import list_unlike_replay
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    capture,
    hold,
    make_brand,
    make_campaign,
    refund,
    release,
    report,
)

# The place of the column in a row of the log.
BUDGET_DAY = 8

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
# Till then a day, a month and a hold have ended by themselves, and no task has run between.
LATER = NOON + timedelta(days=30)


@pytest.fixture
def campaign() -> Campaign:
    """One of a brand that moves, with spend of every kind, a cut, a pause and a long outage."""
    brand = make_brand(daily_budget=Decimal(100), time_zone="America/New_York")
    campaign = make_campaign(brand, lifetime_budget=Decimal(400))
    make_campaign(brand, schedule=[])
    spend = add(campaign, "30")
    capture(hold(campaign, "10"), "4", now=NOON + HOUR / 60)
    release(hold(campaign, "2"), now=NOON + HOUR / 60)
    hold(campaign, "5", now=NOON + HOUR)
    report(campaign, "80", now=NOON + 2 * HOUR)
    report(campaign, "7", now=NOON + 2 * HOUR, occurred_at=NOON - timedelta(days=1))
    refund(spend, "20", now=NOON + 3 * HOUR)
    edit_brand(brand.pk, {"daily_budget": Decimal(1)}, caller=CALLER, now=NOON + 4 * HOUR)
    moved = {"daily_budget": Decimal(120), "time_zone": "Asia/Tokyo"}
    edit_brand(brand.pk, moved, caller=CALLER, now=NOON + 5 * HOUR)  # type: ignore[arg-type]
    pause_campaign(campaign.pk, caller=CALLER, now=NOON + 6 * HOUR)
    resume_campaign(campaign.pk, caller=CALLER, now=NOON + 7 * HOUR)
    add(campaign, "110", now=NOON + timedelta(days=3))
    return campaign


def found() -> list[BrokenPromise]:
    delivery.enforce_dayparting(caller=CALLER, now=LATER)
    delivery.expire_holds(caller=CALLER, now=LATER)
    return list_unlike_replay(LATER)


def promises() -> set[Promise]:
    return {each.promise for each in found()}


@pytest.mark.usefixtures("campaign")
def test_in_sound_facts_nothing_is_found() -> None:
    assert found() == []
    assert Transition.objects.count() > 10


def test_a_transition_that_is_dated_wrongly_is_found(campaign: Campaign) -> None:
    last = Transition.objects.filter(campaign=campaign).order_by("id").last()
    assert last
    Transition.objects.filter(pk=last.pk).update(at=last.at + HOUR)

    assert promises() == {Promise.HISTORY}


def test_a_pause_that_was_never_recorded_is_found(campaign: Campaign) -> None:
    """Both of its transitions are missing, so that the others alternate."""
    last = Transition.objects.filter(campaign=campaign).order_by("-id")[:2]
    Transition.objects.filter(pk__in=[each.pk for each in last]).delete()

    assert promises() == {Promise.HISTORY}


def test_another_reason_than_the_right_one_is_found(campaign: Campaign) -> None:
    paused = Transition.objects.filter(campaign=campaign, is_active=False)
    paused.update(reasons=("not_started",))

    assert promises() == {Promise.HISTORY}


@pytest.mark.parametrize(
    ("deed", "of_ledger"),
    [
        (lambda _spent, _held, campaign: report(campaign, "1"), "_entry"),
        (lambda _spent, _held, campaign: hold(campaign, "1"), "_begin"),
        (lambda _spent, held, _campaign: capture(held), "_entry"),
        (lambda spent, _held, _campaign: refund(spent, "1"), "_entry"),
    ],
    ids=["report", "hold", "capture", "refund"],
)
def test_what_counts_in_another_day_is_found(
    deed: Callable[..., SpendOutcome], of_ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_campaign()
    spent, held = add(campaign, "5"), hold(campaign, "3")
    rightly = getattr(Ledger, of_ledger)

    def wrongly(*given: Any, **columns: Any) -> Any:
        row = rightly(*given, **columns)
        if isinstance(row, tuple):
            day = date.fromisoformat(row[BUDGET_DAY]) - timedelta(days=1)
            return (*row[:BUDGET_DAY], str(day), *row[BUDGET_DAY + 1 :])
        row.budget_day -= timedelta(days=1)
        return row

    monkeypatch.setattr(Ledger, of_ledger, wrongly)
    assert deed(spent, held, campaign).refusal is None

    assert [each.promise for each in list_unlike_replay(NOON)] == [Promise.DAYS]


def test_an_admission_that_should_have_been_refused_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.rules.counters.Line.tightest", lambda _line: None)
    add(make_campaign(make_brand(daily_budget=Decimal(10))), "10.01")

    assert {each.promise for each in list_unlike_replay(NOON)} == {Promise.ZERO_OVERSPEND}
