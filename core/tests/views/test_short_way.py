"""Plain calls that move money are answered past Django's layers as they are through them."""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.test.client import ClientHandler
from pytest_django import Settings

from core.enums import Scope
from core.errors import MalformedBodyError
from core.models import SpendLog
from core.tests.views.api import Api, Json, make_token
from core.urls import CALLS, MOVING_MONEY, short_way
from core.views import authentication

ADD, HOST = "/api/spend/add/", "testserver"
DJANGOS = "went Django's way"

Environ = dict[str, Any]
Heard = tuple[str, dict[str, str], bytes]
Send = Callable[[Environ], Heard]


def environ_of(token: str, path: str, body: bytes, **more: str) -> Environ:
    """A call as a web server hands it over."""
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": HOST,
        "SERVER_PORT": "80",
        "HTTP_HOST": HOST,
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        **more,
    }


def sent_to(application: Any) -> Send:
    def send(environ: Environ) -> Heard:
        heard: list[tuple[str, list[tuple[str, str]]]] = []
        body: Iterable[bytes] = application(environ, lambda *said: heard.append(said))
        ((status, headers),) = heard
        assert len(headers) == len({name for name, _ in headers})
        return status, dict(headers), b"".join(body)

    return send


def djangos_way(environ: Environ, start_response: Any) -> list[bytes]:
    """In Django's place: says what it was given."""
    start_response(DJANGOS, [])
    return [environ["wsgi.input"].read()]


def through_layers(environ: Environ, start_response: Any) -> list[bytes]:
    """Django's way, by the handler that leaves the connection of a test open."""
    response: Any = _LAYERS(environ)
    start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
    return [response.content]


_LAYERS = ClientHandler(enforce_csrf_checks=True)


@pytest.fixture
def ways() -> tuple[Send, Send]:
    """The short way, and Django's."""
    return sent_to(short_way.before(djangos_way)), sent_to(through_layers)


def without_chance(heard: Heard) -> tuple[str, dict[str, str], Json]:
    """What has to be equal: not the ids that are new in each call."""
    status, headers, body = heard
    document = json.loads(body)
    new = ("spend_log_id", "hold_id", "request_id", "new_daily_spend", "new_monthly_spend")
    kept = {name: value for name, value in document.items() if name not in (*new, "remaining")}
    for name in ("X-Request-ID", "Content-Length", "RateLimit-Remaining"):
        assert headers.pop(name)
    return status, headers, kept


BODIES: dict[str, tuple[str, Json, str]] = {
    "an add": (ADD, {"amount": "0.00032"}, "200 OK"),
    "an add of a number": (ADD, {"amount": 1, "currency": "USD"}, "200 OK"),
    "an add beyond the budget": (ADD, {"amount": "5000.00"}, "400 Bad Request"),
    "an add to a campaign that isn't there": (
        *(ADD, {"campaign_id": 10**17, "amount": "1.00"}, "404 Not Found"),
    ),
    "a report": ("/api/spend/report/", {"amount": "1.00"}, "200 OK"),
    "a report of long ago": (
        "/api/spend/report/",
        {"amount": "1.00", "occurred_at": "2020-01-01T00:00:00Z"},
        "400 Bad Request",
    ),
    "a hold": ("/api/holds/create/", {"amount": "0.50", "seconds": 60}, "201 Created"),
}


@pytest.mark.parametrize("name", BODIES)
def test_both_ways_answer_alike(campaign: Json, ways: tuple[Send, Send], name: str) -> None:
    path, body, status = BODIES[name]
    sent = json.dumps({"campaign_id": campaign["id"], **body}).encode()
    token = make_token()
    short, django = (without_chance(way(environ_of(token, path, sent))) for way in ways)
    assert short == django
    assert short[0] == status


def test_both_ways_give_the_first_answer_again_c21(campaign: Json, ways: tuple[Send, Send]) -> None:
    token = make_token()
    body = json.dumps({"campaign_id": campaign["id"], "amount": "1.00"}).encode()
    heard = [
        way(environ_of(token, ADD, body, HTTP_IDEMPOTENCY_KEY="e-1")) for way in (*ways, *ways)
    ]
    assert all(json.loads(body) == json.loads(heard[0][2]) for _, _, body in heard)
    replays = [headers.get("Idempotent-Replayed") for _, headers, _ in heard]
    assert replays == [None, "true", "true", "true"]
    assert SpendLog.objects.count() == 1


def test_every_call_that_moves_money_and_names_nothing_in_its_path_has_a_short_way(
    campaign: Json,
) -> None:
    send = sent_to(short_way.before(djangos_way))
    token = make_token()
    body = {"campaign_id": campaign["id"], "spend_log_id": 1, "amount": "1.00"}
    for _, path, _, view in CALLS:
        status, *_ = send(environ_of(token, f"/api{path}", _fitting(path, body)))
        has_short_way = view in MOVING_MONEY and "{" not in path
        assert (status != DJANGOS) is has_short_way, path


def _fitting(path: str, body: Json) -> bytes:
    other = "campaign_id" if "refund" in path else "spend_log_id"
    return json.dumps({name: value for name, value in body.items() if name != other}).encode()


GOOD = b'{"campaign_id": 1, "amount": "1.00"}'
UNUSUAL: dict[str, Environ] = {
    "another method": {"REQUEST_METHOD": "PUT"},
    "a query": {"QUERY_STRING": "a=b"},
    "another path": {"PATH_INFO": "/api/spend/add"},
    "a charset": {"CONTENT_TYPE": "application/json; charset=utf-8"},
    "another media type": {"CONTENT_TYPE": "text/plain"},
    "no media type": {"CONTENT_TYPE": ""},
    "an encoding": {"HTTP_CONTENT_ENCODING": "gzip"},
    "chunks": {"HTTP_TRANSFER_ENCODING": "chunked"},
    "no length": {"CONTENT_LENGTH": ""},
    "a length that is no number": {"CONTENT_LENGTH": "1e3"},
    "a length in other digits": {"CONTENT_LENGTH": "３６"},
    "a length of thousands of digits": {"CONTENT_LENGTH": "0" * 5_000 + "36"},
    "a body that broke off": {"CONTENT_LENGTH": "100"},
    "another host": {"HTTP_HOST": "elsewhere.example"},
    "no host": {"HTTP_HOST": ""},
}
REFUSED = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "an unknown field": b'{"campaign_id": 1, "amount": "1.00", "x": 1}',
    "a field too few": b'{"campaign_id": 1}',
    "an amount of zero": b'{"campaign_id": 1, "amount": "0"}',
    "a name twice": b'{"campaign_id": 1, "campaign_id": 1, "amount": "1.00"}',
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_goes_djangos_way_with_its_body_unread(name: str) -> None:
    send = sent_to(short_way.before(djangos_way))
    status, _, body = send(environ_of("token", ADD, GOOD, **UNUSUAL[name]))
    assert (status, body) == (DJANGOS, GOOD)


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_will_be_refused_goes_djangos_way_unread(name: str) -> None:
    send = sent_to(short_way.before(djangos_way))
    assert send(environ_of("token", ADD, REFUSED[name])) == (DJANGOS, {}, REFUSED[name])


def test_a_body_that_is_too_large_goes_djangos_way_unread() -> None:
    body = GOOD + b" " * 64 * 1024
    assert sent_to(short_way.before(djangos_way))(environ_of("token", ADD, body))[2] == body


def test_without_https_a_call_goes_djangos_way_where_only_https_is_served(
    settings: Settings,
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    send = sent_to(short_way.before(djangos_way))
    assert send(environ_of("token", ADD, GOOD))[0] == DJANGOS


def test_a_secure_call_is_answered_with_what_https_adds(settings: Settings, campaign: Json) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    send = sent_to(short_way.before(djangos_way))
    body = json.dumps({"campaign_id": campaign["id"], "amount": "1.00"}).encode()
    secure = environ_of(make_token(), ADD, body, **{"wsgi.url_scheme": "https"})
    status, headers, _ = send(secure)
    assert status == "200 OK"
    assert headers["Strict-Transport-Security"] == "max-age=60"


@pytest.mark.parametrize("grouping", [True, False])
@pytest.mark.parametrize("error", [OperationalError, RuntimeError])
def test_a_fault_while_the_key_is_looked_at_is_answered_alike(
    db: None,
    ways: tuple[Send, Send],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    grouping: bool,
    error: type[Exception],
) -> None:
    settings.GROUP_COMMIT = grouping

    def fail(*_: object) -> None:
        raise error("gone")

    monkeypatch.setattr(authentication, "find_api_keys", fail)
    (short, of_short, _), (django, of_django, _) = (
        way(environ_of("abm_live_abc_def", ADD, GOOD)) for way in ways
    )
    assert short == django
    assert short[:3] == ("503" if error is OperationalError else "500")
    assert of_short.get("Retry-After") == of_django.get("Retry-After")


@pytest.mark.parametrize(
    "key", ["", "Basic abc", "Bearer ", "Bearer \x7f", "Bearer abm_live_abc_def"]
)
def test_what_is_no_good_key_is_answered_alike(db: None, ways: tuple[Send, Send], key: str) -> None:
    heard = [way(environ_of("", ADD, GOOD, HTTP_AUTHORIZATION=key)) for way in ways]
    for status, headers, body in heard:
        assert status == "401 Unauthorized"
        assert headers["WWW-Authenticate"] == "Bearer"
        assert json.loads(body)["code"] == "not_authenticated"
    assert set(heard[0][1]) == set(heard[1][1])


# --- The key comes first, whatever else is wrong ---------------------------------------------


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_who_has_no_good_key_is_not_told_what_is_wrong_with_a_body_c29(
    db: None, clock: object, body: bytes
) -> None:
    stranger, reader = Api("abm_live_abc_def"), Api(make_token(Scope.READ))
    for kind in ("spend/add", "spend/refund", "holds/create", "holds/1/capture"):
        path = f"/api/{kind}/"
        stranger.send("POST", path, body or b" ").error(401, "not_authenticated")
        reader.send("POST", path, body or b" ").error(403, "scope_missing")


def test_a_bad_body_counts_against_the_limit_of_its_key(api: Api, settings: Settings) -> None:
    settings.REQUESTS_PER_MINUTE = 2
    for left in ("1", "0"):
        answer = api.send("POST", ADD, b"{")
        answer.error(400, "malformed_body")
        assert answer.headers["RateLimit-Remaining"] == left
    api.send("POST", ADD, b"{").error(429, "rate_limited")
    assert not SpendLog.objects.exists()


def test_the_key_of_a_bad_body_is_looked_at_before_it_is_read_again_c29(
    db: None, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []

    def read_json(body: bytes) -> Json:
        read.append(body)
        raise MalformedBodyError("The body is no JSON")

    for place in ("short_way", "parsing"):
        monkeypatch.setattr(f"core.views.{place}.read_json", read_json)
    Api("abm_live_abc_def").send("POST", ADD, b"{").error(401, "not_authenticated")
    assert len(read) == 1
    Api(make_token()).send("POST", ADD, b"{").error(400, "malformed_body")
    assert len(read) == 3
