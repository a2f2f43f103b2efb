"""A body that broke off with its caller is no body: nothing is done (C20, C28).

Django hands over what came. A capture of a part of a hold would be one of all of it.
"""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from core.models import Hold
from core.tests.views.api import Answer, Api, Json, make_token
from core.tests.views.tables import all_rows

BODY = b'{"amount":"0.25","event_id":"win-1"}'


@pytest.fixture
def hold_path(api: Api, campaign: Json) -> str:
    body = {"campaign_id": campaign["id"], "amount": "1.00"}
    hold = api.post("/api/holds/create/", body).value(201)
    return f"/api/holds/{hold['hold_id']}"


def send(path: str, came: bytes, **wsgi: Any) -> Answer:
    """Send this much of a request whose headers came whole."""
    headers = {"Authorization": f"Bearer {make_token()}"}
    environ: dict[str, Any] = {
        "wsgi.input": BytesIO(came),
        "CONTENT_TYPE": "application/json",
        **wsgi,
    }
    response = Client(raise_request_exception=False).generic(
        "POST", path, b"", headers=headers, **environ
    )
    return Answer(response.status_code, response.headers, response.content)


@pytest.mark.parametrize("deed", ["capture", "release"])
@pytest.mark.parametrize("length", range(len(BODY)))
def test_a_hold_is_left_alone_by_a_body_that_broke_off(
    hold_path: str, deed: str, length: int
) -> None:
    before = all_rows()
    answer = send(f"{hold_path}/{deed}/", BODY[:length], CONTENT_LENGTH=str(len(BODY)))
    answer.error(400, "malformed_body")
    assert all_rows() == before
    assert Hold.objects.get().state == "open"


@pytest.mark.parametrize("path", ["/capture/", "/release/"])
def test_a_body_in_chunks_is_refused_before_it_is_taken_for_none(hold_path: str, path: str) -> None:
    before = all_rows()
    answer = send(hold_path + path, b"24\r\n" + BODY, HTTP_TRANSFER_ENCODING="chunked")
    assert "Content-Length" in answer.error(411, "length_required")["error"]
    assert all_rows() == before


def test_a_whole_body_is_read(hold_path: str) -> None:
    answer = send(f"{hold_path}/capture/", BODY, CONTENT_LENGTH=str(len(BODY)))
    assert answer.value()["amount"] == "0.25"


@pytest.mark.parametrize("path", ["/api/spend/add/", "/api/status/"])
def test_chunks_are_refused_on_every_path_of_the_api(db: None, path: str) -> None:
    send(path, b"0\r\n\r\n", HTTP_TRANSFER_ENCODING="chunked").error(411, "length_required")
