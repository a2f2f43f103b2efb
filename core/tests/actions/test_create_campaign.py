"""A campaign is created within a brand and judged at once (C16, C17)."""

from decimal import Decimal

import pytest

from core.actions.brands import archive_brand
from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign, create_campaign
from core.enums import Cause, Reason
from core.errors import BrandNotFoundError, InvalidFieldError, NameTakenError
from core.models import Campaign
from core.rules.dayparts import Daypart
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    transitions_of,
)
from core.tests.rules.zones import HOUR, utc

pytestmark = pytest.mark.django_db


def test_a_campaign_without_anything_in_the_way_runs_at_once_c17() -> None:
    campaign = make_campaign()
    stored = fresh(campaign)
    assert (stored.is_active, stored.reasons, stored.next_change_at) == (True, (), None)
    assert (stored.status_since, stored.created_at) == (NOON, NOON)
    (created,) = transitions_of(campaign)
    assert (created.is_active, created.reasons, created.cause) == (True, (), Cause.CREATED)
    assert (created.at, created.actor) == (NOON, CALLER.source)
    assert campaign.is_active, "the campaign that comes back is as it is stored"


def test_a_campaign_that_may_not_run_yet_says_why_from_its_first_moment_c17() -> None:
    brand = make_brand(daily_budget=Decimal(5))
    add(make_campaign(brand), "5")
    campaign = make_campaign(brand, starts_at=NOON + HOUR, is_enabled=False)
    expected = (Reason.CAMPAIGN_DISABLED, Reason.NOT_STARTED, Reason.BRAND_DAILY_BUDGET)
    assert fresh(campaign).reasons == campaign.reasons == expected
    assert fresh(campaign).next_change_at == NOON + HOUR
    (created,) = transitions_of(campaign)
    assert (created.is_active, created.reasons) == (False, expected)
    assert created.numbers[0]["code"] == "brand_daily_budget"


def test_a_campaign_keeps_what_it_is_created_with_c3_c13() -> None:
    brand = make_brand(time_zone="Asia/Tokyo")
    dayparts = [Daypart((0, 4), 540, 1020), Daypart((5,), 1320, 120)]
    campaign = make_campaign(
        brand,
        name="Summer Sale",
        starts_at=NOON,
        ends_at=NOON + 48 * HOUR,
        daily_budget=Decimal("0.5"),
        monthly_budget=Decimal(0),
        lifetime_budget=Decimal(7),
        schedule=dayparts,
    )
    stored = fresh(campaign)
    assert (stored.name, stored.brand) == ("Summer Sale", brand)
    assert (stored.starts_at, stored.ends_at) == (NOON, NOON + 48 * HOUR)
    budgets = (stored.daily_budget, stored.monthly_budget, stored.lifetime_budget)
    assert budgets == (Decimal("0.5"), Decimal(0), Decimal(7))
    assert [row.daypart for row in stored.dayparts.all()] == dayparts
    assert stored.reasons == (Reason.OUTSIDE_SCHEDULE, Reason.CAMPAIGN_MONTHLY_BUDGET)
    assert stored.next_change_at == utc("2026-06-12T00:00"), "Friday, 09:00 in Tokyo"


def test_a_name_belongs_to_one_campaign_of_the_brand() -> None:
    brand = make_brand()
    first = make_campaign(brand, name="Summer Sale")
    before = everything_stored()
    with pytest.raises(NameTakenError):
        make_campaign(brand, name="Summer Sale")
    assert everything_stored() == before
    make_campaign(name="Summer Sale")
    archive_campaign(first.pk, caller=CALLER, now=NOON)
    make_campaign(brand, name="Summer Sale")
    assert Campaign.objects.filter(name="Summer Sale").count() == 3


@pytest.mark.parametrize("hours", [0, -1])
def test_a_flight_must_end_after_it_starts(hours: int) -> None:
    brand = make_brand()
    before = everything_stored()
    with pytest.raises(InvalidFieldError, match="ends_at: must be later than starts_at"):
        make_campaign(brand, starts_at=NOON, ends_at=NOON + hours * HOUR)
    assert everything_stored() == before


def test_a_brand_that_is_gone_or_not_the_callers_takes_no_campaign_c29() -> None:
    archived, foreign = make_brand(), make_brand()
    archive_brand(archived.pk, caller=CALLER, now=NOON)
    limited = Caller("test:limited", frozenset({make_brand().pk}))
    before = everything_stored()
    for brand_id, caller in ((archived.pk, CALLER), (foreign.pk, limited), (999_999, CALLER)):
        with pytest.raises(BrandNotFoundError):
            create_campaign(brand_id, {"name": "x"}, caller=caller, now=NOON)
    assert everything_stored() == before
