"""An `Idempotency-Key` header names a call as well as an `event_id` in its body does (C21)."""

import pytest

from core.models import EventAnswer, SpendLog
from core.tests.views.api import Api, Json, make_token
from core.tests.views.tables import all_rows

REPLAYED = "Idempotent-Replayed"


@pytest.fixture
def token(db: None) -> str:
    return make_token()


def keyed(token: str, value: str) -> Api:
    return Api(token, **{"Idempotency-Key": value})


def test_it_is_the_event_id(token: str, campaign: Json) -> None:
    first = keyed(token, "order-1").add(campaign, "5.00")
    assert first.value()["event_id"] == "order-1"
    again = keyed(token, "order-1").add(campaign, "5.00")
    assert (again.value(), again.headers[REPLAYED]) == (first.json, "true")
    in_body = Api(token).add(campaign, "5.00", event_id="order-1")
    assert (in_body.value(), in_body.headers[REPLAYED]) == (first.json, "true")
    keyed(token, "order-1").add(campaign, "6.00").error(409, "event_id_reused")
    assert SpendLog.objects.count() == 1


def test_a_quoted_key_is_the_same_as_one_without_quotes(token: str, campaign: Json) -> None:
    keyed(token, '"order-1"').add(campaign, "5.00").value()
    assert keyed(token, "order-1").add(campaign, "5.00").headers[REPLAYED] == "true"
    assert EventAnswer.objects.get().event_id == "order-1"


def test_every_call_that_moves_money_takes_it(token: str, campaign: Json) -> None:
    api = Api(token)
    entry = api.add(campaign, "5.00").value()["spend_log_id"]
    held = [
        api.post("/api/holds/create/", {"campaign_id": campaign["id"], "amount": "1"}).value(201)
        for _ in range(2)
    ]
    calls = [
        ("/api/spend/add/", {"campaign_id": campaign["id"], "amount": "1"}),
        ("/api/spend/report/", {"campaign_id": campaign["id"], "amount": "1"}),
        ("/api/spend/refund/", {"spend_log_id": entry, "amount": "1"}),
        ("/api/holds/create/", {"campaign_id": campaign["id"], "amount": "1"}),
        (f"/api/holds/{held[0]['hold_id']}/capture/", None),
        (f"/api/holds/{held[1]['hold_id']}/release/", None),
    ]
    for number, (path, body) in enumerate(calls):
        first = keyed(token, f"call-{number}").post(path, body)
        assert first.status in (200, 201), path
        assert REPLAYED not in first.headers
        again = keyed(token, f"call-{number}").post(path, body)
        assert (again.status, again.json, again.headers[REPLAYED]) == (
            first.status,
            first.json,
            "true",
        )


def test_both_may_be_sent_if_they_agree(token: str, campaign: Json) -> None:
    keyed(token, "order-1").add(campaign, "5.00", event_id="order-1").value()
    refusal = keyed(token, "order-1").add(campaign, "5.00", event_id="order-2")
    assert set(refusal.error(400, "invalid_input")["fields"]) == {"event_id"}


@pytest.mark.parametrize(
    "value", ["", '""', "x" * 201, "a\tb", "a\x7fb", "caf\xe9"], ids=lambda value: ascii(value[:9])
)
def test_a_key_that_could_be_no_event_id_is_refused_by_the_headers_name(
    token: str, campaign: Json, value: str
) -> None:
    before = all_rows()
    refusal = keyed(token, value).add(campaign, "5.00").error(400, "invalid_input")
    assert set(refusal["fields"]) == {"Idempotency-Key"}
    assert all_rows() == before


def test_the_same_key_of_another_client_names_another_call(api: Api, campaign: Json) -> None:
    for _ in range(2):
        answer = keyed(make_token(), "order-1").add(campaign, "5.00")
        assert REPLAYED not in answer.headers
    assert SpendLog.objects.count() == 2
