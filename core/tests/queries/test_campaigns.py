"""Campaigns are found by who may see them and by what their stored verdict says (C29)."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.brands import archive_brand
from core.actions.campaigns import archive_campaign
from core.enums import Reason
from core.errors import CampaignNotFoundError
from core.models import Campaign
from core.queries.campaigns import (
    CampaignFilter,
    count_campaigns,
    get_campaign,
    get_listed_campaign,
    has_campaign_name,
    list_campaigns,
)
from core.tests.builders import CALLER, NOON, add, make_brand, make_campaign, report
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, utc

pytestmark = pytest.mark.django_db


def archived() -> list[Campaign]:
    """One that is archived, and one of an archived brand."""
    campaigns = [make_campaign(), make_campaign()]
    archive_campaign(campaigns[0].pk, caller=CALLER, now=NOON)
    archive_brand(campaigns[1].brand_id, caller=CALLER, now=NOON)
    return campaigns


def names(**chosen: Any) -> list[str]:
    return [campaign.name for campaign in list_campaigns(NOON, CampaignFilter(**chosen))]


def test_a_campaign_is_found_unless_it_or_its_brand_is_archived_or_out_of_sight_c29() -> None:
    campaign, gone = make_campaign(), archived()
    for get in (get_campaign, lambda *args: get_listed_campaign(args[0], NOON, *args[1:])):
        assert get(campaign.pk) == campaign
        assert get(campaign.pk, {campaign.brand_id}) == campaign
        nowhere: set[int] = set()
        for wrong in ((gone[0].pk,), (gone[1].pk,), (campaign.pk, nowhere), (0,)):
            with pytest.raises(CampaignNotFoundError):
                get(*wrong)


def test_a_list_is_narrowed_by_brand_state_reason_and_name_c29() -> None:
    brand = make_brand(daily_budget=Decimal(5))
    summer = make_campaign(brand, name="Summer Sale")
    make_campaign(brand, name="Winter Sale", is_enabled=False)
    other = make_campaign(name="Summer Camp")
    archived()
    assert names() == ["Summer Sale", "Winter Sale", "Summer Camp"]
    assert names(brand_id=brand.pk) == ["Summer Sale", "Winter Sale"]
    assert names(brand_ids={other.brand_id}) == ["Summer Camp"]
    assert names(brand_id=brand.pk, brand_ids={other.brand_id}) == []
    assert names(brand_ids=set()) == []
    assert names(is_active=True) == ["Summer Sale", "Summer Camp"]
    assert names(is_active=False) == ["Winter Sale"]
    assert names(is_enabled=True) == ["Summer Sale", "Summer Camp"]
    assert names(is_enabled=False) == ["Winter Sale"]
    assert names(after=(summer.pk,)) == ["Winter Sale", "Summer Camp"]
    assert names(search="summer") == ["Summer Sale", "Summer Camp"]
    assert names(search="sale", is_active=False) == ["Winter Sale"]
    assert names(search="%") == names(search="_") == [], "no wildcard is smuggled in"
    add(summer, "5")
    assert names(reason=Reason.BRAND_DAILY_BUDGET) == ["Summer Sale", "Winter Sale"]
    assert names(reason=Reason.CAMPAIGN_DAILY_BUDGET) == []


def test_a_search_folds_the_case_of_every_letter_on_both_databases_c30() -> None:
    make_campaign(name="Ünal Café")
    assert names(search="ÜNAL CAFÉ") == names(search="ünal café") == ["Ünal Café"]


def test_a_listed_campaign_shows_its_own_running_day_and_month_c9() -> None:
    brand = make_brand(time_zone="America/New_York")
    campaign, other = (
        make_campaign(brand, schedule=[window("01:00", "23:00")]),
        make_campaign(brand),
    )
    report(campaign, "1", occurred_at=NOON - DAY)
    add(campaign, "2.5")
    add(other, "40")
    for now, day, month in (
        (NOON, Decimal("2.5"), Decimal("3.5")),
        (utc("2026-06-11T03:59:59"), Decimal("2.5"), Decimal("3.5")),
        (utc("2026-06-11T04:00"), None, Decimal("3.5")),
        (utc("2026-07-01T04:00"), None, None),
    ):
        listed: Any = get_listed_campaign(campaign.pk, now)
        assert (listed.daily_spend, listed.monthly_spend) == (day, month)
        assert [row.daypart for row in listed.dayparts.all()] == [window("01:00", "23:00")]


def test_counts_say_what_runs_and_what_a_budget_has_stopped_c5() -> None:
    brand = make_brand(daily_budget=Decimal(5), monthly_budget=Decimal(5))
    campaigns = [make_campaign(brand) for _ in range(2)]
    own = make_campaign(daily_budget=Decimal(0))
    make_campaign(lifetime_budget=Decimal(0))
    make_campaign(is_enabled=False)
    running = make_campaign()
    archived()
    add(campaigns[0], "5")
    assert count_campaigns(None) == (6, 1, 3, 2)
    seen = {own.brand_id, running.brand_id}
    assert count_campaigns(seen) == (2, 1, 1, 0)
    assert count_campaigns(set()) == (0, 0, 0, 0)


def test_a_name_is_looked_for_within_its_brand_among_live_campaigns() -> None:
    campaign = make_campaign(name="Summer Sale")
    brand = campaign.brand
    assert has_campaign_name(brand, "Summer Sale")
    assert not has_campaign_name(brand, "Summer Sale", besides=campaign.pk)
    assert not has_campaign_name(make_brand(), "Summer Sale")
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert not has_campaign_name(brand, "Summer Sale")


def test_a_list_with_brands_and_dayparts_is_two_queries_however_long() -> None:
    for _ in range(12):
        make_campaign(schedule=[window("01:00", "23:00"), window("03:00", "04:00")])
    with CaptureQueriesContext(connection) as queries:
        listed = list(list_campaigns(NOON, CampaignFilter()))
        assert all(campaign.brand.name for campaign in listed)
        assert sum(len(campaign.dayparts.all()) for campaign in listed) == 24
    assert len(queries) == 2
