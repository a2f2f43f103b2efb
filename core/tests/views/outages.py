"""Databases that fail on purpose: at one statement, at all, or before any (C27)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import OperationalError, connection

Context = dict[str, Any]
Run = Callable[[str, Any, bool, Context], Any]
# What a driver says is not for callers to read.
SECRET = "could not connect to secret-host"


@contextmanager
def failing_statements(error: type[Exception] = OperationalError) -> Iterator[None]:
    """Have every statement fail."""

    def fail(_run: Run, _sql: str, _params: Any, _many: bool, _context: Context) -> Any:
        raise error(SECRET)

    with connection.execute_wrapper(fail):
        yield


@contextmanager
def failing_statement(place: int | None) -> Iterator[list[str]]:
    """Have the statement in this place fail, or none, and give the list of all that came.

    Those after it work: rolling back takes statements too.
    """
    statements: list[str] = []

    def fail_once(run: Run, sql: str, params: Any, many: bool, context: Context) -> Any:
        statements.append(sql)
        if len(statements) - 1 == place:
            raise OperationalError(SECRET)
        return run(sql, params, many, context)

    with connection.execute_wrapper(fail_once):
        yield statements


@contextmanager
def broken_connection() -> Iterator[None]:
    """Have every attempt to use the connection fail, as when no server answers."""
    with (
        mock.patch.object(connection, "cursor", side_effect=OperationalError(SECRET)),
        mock.patch.object(connection, "ensure_connection", side_effect=OperationalError(SECRET)),
    ):
        yield
