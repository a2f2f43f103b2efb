"""Puts the rows of a list in an order that is the same on both databases, from a place on (C30).

A page costs the same however long the list is: it is read in the order of an index, and what it
leaves out on the way is bounded.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

from django.db.models import F, Func, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThanOrEqual,
    TupleLessThanOrEqual,
)

from core.models import CodePoints
from core.rules.ordering import KeyKind, Ordering, Place

Row = TypeVar("Row", bound=Model)
# Rows of which one page may leave out what wasn't asked for; above the longest page.
SIFTED_TOGETHER = 10_000
# Brands of which a page is put together, rather than sifted out of the whole list.
MERGED_TOGETHER = 20

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
    all of it. However rare they are, a page goes through so many of each part and no more: it may
    then hold fewer rows than were wanted, or none, and still a place from which to read on.
    """
    ordering, found = stretch.ordering, list[Row]()
    rows, among = _keyed(rows, ordering), _keyed(among, ordering) if among is not None else None
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
    rows, column = _keyed(rows, ordering), _key(ordering)
    # Said only where there may be none: an index doesn't serve what says it in vain.
    nulls_last = True if ordering.kind is KeyKind.OPTIONAL_INSTANT else None
    by = [OrderBy(F(column), descending=ordering.is_descending, nulls_last=nulls_last)]
    if ordering.kind is not KeyKind.ID:
        by.append(OrderBy(F("id"), descending=ordering.is_descending))
    if after is not None:
        rows = rows.filter(_follows(column, ordering, after))
    return rows.order_by(*by)


def _key(ordering: Ordering) -> str:
    """The name of what rows are compared by."""
    is_text = ordering.kind is KeyKind.TEXT
    return f"{ordering.column}_by_code_points" if is_text else ordering.column


def _keyed(rows: QuerySet[Row], ordering: Ordering) -> QuerySet[Row]:
    """The rows, with what is known by that name."""
    if ordering.kind is not KeyKind.TEXT:
        return rows
    keyed: QuerySet[Row] = rows.alias(**{_key(ordering): CodePoints(ordering.column)})
    return keyed


def _follows(column: str, ordering: Ordering, after: Place) -> Q:
    beyond = "lt" if ordering.is_descending else "gt"
    *value, row_id = after
    by_id = Q(**{f"id__{beyond}": row_id})
    match value:
        case []:
            return by_id
        case [None]:
            return Q(**{f"{column}__isnull": True}) & by_id
    # The first half alone is a range of an index; the second leaves out the equals before.
    later = Q(**{f"{column}__{beyond}e": value[0]}) & (
        Q(**{f"{column}__{beyond}": value[0]}) | by_id
    )
    if ordering.kind is KeyKind.OPTIONAL_INSTANT:
        later |= Q(**{f"{column}__isnull": True})
    return later


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a list that one index gives in order: its rows from the place `after` on."""

    condition: Q
    ordering: Ordering
    after: Place | None = None
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
        is_descending = self.ordering.is_descending
        names = [_key(self.ordering), "id"][-len(last) :]
        # SQLite takes only what is said of the value alone for the end of a range.
        of_value = Q(**{f"{names[0]}__{'gte' if is_descending else 'lte'}": last[0]})
        up_to = TupleGreaterThanOrEqual if is_descending else TupleLessThanOrEqual
        return rows.filter(of_value, up_to(Tuple(*map(F, names)), last))


def _parts(ordering: Ordering, after: Place | None) -> Iterator[_Part]:
    """What comes after a place: others with its value, those beyond, and those without any.

    As one condition it would be no range of an index: whoever begins among many rows with the same
    value would go through all of them for each page. Nor has an index those without one last in
    both directions.
    """
    if ordering.kind is KeyKind.ID:
        yield _Part(Q(), ordering, after)
        return
    by_id = Ordering("-id" if ordering.is_descending else "id", KeyKind.ID)
    is_optional, key = ordering.kind is KeyKind.OPTIONAL_INSTANT, _key(ordering)
    valued = Ordering(ordering.name, KeyKind.INSTANT) if is_optional else ordering
    has_none = Q(**{f"{ordering.column}__isnull": True})
    match after:
        case None:
            yield _Part(~has_none if is_optional else Q(), valued)
        case [None, row_id]:
            yield _Part(has_none, by_id, (row_id,), (None,))
            return
        case [value, row_id]:
            beyond = "lt" if ordering.is_descending else "gt"
            yield _Part(Q(**{key: value}), by_id, (row_id,), (value,))
            yield _Part(Q(**{f"{key}__{beyond}": value}), valued)
    if is_optional:
        yield _Part(has_none, by_id, None, (None,))
