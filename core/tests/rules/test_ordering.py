"""A cursor is read back as it was written, and nothing else is taken for one (C28)."""

import json
from base64 import urlsafe_b64encode
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidFieldError
from core.rules.ordering import (
    LARGEST_ID,
    LONGEST_CURSOR,
    KeyKind,
    Ordering,
    Place,
    format_cursor,
    orderings,
    parse_cursor,
)
from core.rules.text import LONGEST_NAME
from core.tests.rules.zones import instants

KNOWN = orderings(
    id=KeyKind.ID, name=KeyKind.TEXT, at=KeyKind.INSTANT, since=KeyKind.OPTIONAL_INSTANT
)
ids = st.integers(1, LARGEST_ID)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=LONGEST_NAME)
KEYS: dict[KeyKind, st.SearchStrategy[Any]] = {
    KeyKind.TEXT: names,
    KeyKind.INSTANT: instants,
    KeyKind.OPTIONAL_INSTANT: st.none() | instants,
}


@st.composite
def places(draw: st.DrawFn) -> tuple[Ordering, Place]:
    ordering = draw(st.sampled_from(list(KNOWN.values())))
    key = draw(KEYS[ordering.kind]) if ordering.kind in KEYS else None
    return ordering, (draw(ids),) if ordering.kind is KeyKind.ID else (key, draw(ids))


@given(places())
def test_a_cursor_is_read_back_as_it_was_written_and_is_safe_in_a_url(
    given_place: tuple[Ordering, Place],
) -> None:
    ordering, place = given_place
    cursor = format_cursor("rows", ordering, place)
    assert parse_cursor(cursor, "rows", ordering) == place
    assert cursor.replace("-", "a").replace("_", "a").isalnum()
    assert cursor.isascii()
    assert len(cursor) <= LONGEST_CURSOR


def test_the_longest_name_of_the_widest_letters_fits_in_a_cursor() -> None:
    for letter in ("🙂", '"', "\\"):
        place = (letter * LONGEST_NAME, LARGEST_ID)
        cursor = format_cursor("campaigns", KNOWN["-name"], place)
        assert parse_cursor(cursor, "campaigns", KNOWN["-name"]) == place


@given(places(), st.data())
def test_a_cursor_with_one_letter_changed_lost_or_added_is_refused(
    given_place: tuple[Ordering, Place], data: st.DataObject
) -> None:
    ordering, place = given_place
    cursor = format_cursor("rows", ordering, place)
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("Aab09-_=+/ \0é"))
    for damaged in (
        cursor[:at] + letter + cursor[at + 1 :],
        cursor[:at] + cursor[at + 1 :],
        cursor[:at] + letter + cursor[at:],
    ):
        if damaged != cursor:
            refused(damaged, ordering)


@given(st.text(), st.sampled_from(list(KNOWN.values())))
def test_what_a_person_types_is_refused(text: str, ordering: Ordering) -> None:
    refused(text, ordering)


def refused(cursor: str, ordering: Ordering) -> str:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_cursor(cursor, "rows", ordering)
    assert list(refusal.value.fields) == ["cursor"]
    return refusal.value.problem


def forged(text: bytes) -> str:
    """What somebody sends who knows how cursors are made."""
    return urlsafe_b64encode(crc32(text).to_bytes(4, "big") + text).decode().rstrip("=")


WRONG_IDS = [0, -1, LARGEST_ID + 1, 10**40, 1.0, 1e300, "1", "", True, None, [1], {}, {"id": 1}]
WRONG_TEXTS = [5, None, True, ["a"], {"a": 1}, "a\0", "\ud800", "\udfff\ud800"]
WRONG_INSTANTS = [
    *("", "a", "\0", 5, True, [], "2026-06-10", "2026-06-10T12:00:00", "2026-02-30T00:00:00Z"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9" * 500),
]
WRONG_KEYS: dict[str, list[list[Any]]] = {
    "id": [[], [1, 1], ["a", 1], *([row_id] for row_id in WRONG_IDS)],
    "name": [[], ["a"], [1], ["a", 1, 1]],
    "at": [[], [1], [None, 1]],
    "-since": [[], [1], [None], [None, 1, 1]],
}
WRONG_KEYS["name"] += [["a", row_id] for row_id in WRONG_IDS]
WRONG_KEYS["name"] += [[text, 1] for text in WRONG_TEXTS]
WRONG_KEYS["at"] += [["2026-06-10T12:00:00Z", row_id] for row_id in WRONG_IDS]
WRONG_KEYS["at"] += [[at, 1] for at in WRONG_INSTANTS]
WRONG_KEYS["-since"] += [[None, row_id] for row_id in WRONG_IDS]
WRONG_KEYS["-since"] += [[at, 1] for at in WRONG_INSTANTS]


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name, keys in WRONG_KEYS.items() for key in keys],
    ids=lambda part: ascii(part)[:40],
)
def test_a_forged_cursor_with_a_key_that_no_row_can_have_is_refused(
    name: str, key: list[Any]
) -> None:
    cursor = forged(json.dumps(["rows", name, *key]).encode())
    assert "is not a cursor of this list" in refused(cursor, KNOWN[name])


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"\0", b"null", b"1", b'"rows"', b"[]", b"{}", b'["rows"]', b'["rows","id"]x'),
        *(b"\xff\xfe", b"[" * 1400, b'{"a":' * 280, b'["rows","id",' + b"9" * 1400 + b"]"),
        *(b'["rows","id",NaN]', b'["rows","id",Infinity]', b'["rows","id",1e400]', b'[1,"id",1]'),
    ],
)
def test_a_forged_cursor_that_holds_no_key_is_refused(text: bytes) -> None:
    refused(forged(text), KNOWN["id"])


def test_a_cursor_too_long_for_any_row_is_refused_before_it_is_read() -> None:
    text = json.dumps(["rows", "name", "x" * 2000, 1]).encode()
    assert "is not a cursor" in refused(forged(text), KNOWN["name"])


def test_a_cursor_of_another_order_says_how_to_go_on() -> None:
    cursor = format_cursor("rows", KNOWN["name"], ("a", 1))
    assert "send the same order_by" in refused(cursor, KNOWN["-name"])
    assert "send the same order_by" in refused(cursor, KNOWN["id"])


def test_a_cursor_of_another_list_is_none_of_this_one() -> None:
    cursor = format_cursor("others", KNOWN["id"], (1,))
    assert "is not a cursor of this list" in refused(cursor, KNOWN["id"])


def test_a_null_key_is_for_columns_that_may_be_null() -> None:
    cursor = forged(json.dumps(["rows", "since", None, 7]).encode())
    assert parse_cursor(cursor, "rows", KNOWN["since"]) == (None, 7)
    refused(forged(json.dumps(["rows", "at", None, 7]).encode()), KNOWN["at"])
