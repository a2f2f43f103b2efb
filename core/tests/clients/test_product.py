"""The Python client against the real product over a real socket: every method, every answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from budget_manager_client import (
    BudgetExceeded,
    BudgetManager,
    Campaign,
    CampaignNotActive,
    ChangedMeanwhile,
    Daypart,
    Entry,
    EventIdReused,
    HoldEnded,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
    Spend,
)

from core.tests.stories.web import web_server
from core.tests.views.api import make_token


@pytest.fixture
def client(own_database: str) -> Iterator[BudgetManager]:
    """With a key that may do everything."""
    token = make_token()
    with web_server(own_database) as server:
        yield BudgetManager(server.url, token)


@pytest.fixture
def campaign(client: BudgetManager) -> Campaign:
    """Of a brand that may spend 100.00 a day."""
    brand = client.create_brand("Brand X", daily_budget=Decimal(100), monthly_budget=None)
    return client.create_campaign(brand.id, "Summer Sale")


def test_spend_is_added_reported_refunded_and_listed_c18_c19_c21_c22(
    client: BudgetManager, campaign: Campaign
) -> None:
    added = client.add(campaign.id, "12.50", currency="USD", event_id="one")
    assert (added.amount, added.remaining) == (Decimal("12.50"), Decimal("87.50"))
    assert client.add(campaign.id, "12.50", currency="USD", event_id="one").replayed
    with pytest.raises(EventIdReused) as reused:
        client.add(campaign.id, "13.00", event_id="one")
    assert reused.value.fields.keys() == {"event_id"}

    told = client.report(campaign.id, "0.00032", occurred_at=datetime.now(UTC))
    assert (told.amount, told.over_budget) == (Decimal("0.00032"), Decimal(0))
    refund = client.refund(added.spend_log_id, "2.50", reason="a mistake")
    assert (refund.refund_of, refund.refundable) == (added.spend_log_id, Decimal(10))
    with pytest.raises(InvalidInput) as above:
        client.refund(added.spend_log_id, "10.01")
    assert above.value.code == "refund_above_entry"

    logged = list(client.logs(campaign_id=campaign.id, since=datetime.now(UTC) - timedelta(1)))
    assert [entry.kind for entry in logged] == ["refund", "report", "add"]
    assert [entry.reason for entry in logged if entry.refund_of] == ["a mistake"]
    assert list(client.logs(date=logged[0].date, brand_id=campaign.brand_id)) == logged
    assert [entry.amount for entry in client.logs(event_id="one")] == [Decimal("12.50")]
    assert client.campaign(campaign.id).daily_spend == sum(entry.amount for entry in logged)


def test_money_is_held_and_captured_or_released_c20(
    client: BudgetManager, campaign: Campaign
) -> None:
    with client.hold(campaign.id, "0.50", seconds=60) as hold:
        kept = client.get_hold(hold.taken.hold_id)
        captured = hold.capture("0.32")
    assert (kept.state, kept.amount) == ("open", Decimal("0.50"))
    assert kept.expires_at == hold.taken.expires_at
    assert (captured.amount, captured.released) == (Decimal("0.32"), Decimal("0.18"))
    assert client.get_hold(hold.taken.hold_id).spend_log_id == captured.spend_log_id

    with client.hold(campaign.id, "80") as hold:
        with pytest.raises(BudgetExceeded) as exceeded:
            client.add(campaign.id, 80)
        assert exceeded.value.details["budget"] == "brand_daily_budget"
        assert exceeded.value.remaining == Decimal("19.68")
    with pytest.raises(HoldEnded) as ended:
        client.capture(hold.taken.hold_id)
    assert ended.value.details["state"] == "released"
    assert client.release(client.create_hold(campaign.id, "1.00").hold_id).amount == 1


def test_a_batch_gives_what_each_entry_came_to_c23(
    client: BudgetManager, campaign: Campaign
) -> None:
    added = client.add(campaign.id, "0.50")
    entries = [Entry("add", "1.00", campaign.id), Entry("add", "1.00", 999)]
    entries.append(Entry("refund", "1.00", spend_log_id=added.spend_log_id))
    entries.append(Entry("report", "1.00", campaign.id, occurred_at=datetime.now(UTC)))
    first, missing, too_much, last = client.batch(entries)
    assert isinstance(first, Spend)
    assert isinstance(missing, NotFound)
    assert isinstance(too_much, Refused)
    assert too_much.code == "refund_above_entry"
    assert isinstance(last, Spend)
    assert [result.replayed for result in client.batch(entries)] == [True, False, True, True]


def test_settings_are_made_read_and_edited_c6_c15_c17(client: BudgetManager) -> None:
    brand = client.create_brand(
        "Brand X", daily_budget="100.00", monthly_budget=None, time_zone="Europe/Berlin"
    )
    ends_at = datetime(2199, 1, 1, tzinfo=UTC)
    windows = [Daypart(("mon", "tue"), "22:00", "02:00")]
    campaign = client.create_campaign(
        brand.id, "Night", schedule=windows, ends_at=ends_at, own_lifetime_budget="50.00"
    )
    assert (list(campaign.schedule), campaign.ends_at) == (windows, ends_at)
    assert (campaign.daily_budget, campaign.own_daily_budget) == (Decimal(100), None)
    open_one = client.create_campaign(brand.id, "Open")

    edited = client.edit_brand(brand.id, if_match=brand.version, daily_budget=None)
    assert (edited.daily_budget, client.brand(brand.id)) == (None, edited)
    with pytest.raises(ChangedMeanwhile) as changed:
        client.edit_brand(brand.id, if_match=brand.version, name="Brand Y")
    assert not changed.value.maybe_ours
    assert client.edit_campaign(campaign.id, schedule=[]).schedule == ()
    with pytest.raises(InvalidInput) as taken:
        client.create_brand("Brand X", daily_budget=None, monthly_budget=None)
    assert taken.value.code == "name_taken"

    paused = client.pause(open_one.id)
    assert not paused.is_active
    with pytest.raises(CampaignNotActive) as inactive:
        client.add(open_one.id, "1.00")
    assert [reason["code"] for reason in inactive.value.details["reasons"]] == ["campaign_disabled"]
    assert inactive.value.request_id
    assert client.resume(open_one.id, if_match=paused.version).is_active

    transitions = list(client.transitions(open_one.id))
    assert [transition.is_active for transition in transitions] == [True, False, True]
    explained = client.explain(open_one.id, transitions[1].at)
    assert (explained.is_active, explained.reasons[0].code) == (False, "campaign_disabled")
    assert explained.transition == transitions[1]
    assert not explained.transition.caught_up
    assert client.explain(campaign.id).budgets[0].budget == 50

    assert [one.id for one in client.brands(search="brand")] == [brand.id]
    assert [one.id for one in client.campaigns(brand_id=brand.id, is_active=True)] == [
        *(campaign.id, open_one.id),
    ]
    status = client.status()
    assert (status.total_campaigns, status.active_campaigns) == (2, 2)
    assert abs(status.server_time - datetime.now(UTC)) < timedelta(minutes=1)


def test_threads_share_a_client_and_long_lists_come_in_pages(client: BudgetManager) -> None:
    brand = client.create_brand("Brand X", daily_budget="6.00", monthly_budget=None)
    campaign = client.create_campaign(brand.id, "Summer Sale")
    with ThreadPoolExecutor(4) as threads:
        spends = list(threads.map(lambda _: client.add(campaign.id, "0.01"), range(40)))
    assert len({spend.spend_log_id for spend in spends}) == 40
    assert len(client._idle) <= 4
    client.batch(Entry("add", "0.01", campaign.id) for _ in range(1_100))
    logged = list(client.logs(brand_id=brand.id))
    assert len(logged) == len({entry.id for entry in logged}) == 600
    assert sum(entry.amount for entry in logged) == 6


def test_a_key_that_nobody_made_is_not_let_in_c29(client: BudgetManager) -> None:
    port = client._connection().port
    with pytest.raises(NotAllowed) as refused:
        BudgetManager(f"http://127.0.0.1:{port}", "a key").status()
    assert refused.value.code == "not_authenticated"
