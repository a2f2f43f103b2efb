"""The monthly reset closes months that have ended, each on its brand's own 1st (C10)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.enums import Cause, PeriodKind
from core.models import BrandTotal
from core.tests.actions.tasks import run
from core.tests.builders import (
    NOON,
    add,
    fresh,
    make_brand,
    make_campaign,
    report,
    spent,
    transitions_of,
)
from core.tests.rules.zones import DAY, HOUR, SECOND, utc

QUIET = {"closed": 0, "activated": 0, "paused": 0, "failed": 0}
FIVE = Decimal(5)
FIRST_OF_JULY = utc("2026-07-01T00:00")
JUNE = date(2026, 6, 1)

pytestmark = pytest.mark.django_db


def test_on_the_first_the_month_is_closed_and_campaigns_come_back_c10() -> None:
    brand = make_brand(monthly_budget=FIVE)
    campaigns = [make_campaign(brand) for _ in range(2)]
    add(campaigns[0], "5")
    assert run("reset_monthly_spend", FIRST_OF_JULY - SECOND) == QUIET
    expected = {**QUIET, "closed": 1, "activated": 2}
    assert run("reset_monthly_spend", FIRST_OF_JULY) == expected
    for campaign in campaigns:
        last = transitions_of(campaign)[-1]
        assert (last.is_active, last.cause) == (True, Cause.PERIOD_TURNED)
        assert (last.at, last.actor) == (FIRST_OF_JULY, "clock")
    month = BrandTotal.objects.get(brand=brand, period="month")
    assert (month.closed_at, month.spent) == (FIRST_OF_JULY, FIVE), "closed and never zeroed"
    assert BrandTotal.objects.get(brand=brand, period="day").closed_at is None


@pytest.mark.parametrize(
    ("zone", "first"),
    [("Asia/Tokyo", "2026-06-30T15:00"), ("America/New_York", "2026-07-01T04:00")],
)
def test_the_first_is_the_brands_own_c9(zone: str, first: str) -> None:
    campaign = make_campaign(make_brand(time_zone=zone, monthly_budget=FIVE))
    add(campaign, "5")
    assert run("reset_monthly_spend", utc(first) - SECOND) == QUIET
    assert not fresh(campaign).is_active
    assert run("reset_monthly_spend", utc(first)) == {**QUIET, "closed": 1, "activated": 1}
    assert fresh(campaign).is_active


def test_after_an_outage_every_missed_month_is_closed_c26() -> None:
    campaign = make_campaign(make_brand(monthly_budget=FIVE))
    for day in ("2026-06-30", "2026-07-31", "2026-08-31"):
        add(campaign, "5", now=utc(f"{day}T23:00"))
    expected = {**QUIET, "closed": 3, "activated": 1}
    assert run("reset_monthly_spend", utc("2026-09-15T09:00")) == expected
    months = BrandTotal.objects.filter(period="month").order_by("starts_on")
    assert [month.closed_at for month in months] == [
        utc(f"2026-{month:02d}-01T00:00") for month in (7, 8, 9)
    ]


def test_late_spend_still_counts_in_a_closed_month_c11() -> None:
    campaign = make_campaign(make_brand(monthly_budget=FIVE))
    add(campaign, "4", now=FIRST_OF_JULY - HOUR)
    run("reset_monthly_spend", FIRST_OF_JULY)
    answer = report(campaign, "3", now=FIRST_OF_JULY + DAY, occurred_at=FIRST_OF_JULY - SECOND)
    assert answer.accepted()["over_budget"] == "2.00"
    assert spent(campaign, PeriodKind.MONTH, JUNE) == 7
    assert fresh(campaign).is_active, "July has its whole budget"
    assert run("reset_monthly_spend", FIRST_OF_JULY + 2 * DAY) == QUIET


def test_when_no_month_has_ended_it_costs_one_query_c26() -> None:
    add(make_campaign(), "1")
    with CaptureQueriesContext(connection) as queries:
        assert run("reset_monthly_spend", NOON + DAY) == QUIET
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
