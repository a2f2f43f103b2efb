"""A campaign that PostgreSQL takes for small is listed in the order of an index all the same.

It gathers statistics when a tenth of the log is new. Until then it would read all entries of a
campaign that has grown, and sort them for one page.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.enums import SpendKind
from core.models import Campaign, SpendLog
from core.models.sql import in_index_order
from core.queries.spend import (
    SPEND_LOG_ORDERINGS,
    SpendLogFilter,
    get_spend_log_page,
    list_spend_logs,
)
from core.rules.ordering import Ordering
from core.tests.builders import NOON, TODAY, add, make_campaign

pytestmark = [
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite gathers none by itself"),
    pytest.mark.django_db,
]

CAMPAIGNS, ENTRIES = 125, 40


@pytest.fixture
def small() -> Campaign:
    """One of many campaigns whose entries lie scattered, of each of which PostgreSQL knows few."""
    campaigns = [make_campaign() for _ in range(CAMPAIGNS)]
    SpendLog.objects.bulk_create(
        _entry(campaign, NOON + timedelta(seconds=number))
        for number in range(ENTRIES)
        for campaign in campaigns
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_spendlog")
    return campaigns[0]


def _entry(campaign: Campaign, at: datetime) -> SpendLog:
    return SpendLog(
        brand=campaign.brand,
        campaign=campaign,
        kind=SpendKind.ADD,
        amount=Decimal(1),
        over_budget=Decimal(0),
        currency="USD",
        budget_day=TODAY,
        occurred_at=at,
        recorded_at=at,
        source="test",
    )


def plan_of_a_page(campaign: Campaign, ordering: Ordering) -> str:
    chosen = SpendLogFilter(campaign_id=campaign.pk, ordering=ordering)
    return list_spend_logs(chosen)[:100].explain()


@pytest.mark.parametrize("ordering", SPEND_LOG_ORDERINGS.values(), ids=SPEND_LOG_ORDERINGS)
def test_a_page_is_never_sorted_out_of_all_entries(small: Campaign, ordering: Ordering) -> None:
    # This is what a campaign would get that has grown meanwhile.
    assert "Sort" in plan_of_a_page(small, ordering)
    with in_index_order():
        plan = plan_of_a_page(small, ordering)
    assert "Sort" not in plan
    assert "spend_of_campaign" in plan


def test_pages_are_read_so_and_what_comes_after_them_is_planned_as_ever(small: Campaign) -> None:
    with transaction.atomic():
        rows, place = get_spend_log_page(SpendLogFilter(campaign_id=small.pk), 10)
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_sort")
            assert cursor.fetchone() == ("off",), "until the transaction ends, which is the page's"
    assert (len(rows), place is not None) == (10, True)


def test_the_entries_of_an_event_id_are_looked_up_by_it(small: Campaign) -> None:
    add(small, "1", event_id="an-event")
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        rows, place = get_spend_log_page(SpendLogFilter(event_id="an-event"), 10)
    assert ([row.event_id for row in rows], place) == (["an-event"], None)
    assert not any("enable_sort" in query["sql"] for query in asked), "sorts them, if need be"
