"""What contradicts a promise in the stored facts is found, and in sound facts nothing is."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.actions.brands import BrandChanges, edit_brand
from core.actions.campaigns import pause_campaign
from core.models import BrandTotal, Campaign, CampaignTotal, Transition
from core.queries.checks.budgets import list_wrong_admissions
from core.queries.promises import BrokenPromise, Promise
from core.queries.verification import list_broken_after_tick, list_broken_promises
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    capture,
    hold,
    make_brand,
    make_campaign,
    refund,
    report,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    """One with spend of every kind, also over its budget, and a pause behind it."""
    campaign = make_campaign(make_brand(daily_budget=Decimal(100)), lifetime_budget=Decimal(400))
    spend = add(campaign, "30")
    capture(hold(campaign, "10"), "4")
    hold(campaign, "5")
    report(campaign, "80")
    report(campaign, "7", occurred_at=NOON - timedelta(days=1))
    refund(spend, "20")
    return campaign


def found(broken: list[BrokenPromise]) -> set[Promise]:
    return {each.promise for each in broken}


def test_in_sound_facts_nothing_is_found(campaign: Campaign) -> None:
    assert list_broken_promises(NOON) == []
    assert list_broken_after_tick(NOON) == []


def test_a_budget_that_was_lowered_is_no_overspend(campaign: Campaign) -> None:
    edit_brand(campaign.brand_id, {"daily_budget": Decimal(1)}, caller=CALLER, now=NOON)

    assert list_broken_promises(NOON) == []
    assert [each.promise for each in list_wrong_admissions(campaign.pk, NOON)] == [
        Promise.ZERO_OVERSPEND
    ]


def test_a_budget_that_was_removed_for_a_while_allows_anything() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    for budget, amount in ((None, "50"), (Decimal(10), "0")):
        edit_brand(campaign.brand_id, {"daily_budget": budget}, caller=CALLER, now=NOON)
        add(campaign, amount)

    assert list_broken_promises(NOON) == []


@pytest.mark.parametrize("column", ["spent", "held"])
def test_a_total_that_is_not_the_log_is_found(campaign: Campaign, column: str) -> None:
    BrandTotal.objects.filter(starts_on=NOON.date()).update(**{column: Decimal("93.99")})

    broken = list_broken_promises(NOON)

    assert Promise.TOTALS in found(broken)
    assert f"brand {campaign.brand_id}, day 2026-06-10: {column} is 93.99" in broken[0].facts


def test_a_missing_total_is_found(campaign: Campaign) -> None:
    CampaignTotal.objects.filter(period="lifetime").delete()

    assert found(list_broken_promises(NOON)) == {Promise.TOTALS}


@pytest.mark.parametrize(
    "budgets", [BrandChanges(daily_budget=Decimal(10)), BrandChanges(monthly_budget=Decimal(10))]
)
def test_spend_beyond_every_budget_is_found(
    budgets: BrandChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.rules.counters.Limit.remaining", 1_000_000_000)
    campaign = make_campaign(make_brand(**budgets))
    add(campaign, "10.01")

    assert found(list_broken_promises(NOON)) == {Promise.ZERO_OVERSPEND}
    assert found(list_wrong_admissions(campaign.pk, NOON)) == {Promise.ZERO_OVERSPEND}


def test_spend_of_a_campaign_that_is_not_active_is_found(campaign: Campaign) -> None:
    assert list_wrong_admissions(campaign.pk, NOON) == []

    pause_campaign(campaign.pk, caller=CALLER, now=NOON)

    assert found(list_wrong_admissions(campaign.pk, NOON)) == {Promise.ONLY_ACTIVE}


def test_a_hold_past_its_time_is_found(campaign: Campaign) -> None:
    assert Promise.HOLDS_END in found(list_broken_after_tick(NOON + timedelta(hours=1)))


def test_a_verdict_that_is_not_the_judged_one_is_found(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(is_active=False, reasons=("ended",))

    assert Promise.STORED_VERDICTS in found(list_broken_after_tick(NOON))
    assert Promise.TRANSITIONS in found(list_broken_promises(NOON))


def test_a_transition_written_twice_is_found(campaign: Campaign) -> None:
    last = Transition.objects.order_by("id").last()
    assert last
    last.pk = None
    last.save(force_insert=True)

    assert found(list_broken_promises(NOON)) == {Promise.TRANSITIONS}
