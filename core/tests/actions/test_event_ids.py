"""An event id names one spend of one caller: asked again, it gets the first answer again (C21)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actions.brands import edit_brand
from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign, edit_campaign
from core.actions.spend import add_spend, admit_batch
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.enums import SpendKind
from core.models import EventAnswer, SpendLog
from core.tests.builders import (
    CALLER,
    LATE_LIMIT,
    NOON,
    add,
    ask,
    code_of,
    everything_stored,
    make_brand,
    make_campaign,
    report,
    spent,
    tell,
)

OTHER = Caller("test:bob")
LATER = NOON + timedelta(days=400)

pytestmark = pytest.mark.django_db


def batch(*requests: SpendRequest, caller: Caller = CALLER) -> list[SpendOutcome]:
    return admit_batch(requests, caller=caller, now=NOON, late_limit=LATE_LIMIT)


def test_the_same_id_and_content_gets_the_first_answer_for_ever_and_spends_once() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    first = add(campaign, "1.5", event_id="a")
    add(campaign, "2")
    stored = everything_stored()
    for now in (NOON, LATER):
        again = add(campaign, "1.50", event_id="a", now=now)
        assert again.accepted() == first.accepted()
        assert (first.is_replay, again.is_replay) == (False, True)
    assert everything_stored() == stored


@pytest.mark.parametrize("refusal_code", ["budget_exceeded", "campaign_not_active"])
def test_a_refusal_is_the_answer_too_even_when_there_is_budget_again(refusal_code: str) -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    add(campaign, "10" if refusal_code == "campaign_not_active" else "9.5")
    first = add(campaign, "1", event_id="a").refusal
    edit_brand(brand.pk, {"daily_budget": None}, caller=CALLER, now=NOON)
    stored = everything_stored()
    again = add(campaign, "1", event_id="a", now=LATER).refusal
    assert first is not None
    assert again is not None
    assert first.code == refusal_code
    assert again.document() == first.document()
    assert (first.is_replay, again.is_replay) == (False, True)
    assert everything_stored() == stored
    assert code_of(add(campaign, "1", event_id="b")) is None


def test_the_first_answer_is_given_again_after_the_campaign_is_gone_or_renamed() -> None:
    campaign = make_campaign(name="Summer Sale")
    first = add(campaign, "1", event_id="a")
    edit_campaign(campaign.pk, {"name": "Winter Sale"}, caller=CALLER, now=NOON)
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert add(campaign, "1", event_id="a").accepted() == first.accepted()


@pytest.mark.parametrize(
    "other",
    [
        {"amount": Decimal("1.000001")},
        {"currency": "USD"},
        {"kind": SpendKind.REPORT},
        {"kind": SpendKind.REPORT, "occurred_at": NOON},
    ],
)
def test_the_same_id_with_other_content_is_refused_and_writes_nothing(
    other: dict[str, Any],
) -> None:
    campaign = make_campaign()
    batch(ask(campaign, "1", event_id="a"))
    stored = everything_stored()
    (outcome,) = batch(replace(ask(campaign, "1", event_id="a"), **other))
    assert code_of(outcome) == "event_id_reused"
    assert not outcome.is_replay
    assert everything_stored() == stored
    (replayed,) = batch(ask(campaign, "1", event_id="a"))
    assert replayed.is_replay, "the first answer still stands"


def test_the_same_id_for_another_campaign_or_brand_is_refused() -> None:
    brand = make_brand()
    campaign, sibling, elsewhere = make_campaign(brand), make_campaign(brand), make_campaign()
    add(campaign, "1", event_id="a")
    for other in (sibling, elsewhere):
        assert code_of(add(other, "1", event_id="a")) == "event_id_reused"
        assert spent(other) == 0


def test_a_report_of_another_instant_is_other_content() -> None:
    campaign = make_campaign()
    report(campaign, "1", event_id="a", occurred_at=NOON - timedelta(hours=1))
    same = report(campaign, "1", event_id="a", occurred_at=NOON - timedelta(hours=1), now=LATER)
    assert same.is_replay, "an id never expires, however late it comes"
    assert code_of(report(campaign, "1", event_id="a")) == "event_id_reused"


def test_each_caller_has_ids_of_its_own() -> None:
    campaign = make_campaign()
    request = ask(campaign, "1", event_id="a")
    for caller in (CALLER, OTHER):
        assert not add_spend(request, caller=caller, now=NOON).is_replay
        assert add_spend(request, caller=caller, now=NOON).is_replay
    assert spent(campaign) == 2
    assert set(EventAnswer.objects.values_list("source", "event_id")) == {
        ("test:ann", "a"),
        ("test:bob", "a"),
    }


def test_spends_without_an_id_are_all_different() -> None:
    campaign = make_campaign()
    assert not any(add(campaign, "1").is_replay for _ in range(3))
    assert spent(campaign) == 3
    assert not EventAnswer.objects.exists()


@pytest.mark.parametrize(
    "invalid",
    [
        {"currency": "EUR"},
        {"kind": SpendKind.REPORT, "occurred_at": NOON - LATE_LIMIT - timedelta(days=1)},
        {"kind": SpendKind.REPORT, "occurred_at": NOON + timedelta(hours=1)},
        {"campaign_id": 999_999},
    ],
)
def test_what_was_never_decided_does_not_use_its_id_up(invalid: dict[str, Any]) -> None:
    campaign = make_campaign()
    valid = ask(campaign, "1", event_id="a")
    (refused,) = batch(replace(valid, **invalid))
    assert refused.refusal is not None
    assert not EventAnswer.objects.exists()
    (admitted,) = batch(valid)
    assert admitted.refusal is None
    assert not admitted.is_replay


# --- Within one batch (C23) --------------------------------------------------------------------


def test_the_same_id_twice_in_a_batch_is_one_spend_and_a_replay() -> None:
    campaign = make_campaign()
    request = ask(campaign, "1", event_id="a")
    first, second, third = batch(request, request, request)
    assert (first.is_replay, second.is_replay, third.is_replay) == (False, True, True)
    assert first.accepted() == second.accepted() == third.accepted()
    assert SpendLog.objects.count() == EventAnswer.objects.count() == 1


def test_the_same_id_with_other_content_in_a_batch_is_refused() -> None:
    campaign = make_campaign()
    outcomes = batch(
        ask(campaign, "1", event_id="a"),
        ask(campaign, "2", event_id="a"),
        tell(campaign, "1", event_id="a"),
        ask(campaign, "1", event_id="a"),
    )
    codes = [code_of(outcome) for outcome in outcomes]
    assert codes == [None, "event_id_reused", "event_id_reused", None]
    assert [outcome.is_replay for outcome in outcomes] == [False, False, False, True]
    assert spent(campaign) == 1


def test_a_refusal_is_replayed_within_a_batch() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    too_much = ask(campaign, "11", event_id="a")
    first, second = batch(too_much, too_much)
    assert (code_of(first), code_of(second)) == ("budget_exceeded", "budget_exceeded")
    assert (first.is_replay, second.is_replay) == (False, True)
    assert second.refusal is not None
    assert first.refusal is not None
    assert second.refusal.document() == first.refusal.document()


def test_an_invalid_entry_leaves_its_id_to_the_next_one_in_the_batch() -> None:
    campaign = make_campaign()
    outcomes = batch(
        ask(campaign, "1", event_id="a", currency="EUR"),
        tell(campaign, "1", event_id="a", occurred_at=NOON + timedelta(hours=1)),
        ask(campaign, "2", event_id="a"),
        ask(campaign, "2", event_id="a"),
        ask(campaign, "1", event_id="a", currency="EUR"),
    )
    codes = [code_of(outcome) for outcome in outcomes]
    assert codes == ["invalid_input", "invalid_input", None, None, "event_id_reused"]
    assert [outcome.is_replay for outcome in outcomes] == [False, False, False, True, False]
    assert spent(campaign) == 2


def test_an_id_of_an_earlier_call_is_known_to_a_batch() -> None:
    campaign = make_campaign()
    add(campaign, "1", event_id="a")
    known, new = batch(ask(campaign, "1", event_id="a"), ask(campaign, "1", event_id="b"))
    assert (known.is_replay, new.is_replay) == (True, False)
    assert spent(campaign) == 2


def test_an_id_that_two_brands_share_in_a_batch_belongs_to_the_first_of_them() -> None:
    here, there = make_campaign(), make_campaign()
    outcomes = batch(ask(here, "1", event_id="a"), ask(there, "1", event_id="a"))
    assert [code_of(outcome) for outcome in outcomes] == [None, "event_id_reused"]
    assert [spent(here), spent(there)] == [1, 0]


def test_an_id_that_two_brands_share_belongs_to_the_entry_that_came_first_c23() -> None:
    here, there = make_campaign(), make_campaign()
    outcomes = batch(ask(here, "1"), ask(there, "1", event_id="a"), ask(here, "1", event_id="a"))
    assert [code_of(outcome) for outcome in outcomes] == [None, None, "event_id_reused"]
