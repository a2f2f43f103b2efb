"""A PostgreSQL that has fallen silent is given up, and doesn't keep its caller (C27)."""

import time
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from budget_manager.postgresql.base import PatientConnection
from core.models.sql import long_statements

PATIENCE_SECONDS = 0.2
SILENCE_SECONDS = 3.0

pytestmark = [
    pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite is no server"),
    pytest.mark.django_db,
]


@pytest.fixture
def impatient() -> Iterator[PatientConnection]:
    """The driver's connection of this thread, which waits for a moment only."""
    connection.ensure_connection()
    driver: PatientConnection = connection.connection
    usual, driver.patience_seconds = driver.patience_seconds, PATIENCE_SECONDS
    assert usual is not None
    assert usual > 5, "a statement has its time"
    yield driver
    driver.patience_seconds = usual


def sleep(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def test_a_connection_whose_server_says_nothing_is_closed_and_its_caller_told(
    impatient: PatientConnection,
) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        sleep(SILENCE_SECONDS)
    assert time.monotonic() - began < SILENCE_SECONDS / 2
    assert impatient.closed, "what it is yet to answer belongs to nobody"


def test_an_answer_in_time_keeps_the_connection(impatient: PatientConnection) -> None:
    sleep(PATIENCE_SECONDS / 10)
    sleep(PATIENCE_SECONDS / 10)
    assert not impatient.closed


def test_an_error_that_the_server_tells_keeps_the_connection(impatient: PatientConnection) -> None:
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 50; SELECT pg_sleep(1)")
    assert not impatient.closed


def test_work_without_a_limit_waits_and_is_limited_again(impatient: PatientConnection) -> None:
    with long_statements():
        sleep(PATIENCE_SECONDS * 2)
    assert impatient.patience_seconds == PATIENCE_SECONDS
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5s",)
