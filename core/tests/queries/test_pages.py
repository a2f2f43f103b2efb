"""A page goes through a bounded number of rows, and the pages together show what the list shows."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.campaigns import archive_campaign
from core.enums import Reason, SpendKind
from core.models import Campaign
from core.queries import orderings
from core.queries.campaigns import (
    CAMPAIGN_ORDERINGS,
    CampaignFilter,
    get_campaign_page,
    list_campaigns,
)
from core.queries.spend import (
    SPEND_LOG_ORDERINGS,
    SpendLogFilter,
    get_spend_log_page,
    list_spend_logs,
)
from core.rules.ordering import Ordering, Place, format_cursor, parse_cursor
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    make_brand,
    make_campaign,
    refund,
    report,
)

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A page of the list after this place, and the place from which to read on.
Read = Callable[[Place | None], tuple[list[Any], Place | None]]


@pytest.fixture(autouse=True)
def few_rows() -> Iterator[None]:
    """Let a page go through three rows and no more."""
    with mock.patch.object(orderings, "SIFTED_TOGETHER", 3):
        yield


@pytest.fixture
def campaigns() -> list[Campaign]:
    """Three, of which two are of one brand, with entries of all kinds in three days."""
    shared = make_brand(daily_budget=Decimal(10))
    made = [make_campaign(shared), make_campaign(), make_campaign(shared)]
    for number in range(12):
        campaign = made[number % 3]
        if number % 4 == 3:
            report(campaign, "3", occurred_at=NOON - number % 3 * DAY)
        else:
            spent = add(campaign, "1", event_id=f"{number}" if number % 2 else "")
            if number % 5 == 0:
                refund(spent, "1")
    return made


def walk(read: Read, ordering: Ordering) -> Iterator[list[Any]]:
    """Each page from the first to the last."""
    after = None
    while True:
        rows, end = read(after)
        yield rows
        if end is None:
            return
        after = parse_cursor(format_cursor("rows", ordering, end), "rows", ordering)


def log_filters(campaigns: list[Campaign]) -> Iterator[dict[str, Any]]:
    first, second, _ = campaigns
    both = {first.brand_id, second.brand_id}
    owners: tuple[dict[str, Any], ...] = (
        {},
        {"campaign_id": first.pk},
        {"campaign_id": first.pk, "brand_ids": {second.brand_id}},
        {"campaign_id": first.pk, "brand_id": first.brand_id, "brand_ids": both},
        {"campaign_id": 0},
        {"brand_id": first.brand_id},
        {"brand_id": first.brand_id, "brand_ids": {second.brand_id}},
        {"brand_ids": both},
        {"brand_ids": set()},
        {"brand_ids": {first.brand_id, *range(10**6, 10**6 + 30)}},
    )
    others: tuple[dict[str, Any], ...] = (
        {},
        {"budget_day": TODAY - DAY},
        {"budget_day": TODAY + 9 * DAY},
        {"budget_day": TODAY, "kind": SpendKind.ADD},
        {"kind": SpendKind.REFUND},
        {"kind": SpendKind.REFUND, "is_over_budget": False},
        {"is_over_budget": True},
        {"is_over_budget": True, "kind": SpendKind.ADD},
        {"occurred_from": NOON - DAY, "occurred_until": NOON},
        {"occurred_from": NOON, "kind": SpendKind.CAPTURE},
        {"event_id": "1"},
        {"event_id": "1", "budget_day": TODAY - DAY},
        {"event_id": "nobody's"},
    )
    for owner in owners:
        for other in others:
            yield owner | other


@pytest.mark.parametrize("order", SPEND_LOG_ORDERINGS)
def test_the_pages_of_the_log_are_the_list_whatever_is_sifted_out(
    campaigns: list[Campaign], order: str
) -> None:
    ordering = SPEND_LOG_ORDERINGS[order]
    for chosen in log_filters(campaigns):

        def read(after: Place | None, chosen: dict[str, Any] = chosen) -> Any:
            return get_spend_log_page(SpendLogFilter(**chosen, ordering=ordering, after=after), 2)

        pages = list(walk(read, ordering))
        listed = list(list_spend_logs(SpendLogFilter(**chosen, ordering=ordering)))
        assert [entry.pk for page in pages for entry in page] == [entry.pk for entry in listed]
        assert all(len(page) <= 2 for page in pages)


@pytest.mark.parametrize("order", CAMPAIGN_ORDERINGS)
def test_the_pages_of_campaigns_are_the_list_whatever_is_sifted_out(
    campaigns: list[Campaign], order: str
) -> None:
    ordering = CAMPAIGN_ORDERINGS[order]
    owner = campaigns[0].brand
    for number in range(5):
        make_campaign(owner, now=NOON + number * HOUR, is_enabled=number % 2 == 0)
    archive_campaign(campaigns[2].pk, caller=CALLER, now=NOON)
    never_judged = make_campaign(owner)
    Campaign.objects.filter(pk=never_judged.pk).update(status_since=None)
    for seen in ({}, {"brand_id": owner.pk}, {"brand_ids": {c.brand_id for c in campaigns}}):
        for other in (
            {},
            {"is_active": False},
            {"is_enabled": True},
            {"reason": Reason.CAMPAIGN_DISABLED},
            {"search": "nothing"},
        ):
            chosen: dict[str, Any] = {**seen, **other}

            def read(after: Place | None, chosen: dict[str, Any] = chosen) -> Any:
                wanted = CampaignFilter(**chosen, ordering=ordering, after=after)
                return get_campaign_page(NOON, wanted, 2)

            pages = list(walk(read, ordering))
            listed = list_campaigns(NOON, CampaignFilter(**chosen, ordering=ordering))
            assert [row.pk for page in pages for row in page] == [row.pk for row in listed]


def test_a_page_ends_where_it_has_gone_through_enough_rows(campaigns: list[Campaign]) -> None:
    ordering = SPEND_LOG_ORDERINGS["-id"]

    def read(after: Place | None) -> Any:
        chosen = SpendLogFilter(kind=SpendKind.CAPTURE, ordering=ordering, after=after)
        return get_spend_log_page(chosen, 2)

    pages = list(walk(read, ordering))
    assert pages == [[]] * 6, "three of the 15 entries on each page, and then the end"


def test_an_end_says_nothing_of_what_the_caller_may_not_see_c29(
    campaigns: list[Campaign],
) -> None:
    first, second, _ = campaigns
    foreign = {entry.pk for entry in list_spend_logs(SpendLogFilter(brand_id=first.brand_id))}
    after = None
    for brand_ids in ({second.brand_id}, {second.brand_id, 10**6}):
        while True:
            chosen = SpendLogFilter(brand_ids=brand_ids, kind=SpendKind.CAPTURE, after=after)
            _, after = get_spend_log_page(chosen, 2)
            if after is None:
                break
            assert after[0] not in foreign


@pytest.mark.parametrize("order", ["occurred_at", "-occurred_at"])
def test_a_page_of_the_log_begins_among_those_of_one_instant_where_it_begins(
    campaigns: list[Campaign], order: str
) -> None:
    chosen = SpendLogFilter(ordering=SPEND_LOG_ORDERINGS[order], after=(NOON, 5))
    with CaptureQueriesContext(connection) as asked:
        get_spend_log_page(chosen, 2)
    assert_ranges(asked, "occurred_at")


@pytest.mark.parametrize("order", ["name", "-name", "status_since", "-status_since"])
def test_a_page_of_campaigns_begins_among_those_alike_where_it_begins(
    campaigns: list[Campaign], order: str
) -> None:
    after = (NOON if "status_since" in order else "Campaign", 5)
    chosen = CampaignFilter(ordering=CAMPAIGN_ORDERINGS[order], after=after)
    with CaptureQueriesContext(connection) as asked:
        get_campaign_page(NOON, chosen, 2)
    assert_ranges(asked, order.removeprefix("-"))


def assert_ranges(asked: CaptureQueriesContext, column: str) -> None:
    """Whoever begins among equals is given them by their ids, and the others by their value."""
    conditions = [query["sql"].partition(" WHERE ")[2] for query in asked]
    no_range = r' OR .*"id" [<>] 5'
    assert not any(re.search(no_range, condition) for condition in conditions)
    equal = rf'{column}"\)?( COLLATE "C")? = .* AND "\w+"."id" [<>] 5'
    assert any(re.search(equal, condition) for condition in conditions)
