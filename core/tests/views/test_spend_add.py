"""Asking to spend: admitted only if the campaign is active and every budget covers it (C18)."""

from decimal import Decimal

import pytest

from core.models import BrandTotal, CampaignTotal, SpendLog, Transition
from core.tests.views.api import Api, Clock, Json, make_token, report_at


def spent_of(brand: Json) -> dict[str, Decimal]:
    totals = BrandTotal.objects.filter(brand=brand["id"])
    return {total.period: total.spent for total in totals}


# --- Admitted --------------------------------------------------------------------------------


def test_an_admitted_spend_is_answered_whole(api: Api, campaign: Json) -> None:
    answer = api.add(campaign, "50.00", event_id="click 7").value()
    assert answer == {
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "amount": "50.00",
        "new_daily_spend": "50.00",
        "new_monthly_spend": "50.00",
        "is_active": True,
        "event_id": "click 7",
        "spend_log_id": SpendLog.objects.get().pk,
        "remaining": "950.00",
        "reasons": [],
    }


def test_an_admitted_spend_is_one_entry_and_counts_in_every_total(
    api: Api, clock: Clock, brand: Json, campaign: Json
) -> None:
    """C18."""
    api.add(campaign, "0.00032").value()
    entry = SpendLog.objects.get()
    assert (entry.kind, entry.amount, entry.over_budget) == ("add", Decimal("0.00032"), 0)
    assert (entry.occurred_at, entry.recorded_at) == (clock.now, clock.now)
    assert (entry.currency, entry.event_id) == ("USD", "")
    assert spent_of(brand) == {"day": Decimal("0.00032"), "month": Decimal("0.00032")}
    own = {total.period: total.spent for total in CampaignTotal.objects.all()}
    assert own == dict.fromkeys(("day", "month", "lifetime"), Decimal("0.00032"))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("0.000001", "0.000001"),
        ("7", "7.00"),
        (7, "7.00"),
        (0.1, "0.10"),
        ("1000.000000", "1000.00"),
    ],
)
def test_the_amount_is_read_exactly(api: Api, campaign: Json, sent: object, shown: str) -> None:
    """C1."""
    answer = api.add(campaign, sent).value()
    assert (answer["amount"], answer["new_daily_spend"]) == (shown, shown)


def test_a_number_keeps_every_digit_that_was_written(api: Api, campaign: Json) -> None:
    """C1: as a float, 0.3 added three times would not be 0.9."""
    body = b'{"campaign_id": %d, "amount": 0.300000}' % campaign["id"]
    for _ in range(3):
        answer = api.send("POST", "/api/spend/add/", body).value()
    assert answer["new_daily_spend"] == "0.90"


def test_new_daily_and_monthly_spend_are_the_campaigns_own(
    api: Api, brand: Json, campaign: Json
) -> None:
    report_at(campaign, "30.00", "2024-01-14T10:00:00Z")
    api.add(api.create_campaign(brand, "sibling"), "500.00").value()
    answer = api.add(campaign, "5.00").value()
    assert (answer["new_daily_spend"], answer["new_monthly_spend"]) == ("5.00", "35.00")
    assert answer["remaining"] == "495.00"


def test_remaining_is_null_where_no_budget_applies(api: Api) -> None:
    """C3."""
    campaign = api.create_campaign(api.create_brand(daily_budget=None, monthly_budget=None))
    answer = api.add(campaign, "999999999999.999999").value()
    assert (answer["remaining"], answer["is_active"]) == (None, True)


@pytest.mark.parametrize("currency", [None, "USD"])
def test_the_currency_may_be_named(api: Api, campaign: Json, currency: str | None) -> None:
    """C2."""
    api.add(campaign, "1.00", currency=currency).value()


def test_the_spend_that_fills_a_budget_is_admitted_and_says_what_stopped(
    api: Api, campaign: Json
) -> None:
    """C5."""
    answer = api.add(campaign, "1000.00").value()
    assert (answer["is_active"], answer["remaining"]) == (False, "0.00")
    assert answer["reasons"] == [
        {
            "code": "brand_daily_budget",
            "message": "The brand's daily budget is used up (1000.00 spent and 0.00 held of "
            "1000.00); that ends at 2024-01-16T00:00:00Z.",
            "budget": "1000.00",
            "spent": "1000.00",
            "held": "0.00",
            "remaining": "0.00",
            "ends_at": "2024-01-16T00:00:00Z",
        }
    ]


# --- Refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "budget", "remaining"),
    [
        ({}, "brand_daily_budget", "1000.00"),
        ({"own_daily_budget": "10.00"}, "campaign_daily_budget", "10.00"),
        ({"own_monthly_budget": "10.00"}, "campaign_monthly_budget", "10.00"),
        ({"own_lifetime_budget": "0.000001"}, "campaign_lifetime_budget", "0.000001"),
        (
            {"own_daily_budget": "9.00", "own_monthly_budget": "8"},
            "campaign_monthly_budget",
            "8.00",
        ),
        ({"own_daily_budget": "5000.00"}, "brand_daily_budget", "1000.00"),
    ],
)
def test_a_spend_above_the_tightest_budget_is_refused_with_its_name_and_what_remains(
    api: Api, brand: Json, settings: Json, *, budget: str, remaining: str
) -> None:
    """C4, C18."""
    campaign = api.create_campaign(brand, **settings)
    above = f"{Decimal(remaining) + Decimal('0.000001'):f}"
    error = api.add(campaign, above).error(400, "budget_exceeded")
    assert error["error"] == "Spend would exceed budget limits"
    assert (error["budget"], error["remaining"]) == (budget, remaining)
    assert list(error["fields"]) == ["amount"]
    assert not SpendLog.objects.exists()
    assert spent_of(brand) == {}
    api.add(campaign, remaining).value()


def test_the_brands_month_can_be_tighter_than_its_day(api: Api) -> None:
    campaign = api.create_campaign(api.create_brand(monthly_budget="100.00"))
    report_at(campaign, "60.00", "2024-01-14T10:00:00Z")
    error = api.add(campaign, "40.01").error(400, "budget_exceeded")
    assert (error["budget"], error["remaining"]) == ("brand_monthly_budget", "40.00")


def test_a_refused_spend_leaves_room_for_a_smaller_one(api: Api, campaign: Json) -> None:
    """C8."""
    api.add(campaign, "999.99").value()
    api.add(campaign, "0.02").error(400, "budget_exceeded")
    answer = api.add(campaign, "0.01").value()
    assert answer["is_active"] is False


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"is_enabled": False}, "campaign_disabled"),
        ({"starts_at": "2024-01-15T10:30:01Z"}, "not_started"),
        ({"ends_at": "2024-01-15T10:30:00Z"}, "ended"),
        ({"dayparting_start": "11:00", "dayparting_end": "10:00"}, "outside_schedule"),
        ({"own_daily_budget": "0"}, "campaign_daily_budget"),
        ({"own_monthly_budget": "0"}, "campaign_monthly_budget"),
        ({"own_lifetime_budget": "0"}, "campaign_lifetime_budget"),
    ],
)
def test_a_campaign_that_is_not_active_is_refused_with_its_reasons(
    api: Api, brand: Json, settings: Json, code: str
) -> None:
    """C14, C18."""
    campaign = api.create_campaign(brand, **settings)
    error = api.add(campaign, "0.000001").error(400, "campaign_not_active")
    assert error["error"] == "Campaign is not active"
    assert [reason["code"] for reason in error["reasons"]] == [code]
    assert error["reasons"][0]["message"]
    assert not SpendLog.objects.exists()


def test_an_active_flag_that_is_out_of_date_admits_nothing(
    api: Api, clock: Clock, brand: Json
) -> None:
    """C16: the window closed a second ago and no task has run."""
    campaign = api.create_campaign(brand, dayparting_start="09:00", dayparting_end="11:00")
    clock.move_to("2024-01-15T11:00:00Z")
    assert api.read("campaigns", campaign)["is_active"] is True
    error = api.add(campaign, "1.00").error(400, "campaign_not_active")
    assert [reason["code"] for reason in error["reasons"]] == ["outside_schedule"]


def test_a_paused_flag_that_is_out_of_date_keeps_nothing_back(
    api: Api, clock: Clock, brand: Json
) -> None:
    """C8, C16: the window has just opened; the spend brings the flag up to date."""
    campaign = api.create_campaign(brand, dayparting_start="11:00", dayparting_end="12:00")
    assert campaign["is_active"] is False
    clock.move_to("2024-01-15T11:00:00Z")
    api.add(campaign, "1.00").value()
    assert api.read("campaigns", campaign)["is_active"] is True
    last = Transition.objects.latest("id")
    assert (last.cause, last.actor) == ("time", "clock")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"campaign_id", "amount"}),
        ({"campaign_id": 1}, {"amount"}),
        ({"amount": "1.00"}, {"campaign_id"}),
        ({"campaign_id": 1, "amount": "0"}, {"amount"}),
        ({"campaign_id": 1, "amount": "0.000000"}, {"amount"}),
        ({"campaign_id": 1, "amount": "1", "currency": "EURO"}, {"currency"}),
        ({"campaign_id": 1, "amount": "1", "event_id": ""}, {"event_id"}),
        ({"campaign_id": 1, "amount": "1", "event_id": "x" * 201}, {"event_id"}),
        ({"campaign_id": 1, "amount": "1", "event_id": "a\nb"}, {"event_id"}),
        ({"campaign_id": 1, "amount": "1", "event_id": 7}, {"event_id"}),
        ({"campaign_id": 1, "amount": "1", "occurred_at": "2024-01-15T10:00:00Z"}, {"occurred_at"}),
        ({"campaign_id": 1, "amount": "1", "kind": "report"}, {"kind"}),
    ],
)
def test_each_field_that_is_wrong_is_named(api: Api, body: Json, fields: set[str]) -> None:
    """C28; an `add` is judged now, so it takes no `occurred_at` (C11)."""
    error = api.post("/api/spend/add/", body).error(400, "invalid_input")
    assert set(error["fields"]) == fields


def test_another_currency_than_the_brands_is_refused_by_name(api: Api, campaign: Json) -> None:
    """C2."""
    error = api.add(campaign, "1.00", currency="EUR").error(400, "invalid_input")
    assert list(error["fields"]) == ["currency"]
    assert not SpendLog.objects.exists()


@pytest.mark.parametrize("campaign_id", [999_999, 10**18 - 1])
def test_a_campaign_that_is_not_there_is_404(api: Api, campaign_id: int) -> None:
    error = api.add({"id": campaign_id}, "1.00").error(404, "campaign_not_found")
    assert error["error"] == "Campaign not found"


def test_a_campaign_of_a_brand_that_the_key_may_not_see_is_404(api: Api, campaign: Json) -> None:
    """C29."""
    limited = Api(make_token(brand=api.create_brand("Brand Y")))
    limited.add(campaign, "1.00").error(404, "campaign_not_found")
    assert not SpendLog.objects.exists()


def test_a_total_that_could_not_be_counted_is_refused(api: Api) -> None:
    """C1: sums stay within 64-bit micros."""
    campaign = api.create_campaign(api.create_brand(daily_budget=None, monthly_budget=None))
    for _ in range(4):
        api.add(campaign, "999999999999.999999").value()
    error = api.add(campaign, "1000.00").error(400, "invalid_input")
    assert list(error["fields"]) == ["amount"]
    api.add(campaign, "0.000004").value()
