"""The counts that the status shows follow every change of a campaign, in the same transaction."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.db import transaction

from core.actions.brands import archive_brand, edit_brand
from core.actions.campaigns import archive_campaign, edit_campaign, pause_campaign, resume_campaign
from core.actions.delivery import enforce_dayparting, reset_daily_spend
from core.enums import Reason
from core.models import Brand, Campaign, CampaignCounts
from core.queries.campaigns import CampaignNumbers, count_campaigns
from core.queries.checks.verdicts import list_wrong_counts
from core.queries.promises import Promise
from core.queries.verification import list_broken_promises
from core.tests.builders import CALLER, NOON, add, make_brand, make_campaign, refund, report
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand() -> Brand:
    return make_brand(daily_budget=Decimal(10), monthly_budget=Decimal(20))


def counts(at: datetime = NOON) -> tuple[int, ...]:
    """What the status shows, which is what is stored."""
    assert list_broken_promises(at, [list_wrong_counts]) == []
    return tuple(count_campaigns(None))


def test_campaigns_are_counted_from_their_creation_until_they_are_archived(brand: Brand) -> None:
    assert counts() == (0, 0, 0, 0)
    first, second = make_campaign(brand), make_campaign(brand, daily_budget=Decimal(0))
    make_campaign(brand, is_enabled=False)
    assert counts() == (3, 1, 1, 0)
    archive_campaign(first.pk, caller=CALLER, now=NOON)
    assert counts() == (2, 0, 1, 0)
    archive_campaign(second.pk, caller=CALLER, now=NOON)
    assert counts() == (1, 0, 0, 0)


def test_a_budget_that_is_used_up_counts_for_every_campaign_that_it_stops_c5(brand: Brand) -> None:
    campaign = make_campaign(brand)
    make_campaign(brand)
    make_campaign()
    spent = add(campaign, "10")
    assert counts() == (3, 1, 2, 0)
    report(campaign, "10")
    assert counts() == (3, 1, 2, 2), "the day and the month"
    refund(spent, "10")
    assert counts() == (3, 1, 2, 0)
    edit_brand(brand.pk, {"daily_budget": Decimal(50)}, caller=CALLER, now=NOON)
    assert counts() == (3, 3, 0, 0)


def test_switches_and_edits_count_at_once(brand: Brand) -> None:
    campaign = make_campaign(brand)
    pause_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert counts() == (1, 0, 0, 0)
    edit_campaign(campaign.pk, {"monthly_budget": Decimal(0)}, caller=CALLER, now=NOON)
    assert counts() == (1, 0, 0, 1)
    resume_campaign(campaign.pk, caller=CALLER, now=NOON)
    edit_campaign(campaign.pk, {"monthly_budget": None}, caller=CALLER, now=NOON)
    assert counts() == (1, 1, 0, 0)


def test_what_time_alone_brings_is_counted_by_whoever_stores_it_c16(brand: Brand) -> None:
    campaign = make_campaign(brand, schedule=[window("00:00", "13:00")])
    make_campaign(brand)
    enforce_dayparting(caller=CALLER, now=NOON + 2 * HOUR)
    assert counts() == (2, 1, 0, 0)
    add(make_campaign(brand, now=NOON + 3 * HOUR), "10", now=NOON + 3 * HOUR)
    assert counts() == (3, 0, 3, 0)
    reset_daily_spend(caller=CALLER, now=NOON + DAY)
    assert counts() == (3, 3, 0, 0)
    assert Campaign.objects.get(pk=campaign.pk).is_active


def test_an_archived_brand_counts_for_nothing(brand: Brand) -> None:
    make_campaign(brand)
    archive_brand(brand.pk, caller=CALLER, now=NOON)
    assert counts() == (0, 0, 0, 0)


def test_a_change_that_is_undone_counts_for_nothing(brand: Brand) -> None:
    campaign = make_campaign(brand)
    with transaction.atomic():
        pause_campaign(campaign.pk, caller=CALLER, now=NOON)
        assert counts() == (1, 0, 0, 0)
        transaction.set_rollback(True)
    assert counts() == (1, 1, 0, 0)


def test_counts_that_are_wrong_are_found(brand: Brand) -> None:
    campaign = make_campaign(brand)
    Campaign.objects.filter(pk=campaign.pk).update(
        is_active=False, reasons=(Reason.BRAND_DAILY_BUDGET,)
    )
    (wrong,) = list_broken_promises(NOON, [list_wrong_counts])
    expected = CampaignNumbers(total=1, active=0, over_daily=1, over_monthly=0)
    assert wrong.promise is Promise.STATUS_COUNTS
    assert str(expected) in wrong.facts
    CampaignCounts.objects.all().delete()
    (wrong,) = list_broken_promises(NOON, [list_wrong_counts])
    assert str(CampaignNumbers()) in wrong.facts
