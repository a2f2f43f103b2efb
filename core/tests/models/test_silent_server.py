"""A PostgreSQL that has fallen silent is given up, and doesn't keep its caller (C27)."""

import time
from collections.abc import Iterator

import psycopg
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


def test_a_transaction_of_a_client_that_fell_silent_ends_on_the_server() -> None:
    """Also between two statements that are sent together, where no session counts as idle."""
    wrapper = connection.copy()
    wrapper.settings_dict["OPTIONS"] = {
        **wrapper.settings_dict["OPTIONS"],
        "transaction_milliseconds": 200,
    }
    wrapper.ensure_connection()
    driver: PatientConnection = wrapper.connection
    if driver.transaction_milliseconds is None:
        pytest.skip("this PostgreSQL can't end transactions")
    with pytest.raises(psycopg.OperationalError):
        fall_silent(driver, SILENCE_SECONDS / 3)
    wrapper.close()


def fall_silent(driver: PatientConnection, seconds: float) -> None:
    """Say nothing for so long between two statements that are sent together."""
    with driver.pipeline():
        driver.execute("BEGIN")
        driver.execute("SELECT 1")
        time.sleep(seconds)
        driver.execute("SELECT 1")
