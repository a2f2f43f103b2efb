"""Puts the rows of a list in an order that is the same on both databases, from a place on (C30).

A page costs the same however long the list is: it is read in the order of an index, and what it
leaves out on the way is bounded.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

from django.db.models import F, Func, Lookup, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)

from core.models import CodePoints
from core.rules.ordering import KeyKind, Ordering, Place

Row = TypeVar("Row", bound=Model)
# Rows of which one page may leave out what wasn't asked for; above the longest page.
SIFTED_TOGETHER = 10_000
# Brands of which a page is put together, rather than sifted out of the whole list.
MERGED_TOGETHER = 20

_LOOKUPS: dict[str, type[Lookup[Any]]] = {
    "lt": TupleLessThan,
    "lte": TupleLessThanOrEqual,
    "gt": TupleGreaterThan,
    "gte": TupleGreaterThanOrEqual,
}

# Rows, and the place from which to read on; `None` at the end.
Page = tuple[list[Row], Place | None]


class _Sifted(Func):
    """A column that rows are sifted by: its index must not be read and then sorted.

    Both databases would do so for what they think is rare, and read all of it for one page.
    """

    template = "NULLIF(%(expressions)s, NULL)"
    arity = 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a list is wanted: up to `count` rows after the place `after`."""

    ordering: Ordering
    after: Place | None
    count: int


def get_page(rows: QuerySet[Row], among: QuerySet[Row] | None, stretch: Stretch) -> Page[Row]:
    """This stretch of the rows.

    `among` is what an index gives in this order and the rows are sifted out of, `None` if they are
    all of it. However rare they are, a page goes through so many and no more: it may then hold
    fewer rows than were wanted, or none, and still a place from which to read on.
    """
    ordering, found = stretch.ordering, list[Row]()
    for part in _parts(ordering, stretch.after):
        last = part.find_place(among, SIFTED_TOGETHER) if among is not None else None
        wanted = part.of(rows)
        if last is not None:
            wanted = part.until(wanted, last)
        found += wanted[: stretch.count + 1 - len(found)]
        if len(found) > stretch.count:
            return found[: stretch.count], ordering.place(found[stretch.count - 1])
        if last is not None:
            return found, (*part.prefix, *last)
    return found, None


def get_merged_page(pages: Sequence[Page[Row]], stretch: Stretch) -> Page[Row]:
    """The first rows of all pages together; what lies beyond the end of one isn't known yet."""
    if len(pages) == 1:
        return pages[0]
    ordering = stretch.ordering
    steps: list[tuple[Place, Row | None]] = []
    for rows, _ in pages:
        steps += [(ordering.place(row), row) for row in rows]
    steps += [(end, None) for _, end in pages if end is not None]
    found = list[Row]()
    for number, (place, row) in enumerate(_sorted(steps, ordering), start=1):
        if row is None:
            return found, place
        found.append(row)
        if len(found) == stretch.count:
            return found, place if number < len(steps) else None
    return found, None


def list_sifted(among: QuerySet[Row], conditions: Mapping[str, Any]) -> QuerySet[Row]:
    """Those rows of which these conditions hold, without another index being taken for them."""
    columns = {name: name.partition("__") for name in conditions}
    sifted = {f"{column}_sifted": _Sifted(column) for column, _, _ in columns.values()}
    wanted = {
        f"{columns[name][0]}_sifted{''.join(columns[name][1:])}": value
        for name, value in conditions.items()
    }
    rows: QuerySet[Row] = among.alias(**sifted).filter(**wanted)
    return rows


def list_brands_apart(
    brand_ids: Collection[int],
) -> list[tuple[int | None, Collection[int] | None]]:
    """Each brand for itself, or all together if there are many."""
    if len(brand_ids) > MERGED_TOGETHER:
        return [(None, brand_ids)]
    return [(brand_id, None) for brand_id in brand_ids]


def _sorted(
    steps: list[tuple[Place, Row | None]], ordering: Ordering
) -> list[tuple[Place, Row | None]]:
    """In order of their places; those without a value last, a row before the end at its place."""
    return [
        step
        for has_none in (False, True)
        for step in sorted(
            (step for step in steps if (step[0][0] is None) is has_none),
            key=itemgetter(0),
            reverse=ordering.is_descending,
        )
    ]


def list_in_order(rows: QuerySet[Row], ordering: Ordering, after: Place | None) -> QuerySet[Row]:
    """The rows in this order, from the one that follows the place `after`."""
    column = ordering.column
    if ordering.kind is KeyKind.TEXT:
        column = f"{column}_by_code_points"
        rows = rows.alias(**{column: CodePoints(ordering.column)})
    # Said only where there may be none: an index doesn't serve what says it in vain.
    nulls_last = True if ordering.kind is KeyKind.OPTIONAL_INSTANT else None
    by = [OrderBy(F(column), descending=ordering.is_descending, nulls_last=nulls_last)]
    if ordering.kind is not KeyKind.ID:
        by.append(OrderBy(F("id"), descending=ordering.is_descending))
    if after is not None:
        rows = rows.filter(_follows(column, ordering, after))
    return rows.order_by(*by)


def _follows(column: str, ordering: Ordering, after: Place) -> Q:
    beyond = "lt" if ordering.is_descending else "gt"
    if after[0] is None:
        return Q(**{f"{column}__isnull": True}) & _compared(beyond, column, after[1:])
    later = _compared(beyond, column, after)
    if ordering.kind is KeyKind.OPTIONAL_INSTANT:
        later |= Q(**{f"{column}__isnull": True})
    return later


def _compared(lookup: str, column: str, place: Place) -> Q:
    """Compare rows with a place: a range of an index, however many rows have its value.

    SQLite takes only what is said of the value alone for its range, and passes over the rows that
    have the same one.
    """
    names = [column, "id"][-len(place) :]
    whole = Q(_LOOKUPS[lookup](Tuple(*map(F, names)), place))
    return Q(**{f"{names[0]}__{lookup[:2]}e": place[0]}) & whole


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a list that one index gives in order: those with a value, or those without."""

    condition: Q
    ordering: Ordering
    after: Place | None
    # What is said of a place beside its key in this part.
    prefix: Place = ()

    def of(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        return list_in_order(rows.filter(self.condition), self.ordering, self.after)

    def find_place(self, rows: QuerySet[Row], number: int) -> Place | None:
        """Where the row of this number stands, if there are so many."""
        names = ["id"] if self.ordering.kind is KeyKind.ID else [self.ordering.column, "id"]
        # Nothing but the key, so that the index answers alone.
        return self.of(rows).values_list(*names)[number - 1 : number].first()

    def until(self, rows: QuerySet[Row], last: Place) -> QuerySet[Row]:
        """The rows of this part up to that place, which is included."""
        ordering, column = self.ordering, self.ordering.column
        if ordering.kind is KeyKind.TEXT:
            column = f"{column}_by_code_points"
        up_to = "gte" if ordering.is_descending else "lte"
        return rows.filter(_compared(up_to, column, last))


def _parts(ordering: Ordering, after: Place | None) -> Iterator[_Part]:
    """The rows that have no value come last; no index has them there in both directions."""
    if ordering.kind is not KeyKind.OPTIONAL_INSTANT:
        yield _Part(Q(), ordering, after)
        return
    has_none = Q(**{f"{ordering.column}__isnull": True})
    by_id = Ordering("-id" if ordering.is_descending else "id", KeyKind.ID)
    if after is not None and after[0] is None:
        yield _Part(has_none, by_id, after[1:], (None,))
        return
    yield _Part(~has_none, Ordering(ordering.name, KeyKind.INSTANT), after)
    yield _Part(has_none, by_id, None, (None,))
