"""The spend log: newest first, filtered, in pages that inserts don't move."""

import pytest

from core.tests.views.api import Api, Clock, Json, make_token, report_at

LOGS = "/api/spend/logs/"


def amounts(api: Api, **query: object) -> list[str]:
    return [entry["amount"] for entry in api.get(LOGS, **query).value()["spend_logs"]]


def test_an_entry_is_shown_whole(api: Api, brand: Json, campaign: Json) -> None:
    added = api.add(campaign, "0.5", event_id="e-1").value()
    [entry] = api.get(LOGS).value()["spend_logs"]
    assert entry["source"].startswith("key:")
    assert entry == {
        "id": added["spend_log_id"],
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "brand_id": brand["id"],
        "brand_name": "Brand X",
        "date": "2024-01-15",
        "kind": "add",
        "amount": "0.50",
        "over_budget": "0.00",
        "over_budget_cause": None,
        "currency": "USD",
        "occurred_at": "2024-01-15T10:30:00Z",
        "recorded_at": "2024-01-15T10:30:00Z",
        "event_id": "e-1",
        "source": entry["source"],
        "refund_of": None,
        "reason": None,
    }


def test_a_late_report_shows_when_it_occurred_and_when_it_was_told(
    api: Api, campaign: Json
) -> None:
    api.report(campaign, "1200.00", occurred_at="2024-01-13T01:00:00+02:00").value()
    [entry] = api.get(LOGS).value()["spend_logs"]
    assert (entry["date"], entry["kind"], entry["event_id"]) == ("2024-01-12", "report", None)
    assert entry["occurred_at"] == "2024-01-12T23:00:00Z"
    assert entry["recorded_at"] == "2024-01-15T10:30:00Z"
    assert (entry["over_budget"], entry["over_budget_cause"]) == ("200.00", "brand_daily_budget")


@pytest.fixture
def history(api: Api, brand: Json, campaign: Json) -> dict[str, Json]:
    """Three days of two campaigns and one of another brand, oldest first."""
    others = {
        "sibling": api.create_campaign(brand, "Winter Campaign"),
        "elsewhere": api.create_campaign(api.create_brand("Brand Y", time_zone="Asia/Tokyo")),
    }
    report_at(campaign, "1.00", "2024-01-13T23:59:59.999999Z")
    report_at(campaign, "2.00", "2024-01-14T00:00:00Z")
    report_at(others["sibling"], "3.00", "2024-01-14T12:00:00Z")
    report_at(others["elsewhere"], "4.00", "2024-01-14T15:00:00Z")
    report_at(campaign, "5.00", "2024-01-15T00:00:00Z")
    return {"campaign": campaign, **others}


def test_the_log_is_newest_first(api: Api, history: dict[str, Json]) -> None:
    assert amounts(api) == ["5.00", "4.00", "3.00", "2.00", "1.00"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"date": "2024-01-14"}, ["3.00", "2.00"]),
        ({"date": "2024-01-13"}, ["1.00"]),
        # 15:00 UTC on the 14th is the first instant of the 15th in Tokyo (C9).
        ({"date": "2024-01-15"}, ["5.00", "4.00"]),
        ({"date": "2024-01-16"}, []),
        ({"from": "2024-01-14T00:00:00Z"}, ["5.00", "4.00", "3.00", "2.00"]),
        ({"to": "2024-01-14T00:00:00Z"}, ["1.00"]),
        ({"from": "2024-01-14T12:00:00Z", "to": "2024-01-14T15:00:00Z"}, ["3.00"]),
        (
            {"from": "2024-01-14T13:00:00+01:00", "to": "2024-01-14T16:00:01+01:00"},
            ["4.00", "3.00"],
        ),
        ({"from": "2024-01-15T00:00:00Z", "to": "2024-01-14T00:00:00Z"}, []),
        ({"date": "2024-01-14", "to": "2024-01-14T01:00:00Z"}, ["2.00"]),
    ],
)
def test_dates_are_the_brands_and_instants_are_half_open(
    api: Api, history: dict[str, Json], query: dict[str, str], found: list[str]
) -> None:
    assert amounts(api, **query) == found


def test_one_campaign_or_one_brand_can_be_chosen(api: Api, history: dict[str, Json]) -> None:
    campaign, elsewhere = history["campaign"], history["elsewhere"]
    assert amounts(api, campaign_id=campaign["id"]) == ["5.00", "2.00", "1.00"]
    assert amounts(api, brand_id=campaign["brand_id"]) == ["5.00", "3.00", "2.00", "1.00"]
    assert amounts(api, campaign_id=campaign["id"], date="2024-01-14") == ["2.00"]
    assert amounts(api, campaign_id=campaign["id"], brand_id=elsewhere["brand_id"]) == []
    assert amounts(api, campaign_id=999_999) == []


def test_a_key_sees_the_log_of_its_own_brands(api: Api, history: dict[str, Json]) -> None:
    """C29."""
    elsewhere = history["elsewhere"]
    limited = Api(make_token(brand={"id": elsewhere["brand_id"]}))
    assert amounts(limited) == ["4.00"]
    assert amounts(limited, brand_id=history["campaign"]["brand_id"]) == []
    assert amounts(limited, campaign_id=history["campaign"]["id"]) == []


def test_pages_go_back_in_time_and_inserts_between_do_not_move_them(
    api: Api, history: dict[str, Json]
) -> None:
    pages: list[Json] = []
    cursor: dict[str, object] = {}
    while not pages or pages[-1]["next"] is not None:
        pages.append(api.get(LOGS, limit=2, **cursor).value())
        api.add(history["campaign"], "9.00").value()
        cursor = {"cursor": pages[-1]["next"]}
    found = [[entry["amount"] for entry in page["spend_logs"]] for page in pages]
    assert found == [["5.00", "4.00"], ["3.00", "2.00"], ["1.00"]]


def test_filters_hold_on_every_page(api: Api, history: dict[str, Json]) -> None:
    chosen = {"campaign_id": history["campaign"]["id"], "limit": 1}
    first = api.get(LOGS, **chosen).value()
    second = api.get(LOGS, **chosen, cursor=first["next"]).value()
    assert [entry["amount"] for entry in second["spend_logs"]] == ["2.00"]


def test_a_page_has_a_hundred_entries_unless_asked_and_at_most_a_thousand(
    api: Api, clock: Clock, campaign: Json
) -> None:
    for _ in range(101):
        report_at(campaign, "0.01", "2024-01-15T10:30:00Z")
    page = api.get(LOGS).value()
    assert len(page["spend_logs"]) == 100
    assert page["next"] is not None
    assert len(amounts(api, limit=1000)) == 101
    api.get(LOGS, limit=1001).error(400, "invalid_input")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("campaign=1", "campaign"),
        ("from_=2024-01-14T00:00:00Z", "from_"),
        ("date=2024-1-14", "date"),
        ("date=2024-02-30", "date"),
        ("date=%D9%A2%D9%A0%D9%A2%D9%A4-01-14", "date"),
        ("date=2024-01-14T00:00:00Z", "date"),
        ("date=", "date"),
        ("date=2024-01-14&date=2024-01-15", "date"),
        ("from=2024-01-14", "from"),
        ("from=2024-01-14T00:00:00", "from"),
        ("from=2024-01-14T00:00:00%00Z", "from"),
        ("to=9999-01-01T00:00:00Z", "to"),
        ("campaign_id=1e3", "campaign_id"),
        ("brand_id=9223372036854775808", "brand_id"),
        ("cursor=abc", "cursor"),
    ],
)
def test_a_parameter_that_is_unknown_or_unreadable_is_named(
    api: Api, query: str, field: str
) -> None:
    """C28."""
    error = api.get(f"{LOGS}?{query}").error(400, "invalid_input")
    assert list(error["fields"]) == [field]
