"""How these tests call the API: an `Api` sends with its key and reads answers as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test.client import Client, ClientHandler

from core.actions.api_keys import create_api_key
from core.actions.caller import Caller
from core.actions.spend import report_spend
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.enums import Scope
from core.models import Brand
from core.rules.money import parse_money
from core.tests.views.described import assert_described
from core.urls import short_way

EVERY_SCOPE = tuple(Scope)
KEY_MADE_AT = datetime(2020, 1, 1, tzinfo=UTC)
# What every error has, and nothing else beside what its code documents (C28).
ERROR_FIELDS = {"error", "code", "fields", "request_id"}
ERROR_EXTRAS = {
    "budget_exceeded": {"budget", "remaining"},
    "campaign_not_active": {"reasons"},
    "hold_ended": {"state"},
    "refund_above_entry": {"refundable"},
}

Json = dict[str, Any]


class _Site(ClientHandler):
    """The site as it is served: plain calls that move money go the short way."""

    def __call__(self, environ: dict[str, Any]) -> Any:
        environ.setdefault("HTTP_HOST", environ["SERVER_NAME"])
        response: Any = short_way.answer(environ)
        if response is None:
            return super().__call__(environ)
        response.wsgi_request = WSGIRequest(environ)
        return response


# One for all clients: each new one would list all static files again.
SITE = _Site(enforce_csrf_checks=True)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Json:
        document: Json = json.loads(self.content)
        return document

    def value(self, status: int = 200) -> Json:
        """The document, once the status is the one that was hoped for."""
        assert self.status == status, (self.status, self.content[:1000])
        return self.json

    def error(self, status: int, code: str) -> Json:
        """The error document, once it has its shape, this status and this code."""
        assert self.status == status, (self.status, self.content[:1000])
        document = self.json
        assert document["code"] == code, document
        assert_error_shape(self)
        return document


def assert_error_shape(answer: Answer) -> None:
    """An error has exactly four fields, and the extras that its code documents (C28)."""
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json
    assert set(document) == ERROR_FIELDS | ERROR_EXTRAS.get(document["code"], set())
    assert document["error"]
    assert all(isinstance(problem, str) and problem for problem in document["fields"].values())
    assert document["request_id"] == answer.headers["X-Request-ID"] != ""


class Api:
    """A client of the API with one key, or with none."""

    def __init__(self, token: str | None = None, **headers: str) -> None:
        self._client = Client(raise_request_exception=False)
        self._client.handler = SITE
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._headers |= headers

    def get(self, path: str, **query: object) -> Answer:
        response = self._client.get(path, query, headers=self._headers)  # type: ignore[arg-type]
        return _described("GET", path, response)

    def send(
        self, method: str, path: str, body: bytes = b"", media_type: str = "application/json"
    ) -> Answer:
        """Send these very bytes."""
        response = self._client.generic(
            method, path, body, CONTENT_TYPE=media_type, headers=self._headers
        )
        return _described(method, path, response)

    def post(self, path: str, body: object = None) -> Answer:
        return self.send("POST", path, b"" if body is None else json.dumps(body).encode())

    def patch(self, path: str, body: object) -> Answer:
        return self.send("PATCH", path, json.dumps(body).encode())

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)

    def create_brand(self, name: str = "Brand X", **settings: object) -> Json:
        body = {"name": name, "daily_budget": "1000.00", "monthly_budget": "30000.00", **settings}
        return self.post("/api/brands/create/", body).value(201)

    def create_campaign(self, brand: Json, name: str = "Summer Sale", **settings: object) -> Json:
        body = {"name": name, "brand_id": brand["id"], **settings}
        return self.post("/api/campaigns/create/", body).value(201)

    def read(self, kind: str, document: Json) -> Json:
        """The `brands` or `campaigns` document as it stands now."""
        return self.get(f"/api/{kind}/{document['id']}/").value()

    def edit(self, kind: str, document: Json, **changes: object) -> Json:
        return self.patch(f"/api/{kind}/{document['id']}/", changes).value()

    def spend(self, kind: str, campaign: Json, amount: object, **more: object) -> Answer:
        body = {"campaign_id": campaign["id"], "amount": amount, **more}
        return self.post(f"/api/spend/{kind}/", body)

    def add(self, campaign: Json, amount: object, **more: object) -> Answer:
        return self.spend("add", campaign, amount, **more)

    def report(self, campaign: Json, amount: object, **more: object) -> Answer:
        return self.spend("report", campaign, amount, **more)


def _described(method: str, path: str, response: Any) -> Answer:
    """The answer, which the OpenAPI document has to allow."""
    answer = Answer(response.status_code, response.headers, response.content)
    assert_described(method, path.partition("?")[0], answer.status, answer.content)
    return answer


def make_token(*scopes: Scope, brand: Json | None = None) -> str:
    """A new key's token; without scopes named it has all."""
    brands = None if brand is None else list(Brand.objects.filter(pk=brand["id"]))
    chosen = scopes or EVERY_SCOPE
    return create_api_key("a client", scopes=chosen, brands=brands, now=KEY_MADE_AT)[1]


def report_at(campaign: Json, amount: str, at: str) -> SpendOutcome:
    """Money that was already gone at this instant, told at this instant."""
    request = SpendRequest(campaign["id"], parse_money(amount, "amount"))
    caller, late_limit = Caller("test:history"), timedelta(hours=72)
    outcome = report_spend(request, caller=caller, now=instant(at), late_limit=late_limit)
    assert outcome.refusal is None
    return outcome


def instant(text: str) -> datetime:
    """An instant such as `2024-01-15T10:30:00Z`."""
    return datetime.fromisoformat(text)


class Clock:
    """The time that the product reads at its doors; stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
        self.now = instant(at)
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)

    def move_to(self, at: str) -> None:
        self.now = instant(at)

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)
