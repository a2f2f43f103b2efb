"""Every response example of the first seed's README, field for field, with its names and numbers.

The clock is frozen at the instant that the examples name. Earlier spend of the month was told at
earlier instants. Ids are those of the examples because the tables start empty.
"""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from freezegun import freeze_time

from core.tests.views.api import Api, Json, make_token, report_at

NOW = "2024-01-15T10:30:00Z"
BRAND_X = {
    "id": 1,
    "name": "Brand X",
    "daily_budget": "1000.00",
    "monthly_budget": "30000.00",
    "campaigns_count": 2,
}
SUMMER_SALE = {
    "id": 1,
    "name": "Summer Sale",
    "brand": "Brand X",
    "brand_id": 1,
    "is_active": True,
    "daily_spend": "150.00",
    "monthly_spend": "1500.00",
    "dayparting_start": "09:00",
    "dayparting_end": "17:00",
    "daily_budget": "1000.00",
    "monthly_budget": "30000.00",
}


def assert_like_example(document: Json, example: Json) -> None:
    """Every field of the example, equal; fields that the README doesn't know are ours to add."""
    assert {name: document.get(name) for name in example} == example


@pytest.fixture
def seed_api(db: None) -> Iterator[Api]:
    """A caller at half past ten on 15 January 2024, and ids that start at 1."""
    # pydantic reads annotations when it is imported; it must see the real `datetime` then.
    import_module(settings.ROOT_URLCONF)
    _restart_ids()
    with freeze_time(NOW):
        yield Api(make_token())


def _restart_ids() -> None:
    models = list(apps.get_app_config("core").get_models())
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


@pytest.fixture
def brand_x(seed_api: Api) -> Json:
    body = {"name": "Brand X", "daily_budget": "1000.00", "monthly_budget": "30000.00"}
    return seed_api.post("/api/brands/create/", body).value(201)


@pytest.fixture
def summer_sale(seed_api: Api, brand_x: Json) -> Json:
    hours = {"dayparting_start": "09:00", "dayparting_end": "17:00"}
    return seed_api.create_campaign(brand_x, **hours)


@pytest.fixture
def january(summer_sale: Json) -> None:
    """150.00 this morning and 1,350.00 earlier this month."""
    report_at(summer_sale, "850.00", "2024-01-03T10:00:00Z")
    report_at(summer_sale, "500.00", "2024-01-14T16:59:59Z")
    report_at(summer_sale, "150.00", "2024-01-15T09:00:00Z")


def test_get_all_brands(seed_api: Api, brand_x: Json, summer_sale: Json) -> None:
    seed_api.create_campaign(brand_x, "Winter Campaign")
    document = seed_api.get("/api/brands/").value()
    assert len(document["brands"]) == 1
    assert_like_example(document["brands"][0], BRAND_X)


def test_create_brand(seed_api: Api, brand_x: Json) -> None:
    body = {"name": "New Brand", "daily_budget": "500.00", "monthly_budget": "15000.00"}
    assert_like_example(seed_api.post("/api/brands/create/", body).value(201), {"id": 2, **body})


def test_get_all_campaigns(seed_api: Api, january: None) -> None:
    document = seed_api.get("/api/campaigns/").value()
    assert len(document["campaigns"]) == 1
    assert_like_example(document["campaigns"][0], SUMMER_SALE)


def test_create_campaign(seed_api: Api, summer_sale: Json) -> None:
    body = {
        "name": "Winter Campaign",
        "brand_id": 1,
        "dayparting_start": "10:00",
        "dayparting_end": "18:00",
    }
    example = {
        "id": 2,
        "name": "Winter Campaign",
        "brand": "Brand X",
        "is_active": True,
        "dayparting_start": "10:00",
        "dayparting_end": "18:00",
    }
    assert_like_example(seed_api.post("/api/campaigns/create/", body).value(201), example)


def test_add_spend_to_campaign(seed_api: Api, january: None) -> None:
    example = {
        "campaign_id": 1,
        "campaign_name": "Summer Sale",
        "amount": "50.00",
        "new_daily_spend": "200.00",
        "new_monthly_spend": "1550.00",
        "is_active": True,
    }
    body = {"campaign_id": 1, "amount": "50.00"}
    assert_like_example(seed_api.post("/api/spend/add/", body).value(), example)


def test_add_spend_that_exceeds_the_budget(seed_api: Api, january: None) -> None:
    answer = seed_api.post("/api/spend/add/", {"campaign_id": 1, "amount": "850.01"})
    document = answer.error(400, "budget_exceeded")
    assert_like_example(document, {"error": "Spend would exceed budget limits"})


def test_add_spend_to_a_campaign_that_is_not_active(seed_api: Api, summer_sale: Json) -> None:
    """The second sentence that the seeds' clients may see; the contract's wire names it."""
    seed_api.post("/api/campaigns/1/pause/").value()
    answer = seed_api.post("/api/spend/add/", {"campaign_id": 1, "amount": "50.00"})
    document = answer.error(400, "campaign_not_active")
    assert_like_example(document, {"error": "Campaign is not active"})


def test_add_spend_to_a_campaign_that_is_not_there(seed_api: Api) -> None:
    answer = seed_api.post("/api/spend/add/", {"campaign_id": 1, "amount": "50.00"})
    assert_like_example(answer.error(404, "campaign_not_found"), {"error": "Campaign not found"})


@pytest.mark.parametrize("query", [{}, {"campaign_id": "1", "date": "2024-01-15"}])
def test_get_spend_logs(seed_api: Api, summer_sale: Json, query: dict[str, str]) -> None:
    seed_api.post("/api/spend/add/", {"campaign_id": 1, "amount": "50.00"}).value()
    example = {
        "id": 1,
        "campaign_name": "Summer Sale",
        "brand_name": "Brand X",
        "date": "2024-01-15",
        "amount": "50.00",
    }
    document = seed_api.get("/api/spend/logs/", **query).value()
    assert len(document["spend_logs"]) == 1
    assert_like_example(document["spend_logs"][0], example)


def test_the_filters_of_the_spend_log_leave_out_what_they_do_not_name(
    seed_api: Api, brand_x: Json, january: None
) -> None:
    other = seed_api.create_campaign(brand_x, "Winter Campaign")
    seed_api.add(other, "7.00").value()
    document = seed_api.get("/api/spend/logs/", campaign_id=1, date="2024-01-15").value()
    assert [entry["amount"] for entry in document["spend_logs"]] == ["150.00"]


def test_get_system_overview(seed_api: Api, brand_x: Json, summer_sale: Json) -> None:
    seed_api.create_brand("Brand Y")
    seed_api.create_campaign(brand_x, "Winter Campaign")
    seed_api.create_campaign(brand_x, "Autumn Clearance")
    spent = seed_api.create_campaign(brand_x, "Spring Launch", own_daily_budget="20.00")
    seed_api.add(spent, "20.00").value()
    seed_api.create_campaign(brand_x, "Clearance", is_enabled=False)
    example = {
        "total_brands": 2,
        "total_campaigns": 5,
        "active_campaigns": 3,
        "paused_campaigns": 2,
        "over_daily_budget": 1,
        "over_monthly_budget": 0,
        "server_time": "2024-01-15T10:30:00Z",
    }
    assert_like_example(seed_api.get("/api/status/").value(), example)
