"""Campaigns: create, read, list, edit, archive. Schedules and verdicts have files of their own."""

import pytest

from core.models import Campaign, SpendLog
from core.tests.views.api import Api, Clock, Json, make_token, report_at

OWN_BUDGETS = {
    "own_daily_budget": "10.00",
    "own_monthly_budget": "200.00",
    "own_lifetime_budget": "3000.00",
}


def path_of(campaign: Json) -> str:
    return f"/api/campaigns/{campaign['id']}/"


# --- Create --------------------------------------------------------------------------------


def test_a_new_campaign_is_judged_and_answered_whole(api: Api, brand: Json) -> None:
    campaign = api.post(
        "/api/campaigns/create/", {"name": "Summer Sale", "brand_id": brand["id"]}
    ).value(201)
    assert campaign == {
        "id": campaign["id"],
        "name": "Summer Sale",
        "brand": "Brand X",
        "brand_id": brand["id"],
        "is_active": True,
        "is_enabled": True,
        "reasons": [],
        "status_since": "2024-01-15T10:30:00Z",
        "next_change_at": None,
        "daily_spend": "0.00",
        "monthly_spend": "0.00",
        "daily_budget": "1000.00",
        "monthly_budget": "30000.00",
        "own_daily_budget": None,
        "own_monthly_budget": None,
        "own_lifetime_budget": None,
        "starts_at": None,
        "ends_at": None,
        "dayparting_start": None,
        "dayparting_end": None,
        "schedule": [],
        "version": 1,
    }
    assert api.read("campaigns", campaign) == campaign


def test_every_setting_of_a_campaign_can_be_given_at_the_start(api: Api, brand: Json) -> None:
    settings: Json = {
        **OWN_BUDGETS,
        "is_enabled": False,
        "starts_at": "2024-01-01T00:00:00Z",
        "ends_at": "2024-02-01T00:00:00.5Z",
        "schedule": [{"days": ["mon", "wed"], "start": "09:00", "end": "17:00"}],
    }
    campaign = api.create_campaign(brand, **settings)
    shown = {name: campaign[name] for name in settings}
    assert shown == {**settings, "ends_at": "2024-02-01T00:00:00.500000Z"}


@pytest.mark.parametrize("missing", ["name", "brand_id"])
def test_name_and_brand_have_to_be_said(api: Api, brand: Json, missing: str) -> None:
    body = {"name": "Summer Sale", "brand_id": brand["id"]}
    del body[missing]
    error = api.post("/api/campaigns/create/", body).error(400, "invalid_input")
    assert error["fields"] == {missing: "is required"}


@pytest.mark.parametrize("brand_id", [999_999, 10**18 - 1])
def test_a_brand_that_is_not_there_is_404(api: Api, brand_id: int) -> None:
    body = {"name": "Summer Sale", "brand_id": brand_id}
    api.post("/api/campaigns/create/", body).error(404, "brand_not_found")


def test_a_name_is_taken_within_its_brand_while_its_campaign_lives(
    api: Api, brand: Json, campaign: Json
) -> None:
    body = {"name": campaign["name"], "brand_id": brand["id"]}
    error = api.post("/api/campaigns/create/", body).error(400, "name_taken")
    assert list(error["fields"]) == ["name"]
    api.create_campaign(api.create_brand("Brand Y"), campaign["name"])
    api.delete(path_of(campaign))
    assert api.create_campaign(brand, campaign["name"])["id"] != campaign["id"]


# --- Budgets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_brand", "own", "tightest"),
    [
        ("1000.00", None, "1000.00"),
        ("1000.00", "10.00", "10.00"),
        ("1000.00", "5000.00", "1000.00"),
        ("1000.00", "0.00", "0.00"),
        (None, "10.00", "10.00"),
        (None, None, None),
    ],
)
def test_the_tightest_budget_is_shown_beside_the_own_one(
    api: Api, of_brand: str | None, own: str | None, tightest: str | None
) -> None:
    """C4: a campaign's budget never raises its brand's."""
    brand = api.create_brand(daily_budget=of_brand, monthly_budget=of_brand)
    campaign = api.create_campaign(brand, own_daily_budget=own, own_monthly_budget=own)
    assert (campaign["daily_budget"], campaign["own_daily_budget"]) == (tightest, own)
    assert (campaign["monthly_budget"], campaign["own_monthly_budget"]) == (tightest, own)


@pytest.mark.parametrize("field", ["daily_budget", "monthly_budget", "brand", "is_active"])
def test_what_is_concluded_can_not_be_written(api: Api, campaign: Json, field: str) -> None:
    error = api.patch(path_of(campaign), {field: "1.00"}).error(400, "invalid_input")
    assert error["fields"] == {field: "is not a known field here"}


def test_spend_shown_is_the_campaigns_own(api: Api, brand: Json, campaign: Json) -> None:
    other = api.create_campaign(brand, "Winter Campaign")
    report_at(campaign, "30.00", "2024-01-14T10:00:00Z")
    report_at(campaign, "4.00", "2024-01-15T10:00:00Z")
    report_at(other, "500.00", "2024-01-15T10:00:00Z")
    shown = api.read("campaigns", campaign)
    assert (shown["daily_spend"], shown["monthly_spend"]) == ("4.00", "34.00")


# --- Edit ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Winter Campaign"),
        ("starts_at", "2023-12-31T23:59:59Z"),
        ("starts_at", None),
        ("ends_at", "2024-06-01T00:00:00Z"),
        ("ends_at", None),
        ("own_daily_budget", "11.00"),
        ("own_daily_budget", None),
        ("own_monthly_budget", None),
        ("own_lifetime_budget", None),
        ("schedule", [{"days": ["mon"], "start": "10:00", "end": "11:00"}]),
        ("schedule", []),
        ("is_enabled", False),
    ],
)
def test_an_edit_of_one_field_leaves_the_others(
    api: Api, brand: Json, field: str, value: object
) -> None:
    before = api.create_campaign(
        brand,
        **OWN_BUDGETS,
        starts_at="2024-01-01T00:00:00Z",
        ends_at="2025-01-01T00:00:00Z",
        dayparting_start="09:00",
        dayparting_end="17:00",
    )
    after = api.edit("campaigns", before, **{field: value})
    settings = [*OWN_BUDGETS, "name", "starts_at", "ends_at", "schedule", "is_enabled"]
    expected = {name: before[name] for name in settings} | {field: value}
    assert {name: after[name] for name in settings} == expected
    assert api.read("campaigns", before) == after


def test_an_empty_edit_changes_nothing(api: Api, campaign: Json) -> None:
    assert api.edit("campaigns", campaign) == campaign


def test_an_edit_may_keep_the_own_name_but_not_take_that_of_another(
    api: Api, brand: Json, campaign: Json
) -> None:
    api.create_campaign(brand, "Winter Campaign")
    assert api.edit("campaigns", campaign, name="Summer Sale") == campaign
    body = {"own_daily_budget": "1.00", "name": "Winter Campaign"}
    api.patch(path_of(campaign), body).error(400, "name_taken")
    assert api.read("campaigns", campaign) == campaign


def test_a_campaign_never_moves_to_another_brand(api: Api, brand: Json, campaign: Json) -> None:
    error = api.patch(path_of(campaign), {"brand_id": brand["id"]}).error(400, "invalid_input")
    assert error["fields"] == {"brand_id": "is not a known field here"}


@pytest.mark.parametrize(
    "flight",
    [
        {"starts_at": "2024-02-01T00:00:00Z", "ends_at": "2024-01-01T00:00:00Z"},
        {"starts_at": "2024-02-01T00:00:00Z", "ends_at": "2024-02-01T01:00:00+01:00"},
        {"ends_at": "2023-01-01T00:00:00Z"},
        {"starts_at": "2024-03-01T00:00:00Z"},
    ],
)
def test_a_flight_ends_after_it_starts(api: Api, brand: Json, flight: Json) -> None:
    """An edit of one end is checked against the other end as it stands."""
    campaign = api.create_campaign(
        brand, starts_at="2024-01-10T00:00:00Z", ends_at="2024-02-20T00:00:00Z"
    )
    error = api.patch(path_of(campaign), flight).error(400, "invalid_input")
    assert list(error["fields"]) == ["ends_at"]
    assert api.read("campaigns", campaign) == campaign


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-01",
        "2024-02-01T00:00:00",
        "2024-02-01 00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2024-02-01T24:00:00Z",
        "2024-02-01T00:00:60Z",
        "2024-02-01T00:00:00+25:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "٢٠٢٤-02-01T00:00:00Z",
        "now",
        "",
        1_706_745_600,
    ],
)
def test_an_instant_needs_its_offset_and_a_year_that_the_calendar_knows(
    api: Api, brand: Json, text: object
) -> None:
    body = {"name": "Summer Sale", "brand_id": brand["id"], "starts_at": text}
    error = api.post("/api/campaigns/create/", body).error(400, "invalid_input")
    assert list(error["fields"]) == ["starts_at"]


# --- Lists -----------------------------------------------------------------------------------


@pytest.fixture
def crowd(api: Api, brand: Json) -> dict[str, Json]:
    """Four campaigns of two brands, of which two run."""
    other = api.create_brand("Brand Y", daily_budget="0")
    return {
        "runs": api.create_campaign(brand, "Summer Sale"),
        "runs too": api.create_campaign(brand, "summer 100%_off"),
        "off": api.create_campaign(brand, "Winter Sale", is_enabled=False),
        "no money": api.create_campaign(other, "Frühling (Ü-30)"),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["runs", "runs too", "off", "no money"]),
        ({"is_active": "true"}, ["runs", "runs too"]),
        ({"is_active": "false"}, ["off", "no money"]),
        ({"reason": "campaign_disabled"}, ["off"]),
        ({"reason": "brand_daily_budget"}, ["no money"]),
        ({"reason": "brand_monthly_budget"}, []),
        ({"search": "SUMMER"}, ["runs", "runs too"]),
        ({"search": "sale"}, ["runs", "off"]),
        ({"search": "%"}, ["runs too"]),
        ({"search": "_"}, ["runs too"]),
        ({"search": "FRÜHLING"}, ["no money"]),
        ({"search": "(ü-30)"}, ["no money"]),
        ({"search": ".*"}, []),
        ({"search": ""}, ["runs", "runs too", "off", "no money"]),
        ({"search": "no such name"}, []),
        ({"search": "sale", "is_active": "true"}, ["runs"]),
    ],
)
def test_filters_choose_and_narrow_each_other(
    api: Api, crowd: dict[str, Json], query: dict[str, str], found: list[str]
) -> None:
    listed = api.get("/api/campaigns/", **query).value()["campaigns"]
    assert listed == [api.read("campaigns", crowd[name]) for name in found]


def test_a_brand_filter_shows_that_brand_only(api: Api, crowd: dict[str, Json]) -> None:
    alone = crowd["no money"]
    assert api.get("/api/campaigns/", brand_id=alone["brand_id"]).value()["campaigns"] == [alone]
    assert api.get("/api/campaigns/", brand_id=999_999).value()["campaigns"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("brand=1", "brand"),
        ("Limit=1", "Limit"),
        ("is_active=maybe", "is_active"),
        ("reason=bored", "reason"),
        ("brand_id=x", "brand_id"),
        ("brand_id=1_0", "brand_id"),
        ("brand_id=%2B1", "brand_id"),
        ("brand_id=1.0", "brand_id"),
        ("brand_id=0", "brand_id"),
        ("brand_id=-1", "brand_id"),
        ("brand_id=%D9%A1", "brand_id"),
        ("brand_id=9223372036854775808", "brand_id"),
        (f"brand_id={'9' * 5000}", "brand_id"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=0", "cursor"),
        ("cursor=9223372036854775808", "cursor"),
        ("search=%00", "search"),
        (f"search={'x' * 201}", "search"),
    ],
)
def test_a_parameter_that_is_unknown_or_unreadable_is_named(
    api: Api, query: str, field: str
) -> None:
    """C28, C30."""
    error = api.get(f"/api/campaigns/?{query}").error(400, "invalid_input")
    assert list(error["fields"]) == [field]


def test_pages_follow_the_ids_and_inserts_between_do_not_move_them(api: Api, brand: Json) -> None:
    names = [f"campaign {number}" for number in range(5)]
    for name in names:
        api.create_campaign(brand, name)
    first = api.get("/api/campaigns/", limit=2).value()
    api.delete(path_of(first["campaigns"][0]))
    api.create_campaign(brand, "late")
    second = api.get("/api/campaigns/", limit=2, cursor=first["next"]).value()
    third = api.get("/api/campaigns/", limit=2, cursor=second["next"]).value()
    pages = [first, second, third]
    assert [row["name"] for page in pages for row in page["campaigns"]] == [*names, "late"]
    assert third["next"] is None


# --- Archive ---------------------------------------------------------------------------------


def test_an_archived_campaign_is_gone_and_its_log_stays(
    api: Api, clock: Clock, campaign: Json
) -> None:
    """C24."""
    api.add(campaign, "5.00").value()
    answer = api.delete(path_of(campaign))
    assert (answer.status, answer.content) == (204, b"")

    assert api.get("/api/campaigns/").value()["campaigns"] == []
    api.get(path_of(campaign)).error(404, "campaign_not_found")
    api.patch(path_of(campaign), {}).error(404, "campaign_not_found")
    api.delete(path_of(campaign)).error(404, "campaign_not_found")
    api.post(f"{path_of(campaign)}pause/").error(404, "campaign_not_found")
    api.post(f"{path_of(campaign)}resume/").error(404, "campaign_not_found")
    api.add(campaign, "5.00").error(404, "campaign_not_found")
    assert SpendLog.objects.count() == 1
    assert Campaign.objects.get().archived_at == clock.now


def test_a_key_limited_to_brands_sees_no_campaign_of_another(api: Api, campaign: Json) -> None:
    """C29."""
    other = api.create_brand("Brand Y")
    limited = Api(make_token(brand=other))
    assert limited.get("/api/campaigns/").value()["campaigns"] == []
    assert limited.get("/api/campaigns/", brand_id=campaign["brand_id"]).value()["campaigns"] == []
    body = {"name": "new", "brand_id": campaign["brand_id"]}
    limited.post("/api/campaigns/create/", body).error(404, "brand_not_found")
    limited.patch(path_of(campaign), {"name": "new"}).error(404, "campaign_not_found")
    assert api.read("campaigns", campaign) == campaign
