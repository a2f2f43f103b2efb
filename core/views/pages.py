"""Cuts one page off an ordered query (keyset pages: no offsets, no counts)."""

from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def cut_page(rows: QuerySet[Row], limit: int) -> tuple[list[Row], int | None]:
    """The first `limit` rows, and the cursor of the next page if there are more."""
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, page[-1].pk if len(found) > limit else None
