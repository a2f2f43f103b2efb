"""A connection to PostgreSQL is asked whether it lives before a request that finds it idle."""

from unittest import mock

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor == 'sqlite'", reason="a file has no other side"),
]


class Clock:
    """Stands still until it is moved."""

    shown = 100.0

    def monotonic(self) -> float:
        return self.shown


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr("budget_manager.postgresql.base.time", standing)
    return standing


def use(database: BaseDatabaseWrapper) -> int:
    """Ask it something in a new request; how often it was asked before whether it lives."""
    database.close_if_unusable_or_obsolete()
    with (
        mock.patch.object(database, "is_usable", return_value=True) as question,
        database.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")
    return question.call_count


def test_only_a_connection_that_was_idle_for_a_second_is_asked(clock: Clock) -> None:
    database = connection.copy()
    try:
        assert use(database) == 0
        clock.shown += 0.9
        assert use(database) == 0
        clock.shown += 0.9
        assert use(database) == 0
        clock.shown += 1.0
        assert use(database) == 1
        assert use(database) == 0
    finally:
        database.close()


def test_an_idle_connection_that_was_lost_is_opened_again(clock: Clock) -> None:
    database = connection.copy()
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (lost,) = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
        clock.shown += 5.0
        database.close_if_unusable_or_obsolete()
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            assert cursor.fetchone() != (lost,)
    finally:
        database.close()
