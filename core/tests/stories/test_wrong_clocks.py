"""A web host whose clock is two hours off neither overspends nor spends yesterday's remainder (C7).

Failure scenarios D2 to D4: a real web server with a wrong clock, in a zone where it shows another
date.
"""

from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal

import pytest
from budget_manager_client import BudgetManager, CampaignNotActive, OutcomeUnknown
from django.db import connection
from django.utils import timezone

from core.models import BrandTotal, Hold, SpendLog, Transition
from core.tests.builders import add, code_of, make_brand, make_campaign
from core.tests.stories.web import WebServer, web_server
from core.tests.views.api import make_token

TWO_HOURS = timedelta(hours=2)
MOMENT = timedelta(minutes=1)
BUDGET = Decimal(10)
# The hour of the brand's day at which the clock that is so far ahead shows another date.
HOURS = {-TWO_HOURS: 0, TWO_HOURS: 22}

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite is one host's, which has one clock"
)


def zone_where_it_is(hour: int) -> str:
    """The zone whose clocks show this hour now; their names count the other way round."""
    west = (timezone.now().hour - hour) % 24
    return f"Etc/GMT{west if west <= 12 else west - 24:+d}"


def wrong_server(
    database_url: str, ahead: timedelta, *, is_trusting: bool = False
) -> AbstractContextManager[WebServer]:
    """A host with a wrong clock; a trusting one is the broken version, which decides by it."""
    return web_server(
        database_url,
        CLOCK_AHEAD_SECONDS=str(ahead.total_seconds()),
        TRUSTS_ITS_OWN_CLOCK="1" if is_trusting else "",
    )


def spend_all_day(own_database: str, ahead: timedelta, *, is_trusting: bool = False) -> None:
    """Use up the day, then ask for what is left of it at the host with the wrong clock."""
    brand = make_brand(
        now=timezone.now(), daily_budget=BUDGET, time_zone=zone_where_it_is(HOURS[ahead])
    )
    campaign, key = make_campaign(brand, now=timezone.now()), make_token()
    assert code_of(add(campaign, str(BUDGET), now=timezone.now())) is None
    with wrong_server(own_database, ahead, is_trusting=is_trusting) as server:
        client = BudgetManager(server.url, key)
        with pytest.raises(CampaignNotActive) as refused:
            client.add(campaign.pk, "1.00")
        reasons = refused.value.details["reasons"]
        assert [reason["code"] for reason in reasons] == ["brand_daily_budget"]
        with pytest.raises(CampaignNotActive):
            client.create_hold(campaign.pk, "1.00")
        # Gone is gone: it counts today, where no budget covers it.
        assert client.report(campaign.pk, "1.00").over_budget == Decimal(1)
        client.pause(campaign.pk)
    assert not Hold.objects.exists()
    instants = [*SpendLog.objects.values_list("occurred_at", flat=True)]
    instants += Transition.objects.values_list("at", flat=True)
    assert max(abs(timezone.now() - at) for at in instants) < MOMENT
    days = {total.starts_on: total.spent for total in BrandTotal.objects.filter(period="day")}
    assert days == {brand.calendar.budget_day(timezone.now()).starts_on: BUDGET + 1}


@pytest.mark.parametrize("ahead", HOURS)
def test_a_host_two_hours_off_decides_by_the_clock_of_the_database(
    own_database: str, ahead: timedelta
) -> None:
    spend_all_day(own_database, ahead)


@pytest.mark.parametrize("ahead", HOURS)
def test_hosts_that_trust_their_own_clocks_spend_another_days_budget(
    own_database: str, ahead: timedelta
) -> None:
    with pytest.raises(pytest.fail.Exception, match="CampaignNotActive"):
        spend_all_day(own_database, ahead, is_trusting=True)


def test_clocks_that_are_days_apart_decide_nothing(own_database: str) -> None:
    campaign, key = make_campaign(now=timezone.now()), make_token()
    with wrong_server(own_database, timedelta(days=31)) as server:
        client = BudgetManager(server.url, key, deadline=1)
        with pytest.raises(OutcomeUnknown, match="clocks_disagree"):
            client.add(campaign.pk, "1.00")
    assert not SpendLog.objects.exists()
