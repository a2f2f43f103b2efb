"""Every error has one shape, whoever raised it: error, code, fields, request_id (C28)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from unittest import mock

import pytest
from django.db import DatabaseError, IntegrityError
from pytest_django import Settings

from core.enums import Scope
from core.models import ApiKey
from core.tests.views.api import Answer, Api, Clock, Json, assert_error_shape, make_token
from core.tests.views.outages import failing_statements
from core.urls import CALLS
from core.views.errors import STATUSES

ADD = "/api/spend/add/"
STATUS = "/api/status/"
SECRET = "the-password-is-hunter2"


@dataclass(frozen=True)
class Scene:
    """What an error needs to come about."""

    api: Api
    campaign: Json
    clock: Clock

    @property
    def brand_path(self) -> str:
        return f"/api/brands/{self.campaign['brand_id']}/"

    def post(self, path: str, body: bytes, media_type: str = "application/json") -> Answer:
        return self.api.send("POST", path, body, media_type)


@pytest.fixture
def scene(api: Api, campaign: Json, clock: Clock) -> Scene:
    return Scene(api, campaign, clock)


def database_down(scene: Scene) -> Answer:
    with failing_statements():
        return scene.api.get(STATUS)


def clocks_apart(scene: Scene) -> Answer:
    apart = timedelta(hours=37)
    with mock.patch("core.queries.clock.get_clock_difference", return_value=apart):
        return scene.api.get(STATUS)


def replayed_refusal(scene: Scene) -> Answer:
    scene.api.add(scene.campaign, "5000.00", event_id="e-1")
    return scene.api.add(scene.campaign, "5000.00", event_id="e-1")


def reused_event_id(scene: Scene) -> Answer:
    scene.api.add(scene.campaign, "1.00", event_id="e-1").value()
    return scene.api.add(scene.campaign, "2.00", event_id="e-1")


def add_while_paused(scene: Scene) -> Answer:
    scene.api.edit("campaigns", scene.campaign, is_enabled=False)
    return scene.api.add(scene.campaign, "1.00")


def name_taken(scene: Scene) -> Answer:
    body = {"name": "Brand X", "daily_budget": None, "monthly_budget": None}
    return scene.api.post("/api/brands/create/", body)


def brand_by_limited_key(scene: Scene) -> Answer:
    body = {"name": "Brand Z", "daily_budget": None, "monthly_budget": None}
    limited = Api(make_token(brand={"id": scene.campaign["brand_id"]}))
    return limited.post("/api/brands/create/", body)


def too_many_requests(scene: Scene) -> Answer:
    token = make_token()
    ApiKey.objects.filter(pk=ApiKey.objects.latest("id").pk).update(requests_per_minute=1)
    Api(token).get(STATUS).value()
    return Api(token).get(STATUS)


def second_zone(scene: Scene) -> Answer:
    scene.api.patch(scene.brand_path, {"time_zone": "America/New_York"}).value()
    scene.clock.move_to("2024-01-16T01:00:00Z")
    return scene.api.patch(scene.brand_path, {"time_zone": "Asia/Tokyo"})


def refund_of(scene: Scene, entry_id: object, amount: str) -> Answer:
    body = {"spend_log_id": entry_id, "amount": amount}
    return scene.api.post("/api/spend/refund/", body)


def refund_too_large(scene: Scene) -> Answer:
    entry = scene.api.add(scene.campaign, "1.00").value()
    return refund_of(scene, entry["spend_log_id"], "1.01")


def refund_of_refund(scene: Scene) -> Answer:
    entry = scene.api.add(scene.campaign, "1.00").value()
    taken_back = refund_of(scene, entry["spend_log_id"], "0.50").value()
    return refund_of(scene, taken_back["spend_log_id"], "0.50")


def capture_twice(scene: Scene, first: str, second: str) -> Answer:
    body = {"campaign_id": scene.campaign["id"], "amount": "1.00"}
    hold = scene.api.post("/api/holds/create/", body).value(201)
    path = f"/api/holds/{hold['hold_id']}/capture/"
    scene.api.post(path, {"amount": first})
    return scene.api.post(path, {"amount": second})


def stale_edit(scene: Scene) -> Answer:
    stale = Api(make_token(), **{"If-Match": '"7"'})
    return stale.patch(scene.brand_path, {"daily_budget": "1.00"})


ERRORS: dict[str, tuple[int, str, Callable[[Scene], Answer]]] = {
    "unknown path": (404, "not_found", lambda s: s.api.get("/api/nothing/")),
    "no trailing slash": (404, "not_found", lambda s: s.api.get("/api/brands")),
    "the root of the API": (404, "not_found", lambda s: s.api.get("/api")),
    "id that is no number": (404, "not_found", lambda s: s.api.get("/api/brands/x/")),
    "id of 5,000 digits": (404, "not_found", lambda s: s.api.get(f"/api/brands/{'9' * 5000}/")),
    "unknown method": (405, "method_not_allowed", lambda s: s.api.send("PUT", ADD)),
    "made-up method": (405, "method_not_allowed", lambda s: s.api.send("BREW", ADD)),
    "no key": (401, "not_authenticated", lambda _: Api().get(STATUS)),
    "no scope": (403, "scope_missing", lambda _: Api(make_token(Scope.SPEND)).get(STATUS)),
    "too many requests": (429, "rate_limited", too_many_requests),
    "limited key": (403, "key_limited_to_brands", brand_by_limited_key),
    "no brand": (404, "brand_not_found", lambda s: s.api.get("/api/brands/999999/")),
    "no campaign": (404, "campaign_not_found", lambda s: s.api.add({"id": 999_999}, "1.00")),
    "no body": (400, "invalid_input", lambda s: s.api.post(ADD)),
    "malformed body": (400, "malformed_body", lambda s: s.post(ADD, b"{")),
    "wrong fields": (400, "invalid_input", lambda s: s.api.post(ADD, {"x": 1})),
    "wrong parameter": (400, "invalid_input", lambda s: s.api.get("/api/brands/", x=1)),
    "wrong media type": (415, "unsupported_media_type", lambda s: s.post(ADD, b"{}", "text/plain")),
    "large body": (413, "body_too_large", lambda s: s.post(ADD, b" " * 65_537)),
    "huge body": (413, "body_too_large", lambda s: s.post(ADD, b" " * 2_000_000)),
    "name taken": (400, "name_taken", name_taken),
    "second zone": (400, "time_zone_change_too_soon", second_zone),
    "over budget": (400, "budget_exceeded", lambda s: s.api.add(s.campaign, "5000.00")),
    "replayed refusal": (400, "budget_exceeded", replayed_refusal),
    "not active": (400, "campaign_not_active", add_while_paused),
    "reused event id": (409, "event_id_reused", reused_event_id),
    "no entry": (404, "spend_log_not_found", lambda s: refund_of(s, 999_999, "1.00")),
    "no hold": (404, "hold_not_found", lambda s: s.api.get("/api/holds/999999/")),
    "a refund too large": (400, "refund_above_entry", refund_too_large),
    "a refund of a refund": (400, "not_refundable", refund_of_refund),
    "a capture too large": (400, "capture_above_hold", lambda s: capture_twice(s, "9", "8")),
    "a hold that has ended": (409, "hold_ended", lambda s: capture_twice(s, "0.50", "0.50")),
    "a stale edit": (412, "changed_meanwhile", stale_edit),
    "database down": (503, "database_unavailable", database_down),
    "clocks apart": (503, "clocks_disagree", clocks_apart),
    "health by POST": (405, "method_not_allowed", lambda s: s.api.post("/healthz/live")),
    "health elsewhere": (404, "not_found", lambda s: s.api.get("/healthz/nothing")),
    "unknown host": (400, "bad_request", lambda _: Api(Host="evil.example").get(STATUS)),
}


@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_its_status_its_code_and_the_one_shape(
    scene: Scene, settings: Settings, name: str, *, is_debug: bool
) -> None:
    settings.DEBUG = is_debug
    status, code, provoke = ERRORS[name]
    document = provoke(scene).error(status, code)
    sentence = document["error"]
    assert "Traceback" not in sentence
    assert "\n" not in sentence


def test_every_code_that_has_a_status_of_its_own_is_provoked_here() -> None:
    assert set(STATUSES) == {code for _, code, _ in ERRORS.values()} & set(STATUSES)


# --- Server faults ---------------------------------------------------------------------------

FAULTS = {
    "a read": ("core.views.status.count_brands", "GET", STATUS),
    "an action": ("core.views.admission.admit_free_spends", "POST", ADD),
    "the key check": ("core.views.authentication.find_api_keys", "GET", STATUS),
    "health, outside the API's own handlers": (
        "core.views.health.find_last_tick",
        "GET",
        "/healthz/ready",
    ),
}
UNEXPECTED = [
    RuntimeError(SECRET),
    AssertionError(SECRET),
    RecursionError(SECRET),
    KeyError(SECRET),
    UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
]


@contextmanager
def bug(monkeypatch: pytest.MonkeyPatch, target: str, error: Exception) -> Iterator[None]:
    """Have a function of the product raise what nobody expected."""

    def fail(*_args: object, **_more: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(target, fail)
        yield


@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", FAULTS)
def test_a_server_fault_is_500_in_the_same_shape_and_tells_nothing_of_the_inside(
    scene: Scene,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    place: str,
    error: Exception,
    is_debug: bool,
) -> None:
    settings.DEBUG = is_debug
    target, method, path = FAULTS[place]
    body = b'{"campaign_id": 1, "amount": "1.00"}' if method == "POST" else b""
    with bug(monkeypatch, target, error):
        answer = scene.api.send(method, path, body)
    answer.error(500, "server_error")
    assert SECRET not in answer.content.decode()
    assert type(error).__name__ not in answer.content.decode()
    assert b"Traceback" not in answer.content


@pytest.mark.parametrize("error", [IntegrityError(SECRET), DatabaseError(SECRET)])
def test_a_database_error_that_is_no_outage_is_a_server_fault(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with bug(monkeypatch, "core.views.admission.admit_free_spends", error):
        answer = scene.api.add(scene.campaign, "1.00")
    answer.error(500, "server_error")
    assert SECRET not in answer.content.decode()


def test_a_server_fault_is_logged_with_the_id_that_the_caller_got(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with bug(monkeypatch, "core.views.status.count_brands", RuntimeError(SECRET)):
        answer = scene.api.get(STATUS)
    assert answer.json["request_id"] in caplog.text
    assert SECRET in caplog.text


# --- Request ids -----------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["a", "req-1.2_3", "0" * 64, "A" * 32])
def test_a_sane_request_id_comes_back(db: None, given: str) -> None:
    good = Api(make_token(), **{"X-Request-ID": given}).get(STATUS)
    assert (good.status, good.headers["X-Request-ID"]) == (200, given)
    bad = Api(**{"X-Request-ID": given}).get(STATUS)
    assert bad.error(401, "not_authenticated")["request_id"] == given


@pytest.mark.parametrize(
    "given",
    ["", " ", "0" * 65, "a b", "a\nb", "a\r\nSet-Cookie: x=1", "<script>", "é", "a;b", "a\0"],
)
def test_any_other_request_id_is_replaced_by_one_of_ours(db: None, given: str) -> None:
    answers = [Api(**{"X-Request-ID": given}).get(STATUS) for _ in range(2)]
    ids = {answer.error(401, "not_authenticated")["request_id"] for answer in answers}
    assert len(ids) == 2
    assert all(len(each) == 32 and each.isalnum() for each in ids)


# --- Nothing is redirected ---------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted({path for _, path, _, _ in CALLS}))
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_missing_trailing_slash_is_404_and_not_redirected(
    scene: Scene, settings: Settings, method: str, *, path: str
) -> None:
    """A redirect would turn a POST into a GET and lose its body."""
    settings.DEBUG = True
    filled = path.replace("{int:brand_id}", "1").replace("{int:campaign_id}", "1").rstrip("/")
    answer = scene.api.send(method, f"/api{filled}", b'{"name": "x"}')
    document = answer.error(404, "not_found")
    assert "slash" in document["error"]
    assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["/api/..%2fadmin/", "/api/%00/", "/api/\u00e9/", "/api//brands/"])
def test_odd_paths_are_404(api: Api, path: str) -> None:
    assert_error_shape(api.get(path))
    assert api.get(path).status == 404
