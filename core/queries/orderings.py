"""Puts the rows of a list in an order that is the same on both databases, from a place on (C30)."""

from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.sql.compiler import SQLCompiler

from core.rules.ordering import KeyKind, Ordering, Place

Row = TypeVar("Row", bound=Model)


class _CodePoints(Func):
    """Text that is compared code point by code point, as SQLite does by itself.

    PostgreSQL compares as its database was set up, often by a language that knows that `a` comes
    before `B`. SQLite has no such order, so the one that both have is asked for by name.
    """

    template = "%(expressions)s"
    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s) COLLATE "C"')


def list_in_order(rows: QuerySet[Row], ordering: Ordering, after: Place | None) -> QuerySet[Row]:
    """The rows in this order, from the one that follows the place `after`."""
    column = ordering.column
    if ordering.kind is KeyKind.TEXT:
        column = f"{column}_by_code_points"
        rows = rows.alias(**{column: _CodePoints(ordering.column)})
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
