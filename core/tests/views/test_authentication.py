"""Who gets in: every call of the API, each with every kind of key (C29).

The matrix is generated from the API's own table of contents; a call that has no request in
`REQUESTS` fails the tests.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from core.actions.api_keys import create_api_key, revoke_api_key, rotate_api_key
from core.enums import Scope
from core.models import ApiKey, Brand
from core.tests.rules.zones import HOUR
from core.tests.views.api import EVERY_SCOPE, KEY_MADE_AT, Answer, Api, Clock, Json, make_token
from core.tests.views.tables import all_rows
from core.urls import CALLS


@dataclass(frozen=True)
class Request:
    """A request that the right key gets answered with `status`.

    A text such as "{hold_id}" stands for an id of the fixture `ids`. A key that is limited to
    another brand gets `elsewhere`, and from a list none of `listed`.
    """

    status: int = 200
    body: Json | None = None
    elsewhere: int = 404
    listed: str | None = None


MONEY: Json = {"daily_budget": "1", "monthly_budget": "1"}
CAMPAIGN: Json = {"campaign_id": "{campaign_id}", "amount": "1.00"}
ENTRY: Json = {"spend_log_id": "{spend_log_id}", "amount": "1.00"}
REQUESTS = {
    ("GET", "/brands/"): Request(elsewhere=200, listed="brands"),
    # A limited key sees nothing new, so there is nothing to hide: it is told that it may not.
    ("POST", "/brands/create/"): Request(201, {"name": "New", **MONEY}, elsewhere=403),
    ("GET", "/brands/{int:brand_id}/"): Request(),
    ("PATCH", "/brands/{int:brand_id}/"): Request(body={"name": "New"}),
    ("DELETE", "/brands/{int:brand_id}/"): Request(204),
    ("GET", "/campaigns/"): Request(elsewhere=200, listed="campaigns"),
    ("POST", "/campaigns/create/"): Request(201, {"name": "New", "brand_id": "{brand_id}"}),
    ("GET", "/campaigns/{int:campaign_id}/"): Request(),
    ("PATCH", "/campaigns/{int:campaign_id}/"): Request(body={"name": "New"}),
    ("DELETE", "/campaigns/{int:campaign_id}/"): Request(204),
    ("POST", "/campaigns/{int:campaign_id}/pause/"): Request(),
    ("POST", "/campaigns/{int:campaign_id}/resume/"): Request(),
    ("GET", "/campaigns/{int:campaign_id}/explain/"): Request(),
    ("GET", "/campaigns/{int:campaign_id}/preview/"): Request(),
    ("GET", "/campaigns/{int:campaign_id}/transitions/"): Request(),
    ("POST", "/spend/add/"): Request(body=CAMPAIGN),
    ("POST", "/spend/report/"): Request(body=CAMPAIGN),
    ("POST", "/spend/refund/"): Request(body=ENTRY),
    # Each entry has an answer of its own; elsewhere that is "campaign not found".
    ("POST", "/spend/batch/"): Request(
        body={"entries": [{"kind": "add"} | CAMPAIGN]}, elsewhere=200
    ),
    ("GET", "/spend/logs/"): Request(elsewhere=200, listed="spend_logs"),
    ("POST", "/holds/create/"): Request(201, CAMPAIGN),
    ("GET", "/holds/{int:hold_id}/"): Request(),
    ("POST", "/holds/{int:hold_id}/capture/"): Request(),
    ("POST", "/holds/{int:hold_id}/release/"): Request(),
    ("GET", "/status/"): Request(elsewhere=200),
}
every_call = pytest.mark.parametrize(
    ("method", "path", "scope"), [(method, path, scope) for method, path, scope, _ in CALLS]
)


def test_every_call_has_its_request_in_the_matrix() -> None:
    assert set(REQUESTS) == {(method, path) for method, path, _, _ in CALLS}


@pytest.fixture
def ids(api: Api, campaign: Json) -> dict[str, int]:
    """What the paths and bodies name: of each kind one thing, for lists to show too."""
    hold = {"campaign_id": campaign["id"], "amount": "1.00"}
    return {
        "brand_id": campaign["brand_id"],
        "campaign_id": campaign["id"],
        "spend_log_id": api.add(campaign, "1.00").value()["spend_log_id"],
        "hold_id": api.post("/api/holds/create/", hold).value(201)["hold_id"],
    }


def call(method: str, path: str, *, ids: dict[str, int], api: Api) -> Answer:
    def fill(match: re.Match[str]) -> str:
        return str(ids[match[1]])

    body = REQUESTS[method, path].body
    sent = re.sub(r'"\{(\w+)\}"', fill, json.dumps(body)) if body else ""
    filled = re.sub(r"\{int:(\w+)\}", fill, path)
    return api.send(method, f"/api{filled}", sent.encode())


# --- The kinds of keys ---------------------------------------------------------------------------


def without_the_scope(scope: Scope, _clock: Clock) -> str:
    return make_token(*(each for each in EVERY_SCOPE if each is not scope))


def expired(_scope: Scope, clock: Clock) -> str:
    scopes = set(EVERY_SCOPE)
    return create_api_key("old", scopes=scopes, expires_at=clock.now, now=KEY_MADE_AT)[1]


def revoked(_scope: Scope, clock: Clock) -> str:
    key, token = create_api_key("gone", scopes=set(EVERY_SCOPE), now=KEY_MADE_AT)
    revoke_api_key(key, now=clock.now)
    return token


def before_a_rotation(scope: Scope, *, at: timedelta, clock: Clock) -> str:
    """The older of two secrets, whose grace of an hour began so long ago."""
    key, token = create_api_key("turning", scopes={scope}, now=KEY_MADE_AT)
    rotate_api_key(key, grace=HOUR, now=clock.now - at)
    return token


LAST_MOMENT = HOUR - timedelta(microseconds=1)
LET_IN: dict[str, Callable[[Scope, Clock], str]] = {
    "right": lambda scope, _: make_token(scope),
    "the secret before, within its grace": lambda scope, clock: before_a_rotation(
        scope, at=LAST_MOMENT, clock=clock
    ),
}
REFUSED: dict[str, tuple[int, str, Callable[[Scope, Clock], str]]] = {
    "no key": (401, "not_authenticated", lambda *_: ""),
    "wrong scope": (403, "scope_missing", without_the_scope),
    "expired": (401, "not_authenticated", expired),
    "revoked": (401, "not_authenticated", revoked),
    "the secret before, after its grace": (
        *(401, "not_authenticated"),
        lambda scope, clock: before_a_rotation(scope, at=HOUR, clock=clock),
    ),
}


def forgeries() -> dict[str, Api]:
    """Callers with something that looks like a key."""
    good, other = make_token(), make_token()
    prefix, public_id, secret = good.split("_", 2)
    other_secret = other.split("_", 2)[2]
    return {
        "an empty header": Api(Authorization=""),
        "a key that is not a bearer": Api(Authorization=f"Basic {good}"),
        "a key alone": Api(Authorization=good),
        "an unknown key": Api(f"{prefix}_000000000000_{secret}"),
        "a wrong secret": Api(f"{prefix}_{public_id}_{other_secret}"),
        "no secret": Api(f"{prefix}_{public_id}_"),
        "half a secret": Api(good[:-1]),
        "a secret alone": Api(secret),
        "the stored hash": Api(f"{prefix}_{public_id}_{_hash_of(public_id)}"),
        "a NUL": Api(f"{prefix}_{public_id}\0_{secret}"),
        "no ASCII": Api("bm_ключ_ключ".encode().decode("latin-1")),
    }


def _hash_of(public_id: str) -> str:
    return ApiKey.objects.get(public_id=public_id).secret_hash


# --- The matrix ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LET_IN)
@every_call
def test_who_is_let_in_is_answered(
    ids: dict[str, int], clock: Clock, method: str, *, path: str, scope: Scope, kind: str
) -> None:
    request = REQUESTS[method, path]
    answer = call(method, path, ids=ids, api=Api(LET_IN[kind](scope, clock)))
    assert answer.status == request.status, answer.content
    if request.listed:
        assert answer.json[request.listed]


@pytest.mark.parametrize("kind", REFUSED)
@every_call
def test_who_is_refused_is_told_why_and_changes_nothing(
    ids: dict[str, int], clock: Clock, method: str, *, path: str, scope: Scope, kind: str
) -> None:
    status, code, make = REFUSED[kind]
    stranger = Api(make(scope, clock))
    before = all_rows()
    answer = call(method, path, ids=ids, api=stranger)
    sentence = answer.error(status, code)["error"]
    assert status == 401 or f"`{scope}`" in sentence
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert all_rows() == before


@every_call
def test_forgeries_get_401_and_change_nothing(
    ids: dict[str, int], method: str, path: str, *, scope: Scope
) -> None:
    before = all_rows()
    for name, forger in forgeries().items():
        answer = call(method, path, ids=ids, api=forger)
        assert answer.status == 401, name
        answer.error(401, "not_authenticated")
    assert all_rows() == before


@every_call
def test_another_brands_key_finds_nothing_and_changes_nothing(
    api: Api, ids: dict[str, int], method: str, *, path: str, scope: Scope
) -> None:
    limited = Api(make_token(scope, brand=api.create_brand("Brand Y")))
    before = all_rows()
    request = REQUESTS[method, path]
    answer = call(method, path, ids=ids, api=limited)
    document = answer.value(request.elsewhere)
    if request.listed:
        names = [row["name"] for row in document[request.listed]]
        assert names == (["Brand Y"] if request.listed == "brands" else [])
    assert "Summer Sale" not in answer.content.decode()
    assert "Brand X" not in answer.content.decode()
    assert all_rows() == before


@every_call
def test_a_key_limited_to_the_brand_is_let_in(
    brand: Json, ids: dict[str, int], method: str, *, path: str, scope: Scope
) -> None:
    request = REQUESTS[method, path]
    answer = call(method, path, ids=ids, api=Api(make_token(scope, brand=brand)))
    is_creation = (method, path) == ("POST", "/brands/create/")
    assert answer.status == (request.elsewhere if is_creation else request.status)


# --- Around the matrix -----------------------------------------------------------------------


def test_what_a_key_may_not_see_is_answered_as_what_is_not_there(api: Api, campaign: Json) -> None:
    limited = Api(make_token(brand=api.create_brand("Brand Y")))
    for template in ("/api/campaigns/{}/", "/api/brands/{}/"):
        hidden, absent = (
            limited.get(template.format(number)).json
            for number in (campaign["id" if "campaigns" in template else "brand_id"], 999_999)
        )
        assert hidden.pop("request_id") != absent.pop("request_id")
        assert hidden == absent


def test_a_key_limited_to_no_brand_at_all_sees_nothing(api: Api, campaign: Json) -> None:
    """Whose last brand was taken away is not let into all of them."""
    token = make_token(brand=api.create_brand("Brand Y"))
    ApiKey.objects.latest("id").brands.clear()
    assert Api(token).get("/api/brands/").value()["brands"] == []
    assert Api(token).get("/api/campaigns/").value()["campaigns"] == []
    assert Api(token).get("/api/status/").value()["total_campaigns"] == 0
    Api(token).add(campaign, "1.00").error(404, "campaign_not_found")


def test_a_key_may_be_limited_to_several_brands(api: Api, brand: Json) -> None:
    token = make_token(brand=brand)
    second = api.create_brand("Brand Y")
    api.create_brand("Brand Z")
    ApiKey.objects.latest("id").brands.add(Brand.objects.get(pk=second["id"]))
    listed = Api(token).get("/api/brands/").value()["brands"]
    assert [row["name"] for row in listed] == ["Brand X", "Brand Y"]


def test_a_bad_key_is_told_before_a_bad_body(api: Api) -> None:
    """A stranger learns nothing about bodies or ids."""
    stranger = Api("bm_unknown_key")
    assert stranger.send("POST", "/api/spend/add/", b"{").status == 401
    assert stranger.get("/api/brands/999999/").status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_case(db: None, clock: Clock, scheme: str) -> None:
    assert Api(Authorization=f"{scheme} {make_token()}").get("/api/status/").status == 200


@pytest.mark.parametrize("place", ["api_key", "token", "authorization", "access_token"])
def test_a_key_in_the_query_is_no_key(db: None, place: str) -> None:
    Api().get("/api/status/", **{place: make_token()}).error(401, "not_authenticated")


def test_a_key_ends_at_the_instant_it_expires(db: None, clock: Clock) -> None:
    ends_at = clock.now + timedelta(minutes=1)
    scopes = {Scope.READ}
    token = create_api_key("brief", scopes=scopes, expires_at=ends_at, now=clock.now)[1]
    clock.advance(seconds=59.999999)
    assert Api(token).get("/api/status/").status == 200
    clock.move_to(ends_at.isoformat())
    Api(token).get("/api/status/").error(401, "not_authenticated")


def test_a_revocation_holds_from_the_next_call_on(db: None, clock: Clock) -> None:
    key, token = create_api_key("brief", scopes={Scope.READ}, now=clock.now)
    assert Api(token).get("/api/status/").status == 200
    revoke_api_key(key, now=clock.now)
    Api(token).get("/api/status/").error(401, "not_authenticated")


def test_a_revocation_ends_both_secrets_of_a_rotating_key(db: None, clock: Clock) -> None:
    key, old = create_api_key("turning", scopes={Scope.READ}, now=clock.now)
    new = rotate_api_key(key, grace=HOUR, now=clock.now)
    assert [Api(token).get("/api/status/").status for token in (old, new)] == [200, 200]
    revoke_api_key(key, now=clock.now)
    assert [Api(token).get("/api/status/").status for token in (old, new)] == [401, 401]


def test_a_spend_sent_with_the_old_secret_is_known_to_the_new_one_c21(
    campaign: Json, clock: Clock
) -> None:
    """Whoever retries after a rotation must not pay twice."""
    key, old = create_api_key("turning", scopes={Scope.SPEND}, now=clock.now)
    first = Api(old).add(campaign, "1.00", event_id="e-1")
    new = rotate_api_key(key, grace=HOUR, now=clock.now)
    before = all_rows()
    for token in (old, new):
        again = Api(token).add(campaign, "1.00", event_id="e-1")
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.value()["spend_log_id"] == first.value()["spend_log_id"]
    assert all_rows() == before


def test_the_last_use_is_kept_to_the_minute_and_only_of_calls_that_got_in(
    db: None, clock: Clock
) -> None:
    key, token = create_api_key("client", scopes={Scope.READ}, now=clock.now)

    def last_use_after(answer: Answer) -> str | None:
        assert answer.status in (200, 401, 403)
        key.refresh_from_db()
        return key.last_used_at.isoformat() if key.last_used_at else None

    status = "/api/status/"
    assert last_use_after(Api(f"{token}x").get(status)) is None
    assert last_use_after(Api(token).delete("/api/brands/1/")) is None
    assert last_use_after(Api(token).get(status)) == "2024-01-15T10:30:00+00:00"
    clock.advance(seconds=59)
    assert last_use_after(Api(token).get(status)) == "2024-01-15T10:30:00+00:00"
    clock.advance(seconds=1)
    assert last_use_after(Api(token).get(status)) == "2024-01-15T10:31:00+00:00"


def test_a_token_is_kept_nowhere_and_logged_nowhere(
    api: Api, campaign: Json, caplog: pytest.LogCaptureFixture
) -> None:
    token = make_token()
    secret = token.split("_", 2)[2]
    caller = Api(token)
    caller.add(campaign, "1.00", event_id="e-1").value()
    refusals = [
        caller.add(campaign, "5000.00"),
        caller.get("/api/nothing/"),
        Api(f"{token}x").get("/api/status/"),
        Api(Authorization=f"Basic {token}").get("/api/status/"),
    ]
    kept = f"{all_rows()}{list(ApiKey.objects.values())}{caplog.text}"
    assert secret not in kept
    assert not any(secret in refusal.content.decode() for refusal in refusals)
    assert len(secret) >= 43  # 256 random bits
