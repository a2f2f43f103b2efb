"""Hand-written SQL: how it is sent, and the few words in which the two databases differ.

For the path that every spend waits for (`core/queries/standings.py`, `core/actions/ledger.py`),
what every action asks first (`sum_expired_holds`, `list_due_campaign_ids`) and the audit of every
campaign (`core/queries/doubts.py`); everything else is written with the ORM.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from django.db import connection

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with the values of its `%s`; with `rows`, once for each row of values."""

    text: str
    values: Sequence[Any] = ()
    rows: Sequence[Row] | None = None


class Table:
    """Where rows are inserted: its name, its columns with their types, and what if one is there."""

    def __init__(self, name: str, columns: Mapping[str, str], on_conflict: str = "") -> None:
        names = ", ".join(columns)
        places = ", ".join(["%s"] * len(columns))
        arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        into = f"INSERT INTO {name} ({names})"
        self._of_rows = f"{into} VALUES ({places}) {on_conflict}"
        self._of_arrays = f"{into} SELECT * FROM unnest({arrays}) {on_conflict}"  # noqa: S608 (our own words)

    def insert(self, rows: Sequence[Row]) -> Statement:
        """One statement for all rows, which are inserted in their order."""
        if connection.vendor == "sqlite":
            return Statement(self._of_rows, rows=rows)
        return Statement(self._of_arrays, list(map(_array, zip(*rows, strict=True))))


def run_together(statements: Sequence[Statement]) -> list[list[Row]]:
    """What each statement gives, in one round trip on PostgreSQL.

    They run one after the other, and each sees what is committed when it begins: what follows a
    lock is read under it.
    """
    if connection.vendor == "sqlite":
        cursors = [_send(connection.cursor(), statement) for statement in statements]
    else:
        connection.ensure_connection()
        driver = connection.connection
        with connection.wrap_database_errors:
            if len(statements) == 1:
                cursors = [_send(_cursor(driver), statements[0])]
            else:
                with driver.pipeline():
                    cursors = [_send(_cursor(driver), statement) for statement in statements]
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def is_among(kind: str) -> str:
    """The condition that a column is one of `listed` values."""
    if connection.vendor == "sqlite":
        return "IN (SELECT value FROM json_each(%s))"
    return f"= ANY(%s::{kind}[])"


def listed(values: Sequence[Any]) -> str:
    """Several values as one, for `is_among`."""
    return json.dumps(values) if connection.vendor == "sqlite" else _array(values)


def stored_instant(at: datetime) -> str:
    """An instant as the database takes it: SQLite keeps UTC without saying so."""
    return str(at.astimezone(UTC).replace(tzinfo=None) if connection.vendor == "sqlite" else at)


def read_instant(value: datetime | None) -> datetime | None:
    """An instant as a query gives it."""
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def read_date(value: date | str) -> date:
    """A date as a query gives it; SQLite knows no dates in what isn't a plain column."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _cursor(driver: Any) -> Any:
    # Django's own cursor would write a thousand values into the text of the statement.
    cursor: Any = psycopg.Cursor(driver)
    is_logged = connection.queries_logged
    return connection.make_debug_cursor(cursor) if is_logged else connection.make_cursor(cursor)


def _send(cursor: Any, statement: Statement) -> Any:
    if statement.rows is None:
        cursor.execute(statement.text, statement.values)
    else:
        cursor.executemany(statement.text, statement.rows)
    return cursor


def _array(values: Sequence[Any]) -> str:
    """PostgreSQL's literal of an array; most columns of a batch have one value in all rows."""
    if not values:
        return "{}"
    if values.count(values[0]) == len(values):
        elements = [_element(values[0])] * len(values)
    else:
        elements = [_element(value) for value in values]
    return "{" + ",".join(elements) + "}"


def _element(value: str | int | bool | None) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)
