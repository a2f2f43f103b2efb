"""The daily reset closes days that have ended, brings campaigns back, zeroes nothing (C10)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.caller import Caller
from core.actions.delivery import reset_daily_spend
from core.enums import Cause, Reason
from core.models import Brand, BrandTotal
from core.tests.actions.tasks import run
from core.tests.builders import (
    NOON,
    TODAY,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    report,
    spent,
    transitions_of,
)
from core.tests.rules.zones import DAY, HOUR, MINUTE, SECOND, utc

QUIET = {"closed": 0, "activated": 0, "paused": 0, "failed": 0}
FIVE = Decimal(5)
MIDNIGHT = utc("2026-06-11T00:00")

pytestmark = pytest.mark.django_db


def closed_days(brand: Brand) -> dict[str, object]:
    days = BrandTotal.objects.filter(brand=brand, period="day").order_by("starts_on")
    return {day.starts_on.isoformat(): day.closed_at for day in days}


def test_at_midnight_the_day_is_closed_and_campaigns_come_back_c10() -> None:
    brand = make_brand(daily_budget=FIVE)
    campaigns = [make_campaign(brand) for _ in range(3)]
    add(campaigns[0], "5")
    assert run("reset_daily_spend", MIDNIGHT - SECOND) == QUIET
    assert run("reset_daily_spend", MIDNIGHT) == {**QUIET, "closed": 1, "activated": 3}
    for campaign in campaigns:
        assert fresh(campaign).is_active
        last = transitions_of(campaign)[-1]
        assert (last.cause, last.actor) == (Cause.PERIOD_TURNED, "clock")
        assert last.at == MIDNIGHT
    assert closed_days(brand) == {"2026-06-10": MIDNIGHT}


def test_no_total_is_ever_zeroed_c10() -> None:
    campaign = make_campaign(make_brand(daily_budget=FIVE))
    add(campaign, "5")
    run("reset_daily_spend", MIDNIGHT)
    assert spent(campaign.brand) == spent(campaign) == 5
    assert spent(campaign, starts_on=TODAY + DAY) == 0
    report(campaign, "1", now=MIDNIGHT + MINUTE, occurred_at=NOON - DAY)
    add(campaign, "2", now=MIDNIGHT + MINUTE)
    assert run("reset_daily_spend", MIDNIGHT + HOUR)["closed"] == 1
    assert spent(campaign.brand, starts_on=TODAY + DAY) == 2
    assert spent(campaign, starts_on=TODAY + DAY) == 2


def test_each_brand_turns_at_its_own_midnight_c9() -> None:
    tokyo = make_campaign(make_brand(time_zone="Asia/Tokyo", daily_budget=FIVE))
    new_york = make_campaign(make_brand(time_zone="America/New_York", daily_budget=FIVE))
    for campaign in (tokyo, new_york):
        add(campaign, "5")
    assert run("reset_daily_spend", utc("2026-06-10T15:00")) == {
        **QUIET,
        "closed": 1,
        "activated": 1,
    }
    assert (fresh(tokyo).is_active, fresh(new_york).is_active) == (True, False)
    assert run("reset_daily_spend", utc("2026-06-11T03:59:59")) == QUIET
    run("reset_daily_spend", utc("2026-06-11T04:00"))
    assert fresh(new_york).is_active


def test_after_an_outage_every_missed_day_is_closed_c26() -> None:
    campaign = make_campaign(make_brand(daily_budget=FIVE))
    for days in range(5):
        add(campaign, "5", now=NOON + days * DAY)
    assert run("reset_daily_spend", NOON + 5 * DAY) == {**QUIET, "closed": 5, "activated": 1}
    closed = closed_days(campaign.brand)
    assert list(closed.values()) == [MIDNIGHT + days * DAY for days in range(5)]


def test_a_day_that_late_spend_opened_is_closed_by_the_next_run_c11() -> None:
    campaign = make_campaign(make_brand(daily_budget=FIVE))
    add(campaign, "1")
    run("reset_daily_spend", MIDNIGHT)
    report(campaign, "1", now=MIDNIGHT + MINUTE, occurred_at=NOON - DAY)
    report(campaign, "9", now=MIDNIGHT + MINUTE, occurred_at=NOON)
    later = MIDNIGHT + HOUR
    assert run("reset_daily_spend", later) == {**QUIET, "closed": 1}
    assert closed_days(campaign.brand) == {"2026-06-09": MIDNIGHT - DAY, "2026-06-10": MIDNIGHT}
    assert spent(campaign) == 10, "a closed day still takes late spend"


def test_what_else_stands_in_the_way_still_does_c15() -> None:
    brand = make_brand(daily_budget=FIVE, monthly_budget=FIVE)
    spender = make_campaign(brand)
    by_hand = make_campaign(brand, is_enabled=False)
    nothing = make_campaign(brand, daily_budget=Decimal(0))
    add(spender, "5")
    assert run("reset_daily_spend", MIDNIGHT) == {**QUIET, "closed": 1}
    month = Reason.BRAND_MONTHLY_BUDGET
    assert fresh(spender).reasons == (month,)
    assert fresh(by_hand).reasons == (Reason.CAMPAIGN_DISABLED, month)
    assert fresh(nothing).reasons == (month, Reason.CAMPAIGN_DAILY_BUDGET)


def test_it_closes_days_and_leaves_months_alone() -> None:
    campaign = make_campaign()
    add(campaign, "1")
    run("reset_daily_spend", utc("2026-07-01T00:00"))
    months = BrandTotal.objects.filter(period="month")
    assert [month.closed_at for month in months] == [None]


def test_a_day_with_spend_reported_minutes_ahead_is_not_closed_before_it_ran() -> None:
    campaign = make_campaign()
    report(campaign, "1", now=MIDNIGHT - MINUTE, occurred_at=MIDNIGHT + MINUTE)
    run("reset_daily_spend", MIDNIGHT + MINUTE)
    assert closed_days(campaign.brand) == {"2026-06-11": None}


def test_a_caller_limited_to_brands_resets_only_those_c29() -> None:
    mine, foreign = make_campaign(), make_campaign()
    for campaign in (mine, foreign):
        add(campaign, "1")
    limited = Caller("test:limited", frozenset({mine.brand_id}))
    assert reset_daily_spend(caller=limited, now=MIDNIGHT) == {**QUIET, "closed": 1}
    assert closed_days(foreign.brand) == {"2026-06-10": None}


def test_its_cost_does_not_grow_with_brands_that_have_nothing_to_close_c26() -> None:
    def cost(now_in_days: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            changes = run("reset_daily_spend", MIDNIGHT + timedelta(days=now_in_days))
        assert changes["closed"] == 1
        return len(queries)

    campaign = make_campaign()
    add(campaign, "1")
    alone = cost(0)
    for _ in range(20):
        make_campaign()
    add(campaign, "1", now=NOON + DAY)
    assert cost(1) == alone
    before = everything_stored()
    with CaptureQueriesContext(connection) as queries:
        assert run("reset_daily_spend", MIDNIGHT + DAY) == QUIET
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
    assert everything_stored() == before
