"""Holds over the API: set aside, read, capture, release, expire (C20)."""

import pytest

from core.models import Hold, SpendLog
from core.tests.views.api import Answer, Api, Clock, Json, make_token
from core.tests.views.tables import all_rows


def take(api: Api, campaign: Json, amount: str, **more: object) -> Answer:
    return api.post("/api/holds/create/", {"campaign_id": campaign["id"], "amount": amount, **more})


def path_of(taken: Answer, deed: str = "") -> str:
    return f"/api/holds/{taken.value(201)['hold_id']}/{deed}"


def capture(api: Api, taken: Answer, **body: object) -> Answer:
    return api.post(path_of(taken, "capture/"), body or None)


def release(api: Api, taken: Answer, **body: object) -> Answer:
    return api.post(path_of(taken, "release/"), body or None)


def test_a_hold_is_created_with_what_a_bidder_needs_to_know(api: Api, campaign: Json) -> None:
    taken = take(api, campaign, "0.00032", event_id="bid-1", currency="USD")
    assert taken.value(201) == {
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "hold_id": Hold.objects.get().pk,
        "state": "open",
        "amount": "0.00032",
        "expires_at": "2024-01-15T10:35:00Z",
        "is_active": True,
        "remaining": "999.99968",
        "reasons": [],
        "event_id": "bid-1",
    }
    again = take(api, campaign, "0.00032", event_id="bid-1", currency="USD")
    assert (again.value(201), again.headers["Idempotent-Replayed"]) == (taken.json, "true")


def test_a_hold_can_be_read_at_every_stage(api: Api, clock: Clock, campaign: Json) -> None:
    taken = take(api, campaign, "10.00", seconds=86_400, event_id="bid-1")
    document = api.get(path_of(taken)).value()
    assert document == {
        "hold_id": taken.json["hold_id"],
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "amount": "10.00",
        "currency": "USD",
        "state": "open",
        "held_at": "2024-01-15T10:30:00Z",
        "expires_at": "2024-01-16T10:30:00Z",
        "ended_at": None,
        "captured": None,
        "spend_log_id": None,
        "event_id": "bid-1",
    }
    clock.advance(hours=1)
    entry = capture(api, taken, amount="4.00").value()["spend_log_id"]
    ended = {"state": "captured", "ended_at": "2024-01-15T11:30:00Z"}
    captured = {"captured": "4.00", "spend_log_id": entry}
    assert api.get(path_of(taken)).value() == {**document, **ended, **captured}


def test_a_capture_answers_like_a_spend(api: Api, campaign: Json) -> None:
    taken = take(api, campaign, "10.00")
    answer = capture(api, taken, amount="4.00", event_id="win-1")
    assert answer.value() == {
        "campaign_id": campaign["id"],
        "campaign_name": "Summer Sale",
        "hold_id": taken.json["hold_id"],
        "state": "captured",
        "amount": "4.00",
        "released": "6.00",
        "new_daily_spend": "4.00",
        "new_monthly_spend": "4.00",
        "spend_log_id": SpendLog.objects.get().pk,
        "is_active": True,
        "remaining": "996.00",
        "reasons": [],
        "event_id": "win-1",
    }
    assert capture(api, taken, amount="4.00", event_id="win-1").value() == answer.json


@pytest.mark.parametrize("body", [b"", b"{}", b'{"amount": null}', b'{"amount": "10.00"}'])
def test_a_capture_is_of_all_unless_it_says_otherwise(
    api: Api, campaign: Json, body: bytes
) -> None:
    taken = take(api, campaign, "10.00")
    assert api.send("POST", path_of(taken, "capture/"), body).value()["amount"] == "10.00"


def test_a_release_frees_it(api: Api, campaign: Json) -> None:
    taken = take(api, campaign, "1000.00")
    api.add(campaign, "0.01").error(400, "campaign_not_active")
    answer = release(api, taken, event_id="lost-1").value()
    assert (answer["state"], answer["released"], answer["remaining"]) == (
        "released",
        "1000.00",
        "1000.00",
    )
    api.add(campaign, "1000.00").value()


def test_what_has_ended_is_409_with_how_it_ended(api: Api, clock: Clock, campaign: Json) -> None:
    captured, released, expired = (take(api, campaign, "1.00") for _ in range(3))
    capture(api, captured).value()
    release(api, released).value()
    clock.advance(minutes=5)
    before = all_rows()
    for taken, state in ((captured, "captured"), (released, "released"), (expired, "expired")):
        assert api.get(path_of(taken)).value()["state"] == state
        for end in (capture, release):
            assert end(api, taken).error(409, "hold_ended")["state"] == state
    assert "report" in capture(api, expired).json["error"]
    # But for the expired one, which is now written down as such.
    assert Hold.objects.get(pk=expired.json["hold_id"]).state == "expired"
    assert len(all_rows()["core_spendlog"]) == len(before["core_spendlog"]) == 1


def test_a_capture_above_the_hold_says_how_much_there_is(api: Api, campaign: Json) -> None:
    taken = take(api, campaign, "1.00")
    refusal = capture(api, taken, amount="1.000001").error(400, "capture_above_hold")
    assert "1.00" in refusal["fields"]["amount"]
    capture(api, taken, amount="1.00").value()


def test_refusals_are_those_of_add(api: Api, campaign: Json) -> None:
    refusal = take(api, campaign, "1000.01").error(400, "budget_exceeded")
    assert (refusal["budget"], refusal["remaining"]) == ("brand_daily_budget", "1000.00")
    take(api, {"id": 999_999}, "1.00").error(404, "campaign_not_found")
    api.post(f"/api/campaigns/{campaign['id']}/pause/").value()
    refusal = take(api, campaign, "1.00").error(400, "campaign_not_active")
    assert [reason["code"] for reason in refusal["reasons"]] == ["campaign_disabled"]


@pytest.mark.parametrize("deed", ["", "capture/", "release/"])
def test_a_hold_of_another_brand_is_not_there_c29(api: Api, campaign: Json, deed: str) -> None:
    taken = take(api, campaign, "1.00")
    stranger = Api(make_token(brand=api.create_brand("Brand Y")))
    for path in (path_of(taken, deed), f"/api/holds/999999/{deed}"):
        answer = stranger.post(path) if deed else stranger.get(path)
        answer.error(404, "hold_not_found")
    assert Hold.objects.get().state == "open"


@pytest.mark.parametrize("deed", ["", "capture/", "release/"])
@pytest.mark.parametrize("hold_id", [0, 2**63 - 1, 2**63, 10**40])
def test_a_hold_that_never_was_is_not_there(api: Api, deed: str, hold_id: int) -> None:
    path = f"/api/holds/{hold_id}/{deed}"
    answer = api.post(path) if deed else api.get(path)
    answer.error(404, "hold_not_found")
