"""The OpenAPI document says what the code does: its calls, its refusals, its examples (C28)."""

import json
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import schemathesis
from django.contrib.staticfiles import finders
from django.test import Client

import core.views
from core.errors import BudgetManagerError
from core.tests.views.api import Api, Json
from core.tests.views.described import problems_of, resolved
from core.urls import CALLS
from core.urls import api as described_api
from core.views.errors import PLAIN_ANSWERS
from core.views.examples import ANSWERS, REQUESTS

# Only commands and the admin deal in API keys.
NOT_OVER_THE_API = {"api_key_not_found", "api_key_ended"}
# What no call answers: methods that aren't there, pages that Django guards.
OF_NO_CALL = {"method_not_allowed", "forbidden"}
CALLED = [(method, path, view.__name__) for method, path, _, view in CALLS]


@pytest.fixture
def document() -> Json:
    return described_api.document


@pytest.fixture
def anyone(db: None) -> Client:
    return Client(raise_request_exception=False)


def operations_of(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


# --- It is served ----------------------------------------------------------------------------


def test_anybody_may_read_the_document(anyone: Client, document: Json) -> None:
    response = anyone.get("/api/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.json() == document
    assert not re.search(r"\bC[0-9]+\b", response.content.decode())


def test_it_is_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/docs"])
def test_it_is_only_read(path: str) -> None:
    anyone = Client(enforce_csrf_checks=True)
    assert anyone.get(path).status_code == 200
    refused = anyone.post(path)
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert anyone.get(f"{path}/").json()["code"] == "not_found"


def test_the_page_needs_nobody_but_this_server(anyone: Client) -> None:
    page = anyone.get("/api/docs").content.decode()
    assert '"url": "/api/openapi.json"' in page
    assert '"validatorUrl": null' in page
    assert "://" not in page
    files = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert {"swagger-ui-bundle.js", "swagger-ui.css"} <= {file.split("/")[-1] for file in files}
    for file in files:
        assert file.startswith("/static/"), file
        assert finders.find(file.removeprefix("/static/")), file


# --- It has every call -------------------------------------------------------------------------


def test_it_has_the_calls_of_the_table_of_contents_and_no_others(document: Json) -> None:
    listed = {(method, "/api" + path.replace("{int:", "{")) for method, path, _, _ in CALLS}
    assert {(method, path) for method, path, _ in operations_of(document)} == listed


def test_each_call_is_named_after_its_view_and_asks_for_its_scope(document: Json) -> None:
    described = [
        (operation["operationId"], operation["security"])
        for _, _, operation in operations_of(document)
    ]
    assert sorted(described, key=str) == sorted(
        ((view.__name__, [{"bearer": [scope.value]}]) for _, _, scope, view in CALLS), key=str
    )


def test_each_call_says_what_it_does_under_a_tag_that_is_explained(document: Json) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for _, path, operation in operations_of(document):
        assert operation["summary"].endswith("."), path
        assert set(operation["tags"]) <= tags, path


# --- It has every refusal ------------------------------------------------------------------------


def codes_in_the_code() -> set[str]:
    for module in pkgutil.walk_packages(core.views.__path__, "core.views."):
        import_module(module.name)
    classes: list[type[BudgetManagerError]] = list(BudgetManagerError.__subclasses__())
    for each in classes:
        classes.extend(each.__subclasses__())
    ours = {each.code for each in classes if each.__module__.startswith("core.")}
    plain = {code for code, _ in PLAIN_ANSWERS.values()}
    return (ours | plain) - {BudgetManagerError.code}


def test_it_has_every_code_that_the_code_can_refuse_with(document: Json) -> None:
    schema = document["components"]["schemas"]["ErrorDocument"]
    in_document = set(schema["properties"]["code"]["enum"])
    assert in_document == codes_in_the_code() - NOT_OVER_THE_API
    assert set(document["components"]["examples"]) == in_document


def test_each_code_belongs_to_a_call(document: Json) -> None:
    told = {code for _, _, operation in operations_of(document) for code in codes_of(operation)}
    assert told == codes_in_the_code() - NOT_OVER_THE_API - OF_NO_CALL


def codes_of(operation: Json) -> Iterator[str]:
    for answer in operation["responses"].values():
        for _, schema, _ in contents_of(resolved(answer)):
            yield from schema.get("properties", {}).get("code", {}).get("enum", ())


# --- Its examples are true -----------------------------------------------------------------------


def contents_of(part: Json) -> Iterator[tuple[str, Json, list[Any]]]:
    """Each media type, with its schema and its examples."""
    for media_type, content in part.get("content", {}).items():
        several = [resolved(example)["value"] for example in content.get("examples", {}).values()]
        yield media_type, content["schema"], several or [content["example"]]


def test_each_request_and_each_answer_has_an_example_that_its_schema_allows(
    document: Json,
) -> None:
    count = 0
    for method, path, operation in operations_of(document):
        answers = map(resolved, operation["responses"].values())
        for part in (operation.get("requestBody", {}), *answers):
            for media_type, schema, examples in contents_of(part):
                assert media_type == "application/json"
                for example in examples:
                    assert problems_of(example, schema) == [], (method, path)
                    count += 1
    assert count > 10 * len(CALLS)


def test_no_example_is_left_over(document: Json) -> None:
    names = {operation["operationId"] for _, _, operation in operations_of(document)}
    assert set(REQUESTS) | set(ANSWERS) <= names


def test_a_false_example_would_be_found() -> None:
    schema = {"$ref": "#/components/schemas/SpendAddDocument"}
    good = ANSWERS["spend_add"]
    assert problems_of(good, schema) == []
    assert problems_of({**good, "amount": "50"}, schema)
    assert problems_of({**good, "more": 1}, schema)
    assert problems_of({**good, "reasons": [{"code": "tired"}]}, schema)


# --- What it doesn't name is refused -------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "name"), CALLED)
def test_each_call_refuses_query_parameters_that_it_does_not_know(
    api: Api, method: str, path: str, *, name: str
) -> None:
    filled = re.sub(r"{int:\w+}", "1", path)
    body = json.dumps(REQUESTS[name]).encode() if name in REQUESTS else b""
    answer = api.send(method, f"/api{filled}?nonsense=1", body)
    fields = answer.error(400, "invalid_input")["fields"]
    assert "is not a known parameter" in fields["nonsense"]
