"""A batch is answered entry by entry, exactly as if its entries were sent one by one (C23)."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import OperationalError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.actions import spend, spend_sessions
from core.models import Brand, SpendLog
from core.models.sql import Reading
from core.queries.locks import lock_brand, lock_free_brands
from core.tests.builders import undone
from core.tests.depth import examples
from core.tests.views.api import Answer, Api, Json, make_token
from core.tests.views.tables import all_rows

BATCH = "/api/spend/batch/"
NEW_BRAND = "Brand Y"


def entry(kind: str, campaign: Json, amount: object, **more: object) -> Json:
    return {"kind": kind, "campaign_id": campaign["id"], "amount": amount, **more}


def results_of(answer: Answer) -> list[Json]:
    results: list[Json] = answer.value()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return results


def send(api: Api, *entries: object) -> list[Json]:
    return results_of(api.post(BATCH, {"entries": list(entries)}))


def test_each_entry_gets_the_answer_of_its_single_call_in_order(api: Api, campaign: Json) -> None:
    logged = api.add(campaign, "10.00").value()["spend_log_id"]
    results = send(
        api,
        entry("add", campaign, "1.00", event_id="a"),
        entry("report", campaign, "2000.00", occurred_at="2024-01-15T09:00:00Z"),
        {"kind": "refund", "spend_log_id": logged, "amount": "4.00", "reason": "fraud"},
        entry("add", campaign, "1.00", event_id="a"),
        entry("add", campaign, "1.00"),
    )
    statuses = ["admitted", "admitted", "admitted", "replayed", "refused"]
    assert [result["status"] for result in results] == statuses
    assert results[1]["over_budget"] == "1011.00"
    assert (results[2]["refund_of"], results[2]["refundable"]) == (logged, "6.00")
    assert {**results[3], "index": 0, "status": "admitted"} == results[0]
    assert results[4]["code"] == "campaign_not_active"
    assert results[4]["reasons"][0]["spent"] == "2007.00"
    assert results[4]["error"] == "Campaign is not active"


def test_a_bad_entry_is_named_and_spoils_no_other(api: Api, campaign: Json) -> None:
    good = entry("add", campaign, "1.00", event_id="a")
    bad: list[tuple[object, str, set[str]]] = [
        (None, "invalid_input", {"kind"}),
        ([], "invalid_input", {"kind"}),
        ("add", "invalid_input", {"kind"}),
        ({}, "invalid_input", {"kind"}),
        ({**good, "kind": None}, "invalid_input", {"kind"}),
        ({**good, "kind": ["add"]}, "invalid_input", {"kind"}),
        ({**good, "kind": "capture"}, "invalid_input", {"kind"}),
        ({"kind": "add"}, "invalid_input", {"campaign_id", "amount"}),
        ({**good, "amount": "1.0000001"}, "invalid_input", {"amount"}),
        ({**good, "amount": 0}, "invalid_input", {"amount"}),
        ({**good, "surprise": 1}, "invalid_input", {"surprise"}),
        ({**good, "occurred_at": "2024-01-15T09:00:00Z"}, "invalid_input", {"occurred_at"}),
        ({**good, "currency": "EUR", "event_id": "e"}, "invalid_input", {"currency"}),
        ({**good, "campaign_id": 999_999}, "campaign_not_found", {"campaign_id"}),
        ({"kind": "refund", "amount": "1"}, "invalid_input", {"spend_log_id"}),
        (
            {"kind": "refund", "amount": "1", "spend_log_id": 999_999},
            "spend_log_not_found",
            {"spend_log_id"},
        ),
        ({**good, "amount": "2.00"}, "event_id_reused", {"event_id"}),
    ]
    last = entry("add", campaign, "1.00")
    results = send(api, good, *(each for each, _, _ in bad), last)
    assert [results[0]["status"], results[-1]["status"]] == ["admitted", "admitted"]
    for (body, code, fields), result in zip(bad, results[1:-1], strict=True):
        assert (result["status"], result["code"]) == ("invalid", code), body
        assert set(result["fields"]) == fields, body
        assert result["error"]
    assert SpendLog.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entries": []},
        {"entries": {}},
        {"entries": None},
        {"entries": "add"},
        {"entries": [{}] * 1_001},
        {"entries": [{}], "surprise": 1},
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_what_is_no_batch_is_refused_as_a_whole(api: Api, body: Json) -> None:
    before = all_rows()
    refusal = api.post(BATCH, body).error(400, "invalid_input")
    assert set(refusal["fields"]) <= {"entries", "surprise"}
    assert all_rows() == before


def test_a_thousand_entries_are_taken(api: Api, campaign: Json) -> None:
    one = entry("add", campaign, "0.01")
    results = send(api, *({**one, "event_id": f"event {number}"} for number in range(1_000)))
    assert {result["status"] for result in results} == {"admitted"}
    assert results[-1]["new_daily_spend"] == "10.00"


def test_a_batch_may_have_a_mebibyte_and_not_one_byte_more(api: Api, campaign: Json) -> None:
    body = json.dumps({"entries": [entry("add", campaign, "1.00")]}).encode()
    before = all_rows()
    too_large = api.send("POST", BATCH, body.ljust(1_048_577))
    too_large.error(413, "body_too_large")
    assert all_rows() == before
    results_of(api.send("POST", BATCH, body.ljust(1_048_576)))


@pytest.mark.parametrize("path", ["/api/spend/add/", "/api/brands/create/"])
def test_other_calls_still_take_64_kib(api: Api, path: str) -> None:
    api.send("POST", path, b"{}".ljust(65_537)).error(413, "body_too_large")


def test_a_whole_batch_can_be_sent_again(api: Api, campaign: Json) -> None:
    entries = [entry("add", campaign, "400.00", event_id=f"e-{number}") for number in range(4)]
    first = send(api, *entries)
    assert [result["status"] for result in first] == ["admitted", "admitted", "refused", "refused"]
    before = all_rows()
    again = send(api, *entries)
    assert [result.pop("status") for result in again] == ["replayed"] * 4
    assert again == [{k: v for k, v in result.items() if k != "status"} for result in first]
    assert all_rows() == before


def test_a_key_for_the_whole_batch_is_refused_with_what_to_do(api: Api, campaign: Json) -> None:
    named = Api(make_token(), **{"Idempotency-Key": "batch-1"})
    refusal = named.post(BATCH, {"entries": [entry("add", campaign, "1.00")]})
    problem = refusal.error(400, "invalid_input")["fields"]["Idempotency-Key"]
    assert "event_id" in problem
    assert not SpendLog.objects.exists()


# --- When the database goes away half-way (C27) ------------------------------------------------


@pytest.fixture
def four(api: Api, campaign: Json) -> list[Json]:
    """A campaign each of four brands."""
    names = (NEW_BRAND, "Brand Z", "Brand Ä")
    return [campaign, *(api.create_campaign(api.create_brand(name)) for name in names)]


def when_locking(
    patch: pytest.MonkeyPatch, brand_id: int, error: Exception, *, is_held: bool = False
) -> None:
    """Let this error come of locking the brand; or only of waiting for it, since it `is_held`."""

    def lock_one(wanted: int, along: Reading) -> Brand:
        if wanted == brand_id:
            raise error
        return lock_brand(wanted, along)

    def lock_free(wanted: Collection[int], along: Reading) -> list[Brand]:
        if brand_id in wanted and not is_held:
            raise error
        return [brand for brand in lock_free_brands(wanted, along) if brand.pk != brand_id]

    patch.setattr(spend_sessions, "lock_brand", lock_one)
    patch.setattr(spend_sessions, "lock_free_brands", lock_free)


def test_what_was_committed_is_told_and_what_was_not_can_be_tried_again(
    api: Api, four: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry("add", each, "1.00", event_id=f"e-{each['id']}") for each in four]
    gone = OperationalError("canceling statement due to lock timeout")
    with monkeypatch.context() as patch:
        when_locking(patch, four[1]["brand_id"], gone, is_held=True)
        half = api.post(BATCH, {"entries": entries})
        statuses = [result["status"] for result in results_of(half)]
        # The others didn't even wait for it.
        assert statuses == ["admitted", "failed", "admitted", "admitted"]
        assert results_of(half)[1]["code"] == "database_unavailable"
        assert half.headers["Retry-After"]
    assert [result["status"] for result in send(api, *entries)] == [
        "replayed",
        "admitted",
        "replayed",
        "replayed",
    ]
    assert SpendLog.objects.count() == 4


@pytest.mark.parametrize("at_once", [1, 2])
def test_what_comes_after_the_database_went_away_is_not_tried(
    api: Api, four: list[Json], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    entries = [entry("add", each, "1.00") for each in four]
    gone = OperationalError("server closed the connection unexpectedly")
    monkeypatch.setattr(spend, "MOST_BRANDS", at_once)
    when_locking(monkeypatch, four[2]["brand_id"], gone)
    statuses = [result["status"] for result in send(api, *entries)]
    assert statuses == ["admitted", "admitted", "failed", "failed"]


def test_an_outage_before_anything_is_committed_is_no_answer_but_an_outage(
    api: Api, four: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry("add", each, "1.00") for each in four]
    gone = OperationalError("server closed the connection unexpectedly")
    when_locking(monkeypatch, four[1]["brand_id"], gone)
    api.post(BATCH, {"entries": entries}).error(503, "database_unavailable")
    api.post(BATCH, {"entries": entries[1:2]}).error(503, "database_unavailable")
    assert not SpendLog.objects.exists()


def test_a_bug_in_one_brand_leaves_the_others_decided_and_can_be_tried_again(
    api: Api, four: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry("add", each, "1.00") for each in four]
    when_locking(monkeypatch, four[1]["brand_id"], RuntimeError("nobody expected this"))
    decided = api.post(BATCH, {"entries": entries})
    statuses = [result["status"] for result in results_of(decided)]
    assert statuses == ["admitted", "failed", "admitted", "admitted"]
    # Nothing is committed before it: nothing was decided at all.
    api.post(BATCH, {"entries": entries[1:]}).error(500, "server_error")
    assert SpendLog.objects.count() == 3


# --- Against one by one ------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Brands with two campaigns each, and an entry of the log for each campaign."""

    campaigns: list[Json]
    logged: list[int]


def make_world(api: Api) -> World:
    campaigns = [
        api.create_campaign(brand, name, **settings)
        for brand in (
            api.create_brand("Tight", daily_budget="6.00", monthly_budget="8.00"),
            api.create_brand("Loose"),
            api.create_brand("Third", monthly_budget="5.00"),
        )
        for name, settings in (("plain", {}), ("capped", {"own_lifetime_budget": "3.00"}))
    ]
    logged = [api.add(each, "0.50").value()["spend_log_id"] for each in campaigns]
    return World(campaigns, logged)


def entry_of(world: World, drawn: tuple[Any, ...]) -> Json:
    kind, place, amount, event_id, more = drawn
    campaign = world.campaigns[place]
    body: Json = {"kind": kind, "amount": amount}
    body |= (
        {"spend_log_id": world.logged[place]}
        if kind == "refund"
        else {"campaign_id": campaign["id"], **more}
    )
    return body | ({"event_id": event_id} if event_id else {})


entries = st.tuples(
    st.sampled_from(["add", "add", "report", "refund"]),
    st.integers(0, 5),
    st.sampled_from(["0.25", "1.00", "2.00", 3, "0.0000001", None]),
    st.sampled_from(["", "", "a", "b", "c"]),
    st.sampled_from(
        [{}, {}, {}, {"currency": "EUR"}, {"occurred_at": "2024-01-14T09:00:00Z"}, {"x": 1}]
    ),
)


def plain(document: Json, names: dict[int, int]) -> Json:
    """The document without what tells the calls apart; new entries named by their order."""
    kept = {k: v for k, v in document.items() if k not in ("index", "status", "request_id")}
    if "spend_log_id" in kept:
        kept["spend_log_id"] = names.setdefault(kept["spend_log_id"], len(names))
    return kept


def status_of(answer: Answer) -> str:
    if answer.headers.get("Idempotent-Replayed"):
        return "replayed"
    if answer.status == 200:
        return "admitted"
    decided = {"campaign_not_active", "budget_exceeded", "refund_above_entry"}
    return "refused" if answer.json["code"] in decided else "invalid"


def test_random_batches_are_answered_as_their_entries_one_by_one(api: Api) -> None:
    world = make_world(api)
    seen: set[str] = set()

    @settings(max_examples=examples(60, deep=300))
    @given(st.lists(entries, min_size=2, max_size=10))
    @example([("add", 0, "0.25", "a", {}), ("add", 0, "0.25", "a", {})])
    def compare(drawn: list[tuple[Any, ...]]) -> None:
        sequence = [entry_of(world, each) for each in drawn]
        with undone():
            singles = [
                api.post(
                    f"/api/spend/{each['kind']}/", {k: v for k, v in each.items() if k != "kind"}
                )
                for each in sequence
            ]
            names: dict[int, int] = {}
            one_by_one = [(status_of(each), plain(each.json, names)) for each in singles]
        with undone():
            names = {}
            together = [(each["status"], plain(each, names)) for each in send(api, *sequence)]
        assert together == one_by_one
        seen.update(status for status, _ in together)

    compare()
    assert seen == {"admitted", "refused", "replayed", "invalid"}
