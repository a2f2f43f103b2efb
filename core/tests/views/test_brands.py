"""Brands: create, read, list, edit, archive."""

import pytest

from core.models import Brand, SpendLog
from core.tests.views.api import Api, Clock, Json, make_token, report_at

NEW_BRAND = {"name": "Brand X", "daily_budget": "1000.00", "monthly_budget": "30000.00"}


def path_of(brand: Json) -> str:
    return f"/api/brands/{brand['id']}/"


# --- Create --------------------------------------------------------------------------------


def test_a_new_brand_is_answered_whole(api: Api) -> None:
    brand = api.post("/api/brands/create/", NEW_BRAND).value(201)
    assert brand == {
        "id": brand["id"],
        "name": "Brand X",
        "daily_budget": "1000.00",
        "monthly_budget": "30000.00",
        "campaigns_count": 0,
        "daily_spend": "0.00",
        "monthly_spend": "0.00",
        "currency": "USD",
        "time_zone": "UTC",
        "time_zone_changes_at": None,
        "is_enabled": True,
        "version": 1,
    }
    assert api.read("brands", brand) == brand


def test_every_setting_of_a_brand_can_be_given_at_the_start(api: Api) -> None:
    settings = {
        "name": "Ünïcode & Söhne 東京 🙂",
        "daily_budget": "0.000001",
        "monthly_budget": "999999999999.999999",
        "currency": "JPY",
        "time_zone": "Asia/Tokyo",
        "is_enabled": False,
    }
    brand = api.post("/api/brands/create/", settings).value(201)
    assert {name: brand[name] for name in settings} == settings


def test_null_is_no_ceiling_and_zero_spends_nothing(api: Api) -> None:
    """C3."""
    body = {"name": "Free", "daily_budget": None, "monthly_budget": "0"}
    brand = api.post("/api/brands/create/", body).value(201)
    assert (brand["daily_budget"], brand["monthly_budget"]) == (None, "0.00")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("50", "50.00"),
        ("50.1", "50.10"),
        ("0.000320", "0.00032"),
        (50, "50.00"),
        (0.1, "0.10"),
        ("007.50", "7.50"),
        ("999999999999.999999", "999999999999.999999"),
    ],
)
def test_money_is_read_from_text_and_numbers_exactly(api: Api, sent: object, shown: str) -> None:
    """C1."""
    assert api.create_brand(daily_budget=sent)["daily_budget"] == shown


@pytest.mark.parametrize("missing", ["name", "daily_budget", "monthly_budget"])
def test_name_and_both_budgets_have_to_be_said(api: Api, missing: str) -> None:
    body = {name: value for name, value in NEW_BRAND.items() if name != missing}
    error = api.post("/api/brands/create/", body).error(400, "invalid_input")
    assert error["fields"] == {missing: "is required"}


def test_all_wrong_fields_are_named_at_once(api: Api) -> None:
    """C28."""
    body = {"name": "", "daily_budget": "-1", "curency": "USD", "time_zone": "Mars/Olympus"}
    error = api.post("/api/brands/create/", body).error(400, "invalid_input")
    assert set(error["fields"]) == {*body, "monthly_budget"}
    assert error["fields"]["curency"] == "is not a known field here"
    assert not Brand.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "tab\there"),
        ("currency", "usd"),
        ("currency", "XXX"),
        ("currency", ""),
        ("time_zone", "europe/berlin"),
        ("time_zone", "+01:00"),
        ("time_zone", "../../etc/passwd"),
        ("is_enabled", "true"),
        ("is_enabled", 1),
        ("is_enabled", None),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(api: Api, field: str, value: object) -> None:
    error = api.post("/api/brands/create/", {**NEW_BRAND, field: value}).error(400, "invalid_input")
    assert list(error["fields"]) == [field]


def test_outer_spaces_of_a_name_are_removed(api: Api) -> None:
    assert api.create_brand("  Brand X ")["name"] == "Brand X"


def test_a_name_is_taken_while_its_brand_lives_and_free_again_after_archiving(
    api: Api, brand: Json
) -> None:
    error = api.post("/api/brands/create/", NEW_BRAND).error(400, "name_taken")
    assert list(error["fields"]) == ["name"]
    api.delete(path_of(brand))
    assert api.create_brand()["id"] != brand["id"]


# --- Edit ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Brand Y"),
        ("daily_budget", "5.00"),
        ("daily_budget", None),
        ("monthly_budget", "0.00"),
        ("monthly_budget", None),
        ("currency", "EUR"),
        ("is_enabled", False),
    ],
)
def test_an_edit_of_one_field_leaves_the_others(
    api: Api, brand: Json, field: str, value: object
) -> None:
    edited = api.edit("brands", brand, **{field: value})
    assert edited == {**brand, field: value, "version": 2}
    assert api.read("brands", brand) == edited


def test_an_empty_edit_changes_nothing(api: Api, brand: Json) -> None:
    assert api.edit("brands", brand) == brand


def test_an_edit_may_keep_the_own_name_but_not_take_that_of_another(api: Api, brand: Json) -> None:
    api.create_brand("Brand Y")
    assert api.edit("brands", brand, name="Brand X") == brand
    answer = api.patch(path_of(brand), {"name": "Brand Y", "daily_budget": "1"})
    answer.error(400, "name_taken")
    assert api.read("brands", brand) == brand


@pytest.mark.parametrize("field", ["id", "campaigns_count", "daily_spend", "archived_at"])
def test_what_is_not_a_setting_can_not_be_edited(api: Api, brand: Json, field: str) -> None:
    error = api.patch(path_of(brand), {field: "1"}).error(400, "invalid_input")
    assert error["fields"] == {field: "is not a known field here"}


@pytest.mark.parametrize("field", ["name", "currency", "time_zone", "is_enabled"])
def test_null_is_no_value_for_what_a_brand_must_have(api: Api, brand: Json, field: str) -> None:
    error = api.patch(path_of(brand), {field: None}).error(400, "invalid_input")
    assert list(error["fields"]) == [field]


def test_the_currency_is_fixed_by_the_first_spend(api: Api, brand: Json, campaign: Json) -> None:
    """C2."""
    api.edit("brands", brand, currency="EUR")
    api.add(campaign, "1.00").value()
    error = api.patch(path_of(brand), {"currency": "USD"}).error(400, "invalid_input")
    assert list(error["fields"]) == ["currency"]
    assert api.edit("brands", brand, currency="EUR")["currency"] == "EUR"


def test_a_new_time_zone_is_shown_at_once_and_binds_at_the_next_midnight_of_the_old(
    api: Api, clock: Clock, brand: Json, campaign: Json
) -> None:
    """C12."""
    report_at(campaign, "3.00", "2024-01-15T10:30:00Z")
    edited = api.edit("brands", brand, time_zone="America/New_York")
    assert edited["time_zone"] == "America/New_York"
    assert edited["time_zone_changes_at"] == "2024-01-16T00:00:00Z"

    clock.move_to("2024-01-16T03:00:00Z")
    later = api.read("brands", brand)
    assert later["time_zone_changes_at"] is None
    assert (later["daily_spend"], later["monthly_spend"]) == ("3.00", "3.00")
    clock.move_to("2024-01-16T05:00:00Z")
    assert api.read("brands", brand)["daily_spend"] == "0.00"


def test_a_time_zone_taken_back_before_midnight_leaves_no_trace(api: Api, brand: Json) -> None:
    """C12."""
    api.edit("brands", brand, time_zone="Asia/Tokyo")
    assert api.edit("brands", brand, time_zone="UTC") == {**brand, "version": 3}


def test_a_second_move_within_the_stretched_day_is_refused_by_name(
    api: Api, clock: Clock, brand: Json
) -> None:
    """C12."""
    api.edit("brands", brand, time_zone="America/New_York")
    clock.move_to("2024-01-16T01:00:00Z")
    answer = api.patch(path_of(brand), {"time_zone": "Asia/Tokyo"})
    error = answer.error(400, "time_zone_change_too_soon")
    assert list(error["fields"]) == ["time_zone"]


# --- Read, list and archive ------------------------------------------------------------------


def test_spend_of_the_running_day_and_month_is_shown(api: Api, brand: Json, campaign: Json) -> None:
    report_at(campaign, "2.00", "2023-12-31T23:59:59Z")
    report_at(campaign, "30.00", "2024-01-01T00:00:00Z")
    report_at(campaign, "400.00", "2024-01-15T00:00:00Z")
    shown = api.read("brands", brand)
    assert (shown["daily_spend"], shown["monthly_spend"]) == ("400.00", "430.00")


def test_campaigns_are_counted_without_archived_ones(api: Api, brand: Json) -> None:
    for name in ("a", "b", "c"):
        campaign = api.create_campaign(brand, name)
    api.delete(f"/api/campaigns/{campaign['id']}/")
    assert api.read("brands", brand)["campaigns_count"] == 2


def test_pages_follow_the_ids_and_inserts_between_do_not_move_them(api: Api) -> None:
    names = [f"brand {number}" for number in range(5)]
    for name in names:
        api.create_brand(name)
    seen = []
    cursor: dict[str, object] = {}
    while True:
        page = api.get("/api/brands/", limit=2, **cursor).value()
        seen += [brand["name"] for brand in page["brands"]]
        if page["next"] is None:
            break
        if len(seen) == 2:
            api.delete(path_of(page["brands"][0]))
            api.create_brand("late")
        cursor = {"cursor": page["next"]}
    assert seen == [*names, "late"]


def test_the_last_full_page_says_that_it_is_the_last(api: Api, brand: Json) -> None:
    assert api.get("/api/brands/", limit=1).value() == {"brands": [brand], "next": None}


def test_an_archived_brand_is_gone_with_its_campaigns_and_its_log_stays(
    api: Api, brand: Json, campaign: Json
) -> None:
    """C24."""
    api.add(campaign, "5.00").value()
    answer = api.delete(path_of(brand))
    assert (answer.status, answer.content) == (204, b"")

    assert api.get("/api/brands/").value()["brands"] == []
    assert api.get("/api/campaigns/").value()["campaigns"] == []
    api.get(path_of(brand)).error(404, "brand_not_found")
    api.patch(path_of(brand), {"name": "again"}).error(404, "brand_not_found")
    api.delete(path_of(brand)).error(404, "brand_not_found")
    api.get(f"/api/campaigns/{campaign['id']}/").error(404, "campaign_not_found")
    api.add(campaign, "5.00").error(404, "campaign_not_found")
    body = {"name": "new", "brand_id": brand["id"]}
    api.post("/api/campaigns/create/", body).error(404, "brand_not_found")
    assert SpendLog.objects.count() == 1
    assert len(api.get("/api/spend/logs/", brand_id=brand["id"]).value()["spend_logs"]) == 1


@pytest.mark.parametrize("brand_id", [999_999, 0, 2**63, 2**64, 10**40])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_brand_that_is_not_there_is_404(api: Api, method: str, brand_id: int) -> None:
    answer = api.send(method, f"/api/brands/{brand_id}/", b'{"name": "x"}')
    answer.error(404, "brand_not_found")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/brands/", "POST", {"GET"}),
        ("/api/brands/", "DELETE", {"GET"}),
        ("/api/brands/create/", "GET", {"POST"}),
        ("/api/brands/create/", "PUT", {"POST"}),
        ("/api/brands/1/", "POST", {"GET", "PATCH", "DELETE"}),
        ("/api/brands/1/", "PUT", {"GET", "PATCH", "DELETE"}),
    ],
)
def test_a_method_that_is_not_answered_is_405_and_says_which_are(
    api: Api, path: str, method: str, allowed: set[str]
) -> None:
    answer = api.send(method, path)
    answer.error(405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_key_limited_to_brands_makes_no_other_and_sees_no_other(api: Api, brand: Json) -> None:
    """C29."""
    other = api.create_brand("Brand Y")
    limited = Api(make_token(brand=brand))
    assert limited.get("/api/brands/").value()["brands"] == [brand]
    limited.get(path_of(other)).error(404, "brand_not_found")
    refused = limited.post("/api/brands/create/", {**NEW_BRAND, "name": "Brand Z"})
    refused.error(403, "key_limited_to_brands")
    assert Brand.objects.count() == 2
