"""Reads which page of a list is wanted, and cuts it off (keyset pages: no offsets, no counts)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from pydantic import Field, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from core.rules.ordering import Ordering, Place, format_cursor, parse_cursor
from core.views.parsing import Filters, Whole

Row = TypeVar("Row", bound=Model)


def order_among(orderings: Mapping[str, Ordering]) -> WithJsonSchema:
    """What the OpenAPI document says of `order_by`; the page itself refuses other names."""
    return WithJsonSchema({"type": "string", "enum": list(orderings)})


class Page(Filters):
    """Which part of a list: up to `limit` rows after `cursor`.

    A list says what it is called, and its orderings by name, of which the first holds.
    """

    listed: ClassVar[str]
    orderings: ClassVar[Mapping[str, Ordering]]

    limit: Annotated[Whole, Field(ge=1, le=1000)] = 100
    cursor: str | None = None

    @property
    def ordering(self) -> Ordering:
        """The order of the list."""
        return next(iter(self.orderings.values()))

    def place(self) -> Place | None:
        """Where the page before ended. Raises InvalidFieldError."""
        if self.cursor is None:
            return None
        return parse_cursor(self.cursor, self.listed, self.ordering)


class OrderedPage(Page):
    """A page of a list whose order the caller chooses."""

    order_by: str

    @field_validator("order_by")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in cls.orderings:
            context = {"name": name[:50], "known": ", ".join(cls.orderings)}
            raise PydanticCustomError(
                "unknown_order", "'{name}' is not an order of this list; known: {known}", context
            )
        return name

    @property
    def ordering(self) -> Ordering:
        """The order that was asked for."""
        return self.orderings[self.order_by]


def cursor_at(page: Page, place: Place | None) -> str | None:
    """The cursor of the page that begins after this place, if there is one."""
    return None if place is None else format_cursor(page.listed, page.ordering, place)


def cut_page(rows: QuerySet[Row], page: Page) -> tuple[list[Row], str | None]:
    """The first rows, as many as the page holds, and the cursor of the next page if there is one.

    The rows have to be in the order of the page and begin at its place.
    """
    found = list(rows[: page.limit + 1])
    shown = found[: page.limit]
    if len(found) == len(shown):
        return shown, None
    return shown, format_cursor(page.listed, page.ordering, page.ordering.place(shown[-1]))
