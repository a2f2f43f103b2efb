"""The Python client tries again with the same event id, and only what may be sent twice (C21)."""

import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from budget_manager_client import (
    BudgetExceeded,
    ChangedMeanwhile,
    Entry,
    NotAllowed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
    Unreachable,
)

from core.tests.clients.scripted import (
    ADDED,
    Scripted,
    Step,
    Time,
    answers,
    cuts,
    cuts_midway,
    scripted,
    then_closes,
)

ADMITTED = answers(200, ADDED)
BUSY = {"error": "Busy", "code": "database_unavailable", "fields": {}, "request_id": "r"}
BRAND = {
    **{"id": 3, "name": "X", "daily_budget": "5.00", "monthly_budget": None, "version": 8},
    **{"daily_spend": "0.00", "monthly_spend": "0.00", "campaigns_count": 0},
    **{"currency": "USD", "time_zone": "UTC", "is_enabled": True, "new_field": [1]},
}
STATUS = {
    **{"total_brands": 1, "total_campaigns": 2, "active_campaigns": 2, "paused_campaigns": 0},
    **{"over_daily_budget": 0, "over_monthly_budget": 0, "server_time": "2026-11-20T08:30:00Z"},
}


@pytest.mark.parametrize(
    "mishap",
    [
        pytest.param(cuts, id="no answer"),
        pytest.param(cuts_midway, id="half an answer"),
        pytest.param(answers(503, BUSY), id="503"),
        pytest.param(answers(502, "<html>Bad gateway</html>"), id="a proxy's 502"),
        pytest.param(answers(504, ""), id="504"),
        pytest.param(answers(429, {"error": "Slow", "code": "rate_limited"}), id="429"),
        pytest.param(answers(200, "<html>Welcome</html>"), id="another server's 200"),
        pytest.param(answers(502, [1]), id="another server's JSON"),
    ],
)
def test_a_call_is_sent_again_with_the_same_event_id(mishap: Step) -> None:
    with scripted(mishap, mishap, answers(200, ADDED, Idempotent_Replayed="true")) as scene:
        server, client, time = scene
        assert client.add(7, "12.50").replayed
    assert len(server.requests) == 3
    assert len(set(server.bodies("event_id"))) == 1
    assert server.bodies("event_id")[0]
    # Half of 0.1 s, half of 0.2 s.
    assert time.slept == [0.05, 0.1]


def test_the_callers_own_event_id_is_the_one_that_is_sent() -> None:
    with scripted(cuts, ADMITTED) as (server, client, _):
        client.report(7, "12.50", event_id="mine")
    assert server.bodies("event_id") == ["mine", "mine"]


def test_a_server_that_is_too_slow_is_asked_again_with_the_same_event_id() -> None:
    def never(connection: object) -> bool:
        return True

    with scripted(never, ADMITTED) as (server, _, time):
        time.client(server.url, timeout=0.1).add(7, "12.50")
    assert len(set(server.bodies("event_id"))) == 1
    assert [request.connection for request in server.requests] == [1, 2]
    assert time.slept == [0.05]


def test_the_pause_is_what_the_server_asks_for_and_some_chance() -> None:
    at = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    asked = [answers(503, BUSY, Retry_After="2"), answers(503, BUSY, Retry_After=at)]
    with scripted(*asked, ADMITTED) as (_, client, time):
        client.add(7, "12.50")
    assert time.slept == [2.05, 0.1]


def test_the_bound_of_the_pause_doubles_up_to_five_seconds() -> None:
    with scripted(*[answers(503, BUSY)] * 9, ADMITTED) as (server, _, time):
        time.luck = 1.0
        time.client(server.url, deadline=60).add(7, "12.50")
    assert time.slept == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_after_the_deadline_the_caller_learns_the_event_id_to_try_again_with() -> None:
    with scripted(*[cuts] * 6, ADMITTED) as (server, _, time):
        client = time.client(server.url, deadline=1.0)
        with pytest.raises(OutcomeUnknown, match="may have been done") as caught:
            client.add(7, "12.50")
        assert isinstance(caught.value.__cause__, Unreachable)
        assert time.now < 1
        assert caught.value.event_id == server.bodies("event_id")[0]
        while len(server.requests) < 7:
            try:
                client.add(7, "12.50", event_id=caught.value.event_id)
            except OutcomeUnknown:
                continue
    assert set(server.bodies("event_id")) == {caught.value.event_id}


def test_too_many_requests_are_not_waited_for_beyond_the_deadline_and_did_nothing() -> None:
    told = answers(429, {"error": "Slow down", "code": "rate_limited"}, Retry_After="60")
    with (
        scripted(told) as (server, client, time),
        pytest.raises(RateLimited) as caught,
    ):
        client.add(7, "12.50")
    assert (caught.value.retry_after, time.slept) == (60, [])
    assert caught.value.event_id == server.bodies("event_id")[0]


def test_nobody_listening_means_that_nothing_was_done() -> None:
    server, time = Scripted(), Time()
    with pytest.raises(Unreachable) as caught:
        time.client(server.url, deadline=1.0).add(7, "12.50")
    server.stop()
    assert time.slept
    assert caught.value.event_id


def test_a_decision_is_final() -> None:
    told = {
        **{"error": "Spend would exceed budget limits", "code": "budget_exceeded"},
        **{"fields": {"amount": "too much"}, "request_id": "r-1", "budget": "brand_daily_budget"},
        "remaining": "1.50",
    }
    with (
        scripted(cuts, answers(400, told, Idempotent_Replayed="true")) as (_, client, _),
        pytest.raises(BudgetExceeded) as caught,
    ):
        client.add(7, "12.50", event_id="mine")
    refusal = caught.value
    assert (refusal.status, refusal.code, refusal.request_id) == (400, "budget_exceeded", "r-1")
    assert (refusal.fields, str(refusal.remaining)) == ({"amount": "too much"}, "1.50")
    assert refusal.details["budget"] == "brand_daily_budget"
    assert (refusal.replayed, refusal.event_id) == (True, "mine")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_answer_that_says_nothing_of_the_event_id_leaves_a_lost_one_in_doubt(
    status: int,
) -> None:
    with (
        scripted(cuts, answers(status, {"error": "No", "code": "no"})) as (server, client, _),
        pytest.raises(OutcomeUnknown) as caught,
    ):
        client.add(7, "12.50")
    assert len(server.requests) == 2
    assert isinstance(caught.value.__cause__, Refused)


def test_a_key_that_may_not_spend_has_surely_not_spent() -> None:
    with (
        scripted(answers(403, {"error": "No", "code": "scope_missing"})) as (_, client, time),
        pytest.raises(NotAllowed),
    ):
        client.add(7, "12.50")
    assert time.slept == []


def test_what_has_no_event_id_is_sent_again_only_while_it_surely_was_not_done() -> None:
    slow_down = answers(429, {"error": "Slow down", "code": "rate_limited"})
    with scripted(slow_down, cuts, cuts, answers(200, BRAND)) as (server, client, _):
        with pytest.raises(OutcomeUnknown) as caught:
            client.create_brand("X", daily_budget="5", monthly_budget=None)
        assert caught.value.event_id == ""
        assert len(server.requests) == 2
        with pytest.raises(OutcomeUnknown):
            client.edit_brand(3, name="Y")
        assert len(server.requests) == 3


def test_a_brand_is_created_once_the_server_is_there() -> None:
    server = Scripted(answers(201, BRAND))
    time = Time()
    client = time.client(server.url)
    client._sleep = lambda _: server.start()
    assert client.create_brand("X", daily_budget="5", monthly_budget=None).version == 8
    server.stop()
    assert len(server.requests) == 1


def test_an_edit_with_the_version_is_sent_again_and_may_meet_itself() -> None:
    changed = answers(412, {"error": "Changed", "code": "changed_meanwhile"})
    with scripted(cuts, changed, changed) as (server, client, _):
        with pytest.raises(ChangedMeanwhile) as caught:
            client.edit_brand(3, if_match=7, name="Y")
        assert caught.value.maybe_ours
        with pytest.raises(ChangedMeanwhile) as caught:
            client.edit_brand(3, if_match=7, name="Y")
        assert not caught.value.maybe_ours
    assert {request.headers["If-Match"] for request in server.requests} == {'"7"'}


def test_a_kept_connection_that_the_server_closed_costs_no_pause() -> None:
    with scripted(then_closes(ADMITTED), ADMITTED, ADMITTED) as (server, client, time):
        for _ in range(3):
            client.add(7, "12.50")
    assert [request.connection for request in server.requests] == [1, 2, 2]
    assert sum(time.slept) == 0


def test_what_may_not_be_sent_twice_never_travels_on_a_kept_connection() -> None:
    closing = then_closes(ADMITTED)
    with scripted(closing, answers(201, BRAND), answers(201, BRAND)) as (server, client, _):
        client.add(7, "12.50")
        client.create_brand("X", daily_budget="5", monthly_budget=None)
        client.create_brand("X", daily_budget="5", monthly_budget=None)
    assert [request.connection for request in server.requests] == [1, 2, 3]
    assert len(client._idle) == 1


def test_a_forked_process_leaves_its_parents_connections_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted(*[ADMITTED] * 3) as (server, client, _):
        client.add(7, "12.50")
        client.close()
        client.add(7, "12.50")
        parent = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: parent + 1)
        client.add(7, "12.50")
    assert [request.connection for request in server.requests] == [1, 2, 3]


def test_reading_is_tried_again_and_says_in_the_end_what_was_wrong() -> None:
    away = answers(503, BUSY)
    with scripted(cuts, away, answers(200, STATUS), *[away] * 9) as (server, _, time):
        client = time.client(server.url, deadline=1.0)
        assert client.status().server_time == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
        with pytest.raises(Unavailable, match="Busy"):
            client.status()


def test_a_batch_is_sent_again_whole_with_the_same_event_ids() -> None:
    results = [
        {"index": 0, "status": "admitted", **ADDED},
        {"index": 1, "status": "failed", **BUSY},
        {"index": 2, "status": "replayed", "error": "No", "code": "campaign_not_found"},
    ]
    entries = [Entry("add", "1.00", 7), Entry("report", "2.00", 7, occurred_at=None)]
    entries.append(Entry("refund", "1.00", spend_log_id=4))
    with scripted(cuts, answers(200, {"results": results})) as (server, client, _):
        added, failed, missing = client.batch(entries)
    first, second = (request.body for request in server.requests)
    assert first == second
    assert first is not None
    assert [set(entry) for entry in first["entries"]] == [
        {"kind", "campaign_id", "amount", "event_id"},
        {"kind", "campaign_id", "amount", "event_id"},
        {"kind", "spend_log_id", "amount", "event_id"},
    ]
    assert not isinstance(added, Refused)
    assert isinstance(failed, Unavailable)
    assert isinstance(missing, Refused)
    assert (failed.event_id, missing.replayed) == (entries[1].event_id, True)


def test_more_entries_than_one_request_takes_are_sent_in_several() -> None:
    parts = [
        answers(
            200, {"results": [{"index": n, "status": "admitted", **ADDED} for n in range(size)]}
        )
        for size in (1_000, 1)
    ]
    with scripted(*parts) as (server, client, _):
        assert len(client.batch(Entry("add", "1.00", 7) for _ in range(1_001))) == 1_001
    assert [len(entries) for entries in server.bodies("entries")] == [1_000, 1]
