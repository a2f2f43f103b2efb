"""Thousands of generated requests, good and bad ones, against the document of the API (C28).

Schemathesis makes them from the document, in process and the same ones in each run. Every request
meets the same small world, and what it changed is rolled back.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from django.db import connection, transaction
from django.test.client import ClientHandler
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.control import SkipTest
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.tests.views.api import Api, Json, make_token
from core.tests.views.conftest import MONDAY_MORNING
from core.urls import CALLS

REQUESTS_PER_CALL = 45
# Of good and of bad requests each: 2,000 on each database.
FEWEST_REQUESTS = 1_000
HANDLER = ClientHandler()
# What a schema can't say: these depend on the clock, on what is stored or on another field.
BEYOND_FORM = {
    "at",
    "currency",
    "cursor",
    "dayparting_end",
    "dayparting_start",
    "ends_at",
    "event_id",
    "occurred_at",
    "schedule",
    "time_zone",
}
MALFORMED = {"invalid_input", "malformed_body", "bad_request"}
World = dict[str, Any]
Operation = APIOperation[Any, Any, Any, Any]
Sent = Case[Operation]


def good_form_is_accepted(_context: CheckContext, response: Response, case: Sent) -> None:
    """In place of `positive_data_acceptance`, which takes a used-up budget for a fault."""
    if not case.meta or case.meta.generation.mode.is_negative or response.status_code != 400:
        return
    refusal = response.json()
    if refusal["code"] in MALFORMED and not set(refusal["fields"]) & BEYOND_FORM:
        raise Failure(operation=case.operation.label, title="Good form refused", message="")


def bad_form_is_refused(context: CheckContext, response: Response, case: Sent) -> None:
    """A batch refuses its bad entries alone (C23), anything else the whole request."""
    results = response.json().get("results", []) if response.content else []
    if all(result["status"] != "invalid" for result in results):
        negative_data_rejection(context, response, case)


CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    bad_form_is_refused,
    good_form_is_accepted,
]


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """The product for WSGI, without closing the connection whose transaction is rolled back."""
    response: Any = HANDLER(environ)
    status = f"{response.status_code} {response.reason_phrase}"
    start_response(status, [(name, str(value)) for name, value in response.items()])
    return [response.content]


@pytest.fixture
def world(api: Api, brand: Json, campaign: Json) -> World:
    """What exists, by the names that requests have for it."""
    entry = api.report(campaign, "10.00").value()
    hold = api.post("/api/holds/create/", {"campaign_id": campaign["id"], "amount": "5"}).value(201)
    return {
        "brand_id": brand["id"],
        "campaign_id": campaign["id"],
        "hold_id": hold["hold_id"],
        "spend_log_id": entry["spend_log_id"],
        "currency": brand["currency"],
        "time_zone": "Europe/Berlin",
        "occurred_at": MONDAY_MORNING,
    }


@pytest.mark.parametrize("mode", GenerationMode)
def test_generated_requests_find_nothing(mode: GenerationMode, world: World) -> None:
    run = Run(mode, world)
    labels = run.send_all()
    assert run.found == []
    assert len(run.sent) >= FEWEST_REQUESTS
    # Nothing that is sent with this call could be bad.
    assert labels - set(run.sent) == (set() if mode.is_positive else {"GET /api/status/"})


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        (lambda _brands: "three", "JsonSchemaError"),
        (lambda _brands: -1, "JsonSchemaError"),
        (lambda _brands: 1 / 0, "ServerError"),
    ],
)
def test_a_broken_answer_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Callable[[object], object], finding: str
) -> None:
    monkeypatch.setattr("core.views.status.count_brands", broken)
    run = Run(GenerationMode.POSITIVE, world)
    run.send_all(only="GET /api/status/")
    assert run.found
    assert all(finding in found for found in run.found)


class Run:
    """Sends what Schemathesis makes of each operation, and keeps what its checks find."""

    def __init__(self, mode: GenerationMode, world: World) -> None:
        self.mode = mode
        self.world = world
        self.headers = {"Authorization": f"Bearer {make_token()}"}
        self.sent: list[str] = []
        self.found: list[str] = []

    def send_all(self, only: str = "") -> set[str]:
        """Send requests to all operations, or to that one; their labels."""
        if connection.vendor == "postgresql":
            # Making up requests may take longer than the product leaves a transaction idle.
            connection.cursor().execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        document = schemathesis.openapi.from_wsgi("/api/openapi.json", application)
        document.config.generation.update(modes=[self.mode], with_security_parameters=False)
        operations = [result.ok() for result in document.get_all_operations()]  # type: ignore[union-attr]  # none is an error
        assert len(operations) == len(CALLS)
        for operation in operations:
            if only in operation.label:
                # Where no request could be bad, none is made.
                with suppress(SkipTest):
                    self._send_many(operation)
        return {operation.label for operation in operations}

    def _send_many(self, operation: Operation) -> None:
        @settings(
            max_examples=REQUESTS_PER_CALL,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=self.mode), is_led=st.booleans())
        def send(case: Sent, is_led: bool) -> None:
            lead(case, self.world, is_led=is_led)
            self._send(case)

        send()

    def _send(self, case: Sent) -> None:
        with transaction.atomic():
            response = case.call(headers=self.headers)
            transaction.set_rollback(True)
        self.sent.append(case.operation.label)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            self.found.extend(f"{case!r}: {each!r} {response.text}" for each in group.exceptions)


def lead(case: Sent, world: World, *, is_led: bool) -> None:
    """Let good parts of a request name what exists if `is_led`; bad ones stay as they are."""
    assert case.meta
    good = {
        location
        for location, component in case.meta.components.items()
        if component.mode is GenerationMode.POSITIVE
    }
    if is_led and ParameterLocation.PATH in good:
        case.path_parameters = {name: world[name] for name in case.path_parameters}
    if is_led and ParameterLocation.QUERY in good:
        case.query = {name: world.get(name, value) for name, value in case.query.items()}
    if ParameterLocation.BODY in good and isinstance(case.body, dict):
        case.body = written_plainly(case.body, world if is_led else {})


def written_plainly(value: Any, world: World) -> Any:
    """The numbers of C1: read as written, so without exponents and endless decimals."""
    match value:
        case dict():
            return {
                name: world.get(name) or written_plainly(inner, world)
                for name, inner in value.items()
            }
        case list():
            return [written_plainly(inner, world) for inner in value]
        case float():
            return int(value) if value.is_integer() else max(round(value, 4), 0.0001)
    return value
