"""Refunds over the API (C22)."""

from core.models import SpendLog
from core.tests.views.api import Answer, Api, Clock, Json, make_token


def refund(api: Api, entry: Json, amount: str, **more: object) -> Answer:
    body = {"spend_log_id": entry["spend_log_id"], "amount": amount, **more}
    return api.post("/api/spend/refund/", body)


def test_a_refund_gives_the_budget_back_and_says_what_is_left_of_the_entry(
    api: Api, campaign: Json
) -> None:
    entry = api.add(campaign, "1000.00").value()
    assert not api.read("campaigns", campaign)["is_active"]
    answer = refund(api, entry, "400.00", reason="invalid clicks", event_id="r-1")
    assert answer.value() == {
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "amount": "400.00",
        "new_daily_spend": "600.00",
        "new_monthly_spend": "600.00",
        "spend_log_id": SpendLog.objects.latest("id").pk,
        "refund_of": entry["spend_log_id"],
        "refundable": "600.00",
        "is_active": True,
        "remaining": "400.00",
        "reasons": [],
        "event_id": "r-1",
    }
    assert api.read("campaigns", campaign)["daily_spend"] == "600.00"
    again = refund(api, entry, "400.00", reason="invalid clicks", event_id="r-1")
    assert (again.json, again.headers["Idempotent-Replayed"]) == (answer.json, "true")


def test_the_log_shows_it_as_an_entry_of_its_own(api: Api, campaign: Json) -> None:
    entry = api.add(campaign, "10.00").value()
    refund(api, entry, "4.00", reason="fraud").value()
    newest, oldest = api.get("/api/spend/logs/").value()["spend_logs"]
    assert (newest["kind"], newest["amount"], newest["reason"]) == ("refund", "-4.00", "fraud")
    assert newest["refund_of"] == oldest["id"] == entry["spend_log_id"]
    assert (oldest["amount"], oldest["refund_of"], oldest["reason"]) == ("10.00", None, None)


def test_a_refund_of_last_months_spend_changes_last_month(
    api: Api, clock: Clock, campaign: Json
) -> None:
    entry = api.add(campaign, "10.00").value()
    clock.move_to("2024-03-01T12:00:00Z")
    answer = refund(api, entry, "10.00").value()
    assert (answer["new_monthly_spend"], answer["refundable"]) == ("0.00", "0.00")
    assert api.read("campaigns", campaign)["monthly_spend"] == "0.00"
    assert api.get("/api/spend/logs/", date="2024-03-01").value()["spend_logs"] == []
    assert len(api.get("/api/spend/logs/", date="2024-01-15").value()["spend_logs"]) == 2


def test_more_than_is_left_is_refused_with_what_is_left(api: Api, campaign: Json) -> None:
    entry = api.add(campaign, "10.00").value()
    refund(api, entry, "9.00").value()
    refusal = refund(api, entry, "1.01").error(400, "refund_above_entry")
    assert refusal["refundable"] == "1.00"
    assert "1.00" in refusal["fields"]["amount"]


def test_a_refund_is_no_entry_to_refund(api: Api, campaign: Json) -> None:
    taken_back = refund(api, api.add(campaign, "10.00").value(), "9.00").value()
    refund(api, taken_back, "1.00").error(400, "not_refundable")


def test_an_entry_of_another_brand_is_not_there_c29(api: Api, campaign: Json) -> None:
    entry = api.add(campaign, "10.00").value()
    stranger = Api(make_token(brand=api.create_brand("Brand Y")))
    for number in (entry["spend_log_id"], 999_999):
        refund(stranger, {"spend_log_id": number}, "1.00").error(404, "spend_log_not_found")
    assert SpendLog.objects.count() == 1
