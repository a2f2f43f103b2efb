"""Reads a request's body as strict JSON, or says what is wrong with it (C1, C28).

Python's reader accepts NaN, repeated names, numbers of any size and lone surrogates; money and
signatures can't. Numbers that aren't plain integers are kept as they were written.
"""

import json
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any, NoReturn

from core.errors import MalformedBodyError

LARGEST_BODY = 64 * 1024
DEEPEST_NESTING = 20
# Ten times what the largest batch needs.
MOST_OBJECTS = 10_000
# Each name that nobody knows costs most of a kilobyte to refuse.
MOST_NAMES = 10_000
_LONGEST_INTEGER = 18  # digits; below 2**63


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A JSON number as written, for whoever has to read it exactly."""

    text: str


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises MalformedBodyError with what to do about it."""
    if not body.strip():
        raise MalformedBodyError("The body is empty; send a JSON object")
    try:
        text = body.decode("utf-8")
        document = _decoder().decode(text)
    except UnicodeDecodeError as error:
        raise MalformedBodyError("The body is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise MalformedBodyError(
            f"The body is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from error
    except RecursionError as error:
        raise MalformedBodyError("The body is nested too deeply") from error
    if not isinstance(document, dict):
        raise MalformedBodyError("The body must be a JSON object")
    _check_depth(document, depth=1)
    # Only an escape can name what a database can't keep: it is no valid UTF-8, or no valid JSON.
    if "\\u" in text:
        _check_text(document)
    return document


def _decoder() -> json.JSONDecoder:
    """A reader for one body, which counts the objects in it: an empty one takes 64 bytes."""
    counter = count(1)

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if next(counter) > MOST_OBJECTS:
            raise MalformedBodyError("The body holds too many objects; send 1,000 entries at most")
        return _read_object(pairs)

    return json.JSONDecoder(
        object_pairs_hook=read_object,
        parse_float=NumberLiteral,
        parse_int=_read_integer,
        parse_constant=_refuse_constant,
    )


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise MalformedBodyError("An object in the body holds too many names")
    document = dict(pairs)
    if len(document) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise MalformedBodyError(f"The name {twice[:50]!a} stands twice in one object")
    return document


def _read_integer(text: str) -> int | NumberLiteral:
    is_plain = len(text.lstrip("-")) <= _LONGEST_INTEGER and text != "-0"
    return int(text) if is_plain else NumberLiteral(text)


def _refuse_constant(text: str) -> NoReturn:
    raise MalformedBodyError(f"{text} is not a JSON number")


def _check_depth(value: dict[str, Any] | list[Any], *, depth: int) -> None:
    if depth > DEEPEST_NESTING:
        raise MalformedBodyError("The body is nested too deeply")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, depth=depth + 1)


def _check_text(value: Any) -> None:
    """Refuse text that a database can't keep."""
    match value:
        case dict():
            for name, inner in value.items():
                _check_text(name)
                _check_text(inner)
        case list():
            for inner in value:
                _check_text(inner)
        case str() if "\0" in value or not (value.isascii() or _is_whole(value)):
            raise MalformedBodyError("The body holds a NUL character or half a surrogate pair")


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
