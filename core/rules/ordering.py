"""The orders in which lists are read, and the cursors that name a place in one.

No offsets: a place is the last row's own key, so that inserts before it move nothing.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from zlib import crc32

from core.errors import InvalidFieldError
from core.rules.instants import format_instant, parse_instant

# The key of a row in some ordering: its value in the column, if there is one, and its id.
Place = tuple[Any, ...]

LARGEST_ID = 2**63 - 1
# Above what the longest name of the widest letters needs.
LONGEST_CURSOR = 2000
_CHECKSUM_BYTES = 4
_OF_ANOTHER_ORDER = "was given in another order; send the same order_by, or no cursor to start in"
_NOT_GIVEN = "is not a cursor of this list; send `next` as it came, or none to start at the top"


class KeyKind(Enum):
    """What a list is ordered by."""

    ID = "id"
    TEXT = "text"
    INSTANT = "instant"
    OPTIONAL_INSTANT = "optional instant"


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order of rows: by a column, what is equal there by id, both in one direction.

    `name` is how callers write it: the column, with a `-` before it when the largest comes first.
    Rows without a value come last in either direction.
    """

    name: str
    kind: KeyKind

    @property
    def column(self) -> str:
        """The name of the column."""
        return self.name.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.name.startswith("-")

    def place(self, row: Any) -> Place:
        """Where a row stands."""
        return (row.pk,) if self.kind is KeyKind.ID else (getattr(row, self.column), row.pk)


def orderings(**columns: KeyKind) -> dict[str, Ordering]:
    """The orderings by these columns, in both directions, by name."""
    both = [(f"{sign}{column}", kind) for column, kind in columns.items() for sign in ("", "-")]
    return {name: Ordering(name, kind) for name, kind in both}


def format_cursor(listed: str, ordering: Ordering, place: Place) -> str:
    """The place in the list of this name as text that is safe in a URL.

    Opaque to callers, with a checksum that tells a damaged cursor from a whole one. It is no
    secret and proves nothing: who may see a row is asked on every page.
    """
    key = [format_instant(part) if isinstance(part, datetime) else part for part in place]
    document = [listed, ordering.name, *key]
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(_checksum(text) + text).decode().rstrip("=")


def parse_cursor(cursor: str, listed: str, ordering: Ordering) -> Place:
    """The place that a cursor of this list and this ordering names. Raises InvalidFieldError."""
    match _read(cursor):
        case [str(of_list), str(of_ordering), *key] if of_list == listed:
            if of_ordering != ordering.name:
                raise InvalidFieldError("cursor", f"{_OF_ANOTHER_ORDER} {ordering.name}")
            return _place(key, ordering.kind)
    raise InvalidFieldError("cursor", _NOT_GIVEN)


def _read(cursor: str) -> Any:
    """What the cursor holds, or None when it is none."""
    if not cursor.isascii() or len(cursor) > LONGEST_CURSOR:
        return None
    try:
        whole = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        checksum, text = whole[:_CHECKSUM_BYTES], whole[_CHECKSUM_BYTES:]
        # The decoder skips what it doesn't know, and the last letter has bits that it drops.
        is_whole = urlsafe_b64encode(whole).decode().rstrip("=") == cursor
        return json.loads(text) if is_whole and checksum == _checksum(text) else None
    except (ValueError, RecursionError):
        return None


def _place(key: list[Any], kind: KeyKind) -> Place:
    match kind, key:
        case KeyKind.ID, [int(row_id)] if _is_id(row_id):
            return (row_id,)
        case KeyKind.TEXT, [str(text), int(row_id)] if _is_id(row_id) and _is_storable(text):
            return (text, row_id)
        case ((KeyKind.INSTANT | KeyKind.OPTIONAL_INSTANT), [str(at), int(row_id)]) if _is_id(
            row_id
        ):
            try:
                return (parse_instant(at, "cursor"), row_id)
            except InvalidFieldError as error:
                raise InvalidFieldError("cursor", _NOT_GIVEN) from error
        case KeyKind.OPTIONAL_INSTANT, [None, int(row_id)] if _is_id(row_id):
            return (None, row_id)
    raise InvalidFieldError("cursor", _NOT_GIVEN)


def _is_id(number: int) -> bool:
    return not isinstance(number, bool) and 1 <= number <= LARGEST_ID


def _is_storable(text: str) -> bool:
    """Whether both databases take it: no NUL, no half of a surrogate pair (C30)."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def _checksum(text: bytes) -> bytes:
    return crc32(text).to_bytes(_CHECKSUM_BYTES, "big")
