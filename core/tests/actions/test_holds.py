"""A hold sets an amount aside and ends exactly once: captured, released or expired (C20)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.actions.brands import BrandChanges, edit_brand
from core.actions.campaigns import CampaignChanges, archive_campaign, pause_campaign
from core.actions.delivery import expire_holds
from core.enums import Cause, HoldState, PeriodKind, Reason
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, Hold, SpendLog
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    capture,
    code_of,
    everything_stored,
    fresh,
    held,
    hold,
    make_brand,
    make_campaign,
    release,
    report,
    spent,
    transitions_of,
)
from core.tests.races.audit import audit

FIVE_MINUTES = timedelta(minutes=5)
A_MICRO = timedelta(microseconds=1)
JUST_BEFORE_MIDNIGHT = NOON.replace(hour=23, minute=59)
MONTH = TODAY.replace(day=1)

pytestmark = pytest.mark.django_db


def all_held(campaign: Campaign, day: date = TODAY) -> set[Decimal]:
    """What the five totals that count the campaign on this day say is held; one value if alike."""
    days, months = {"period": "day", "starts_on": day}, {"period": "month", "starts_on": MONTH}
    totals = [
        *BrandTotal.objects.filter(brand=campaign.brand, **days),
        *BrandTotal.objects.filter(brand=campaign.brand, **months),
        *CampaignTotal.objects.filter(campaign=campaign, **days),
        *CampaignTotal.objects.filter(campaign=campaign, **months),
        *CampaignTotal.objects.filter(campaign=campaign, period=PeriodKind.LIFETIME),
    ]
    assert len(totals) == 5
    return {total.held for total in totals}


# --- Taking one ----------------------------------------------------------------------------


def test_a_hold_counts_in_every_total_that_applies_and_in_no_log() -> None:
    campaign = make_campaign()
    hold(campaign, "7.5").accepted()
    assert all_held(campaign) == {Decimal("7.5")}
    assert spent(campaign) == spent(campaign.brand) == 0
    assert not SpendLog.objects.exists()


def test_the_answer_names_the_hold_its_end_and_what_remains_beside_it() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(100)))
    answer = hold(campaign, "40", event_id="h").accepted()
    assert answer == {
        "campaign_id": campaign.pk,
        "campaign_name": campaign.name,
        "hold_id": Hold.objects.get().pk,
        "state": "open",
        "amount": "40.00",
        "expires_at": "2026-06-10T12:05:00Z",
        "is_active": True,
        "remaining": "60.00",
        "reasons": [],
        "event_id": "h",
    }


OF_BRAND: list[BrandChanges] = [
    {"daily_budget": Decimal(10)},
    {"monthly_budget": Decimal(10)},
]
OF_CAMPAIGN: list[CampaignChanges] = [
    {"daily_budget": Decimal(10)},
    {"monthly_budget": Decimal(10)},
    {"lifetime_budget": Decimal(10)},
]


@pytest.mark.parametrize(
    ("of_brand", "of_campaign"),
    [*((limits, {}) for limits in OF_BRAND), *(({}, limits) for limits in OF_CAMPAIGN)],
)
def test_held_money_counts_against_every_budget_c7(
    of_brand: BrandChanges, of_campaign: CampaignChanges
) -> None:
    campaign = make_campaign(make_brand(**of_brand), **of_campaign)
    hold(campaign, "6").accepted()
    assert code_of(add(campaign, "4.000001")) == "budget_exceeded"
    assert code_of(hold(campaign, "4.000001")) == "budget_exceeded"
    add(campaign, "4").accepted()
    assert code_of(add(campaign, "0.000001")) == "campaign_not_active"
    assert code_of(hold(campaign, "0.000001")) == "campaign_not_active"
    audit(NOON)


def test_a_hold_that_takes_the_rest_pauses_every_campaign_of_the_brand_c5() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign, sibling = make_campaign(brand), make_campaign(brand)
    answer = hold(campaign, "10").accepted()
    assert (answer["is_active"], answer["remaining"]) == (False, "0.00")
    assert [reason["held"] for reason in answer["reasons"]] == ["10.00"]
    for each in (campaign, sibling):
        assert fresh(each).reasons == (Reason.BRAND_DAILY_BUDGET,)
        assert transitions_of(each)[-1].cause == Cause.HOLD


def test_what_add_is_refused_for_a_hold_is_refused_for_too() -> None:
    campaign = make_campaign(make_brand(currency="EUR"))
    before = everything_stored()
    assert code_of(hold(campaign, "0")) == "invalid_input"
    assert code_of(hold(campaign, "1", currency="USD")) == "invalid_input"
    assert everything_stored() == before
    pause_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert code_of(hold(campaign, "1")) == "campaign_not_active"
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert code_of(hold(campaign, "1")) == "campaign_not_found"


# --- Capturing -----------------------------------------------------------------------------


def test_a_capture_of_all_turns_held_into_spent() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    answer = capture(hold(campaign, "10")).accepted()
    assert (answer["amount"], answer["released"], answer["state"]) == ("10.00", "0.00", "captured")
    assert all_held(campaign) == {Decimal(0)}
    assert spent(campaign) == spent(campaign.brand) == 10
    entry, kept = SpendLog.objects.get(), Hold.objects.get()
    assert (entry.kind, entry.amount, entry.over_budget) == ("capture", 10, 0)
    assert (kept.state, kept.spend_log, kept.ended_at) == (HoldState.CAPTURED, entry, NOON)
    audit(NOON)


def test_a_capture_in_part_frees_the_rest_and_brings_campaigns_back() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign, sibling = make_campaign(brand), make_campaign(brand)
    taken = hold(campaign, "10")
    assert not fresh(sibling).is_active
    answer = capture(taken, "3.5").accepted()
    assert (answer["amount"], answer["released"], answer["remaining"]) == ("3.50", "6.50", "6.50")
    assert fresh(sibling).is_active
    assert transitions_of(sibling)[-1].cause == Cause.HOLD_ENDED
    assert spent(brand) == Decimal("3.5")
    audit(NOON)


@pytest.mark.parametrize("amount", ["10.000001", "11"])
def test_a_capture_above_the_hold_is_refused_and_the_hold_stays_open(amount: str) -> None:
    campaign = make_campaign()
    taken = hold(campaign, "10")
    before = everything_stored()
    assert code_of(capture(taken, amount)) == "capture_above_hold"
    assert everything_stored() == before
    capture(taken, "10").accepted()


def test_a_capture_counts_in_the_period_in_which_the_hold_was_taken() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    taken = hold(campaign, "10", now=JUST_BEFORE_MIDNIGHT)
    after_midnight = JUST_BEFORE_MIDNIGHT + timedelta(minutes=2)
    assert add(campaign, "10", now=after_midnight).accepted()["new_daily_spend"] == "10.00"
    answer = capture(taken, "8", now=after_midnight).accepted()
    assert answer["new_daily_spend"] == "8.00"
    assert spent(campaign) == 8
    assert spent(campaign, starts_on=TODAY + timedelta(days=1)) == 10
    entry = SpendLog.objects.get(kind="capture")
    assert (entry.budget_day, entry.occurred_at) == (TODAY, JUST_BEFORE_MIDNIGHT)
    assert entry.recorded_at == after_midnight
    audit(after_midnight)


def test_a_hold_of_yesterday_leaves_todays_budget_alone() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    hold(campaign, "10", now=JUST_BEFORE_MIDNIGHT).accepted()
    assert fresh(campaign).is_active is False
    add(campaign, "10", now=JUST_BEFORE_MIDNIGHT + timedelta(minutes=2)).accepted()


@pytest.mark.parametrize("deed", ["paused", "lowered", "reported over", "archived"])
def test_nothing_that_happens_meanwhile_refuses_a_capture_within_its_hold_c7(deed: str) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    taken = hold(campaign, "10")
    match deed:
        case "paused":
            pause_campaign(campaign.pk, caller=CALLER, now=NOON)
        case "lowered":
            edit_brand(campaign.brand_id, {"daily_budget": Decimal(1)}, caller=CALLER, now=NOON)
        case "reported over":
            assert report(campaign, "5").accepted()["over_budget"] == "5.00"
        case "archived":
            archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    capture(taken).accepted()
    assert all_held(campaign) == {Decimal(0)}
    audit(NOON)


# --- Ending once ---------------------------------------------------------------------------


def test_a_release_frees_all_of_it_and_logs_nothing() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    answer = release(hold(campaign, "10")).accepted()
    assert (answer["state"], answer["released"]) == ("released", "10.00")
    assert (answer["is_active"], answer["remaining"]) == (True, "10.00")
    assert all_held(campaign) == {Decimal(0)}
    assert not SpendLog.objects.exists()
    audit(NOON)


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
def test_what_has_ended_ends_no_second_time(first: str, second: str) -> None:
    ends = {"capture": capture, "release": release}
    campaign = make_campaign()
    taken = hold(campaign, "10")
    ends[first](taken).accepted()
    before = everything_stored()
    refusal = ends[second](taken).refusal
    assert refusal is not None
    assert refusal.code == "hold_ended"
    assert refusal.details == {"state": f"{first}d"}
    assert everything_stored() == before


def test_a_hold_expires_at_the_instant_it_said() -> None:
    campaign = make_campaign()
    ends_at = NOON + FIVE_MINUTES
    in_time, late = hold(campaign, "10"), hold(campaign, "10")
    capture(in_time, now=ends_at - A_MICRO).accepted()
    refusal = capture(late, now=ends_at).refusal
    assert refusal is not None
    assert (refusal.code, refusal.details) == ("hold_ended", {"state": "expired"})
    kept = Hold.objects.get(pk=late.accepted()["hold_id"])
    assert (kept.state, kept.ended_at) == (HoldState.EXPIRED, ends_at)
    assert all_held(campaign) == {Decimal(0)}
    report(campaign, "10", now=ends_at).accepted()
    audit(ends_at)


def test_how_long_it_lasts_is_the_callers_choice() -> None:
    campaign = make_campaign()
    taken = hold(campaign, "1", duration=timedelta(hours=24))
    capture(taken, now=NOON + timedelta(hours=24) - A_MICRO).accepted()


@pytest.mark.parametrize("deed", ["add", "hold"])
def test_what_an_expired_hold_kept_is_there_for_the_next_caller_without_any_sweep_c8(
    deed: str,
) -> None:
    brand = make_brand(daily_budget=Decimal(10))
    keeper, asker = make_campaign(brand), make_campaign(brand)
    hold(keeper, "10").accepted()
    ask = {"add": add, "hold": hold}[deed]
    assert code_of(ask(asker, "10", now=NOON + FIVE_MINUTES - A_MICRO)) == "campaign_not_active"
    ask(asker, "10", now=NOON + FIVE_MINUTES).accepted()
    assert Hold.objects.get(campaign=keeper).state == HoldState.EXPIRED
    assert held(keeper) == 0
    audit(NOON + FIVE_MINUTES)


def test_freed_money_of_one_campaign_is_given_back_even_if_the_next_request_is_refused() -> None:
    keeper = make_campaign(daily_budget=Decimal(10))
    sibling = make_campaign(keeper.brand)
    hold(keeper, "10").accepted()
    later = NOON + FIVE_MINUTES
    pause_campaign(sibling.pk, caller=CALLER, now=NOON)
    assert code_of(add(sibling, "1", now=later)) == "campaign_not_active"
    assert fresh(keeper).is_active
    audit(later)


def test_the_sweep_ends_what_nobody_asks_for_in_every_brand() -> None:
    campaigns = [make_campaign(make_brand(daily_budget=Decimal(10))) for _ in range(3)]
    for campaign in campaigns:
        for amount in ("4", "6"):
            hold(campaign, amount).accepted()
    later = NOON + FIVE_MINUTES
    changes = expire_holds(caller=CALLER, now=later)
    assert changes == {"expired": 6, "activated": 3, "paused": 0, "failed": 0}
    assert all(held(campaign) == 0 for campaign in campaigns)
    assert not Hold.objects.filter(state=HoldState.OPEN).exists()
    before = everything_stored()
    assert not any(expire_holds(caller=CALLER, now=later).values())
    assert everything_stored() == before
    audit(later)


def test_holds_of_two_days_and_two_months_are_each_given_back_where_they_counted() -> None:
    last_of_june = NOON.replace(day=30, hour=23, minute=59)
    campaign = make_campaign(now=NOON)
    hold(campaign, "3", now=last_of_june).accepted()
    hold(campaign, "5", now=last_of_june + timedelta(minutes=2)).accepted()
    expire_holds(caller=CALLER, now=last_of_june + timedelta(minutes=30))
    totals = [*CampaignTotal.objects.all(), *BrandTotal.objects.all()]
    assert len(totals) == 9
    assert {(total.held, total.spent) for total in totals} == {(Decimal(0), Decimal(0))}


# --- Event ids -----------------------------------------------------------------------------


def test_each_call_about_a_hold_is_replayed_by_its_event_id_c21() -> None:
    campaign = make_campaign()
    taken = hold(campaign, "10", event_id="hold")
    again = hold(campaign, "10", event_id="hold")
    assert (again.is_replay, again.answer) == (True, taken.answer)
    captured = capture(taken, "4", event_id="capture")
    once_more = capture(taken, "4", event_id="capture")
    assert (once_more.is_replay, once_more.answer) == (True, captured.answer)
    refused = release(taken, event_id="release")
    still = release(taken, event_id="release")
    assert still.is_replay
    assert code_of(refused) == code_of(still) == "hold_ended"
    assert SpendLog.objects.count() == Hold.objects.count() == 1


def test_an_event_id_is_one_name_for_one_call_of_any_kind_c21() -> None:
    campaign = make_campaign()
    taken = hold(campaign, "10", event_id="a")
    assert code_of(add(campaign, "10", event_id="a")) == "event_id_reused"
    assert code_of(hold(campaign, "10.01", event_id="a")) == "event_id_reused"
    longer = hold(campaign, "10", event_id="a", duration=timedelta(minutes=6))
    assert code_of(longer) == "event_id_reused"
    assert code_of(capture(taken, event_id="a")) == "event_id_reused"
    assert code_of(release(taken, event_id="a")) == "event_id_reused"


def test_a_refused_hold_stays_refused_under_its_event_id_c21() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    assert code_of(hold(campaign, "11", event_id="a")) == "budget_exceeded"
    Brand.objects.update(daily_budget=Decimal(100))
    again = hold(campaign, "11", event_id="a")
    assert (again.is_replay, code_of(again)) == (True, "budget_exceeded")
    hold(campaign, "11", event_id="b").accepted()
