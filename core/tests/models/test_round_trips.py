"""Hand-written statements go out in one round trip, and what comes back is what the ORM reads."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from budget_manager.postgresql.base import PatientConnection
from core.models import Brand, Campaign
from core.models.rows import RowReader
from core.models.sql import Reading, Row, Statement, Table, run_together, stored_instant
from core.rules.money import from_micros
from core.tests.builders import NOON, make_brand, make_campaign

ONE, TWO = Statement("SELECT 1"), Statement("SELECT 2")
ON_A_SERVER = pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite is no server")

IN_A_TRANSACTION = pytest.mark.django_db


@pytest.fixture
def driver(own_database: str) -> PatientConnection:
    """The connection of this thread to a server, outside of any transaction."""
    connection.ensure_connection()
    found: PatientConnection = connection.connection
    return found


def new_brand(name: str, *, campaign_of: int | None = None) -> list[Statement]:
    """What inserts a brand by hand; and a campaign of one that there may not be."""
    text = """
        INSERT INTO core_brand (name, currency, time_zone, is_enabled, version, created_at)
        VALUES (%s, 'USD', 'UTC', %s, 1, '2026-01-01')"""
    if campaign_of is None:
        return [Statement(text, (name, True), is_read=False)]
    copy = """
        INSERT INTO core_campaign (brand_id, name, is_enabled, is_active, reasons, version,
            created_at)
        VALUES (%s, 'Nobody', %s, %s, '', 1, '2026-01-01')"""
    return [
        Statement(text, (name, True), is_read=False),
        Statement(copy, (campaign_of, True, True), is_read=False),
    ]


# --- On both databases -----------------------------------------------------------------------


@IN_A_TRANSACTION
@pytest.mark.parametrize("currencies", [["USD"], ["USD", "USD"], ["USD", "EUR"]])
def test_rows_are_inserted_in_order_whether_or_not_they_are_alike(currencies: list[str]) -> None:
    table = Table(
        "core_brand",
        {
            **{"name": "text", "currency": "text", "time_zone": "text"},
            **{"is_enabled": "boolean", "version": "bigint", "created_at": "timestamptz"},
            **{"archived_at": "timestamptz", "daily_budget": "bigint"},
        },
        mostly_alike=("archived_at", "created_at", "currency", "is_enabled"),
    )
    at = stored_instant(NOON)
    rows: list[Row] = [
        (f'the "{number}"th', currency, "UTC", True, 1, at, None, number or None)
        for number, currency in enumerate(currencies)
    ]
    statement = table.insert(rows)
    run_together([statement])
    assert [
        (brand.name, brand.currency, brand.created_at, brand.archived_at, brand.daily_budget)
        for brand in Brand.objects.order_by("id")
    ] == [
        (name, currency, NOON, None, amount and from_micros(amount))
        for name, currency, *_, amount in rows
    ]
    if connection.vendor == "postgresql":
        assert (currencies[0] in statement.values) == (len(set(currencies)) == 1)


@IN_A_TRANSACTION
def test_each_statement_has_its_rows_in_order() -> None:
    rows = run_together([ONE, Statement("SELECT name FROM core_brand"), TWO])
    assert rows == [[(1,)], [], [(2,)]]
    assert run_together([]) == []


@IN_A_TRANSACTION
def test_what_goes_along_keeps_its_own_rows() -> None:
    along = Reading([TWO])
    with CaptureQueriesContext(connection) as queries:
        assert run_together([ONE], along=along) == [[(1,)]]
        assert along.rows() == [[(2,)]]
        assert along.rows() == [[(2,)]]
    assert len(queries) == 2


@IN_A_TRANSACTION
def test_what_nobody_took_along_is_read_when_it_is_needed_once() -> None:
    reading = Reading([ONE])
    with CaptureQueriesContext(connection) as queries:
        assert reading.rows() == reading.rows() == [[(1,)]]
    assert len(queries) == 1


@IN_A_TRANSACTION
@pytest.mark.parametrize("is_watched", [False, True])
def test_a_row_is_the_model_that_the_orm_makes_of_it(is_watched: bool) -> None:
    made = make_brand(
        time_zone="Asia/Tokyo", daily_budget=Decimal("12.345678"), monthly_budget=None
    )
    Brand.objects.filter(pk=made.pk).update(
        archived_at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC), is_enabled=False
    )
    reader = RowReader(Brand)
    statement = Statement(f"SELECT {reader.columns} FROM core_brand WHERE id = %s", (made.pk,))
    if is_watched:
        with CaptureQueriesContext(connection):
            ((row,),) = run_together([statement])
    else:
        ((row,),) = run_together([statement])
    read, expected = reader.read(row), Brand.objects.get(pk=made.pk)
    for field in Brand._meta.concrete_fields:
        value = getattr(read, field.attname)
        assert value == getattr(expected, field.attname), field
        assert type(value) is type(getattr(expected, field.attname)), field


@IN_A_TRANSACTION
def test_within_a_transaction_of_somebody_else_nothing_is_committed() -> None:
    with transaction.atomic():
        with transaction.atomic():
            run_together(new_brand("Gone"), commits=True)
        transaction.set_rollback(True)
    assert not Brand.objects.exists()


@pytest.mark.usefixtures("own_database")
def test_the_transaction_is_over_when_its_block_ends_whoever_commits() -> None:
    with transaction.atomic():
        run_together(new_brand("Kept"), commits=True)
    with transaction.atomic():
        run_together(new_brand("Gone"))
        transaction.set_rollback(True)
    assert [brand.name for brand in Brand.objects.all()] == ["Kept"]


# --- On a server -----------------------------------------------------------------------------


@ON_A_SERVER
@IN_A_TRANSACTION
@pytest.mark.parametrize("is_watched", [False, True])
def test_values_come_back_as_what_they_were(is_watched: bool) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    columns = {
        "bigint": 2**62,
        "text": 'O\'Brien \\ "ä" €',
        "boolean": False,
        "timestamptz": at,
        "date": date(2026, 3, 29),
    }
    text = "SELECT " + ", ".join(f"%s::{kind}" for kind in (*columns, "text"))
    arrays = Statement("SELECT %s::bigint[], %s::text[]", ("{1,2}", '{"a,b",c}'))
    values = [
        str(value) if isinstance(value, datetime | date) else value for value in columns.values()
    ]
    statements = [Statement(text, (*values, None)), arrays]

    def read() -> list[list[Row]]:
        return run_together(statements)

    if is_watched:
        with CaptureQueriesContext(connection):
            found = read()
    else:
        found = read()
    assert found == [[(*columns.values(), None)], [([1, 2], ["a,b", "c"])]]
    (row,), _ = found
    assert row[3].utcoffset() == timedelta(0)


@ON_A_SERVER
def test_an_error_is_the_one_of_the_statement_that_failed_and_all_of_it_is_undone(
    driver: PatientConnection,
) -> None:
    with pytest.raises(IntegrityError, match="brand_name_is_unique"), transaction.atomic():
        run_together([*new_brand("Twice"), *new_brand("Twice"), ONE], commits=True)
    assert not Brand.objects.exists()
    with pytest.raises(ProgrammingError, match="nowhere"):
        run_together([ONE, Statement("SELECT * FROM nowhere"), TWO])
    assert run_together([ONE, TWO]) == [[(1,)], [(2,)]]
    assert connection.connection is driver


@ON_A_SERVER
def test_what_only_the_commit_notices_is_an_error_and_undone(driver: PatientConnection) -> None:
    """Foreign keys are looked at when the transaction ends."""
    with pytest.raises(IntegrityError), transaction.atomic():
        run_together(new_brand("Gone", campaign_of=999), commits=True)
    assert not Brand.objects.exists()
    assert connection.get_autocommit()
    make_campaign()
    assert Campaign.objects.count() == 1


@ON_A_SERVER
def test_the_commit_goes_out_with_the_last_statements(driver: PatientConnection) -> None:
    with transaction.atomic():
        run_together(new_brand("Kept"), commits=True)
        assert _seen_by_another() == 1
    with transaction.atomic():
        run_together(new_brand("Kept as well"))
        assert _seen_by_another() == 1
    assert _seen_by_another() == 2


def _seen_by_another() -> int:
    seen: list[int] = []

    def look() -> None:
        seen.append(Brand.objects.count())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen[0]


@ON_A_SERVER
def test_what_goes_out_for_the_third_time_is_prepared(driver: PatientConnection) -> None:
    statements = [Statement("SELECT %s::bigint", (7,)), Statement("SELECT 5", is_prepared=False)]
    for prepared in (0, 0, 1, 1):
        assert run_together(statements) == [[(7,)], [(5,)]]
        assert _prepared() == prepared
    # The same text twice in one go is prepared once.
    for _ in range(3):
        assert run_together([TWO, TWO]) == [[(2,)], [(2,)]]
    assert _prepared() == 2


@ON_A_SERVER
def test_nothing_is_prepared_where_the_settings_say_so(driver: PatientConnection) -> None:
    driver.prepare_threshold = None
    for _ in range(5):
        run_together([ONE, TWO])
    assert _prepared() == 0


@ON_A_SERVER
def test_what_could_not_be_prepared_is_tried_again(driver: PatientConnection) -> None:
    """After an error the server passes over whatever else came, and prepares nothing of it."""
    for _ in range(2):
        run_together([ONE, TWO])
    for _ in range(2):
        with pytest.raises(ProgrammingError):
            run_together([Statement("SELECT * FROM nowhere"), ONE, TWO])
    for _ in range(3):
        assert run_together([ONE, TWO]) == [[(1,)], [(2,)]]
    assert _prepared() == 2


@ON_A_SERVER
def test_what_the_server_has_forgotten_is_an_outage_once(driver: PatientConnection) -> None:
    """As behind a pooler that gives each transaction another session."""
    for _ in range(3):
        run_together([ONE, TWO])
    assert _prepared() == 2
    driver.execute("DEALLOCATE ALL")
    with pytest.raises(OperationalError, match="DATABASE_PREPARED_STATEMENTS"):
        run_together([ONE, TWO])
    # As the next request does.
    connection.close_if_unusable_or_obsolete()
    assert run_together([ONE, TWO]) == [[(1,)], [(2,)]]


@ON_A_SERVER
def test_what_the_server_still_knows_is_prepared_anew_after_another_was_forgotten(
    driver: PatientConnection,
) -> None:
    for _ in range(3):
        run_together([ONE, TWO])
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT 1'")
        (name,) = cursor.fetchone()
    driver.execute(f"DEALLOCATE {name}")
    with pytest.raises(OperationalError):
        run_together([ONE, TWO])
    for _ in range(4):
        connection.close_if_unusable_or_obsolete()
        assert run_together([ONE, TWO]) == [[(1,)], [(2,)]]


@ON_A_SERVER
def test_nothing_is_forgotten_after_an_error_while_somebody_watches(
    driver: PatientConnection,
) -> None:
    for _ in range(3):
        run_together([ONE, TWO])
    with CaptureQueriesContext(connection), transaction.atomic():
        for _ in range(4):
            run_together([ONE, TWO])
        with transaction.atomic():
            transaction.set_rollback(True)
    assert _prepared() == 2
    assert run_together([ONE, TWO]) == [[(1,)], [(2,)]]


def _prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        (count,) = cursor.fetchone()
    return int(count)


@pytest.fixture
def impatient(driver: PatientConnection) -> Iterator[PatientConnection]:
    driver.patience_seconds = 0.2
    yield driver
    connection.close()


@ON_A_SERVER
def test_a_server_that_says_nothing_is_given_up_and_the_next_connection_works(
    impatient: PatientConnection,
) -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        run_together([*new_brand("Gone"), Statement("SELECT pg_sleep(3)")], commits=True)
    assert impatient.closed
    assert run_together([ONE, TWO]) == [[(1,)], [(2,)]]
    assert not Brand.objects.exists()


@ON_A_SERVER
def test_a_server_that_ends_the_session_is_an_outage(driver: PatientConnection) -> None:
    end = Statement("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(OperationalError), transaction.atomic():
        run_together([*new_brand("Gone"), end, ONE], commits=True)
    connection.close()
    assert not Brand.objects.exists()


@ON_A_SERVER
def test_more_than_fits_into_any_buffer_goes_out_and_comes_back(driver: PatientConnection) -> None:
    """Both sides have to read while they write, or each would wait for the other."""
    text = "x" * 3_000_000
    statements: list[Any] = [Statement("SELECT %s::text", (text,))] * 8
    assert [len(rows[0][0]) for rows in run_together(statements)] == [len(text)] * 8
