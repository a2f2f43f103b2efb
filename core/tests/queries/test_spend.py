"""The spend log is read in pages that later entries never move."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.caller import Caller
from core.actions.spend import add_spend
from core.models import Campaign, EventAnswer, Hold, SpendLog
from core.queries.spend import (
    BrandsOf,
    SpendLogFilter,
    list_spend_logs,
    map_event_answers,
)
from core.tests.builders import NOON, TODAY, add, ask, make_brand, make_campaign, report
from core.tests.rules.zones import DAY, HOUR

pytestmark = pytest.mark.django_db


def amounts(**chosen: Any) -> list[int]:
    return [int(entry.amount) for entry in list_spend_logs(SpendLogFilter(**chosen))]


def test_the_log_is_read_last_recorded_first_and_narrowed_by_what_was_asked_c29() -> None:
    brand = make_brand(time_zone="Asia/Tokyo")
    campaign, sibling, other = make_campaign(brand), make_campaign(brand), make_campaign()
    add(campaign, "1")
    add(sibling, "2")
    add(other, "3")
    report(campaign, "4", occurred_at=NOON - DAY)
    add(campaign, "5", now=NOON + 3 * HOUR)  # midnight in Tokyo
    assert amounts() == [5, 4, 3, 2, 1]
    assert amounts(campaign_id=campaign.pk) == [5, 4, 1]
    assert amounts(brand_id=brand.pk) == [5, 4, 2, 1]
    assert amounts(brand_ids={other.brand_id}) == [3]
    assert amounts(brand_ids=set()) == []
    assert amounts(campaign_id=campaign.pk, brand_ids={other.brand_id}) == []
    assert amounts(budget_day=TODAY) == [3, 2, 1]
    assert amounts(budget_day=TODAY + DAY) == [5]
    assert amounts(occurred_from=NOON) == [5, 3, 2, 1]
    assert amounts(occurred_from=NOON - DAY, occurred_until=NOON) == [4]


def test_a_page_goes_on_where_the_last_one_ended_whatever_was_added_meanwhile() -> None:
    campaign = make_campaign()
    for amount in ("1", "2", "3", "4"):
        add(campaign, amount)
    first_page = list(list_spend_logs(SpendLogFilter())[:2])
    add(campaign, "5")
    assert [int(entry.amount) for entry in first_page] == [4, 3]
    assert amounts(after=(first_page[-1].pk,)) == [2, 1]


def test_a_page_with_its_names_is_one_query() -> None:
    for _ in range(5):
        add(make_campaign(), "1")
    with CaptureQueriesContext(connection) as queries:
        entries = list(list_spend_logs(SpendLogFilter()))
        assert all(entry.brand.name and entry.campaign.name for entry in entries)
    assert len(queries) == 1


def test_campaigns_lead_to_their_brands_if_they_exist() -> None:
    first, second = make_campaign(), make_campaign()
    wanted = {first.pk, second.pk, 999_999, 2**64}
    both = {first.pk: first.brand_id, second.pk: second.brand_id}
    with CaptureQueriesContext(connection) as queries:
        assert BrandsOf({Campaign: wanted, Hold: set()}).mapped() == {Campaign: both}
        assert BrandsOf({Campaign: set()}).mapped() == {}
    assert len(queries) == 1


def test_answers_are_found_by_source_and_event_id_c21() -> None:
    campaign = make_campaign()
    for event_id in ("a", "b", "A"):
        add(campaign, "1", event_id=event_id)
    bob = Caller("test:bob")
    add_spend(ask(campaign, "1", event_id="b"), caller=bob, now=NOON)
    add_spend(ask(campaign, "1", event_id="c"), caller=bob, now=NOON)
    asked = [("test:ann", "a"), ("test:bob", "b"), ("test:ann", "c"), ("test:bob", "a")]
    found = map_event_answers(asked)
    assert {event: (answer.source, answer.event_id) for event, answer in found.items()} == {
        ("test:ann", "a"): ("test:ann", "a"),
        ("test:bob", "b"): ("test:bob", "b"),
    }
    with CaptureQueriesContext(connection) as queries:
        assert map_event_answers([]) == {}
    assert len(queries) == 0
    assert EventAnswer.objects.count() == SpendLog.objects.count() == 5
