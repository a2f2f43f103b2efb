"""Lists: orders, cursors that are opaque, filters that narrow each other, answers to pollers."""

import pytest

from core.rules.ordering import KeyKind, Ordering, format_cursor
from core.tests.views.api import Answer, Api, Clock, Json, make_token, report_at

LISTS = {
    "/api/brands/": "brands",
    "/api/campaigns/": "campaigns",
    "/api/spend/logs/": "spend_logs",
}
STATUS = "/api/status/"


def names(api: Api, path: str, **query: object) -> list[str]:
    return [row["name"] for row in api.get(path, **query).value()[LISTS[path]]]


def walk(api: Api, path: str, **query: object) -> list[Json]:
    """The rows of all pages."""
    rows: list[Json] = []
    cursor: dict[str, object] = {}
    while True:
        page = api.get(path, **query, **cursor).value()
        rows += page[LISTS[path]]
        if page["next"] is None:
            return rows
        cursor = {"cursor": page["next"]}


@pytest.fixture
def shelf(api: Api, clock: Clock) -> Json:
    """A brand with campaigns that began and stopped at different times."""
    brand = api.create_brand("zeta")
    for name, second in (("b", 0), ("A", 1), ("ä", 2), ("B", 3), ("a", 3)):
        clock.move_to(f"2024-01-15T10:30:0{second}Z")
        api.create_campaign(brand, name)
    return brand


# --- Order ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id", "bAäBa"),
        ("-id", "aBäAb"),
        ("name", "ABabä"),
        ("-name", "äbaBA"),
        ("status_since", "bAäBa"),
        ("-status_since", "aBäAb"),
    ],
)
def test_campaigns_come_in_the_order_asked_for_through_all_pages(
    api: Api, shelf: Json, order: str, expected: str
) -> None:
    """C30."""
    path = "/api/campaigns/"
    assert "".join(names(api, path, order_by=order)) == expected
    for limit in (1, 2, 4, 5):
        rows = walk(api, path, order_by=order, limit=limit)
        assert "".join(row["name"] for row in rows) == expected


@pytest.mark.parametrize(
    ("order", "expected"), [("id", "bAä"), ("-id", "äAb"), ("name", "Abä"), ("-name", "äbA")]
)
def test_brands_come_in_the_order_asked_for(api: Api, order: str, expected: str) -> None:
    for name in "bAä":
        api.create_brand(name)
    assert "".join(names(api, "/api/brands/", order_by=order)) == expected
    rows = walk(api, "/api/brands/", order_by=order, limit=1)
    assert "".join(row["name"] for row in rows) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("-id", ["3.00", "2.00", "1.00", "4.00"]),
        ("occurred_at", ["2.00", "4.00", "3.00", "1.00"]),
        ("-occurred_at", ["1.00", "3.00", "4.00", "2.00"]),
    ],
)
def test_the_log_comes_as_it_was_recorded_or_as_it_occurred(
    api: Api, campaign: Json, order: str, expected: list[str]
) -> None:
    for amount, at in (
        ("4.00", "2024-01-14T00:00:00Z"),
        ("1.00", "2024-01-15T10:00:00.5Z"),
        ("2.00", "2024-01-13T00:00:00Z"),
        ("3.00", "2024-01-14T00:00:00Z"),
    ):
        report_at(campaign, amount, at)
    path = "/api/spend/logs/"
    for limit in (1, 3, 4):
        rows = walk(api, path, order_by=order, limit=limit)
        assert [row["amount"] for row in rows] == expected


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/api/brands/", "known: id, -id, name, -name"),
        ("/api/campaigns/", "known: id, -id, name, -name, status_since, -status_since"),
        ("/api/spend/logs/", "known: -id, occurred_at, -occurred_at"),
    ],
)
@pytest.mark.parametrize(
    "order", ["", "Name", "+id", "--id", "name,id", "pk", "id ", "\0", "x" * 99]
)
def test_an_order_that_a_list_has_not_is_refused_with_those_it_has(
    api: Api, path: str, known: str, order: str
) -> None:
    """C28."""
    error = api.get(path, order_by=order).error(400, "invalid_input")
    assert error["fields"]["order_by"].startswith(f"'{order[:50]}' is not an order")
    assert error["fields"]["order_by"].endswith(known)
    assert list(error["fields"]) == ["order_by"]


# --- Cursors -------------------------------------------------------------------------------

CURSORS = {
    "empty": "",
    "a number": "7",
    "a word": "next",
    "a NUL": "\0",
    "not ASCII": "é東🙂",
    "a space": " ",
    "a page's address": "https://example.com/?cursor=a",
    "JSON": '["brands","id",1]',
    "padding": "====",
    "base64 of nothing": "AAAAAA",
    "huge": "A" * 100_000,
    "huge and not ASCII": "é" * 20_000,
    "an id out of range": format_cursor("brands", Ordering("id", KeyKind.ID), (2**63,)),
    "an id far out of range": format_cursor("brands", Ordering("id", KeyKind.ID), (10**400,)),
    "no id": format_cursor("brands", Ordering("id", KeyKind.ID), (0,)),
    "a text for an id": format_cursor("brands", Ordering("id", KeyKind.ID), ("1",)),
    "another list": format_cursor("holds", Ordering("id", KeyKind.ID), (1,)),
}


@pytest.mark.parametrize("cursor", CURSORS.values(), ids=list(CURSORS))
@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_page_gave_is_refused_with_what_to_do(
    api: Api, path: str, cursor: str
) -> None:
    """C28, C30."""
    error = api.get(path, cursor=cursor).error(400, "invalid_input")
    assert list(error["fields"]) == ["cursor"]
    assert "send `next` as it came" in error["fields"]["cursor"]


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("name", ("a\0", 1)),
        ("name", (1, 1)),
        ("name", (None, 1)),
        ("-status_since", ("2024-01-15T10:30:00", 1)),
        ("-status_since", ("9999-12-31T23:59:59Z", 1)),
        ("-status_since", (0, 1)),
    ],
)
def test_a_cursor_with_a_key_that_no_row_has_is_refused(
    api: Api, order: str, key: tuple[object, ...]
) -> None:
    cursor = format_cursor("campaigns", Ordering(order, KeyKind.TEXT), key)
    error = api.get("/api/campaigns/", order_by=order, cursor=cursor).error(400, "invalid_input")
    assert list(error["fields"]) == ["cursor"]


def test_a_cursor_of_another_order_is_refused_with_what_to_do(api: Api, shelf: Json) -> None:
    cursor = api.get("/api/campaigns/", order_by="name", limit=1).value()["next"]
    for other in ({}, {"order_by": "-name"}, {"order_by": "status_since"}):
        error = api.get("/api/campaigns/", cursor=cursor, **other).error(400, "invalid_input")
        assert "send the same order_by" in error["fields"]["cursor"]


def test_a_cursor_of_another_list_is_refused(api: Api, shelf: Json) -> None:
    cursor = api.get("/api/campaigns/", limit=1).value()["next"]
    api.get("/api/brands/", cursor=cursor).error(400, "invalid_input")


def test_a_cursor_shows_no_more_than_the_key_may_see(api: Api, shelf: Json) -> None:
    """C29."""
    cursor = api.get("/api/campaigns/", limit=1).value()["next"]
    limited = Api(make_token(brand=api.create_brand("other")))
    assert limited.get("/api/campaigns/", cursor=cursor).value() == {"campaigns": [], "next": None}


def test_a_cursor_goes_on_after_its_row_is_gone(api: Api, shelf: Json) -> None:
    first = api.get("/api/campaigns/", order_by="name", limit=2).value()
    api.delete(f"/api/campaigns/{first['campaigns'][-1]['id']}/")
    rest = api.get("/api/campaigns/", order_by="name", cursor=first["next"]).value()
    assert [row["name"] for row in rest["campaigns"]] == ["a", "b", "ä"]


# --- Filters -------------------------------------------------------------------------------


def test_brands_are_searched_and_chosen_by_their_switch(api: Api) -> None:
    api.create_brand("Café Nord")
    api.create_brand("CAFÉ Süd", is_enabled=False)
    api.create_brand("100%")
    for query, expected in (
        ({"search": "café"}, ["Café Nord", "CAFÉ Süd"]),
        ({"search": "SÜD"}, ["CAFÉ Süd"]),
        ({"search": "%"}, ["100%"]),
        ({"search": ""}, ["Café Nord", "CAFÉ Süd", "100%"]),
        ({"is_enabled": "false"}, ["CAFÉ Süd"]),
        ({"is_enabled": "true", "search": "caf"}, ["Café Nord"]),
        ({"is_enabled": "false", "search": "nord"}, []),
    ):
        assert names(api, "/api/brands/", **query) == expected, query


def test_campaigns_are_chosen_by_the_persons_switch_and_by_the_systems(
    api: Api, shelf: Json
) -> None:
    """C15."""
    api.create_campaign(shelf, "off", is_enabled=False)
    api.create_campaign(shelf, "broke", own_daily_budget="0")
    path = "/api/campaigns/"
    assert names(api, path, is_enabled="false") == ["off"]
    assert names(api, path, is_enabled="true", is_active="false") == ["broke"]
    assert names(api, path, is_enabled="true", search="b", order_by="name") == ["B", "b", "broke"]
    assert names(api, path, is_enabled="false", is_active="true") == []


def test_entries_are_chosen_by_kind_event_id_and_whether_they_went_over_budget(
    api: Api, campaign: Json
) -> None:
    """C19, C21."""
    api.add(campaign, "1.00", event_id="a").value()
    api.report(campaign, "2.00", event_id="A").value()
    api.report(campaign, "1200.00", event_id="over").value()
    for query, expected in (
        ({"kind": "add"}, ["1.00"]),
        ({"kind": "report"}, ["1200.00", "2.00"]),
        ({"kind": "capture"}, []),
        ({"event_id": "a"}, ["1.00"]),
        ({"event_id": "A", "kind": "report"}, ["2.00"]),
        ({"event_id": "A", "kind": "add"}, []),
        ({"over_budget": "true"}, ["1200.00"]),
        ({"over_budget": "false"}, ["2.00", "1.00"]),
        ({"over_budget": "false", "kind": "report", "campaign_id": campaign["id"]}, ["2.00"]),
        ({"over_budget": "true", "date": "2024-01-14"}, []),
    ):
        rows = walk(api, "/api/spend/logs/", limit=1, **query)
        assert [row["amount"] for row in rows] == expected, query


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/api/brands/", "is_enabled=maybe", "is_enabled"),
        ("/api/brands/", "search=%00", "search"),
        ("/api/brands/", "is_active=true", "is_active"),
        ("/api/brands/", "order_by=id&order_by=id", "order_by"),
        ("/api/campaigns/", "is_enabled=", "is_enabled"),
        ("/api/spend/logs/", "kind=gift", "kind"),
        ("/api/spend/logs/", "event_id=", "event_id"),
        ("/api/spend/logs/", "event_id=%00", "event_id"),
        ("/api/spend/logs/", "over_budget=2", "over_budget"),
        ("/api/spend/logs/", "is_over_budget=true", "is_over_budget"),
        ("/api/spend/logs/", "cursor=a&cursor=b", "cursor"),
    ],
)
def test_a_filter_that_is_unknown_or_unreadable_is_named(
    api: Api, path: str, query: str, field: str
) -> None:
    """C28."""
    error = api.get(f"{path}?{query}").error(400, "invalid_input")
    assert list(error["fields"]) == [field]


# --- Answers to pollers ----------------------------------------------------------------------

POLLED = [*LISTS, STATUS]


def poll(path: str, tags: str, **query: object) -> Answer:
    return Api(make_token(), **{"If-None-Match": tags}).get(path, **query)


@pytest.mark.parametrize("path", POLLED)
def test_a_caller_who_has_the_answer_gets_304_without_it(
    api: Api, campaign: Json, path: str
) -> None:
    first = api.get(path)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    for tags in (tag, tag.removeprefix("W/"), f'"other", {tag}', f'{tag},W/"x"', "*", " * "):
        again = poll(path, tags)
        assert (again.status, again.content) == (304, b""), tags
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == "private, no-cache"
        assert "Content-Type" not in again.headers


@pytest.mark.parametrize("path", POLLED)
@pytest.mark.parametrize("tags", ["", '"other"', 'W/"other"', "x", '"', "**", ",,", '"\xe9"'])
def test_a_caller_who_has_something_else_gets_the_answer(
    api: Api, campaign: Json, path: str, tags: str
) -> None:
    answer = poll(path, tags)
    assert answer.value() == api.get(path).value()


@pytest.mark.parametrize("path", POLLED)
def test_a_change_makes_another_tag(api: Api, campaign: Json, path: str) -> None:
    tag = api.get(path).headers["ETag"]
    other = api.create_brand("another")
    api.create_campaign(other)
    api.add(campaign, "1.00").value()
    changed = poll(path, tag)
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


def test_each_page_order_and_filter_has_a_tag_of_what_it_shows(api: Api, shelf: Json) -> None:
    tags = {
        api.get("/api/campaigns/", **query).headers["ETag"]
        for query in ({}, {"limit": 1}, {"order_by": "name"}, {"search": "a"}, {"search": "none"})
    }
    assert len(tags) == 5


def test_the_time_that_passes_is_no_news_of_the_status(api: Api, clock: Clock) -> None:
    first = api.get(STATUS)
    clock.advance(seconds=61)
    second = api.get(STATUS)
    assert first.json["server_time"] != second.json["server_time"]
    assert first.headers["ETag"] == second.headers["ETag"]
    assert poll(STATUS, first.headers["ETag"]).status == 304


@pytest.mark.parametrize("path", POLLED)
def test_errors_have_no_tag_and_are_never_304(api: Api, path: str) -> None:
    """C28."""
    for headers in ({}, {"If-None-Match": "*"}):
        for answer in (
            Api(make_token(), **headers).get(path, colour="red"),
            Api("unknown", **headers).get(path),
        ):
            assert answer.status in (400, 401)
            assert "ETag" not in answer.headers
            assert "Cache-Control" not in answer.headers
