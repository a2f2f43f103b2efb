"""A refund takes back part or all of an entry, in that entry's own day and month (C22)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions.caller import Caller
from core.actions.spend import refund_spend
from core.actions.spend_requests import RefundRequest
from core.enums import Cause, PeriodKind, SpendKind
from core.models import SpendLog
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    capture,
    code_of,
    everything_stored,
    fresh,
    hold,
    make_brand,
    make_campaign,
    refund,
    report,
    spent,
    transitions_of,
    undone,
)
from core.tests.depth import examples
from core.tests.races.audit import audit

YESTERDAY = NOON - timedelta(days=1)

pytestmark = pytest.mark.django_db


def test_a_refund_lowers_every_total_of_its_entry() -> None:
    campaign = make_campaign()
    answer = refund(add(campaign, "10"), "4", event_id="r", reason="invalid clicks").accepted()
    entry = SpendLog.objects.get(kind=SpendKind.REFUND)
    original = SpendLog.objects.get(kind=SpendKind.ADD)
    assert answer == {
        "campaign_id": campaign.pk,
        "campaign_name": campaign.name,
        "amount": "4.00",
        "new_daily_spend": "6.00",
        "new_monthly_spend": "6.00",
        "spend_log_id": entry.pk,
        "refund_of": original.pk,
        "refundable": "6.00",
        "is_active": True,
        "remaining": None,
        "reasons": [],
        "event_id": "r",
    }
    assert (entry.amount, entry.refund_of, entry.refund_reason) == (-4, original, "invalid clicks")
    assert spent(campaign) == spent(campaign.brand) == 6
    assert spent(campaign, PeriodKind.LIFETIME, TODAY.min) == 6
    audit(NOON)


def test_it_counts_in_the_period_of_its_entry_however_late_c11() -> None:
    campaign = make_campaign()
    spend = report(campaign, "10", now=NOON)
    much_later = NOON + timedelta(days=90)
    refund(spend, "10", now=much_later).accepted()
    assert spent(campaign) == 0
    entry = SpendLog.objects.get(kind=SpendKind.REFUND)
    assert (entry.budget_day, entry.occurred_at, entry.recorded_at) == (TODAY, NOON, much_later)
    audit(much_later)


def test_it_brings_the_campaigns_of_the_brand_back_while_the_period_runs() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign, sibling = make_campaign(brand), make_campaign(brand)
    spend = add(campaign, "10")
    answer = refund(spend, "0.000001").accepted()
    assert (answer["is_active"], answer["remaining"]) == (True, "0.000001")
    for each in (campaign, sibling):
        assert fresh(each).is_active
        assert transitions_of(each)[-1].cause == Cause.REFUND


def test_a_refund_of_yesterdays_spend_leaves_todays_pause_alone() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    of_yesterday = report(campaign, "5", occurred_at=YESTERDAY)
    add(campaign, "10").accepted()
    assert refund(of_yesterday, "5").accepted()["is_active"] is False
    assert spent(campaign, starts_on=YESTERDAY.date()) == 0
    assert spent(campaign) == 10


def test_what_is_left_of_an_entry_can_be_refunded_and_not_a_micro_more() -> None:
    spend = add(make_campaign(), "10")
    assert refund(spend, "4").accepted()["refundable"] == "6.00"
    before = everything_stored()
    refusal = refund(spend, "6.000001").refusal
    assert refusal is not None
    assert (refusal.code, refusal.details) == ("refund_above_entry", {"refundable": "6.00"})
    assert everything_stored() == before
    assert refund(spend, "6").accepted()["refundable"] == "0.00"
    assert code_of(refund(spend, "0.000001")) == "refund_above_entry"
    audit(NOON)


def test_captures_and_reports_over_budget_can_be_refunded_too() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    captured = capture(hold(campaign, "10"), "8")
    told = report(campaign, "5")
    assert told.accepted()["over_budget"] == "3.00"
    refund(captured, "8").accepted()
    assert refund(told, "5").accepted()["is_active"] is True
    assert spent(campaign.brand) == 0
    audit(NOON)


def test_a_refund_is_no_spend_to_refund() -> None:
    spend = refund(add(make_campaign(), "10"), "4")
    assert code_of(refund(spend, "1")) == "not_refundable"


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_it_takes_something_back(amount: str) -> None:
    assert code_of(refund(add(make_campaign(), "10"), amount)) == "invalid_input"


def test_an_entry_that_the_caller_may_not_see_is_not_there_c29() -> None:
    spend = add(make_campaign(), "10").accepted()
    stranger = Caller("test:stranger", frozenset({make_brand().pk}))
    for entry_id, caller in ((spend["spend_log_id"], stranger), (999_999, CALLER)):
        request = RefundRequest(entry_id, Decimal(1))
        assert code_of(refund_spend(request, caller=caller, now=NOON)) == "spend_log_not_found"


def test_it_is_replayed_by_its_event_id_refusals_too_c21() -> None:
    spend = add(make_campaign(), "10")
    first, again = refund(spend, "4", event_id="r"), refund(spend, "4", event_id="r")
    assert (again.is_replay, again.answer) == (True, first.answer)
    assert code_of(refund(spend, "5", event_id="r")) == "event_id_reused"
    assert code_of(refund(spend, "4", event_id="r", reason="other")) == "event_id_reused"
    refused, still = refund(spend, "7", event_id="s"), refund(spend, "7", event_id="s")
    assert still.is_replay
    assert code_of(refused) == code_of(still) == "refund_above_entry"
    assert SpendLog.objects.count() == 2


@settings(max_examples=examples(40, deep=200))
@given(wishes=st.lists(st.integers(1, 15_000_000), max_size=8))
def test_refunds_of_any_sizes_never_exceed_their_entry(wishes: list[int]) -> None:
    with undone():
        campaign = make_campaign()
        spend = add(campaign, "10")
        left = 10_000_000
        for micros in wishes:
            outcome = refund(spend, str(Decimal(micros).scaleb(-6)))
            assert (outcome.refusal is None) == (micros <= left)
            left -= micros if micros <= left else 0
        assert spent(campaign) == Decimal(left).scaleb(-6)
        audit(NOON)
