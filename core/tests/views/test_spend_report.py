"""Telling of money already gone: never refused for budget, schedule or switch (C19)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from core.models import BrandTotal, SpendLog
from core.tests.views.api import Api, Clock, Json, make_token


def days_of(brand: Json) -> dict[str, str]:
    totals = BrandTotal.objects.filter(brand=brand["id"], period="day").order_by("starts_on")
    return {total.starts_on.isoformat(): str(total.spent.normalize()) for total in totals}


def test_a_report_is_answered_as_an_add_with_what_was_over_budget(api: Api, campaign: Json) -> None:
    answer = api.report(campaign, "50.00", event_id="e-1").value()
    assert answer == {
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "amount": "50.00",
        "new_daily_spend": "50.00",
        "new_monthly_spend": "50.00",
        "is_active": True,
        "event_id": "e-1",
        "spend_log_id": SpendLog.objects.get().pk,
        "remaining": "950.00",
        "reasons": [],
        "over_budget": "0.00",
        "over_budget_cause": None,
    }


@pytest.mark.parametrize(
    ("amounts", "over_budget", "cause"),
    [
        (["1000.00"], "0.00", None),
        (["1000.000001"], "0.000001", "brand_daily_budget"),
        (["900.00", "150.00"], "50.00", "brand_daily_budget"),
        (["1000.00", "150.00"], "150.00", "brand_daily_budget"),
        (["5000.00", "150.00"], "150.00", "brand_daily_budget"),
    ],
)
def test_the_part_that_no_budget_covered_is_labelled_with_its_cause(
    api: Api, campaign: Json, amounts: list[str], *, over_budget: str, cause: str | None
) -> None:
    for amount in amounts:
        answer = api.report(campaign, amount).value()
    assert (answer["over_budget"], answer["over_budget_cause"]) == (over_budget, cause)
    entry = SpendLog.objects.latest("id")
    assert (entry.over_budget, entry.over_budget_cause) == (Decimal(over_budget), cause or "")
    total = sum(map(Decimal, amounts))
    assert Decimal(answer["new_daily_spend"]) == total
    assert answer["is_active"] is (total < 1000)


@pytest.mark.parametrize(
    "settings",
    [
        {"is_enabled": False},
        {"starts_at": "2024-01-16T00:00:00Z"},
        {"ends_at": "2024-01-15T00:00:00Z"},
        {"dayparting_start": "11:00", "dayparting_end": "12:00"},
        {"own_daily_budget": "0"},
        {"own_lifetime_budget": "1.00"},
    ],
)
def test_nothing_that_stops_an_add_stops_a_report(api: Api, brand: Json, settings: Json) -> None:
    campaign = api.create_campaign(brand, **settings)
    assert api.add(campaign, "2.00").status == 400
    assert api.report(campaign, "2.00").value()["amount"] == "2.00"
    assert SpendLog.objects.get().kind == "report"


def test_a_disabled_brand_and_an_archived_campaign_still_take_reports(
    api: Api, brand: Json, campaign: Json
) -> None:
    api.edit("brands", brand, is_enabled=False)
    api.report(campaign, "1.00").value()
    api.delete(f"/api/campaigns/{campaign['id']}/")
    api.report(campaign, "2.00").value()
    api.delete(f"/api/brands/{brand['id']}/")
    answer = api.report(campaign, "3.00").value()
    assert (answer["new_daily_spend"], answer["is_active"]) == ("6.00", False)


def test_a_report_above_the_budget_pauses_every_campaign_of_the_brand(
    api: Api, brand: Json, campaign: Json
) -> None:
    """C16, C19."""
    sibling = api.create_campaign(brand, "sibling")
    answer = api.report(campaign, "1000.01").value()
    assert [reason["code"] for reason in answer["reasons"]] == ["brand_daily_budget"]
    assert answer["remaining"] == "0.00"
    for each in (campaign, sibling):
        assert api.read("campaigns", each)["is_active"] is False


# --- When it occurred ------------------------------------------------------------------------


def test_late_spend_counts_in_its_own_day_and_month(
    api: Api, clock: Clock, brand: Json, campaign: Json
) -> None:
    """C10, C11."""
    clock.move_to("2024-02-01T12:00:00Z")
    answer = api.report(campaign, "30.00", occurred_at="2024-01-31T23:59:59.999999Z").value()
    assert (answer["new_daily_spend"], answer["new_monthly_spend"]) == ("30.00", "30.00")
    api.report(campaign, "4.00", occurred_at="2024-02-01T00:00:00Z").value()
    assert days_of(brand) == {"2024-01-31": "3E+1", "2024-02-01": "4"}
    shown = api.read("campaigns", campaign)
    assert (shown["daily_spend"], shown["monthly_spend"]) == ("4.00", "4.00")
    dates = [entry["date"] for entry in api.get("/api/spend/logs/").value()["spend_logs"]]
    assert dates == ["2024-02-01", "2024-01-31"]


def test_the_day_is_that_of_the_brands_own_zone(api: Api) -> None:
    """C9: 16:30 UTC is half past one on the next day in Tokyo."""
    brand = api.create_brand(time_zone="Asia/Tokyo")
    campaign = api.create_campaign(brand)
    api.report(campaign, "1.00", occurred_at="2024-01-14T16:30:00+01:00").value()
    api.report(campaign, "2.00", occurred_at="2024-01-14T16:30:00Z").value()
    assert days_of(brand) == {"2024-01-15": "3"}


def test_late_spend_is_held_against_the_budgets_of_its_own_day(api: Api, campaign: Json) -> None:
    """C11, C19: yesterday has room when today has none, and the other way round."""
    yesterday = {"occurred_at": "2024-01-14T10:00:00Z"}
    api.report(campaign, "1000.00").value()
    covered = api.report(campaign, "900.00", **yesterday).value()
    assert (covered["over_budget"], covered["is_active"]) == ("0.00", False)
    api.edit("brands", {"id": campaign["brand_id"]}, daily_budget="2000.00")
    over = api.report(campaign, "1300.00", **yesterday).value()
    assert (over["over_budget"], over["over_budget_cause"]) == ("200.00", "brand_daily_budget")
    assert (over["is_active"], over["remaining"]) == (True, "1000.00")
    api.add(campaign, "1000.00").value()


@pytest.mark.parametrize(
    ("offset", "status"),
    [
        (timedelta(minutes=5), 200),
        (timedelta(minutes=5, microseconds=1), 400),
        (timedelta(0), 200),
        (timedelta(hours=-72), 200),
        (timedelta(hours=-72, microseconds=-1), 400),
        (timedelta(days=-4000), 400),
        (timedelta(days=4000), 400),
    ],
)
def test_spend_may_be_72_hours_late_and_5_minutes_early(
    api: Api, clock: Clock, campaign: Json, *, offset: timedelta, status: int
) -> None:
    """C11."""
    answer = api.report(campaign, "1.00", occurred_at=(clock.now + offset).isoformat())
    assert answer.status == status
    assert SpendLog.objects.exists() is (status == 200)
    if status == 400:
        assert list(answer.error(400, "invalid_input")["fields"]) == ["occurred_at"]


def test_how_late_spend_may_be_is_a_setting(api: Api, campaign: Json, settings: Settings) -> None:
    """C11."""
    settings.SPEND_LATE_HOURS = 1
    api.report(campaign, "1.00", occurred_at="2024-01-15T09:30:00Z").value()
    api.report(campaign, "1.00", occurred_at="2024-01-15T09:29:59Z").error(400, "invalid_input")


@pytest.mark.parametrize("occurred_at", ["yesterday", "2024-01-15", 1_705_314_600, True, {}])
def test_an_instant_that_can_not_be_read_is_named(
    api: Api, campaign: Json, occurred_at: object
) -> None:
    error = api.report(campaign, "1.00", occurred_at=occurred_at).error(400, "invalid_input")
    assert list(error["fields"]) == ["occurred_at"]


# --- What still refuses a report ---------------------------------------------------------------


def test_a_wrong_currency_an_empty_amount_and_a_foreign_campaign_are_refused(
    api: Api, campaign: Json
) -> None:
    """C2, C29: these are mistakes, not budgets."""
    assert list(
        api.report(campaign, "1.00", currency="EUR").error(400, "invalid_input")["fields"]
    ) == ["currency"]
    assert list(api.report(campaign, "0").error(400, "invalid_input")["fields"]) == ["amount"]
    limited = Api(make_token(brand=api.create_brand("Brand Y")))
    limited.report(campaign, "1.00").error(404, "campaign_not_found")
    assert not SpendLog.objects.exists()
