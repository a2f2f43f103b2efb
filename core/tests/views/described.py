"""Holds an answer to the OpenAPI document: its status, its media type, its schema."""

import json
import re
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from core.urls import api

Json = dict[str, Any]


def assert_described(method: str, path: str, status: int, content: bytes) -> None:
    """If this is a call of the API: the document allows this answer to it."""
    operation = _find_operation(method, path)
    if operation is None:
        return
    answers = operation["responses"]
    assert str(status) in answers, f"{method} {path} answers {status}: {content[:500]!r}"
    described = resolved(answers[str(status)])
    assert bool(content) == ("content" in described), f"{method} {path} answers {content[:500]!r}"
    if content:
        schema = described["content"]["application/json"]["schema"]
        problems = problems_of(json.loads(content), schema)
        assert not problems, f"{method} {path} answers {status}: {problems} {content[:500]!r}"


def problems_of(value: Any, schema: Json) -> list[str]:
    """What this schema of the document doesn't allow in the value."""
    return [
        f"{error.instance_path}: {error.message}"
        for error in _validator(json.dumps(schema)).iter_errors(value)
    ]


def resolved(part: Json) -> Json:
    """The part of the document that is meant, where it is a reference."""
    if "$ref" not in part:
        return part
    found = api.document
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


@cache
def _validator(schema: str) -> Draft202012Validator:
    named = {**json.loads(schema), "components": api.document["components"]}
    return Draft202012Validator(named, validate_formats=True)


def _find_operation(method: str, path: str) -> Json | None:
    for pattern, methods in _patterns():
        if pattern.fullmatch(path):
            operation: Json | None = methods.get(method.lower())
            return operation
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], Json]]:
    paths = api.document["paths"].items()
    return [(re.compile(re.sub(r"{\w+}", "[0-9]+", path)), methods) for path, methods in paths]
