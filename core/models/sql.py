"""Hand-written SQL: how it is sent, and the few words in which the two databases differ.

For the path that every spend waits for (`core/queries/standings.py`, `core/actions/ledger.py`),
what every action asks first (`sum_expired_holds`, `list_due_campaign_ids`), the audit of every
campaign (`core/queries/doubts.py`) and what goes through the whole log (`core/queries/recount.py`,
`core/queries/checks/answers.py`); everything else is written with the ORM.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any, Self

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Row = tuple[Any, ...]
# For a statement to the server and its answer back, beyond what the server takes for it.
LONGEST_WAY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with the values of its `%s`; with `rows`, once for each row of values.

    Only one that `is_read` gives rows. One whose best plan depends on its values isn't prepared.
    """

    text: str
    values: Sequence[Any] = ()
    rows: Sequence[Row] | None = None
    is_read: bool = True
    is_prepared: bool = True


class Table:
    """Where rows are inserted: its name, its columns with their types, and what if one is there.

    Columns that are `mostly_alike` are sent once where they are alike in all rows.
    """

    def __init__(
        self,
        name: str,
        columns: Mapping[str, str],
        on_conflict: str = "",
        *,
        mostly_alike: Collection[str] = (),
    ) -> None:
        into = f"INSERT INTO {name} ({', '.join(columns)})"
        places = ", ".join(["%s"] * len(columns))
        arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        self._of_rows = f"{into} VALUES ({places}) {on_conflict}"
        self._of_arrays = f"{into} SELECT * FROM unnest({arrays}) {on_conflict}"  # noqa: S608 (our own words)
        self._alike = [place for place, column in enumerate(columns) if column in mostly_alike]
        self._others = [place for place in range(len(columns)) if place not in self._alike]
        others = [column for column in columns if column not in mostly_alike]
        given = ", ".join(
            f"%s::{kind}" if column in mostly_alike else f"row.{column}"
            for column, kind in columns.items()
        )
        rest = ", ".join(f"%s::{columns[column]}[]" for column in others)
        self._of_both = (
            f"{into} SELECT {given} "  # noqa: S608 (our own words)
            f"FROM unnest({rest}) AS row({', '.join(others)}) {on_conflict}"
        )

    def insert(self, rows: Sequence[Row]) -> Statement:
        """One statement for all rows, which are inserted in their order."""
        if connection.vendor == "postgresql" and self._alike:
            alike = itemgetter(*self._alike)
            if len(set(map(alike, rows))) == 1:
                columns = list(zip(*map(itemgetter(*self._others), rows), strict=True))
                return Statement(
                    self._of_both, [*alike(rows[0]), *map(_array, columns)], is_read=False
                )
        return for_rows(rows, self._of_rows, self._of_arrays)


def for_rows(rows: Sequence[Row], one_by_one: str, of_arrays: str) -> Statement:
    """What writes rows: SQLite takes them one by one, PostgreSQL an array for each column."""
    if connection.vendor == "sqlite":
        return Statement(one_by_one, rows=rows, is_read=False)
    arrays = list(map(_array, zip(*rows, strict=True)))
    return Statement(of_arrays, arrays, is_read=False)


class Reading:
    """Statements whose rows are going to be needed, and which may go along with others' before."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = statements
        self._rows: list[list[Row]] | None = None

    def rows(self) -> list[list[Row]]:
        """What each gives: as it went along, or asked for now."""
        if self._rows is None:
            self._rows = run_together(self.statements)
        return self._rows

    def take(self, rows: list[list[Row]]) -> None:
        """Keep what came when they went along."""
        self._rows = rows


def run_together(
    statements: Sequence[Statement], *, along: Reading | None = None, commits: bool = False
) -> list[list[Row]]:
    """What each statement gives, in one round trip on PostgreSQL; `along` takes its own rows.

    They run one after the other, and each sees what is committed when it begins: what follows a
    lock is read under it. With `commits` the transaction ends in the same round trip if it is the
    caller's own, who must not go on to use it; else, or on SQLite, where its block ends.
    """
    # Django's types know no methods of one vendor's connections.
    database: Any = connections[DEFAULT_DB_ALIAS]
    every = [*statements, *along.statements] if along else statements
    # Within another's transaction, as in most tests, there is only a savepoint to give back.
    commits = commits and len(database.atomic_blocks) == 1
    if database.vendor == "sqlite":
        cursors = [_send(database.cursor(), statement) for statement in every]
        rows = _fetched(every, cursors)
    else:
        database.close_if_health_check_failed()
        database.ensure_connection()
        is_watched = database.execute_wrappers or database.queries_logged
        rows = (_run_watched if is_watched else _run)(database, every, commits)
    if along:
        along.take(rows[len(statements) :])
    return rows[: len(statements)]


def _run(database: Any, statements: Sequence[Statement], commits: bool) -> list[list[Row]]:
    sent = [(each.text, each.values, each.is_prepared) for each in statements]
    return database.run_together(sent, commits=commits)  # type: ignore[no-any-return]  # see above


def _run_watched(database: Any, statements: Sequence[Statement], commits: bool) -> list[list[Row]]:
    """The same by Django's cursors, so that whoever watches them sees each statement."""
    pipeline = database.connection.pipeline if commits or len(statements) > 1 else nullcontext
    with database.wrap_database_errors, pipeline():
        cursors = [_send(_cursor(database), each) for each in statements]
        if commits:
            database.connection.commit()
    return _fetched(statements, cursors)


def _fetched(statements: Sequence[Statement], cursors: Sequence[Any]) -> list[list[Row]]:
    pairs = zip(statements, cursors, strict=True)
    return [cursor.fetchall() if statement.is_read else [] for statement, cursor in pairs]


@contextmanager
def one_snapshot(longest_seconds: int = 0) -> Iterator[None]:
    """Have all statements of the block see one moment, without a lock.

    On PostgreSQL each may take so long, or as long as it takes. Within a transaction that is under
    way, that one's own view has to do.
    """
    # Django's types know no attributes of one vendor's connections.
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.in_atomic_block:
        yield
    elif database.vendor == "sqlite":
        # Not IMMEDIATE, as in the settings: a reader lets the one writer go on.
        usual, database.transaction_mode = database.transaction_mode, "DEFERRED"
        try:
            with transaction.atomic():
                yield
        finally:
            database.transaction_mode = usual
    else:
        with transaction.atomic():
            with database.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            with long_statements(longest_seconds):
                yield


@contextmanager
def long_statements(longest_seconds: int = 0) -> Iterator[None]:
    """Let each statement of the block take so long, or as long as it takes."""
    if connection.vendor == "sqlite":
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    usual = driver.patience_seconds
    driver.patience_seconds = longest_seconds + LONGEST_WAY_SECONDS if longest_seconds else None
    try:
        _limit(f"'{longest_seconds}s'", driver.transaction_milliseconds and 0)
        yield
        _limit("DEFAULT", driver.transaction_milliseconds)
    finally:
        driver.patience_seconds = usual


def _limit(statement: str, transaction: int | None) -> None:
    # A transaction that fails takes its own limits back; without one, they are the connection's.
    scope = "LOCAL" if connection.in_atomic_block else "SESSION"
    with connection.cursor() as cursor:
        cursor.execute(f"SET {scope} statement_timeout TO {statement}")
        if transaction is not None:
            cursor.execute(f"SET {scope} transaction_timeout TO {transaction:d}")


def ranges_of_ids() -> AbstractContextManager[None]:
    """Have PostgreSQL plan the statements of the block as what they are.

    Each goes through all rows of a range of ids: pages that lie side by side, on one core, and over
    before workers were started.
    """
    return _planned(random_page_cost="1.1", max_parallel_workers_per_gather="0")


def in_index_order() -> AbstractContextManager[None]:
    """Have PostgreSQL read the pages of the block in the order of an index.

    What has grown since it last gathered statistics it takes for small, and would read all of it to
    sort it for one page.
    """
    return _planned(enable_sort="off", enable_bitmapscan="off")


@contextmanager
def _planned(**settings: str) -> Iterator[None]:
    if connection.vendor == "sqlite":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET LOCAL {name} TO {to}" for name, to in settings.items()))
        yield


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


class _Cursor(psycopg.Cursor[Row]):
    """Sends values apart from the text, into which Django's own cursor would write them.

    It prepares nothing: after some errors psycopg has the server forget whatever was prepared, and
    `budget_manager.postgresql` would go on to name it.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(query, params, **{**options, "prepare": False})


def _cursor(database: BaseDatabaseWrapper) -> Any:
    cursor: Any = _Cursor(database.connection)
    is_logged = database.queries_logged
    return database.make_debug_cursor(cursor) if is_logged else database.make_cursor(cursor)


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
    first = values[0]
    if values.count(first) == len(values):
        return "{" + ",".join([_element(first)] * len(values)) + "}"
    if None not in values:
        if isinstance(first, int):
            return "{" + ",".join(map(str, values)) + "}"
        plain = '","'.join(values)
        if "\\" not in plain and plain.count('"') == 2 * (len(values) - 1):
            return '{"' + plain + '"}'
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | int | bool | None) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)
