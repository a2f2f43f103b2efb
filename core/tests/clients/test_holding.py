"""Leaving the client's `with` block frees a hold, unless it was captured or may have been (C20)."""

import pytest
from budget_manager_client import InvalidInput, OutcomeUnknown

from core.tests.clients.scripted import ADDED, answers, cuts, scripted

TAKEN = {
    **{"hold_id": 9, "campaign_id": 7, "campaign_name": "Summer Sale", "amount": "0.50"},
    **{"state": "open", "expires_at": "2026-11-20T08:35:00Z", "is_active": True},
    **{"event_id": "e", "remaining": "9.00", "reasons": []},
}
FREED = {**TAKEN, "state": "released", "released": "0.50"}
del FREED["amount"], FREED["expires_at"]
CAPTURED = {**ADDED, "hold_id": 9, "state": "captured", "released": "0.18"}
ENDED = {"error": "The hold is expired", "code": "hold_ended", "state": "expired"}


def test_a_captured_hold_is_not_released() -> None:
    with (
        scripted(answers(201, TAKEN), answers(200, CAPTURED)) as (server, client, _),
        client.hold(7, "0.50") as hold,
    ):
        assert str(hold.capture("0.32").released) == "0.18"
    assert server.bodies("amount") == ["0.50", "0.32"]


def test_a_hold_that_nobody_captured_is_released() -> None:
    with (
        scripted(answers(201, TAKEN), answers(200, FREED)) as (server, client, _),
        client.hold(7, "0.50") as hold,
    ):
        assert str(hold.taken.amount) == "0.50"
    assert server.requests[1].line == "POST /api/holds/9/release/ HTTP/1.1"


def test_an_exception_releases_the_hold_and_goes_on() -> None:
    with (
        scripted(answers(201, TAKEN), answers(200, FREED)) as (server, client, _),
        pytest.raises(ZeroDivisionError),
        client.hold(7, "0.50"),
    ):
        raise ZeroDivisionError
    assert server.requests[1].line == "POST /api/holds/9/release/ HTTP/1.1"


def test_an_exception_goes_on_even_if_the_hold_cannot_be_released() -> None:
    forbidden = answers(403, {"error": "No", "code": "scope_missing"})
    with (
        scripted(answers(201, TAKEN), forbidden) as (_, client, _),
        pytest.raises(ZeroDivisionError),
        client.hold(7, "0.50"),
    ):
        raise ZeroDivisionError


def test_a_hold_that_ran_out_inside_the_block_is_free_already() -> None:
    with (
        scripted(answers(201, TAKEN), answers(409, ENDED)) as (server, client, _),
        client.hold(7, "0.50"),
    ):
        pass
    assert len(server.requests) == 2


def test_a_capture_that_was_refused_leaves_a_hold_to_release() -> None:
    above = answers(400, {"error": "Too much", "code": "capture_above_hold", "fields": {}})
    with (
        scripted(answers(201, TAKEN), above, answers(200, FREED)) as (server, client, _),
        pytest.raises(InvalidInput),
        client.hold(7, "0.50") as hold,
    ):
        hold.capture("0.51")
    assert server.requests[2].line == "POST /api/holds/9/release/ HTTP/1.1"


def test_a_capture_in_doubt_is_not_undone_by_a_release() -> None:
    with scripted(answers(201, TAKEN), *[cuts] * 20) as (server, client, time):
        client = time.client(server.url, deadline=1.0)
        with pytest.raises(OutcomeUnknown), client.hold(7, "0.50") as hold:
            hold.capture("0.32", event_id="mine")
    assert {request.line for request in server.requests[1:]} == {
        "POST /api/holds/9/capture/ HTTP/1.1"
    }
