"""Nobody overwrites what somebody else changed: `ETag` on documents, `If-Match` on edits (C6)."""

import json
from collections.abc import Callable

import pytest

from core.tests.views.api import Answer, Api, Clock, Json, make_token
from core.tests.views.tables import all_rows

KINDS = ("brands", "campaigns")


@pytest.fixture
def documents(brand: Json, campaign: Json) -> dict[str, Json]:
    return {"brands": brand, "campaigns": campaign}


def path_of(kind: str, document: Json) -> str:
    return f"/api/{kind}/{document['id']}/"


def holding(tag: str) -> Api:
    """A caller who sends this `If-Match`."""
    return Api(make_token(), **{"If-Match": tag})


@pytest.mark.parametrize("kind", KINDS)
def test_each_edit_counts_one_up_and_every_single_document_carries_its_tag(
    api: Api, kind: str, documents: dict[str, Json]
) -> None:
    path = path_of(kind, documents[kind])
    answers = [
        api.get(path),
        api.patch(path, {"name": "B"}),
        api.patch(path, {"name": "B"}),
        api.patch(path, {"name": "C", "is_enabled": False}),
        api.get(path),
    ]
    assert [(answer.value()["version"], answer.headers["ETag"]) for answer in answers] == [
        (1, '"1"'),
        (2, '"2"'),
        (2, '"2"'),
        (3, '"3"'),
        (3, '"3"'),
    ]


def test_creating_pausing_and_resuming_answer_the_tag_too(api: Api, brand: Json) -> None:
    body = {"name": "New", "daily_budget": None, "monthly_budget": None}
    assert api.post("/api/brands/create/", body).headers["ETag"] == '"1"'
    answer = api.post("/api/campaigns/create/", {"name": "New", "brand_id": brand["id"]})
    assert answer.headers["ETag"] == '"1"'
    tags = [
        api.post(f"/api/campaigns/{answer.value(201)['id']}/{deed}/").headers["ETag"]
        for deed in ("pause", "pause", "resume")
    ]
    assert tags == ['"2"', '"2"', '"3"']


def test_spend_moves_a_document_but_not_its_version(api: Api, clock: Clock, campaign: Json) -> None:
    tag = api.get(path_of("campaigns", campaign)).headers["ETag"]
    api.report(campaign, "1000.00").value()
    answer = api.get(path_of("campaigns", campaign))
    assert (answer.headers["ETag"], answer.value()["is_active"]) == (tag, False)
    # Or a caller would go on believing that nothing was spent.
    polling = Api(make_token(), **{"If-None-Match": tag})
    assert polling.get(path_of("campaigns", campaign)).value()["daily_spend"] == "1000.00"


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_of_two_editors_who_read_the_same_is_refused_and_writes_nothing(
    api: Api, kind: str, documents: dict[str, Json]
) -> None:
    path = path_of(kind, documents[kind])
    tag = api.get(path).headers["ETag"]
    assert holding(tag).patch(path, {"name": "First"}).value()["name"] == "First"
    before = all_rows()
    error = holding(tag).patch(path, {"name": "Second"}).error(412, "changed_meanwhile")
    assert error["error"] == "Somebody changed this after you read it; read it again and retry"
    assert all_rows() == before
    new_tag = api.get(path).headers["ETag"]
    assert holding(new_tag).patch(path, {"name": "Second"}).value()["name"] == "Second"


STALE: dict[str, Callable[[Api, Json], Answer]] = {
    "pause": lambda api, c: api.post(f"/api/campaigns/{c['id']}/pause/"),
    "resume": lambda api, c: api.post(f"/api/campaigns/{c['id']}/resume/"),
    "archive a campaign": lambda api, c: api.delete(f"/api/campaigns/{c['id']}/"),
    "archive a brand": lambda api, c: api.delete(f"/api/brands/{c['brand_id']}/"),
}


@pytest.mark.parametrize("deed", STALE)
def test_other_changes_ask_for_the_version_too(api: Api, campaign: Json, deed: str) -> None:
    for kind, row_id in (("brands", campaign["brand_id"]), ("campaigns", campaign["id"])):
        api.patch(f"/api/{kind}/{row_id}/", {"name": "Theirs"}).value()
    before = all_rows()
    STALE[deed](holding('"1"'), campaign).error(412, "changed_meanwhile")
    assert all_rows() == before
    assert STALE[deed](holding('"2"'), campaign).status in (200, 204)


@pytest.mark.parametrize(
    "tag", ["*", " * ", '"1"', '"7", "1"', ', "1" ,', 'W/"1", "1"', '"x","1"', '""  ,\t"1"']
)
def test_tags_that_match(api: Api, brand: Json, tag: str) -> None:
    assert holding(tag).patch(path_of("brands", brand), {"name": "New"}).status == 200


@pytest.mark.parametrize(
    "tag", ['"2"', 'W/"1"', '"01"', '"+1"', '" "', '""', '"1.0"', '"*"', '"99999999999"', '"x"']
)
def test_tags_that_never_match(api: Api, brand: Json, tag: str) -> None:
    """RFC 9110: compared strongly, character by character."""
    if '" "' in tag:
        # A space is no character of a tag.
        holding(tag).patch(path_of("brands", brand), {}).error(400, "invalid_input")
        return
    answer = holding(tag).patch(path_of("brands", brand), {"name": "New"})
    answer.error(412, "changed_meanwhile")


@pytest.mark.parametrize("tag", ["", "1", "'1'", '"1', '1"', '"1" "2"', 'w/"1"', '*, "1"', "W/1"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_malformed_if_match_is_refused_by_name(
    kind: str, tag: str, documents: dict[str, Json]
) -> None:
    before = all_rows()
    answer = holding(tag).patch(path_of(kind, documents[kind]), {"name": "New"})
    assert list(answer.error(400, "invalid_input")["fields"]) == ["If-Match"]
    assert all_rows() == before


@pytest.mark.parametrize("tag", ["*", '"1"', '"2"'])
def test_what_is_not_there_is_not_found_whatever_is_asked_for(
    api: Api, brand: Json, tag: str
) -> None:
    """C29: nor does a version tell a key of another brand that something is there."""
    elsewhere = make_token(brand=api.create_brand("Brand Y"))
    hidden = Api(elsewhere, **{"If-Match": tag})
    for path in (path_of("brands", brand), "/api/brands/999999/"):
        hidden.patch(path, {"name": "New"}).error(404, "brand_not_found")


def test_a_long_header_is_read_quickly(api: Api, brand: Json) -> None:
    for tag in (', "x"' * 2_000, ", " * 5_000, '"' * 5_001, 'W/"' * 3_000):
        answer = holding(tag).patch(path_of("brands", brand), {"name": "New"})
        assert answer.status in (400, 412), json.loads(answer.content)
