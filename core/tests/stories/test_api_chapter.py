"""docs/api.md is true: its requests are sent in order and answered exactly as it says."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from core.tests.views.api import Answer, Api, Clock, make_token

CHAPTER = Path(__file__).parents[3] / "docs" / "api.md"
_BLOCK = re.compile(r"<!-- at (?P<at>\S+) -->|```http\n(?P<message>.*?)```", re.S)
# What differs each time: ids of requests and keys, cursors.
ANY = "…"


@dataclass(frozen=True)
class Message:
    """A request or an answer: its first line, its headers, its body."""

    first_line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @classmethod
    def read(cls, text: str) -> "Message":
        head, _, body = text.strip().partition("\n\n")
        first_line, *lines = head.splitlines()
        return cls(first_line, dict(line.split(": ", 1) for line in lines), body)


def blocks() -> Iterator[str | Message]:
    """The instants and messages of the chapter in their order."""
    for found in _BLOCK.finditer(CHAPTER.read_text()):
        yield found["at"] or Message.read(found["message"])


@pytest.mark.usefixtures("own_database")
def test_every_example_of_the_api_chapter_is_answered_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock: Clock | None = None
    token, asked = make_token(), 0
    messages = blocks()
    for block in messages:
        if isinstance(block, str):
            clock = Clock(monkeypatch, block)
            continue
        assert clock is not None
        expected = next(messages)
        assert isinstance(expected, Message)
        assert_answers(send(token, block), expected, block.first_line)
        asked += 1
    assert asked > 12


def send(token: str, request: Message) -> Answer:
    method, path = request.first_line.split(" ", 1)
    return Api(token, **request.headers).send(method, path, request.body.encode())


def assert_answers(answer: Answer, expected: Message, asked: str) -> None:
    status = HTTPStatus(answer.status)
    assert expected.first_line == f"HTTP/1.1 {status.value} {status.phrase}", asked
    assert {name: answer.headers.get(name) for name in expected.headers} == expected.headers, asked
    assert_same(json.loads(expected.body), answer.json, asked)


def assert_same(said: Any, answered: Any, asked: str) -> None:
    """Equal, but for what the chapter leaves open."""
    if isinstance(said, dict) and isinstance(answered, dict):
        assert set(said) == set(answered), asked
        for name, value in said.items():
            assert_same(value, answered[name], f"{asked} {name}")
    elif isinstance(said, list) and isinstance(answered, list):
        assert len(said) == len(answered), asked
        for place, value in enumerate(said):
            assert_same(value, answered[place], f"{asked} {place}")
    elif said != ANY:
        assert said == answered, asked
