"""The settings refuse what is unsafe and give each database what its locks need."""

import json
import os
import sqlite3
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from budget_manager.settings import PLACEHOLDER_SECRET, database_options

LONG_SECRET = "a-secret-of-more-than-thirty-two-characters"
CADENCE = (
    "check_budgets",
    "enforce_dayparting",
    "reset_daily_spend",
    "reset_monthly_spend",
    "expire_holds",
    "verify_ledgers",
)

only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="about SQLite")
only_postgres = pytest.mark.skipif("connection.vendor == 'sqlite'", reason="about PostgreSQL")


def start(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a fresh interpreter with these variables and print an expression over the settings."""
    code = f"import json; from budget_manager import settings; print(json.dumps({expression}))"
    ours = {
        name: value for name, value in os.environ.items() if name not in ("DEBUG", "SECRET_KEY")
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def setting(expression: str, **environment: str) -> Any:
    """The value of the expression with these variables."""
    started = start(expression, **environment)
    assert started.returncode == 0, started.stderr
    return json.loads(started.stdout)


# --- Secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [None, PLACEHOLDER_SECRET, "", "x" * 31])
def test_with_debug_off_a_placeholder_or_short_secret_refuses_to_start(secret: str | None) -> None:
    given = {} if secret is None else {"SECRET_KEY": secret}
    refused = start("settings.DEBUG", DEBUG="0", **given)
    assert refused.returncode != 0
    assert "ImproperlyConfigured: DEBUG is off and SECRET_KEY" in refused.stderr
    assert "Set SECRET_KEY to a long random string" in refused.stderr, "it says what to do"


def test_with_debug_off_and_a_long_secret_it_starts_and_is_strict() -> None:
    names = ("DEBUG", "ALLOWED_HOSTS", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE")
    expression = "[" + ", ".join(f"settings.{name}" for name in names) + "]"
    assert setting(expression, DEBUG="0", SECRET_KEY=LONG_SECRET) == [False, [], True, True]


def test_without_any_variable_it_starts_for_development() -> None:
    expression = "[settings.DEBUG, settings.ALLOWED_HOSTS, settings.CELERY_BROKER_URL]"
    assert setting(expression, CELERY_BROKER_URL="redis://localhost:6379/0") == [
        True,
        ["localhost", "127.0.0.1", "[::1]"],
        "redis://localhost:6379/0",
    ]


# --- Cadence -----------------------------------------------------------------------------------


def test_the_cadence_of_each_task_comes_from_the_environment_c26() -> None:
    wanted = {f"{name.upper()}_SECONDS": str(place + 7.5) for place, name in enumerate(CADENCE)}
    timetable = setting("settings.CELERY_BEAT_SCHEDULE", **wanted)
    assert {entry["task"]: entry["schedule"] for entry in timetable.values()} == {
        f"core.{name}": place + 7.5 for place, name in enumerate(CADENCE)
    }
    assert all(entry["options"] == {"expires": entry["schedule"]} for entry in timetable.values())


# --- Rate limits -------------------------------------------------------------------------------


def test_requests_are_counted_where_tasks_queue_unless_another_place_is_named() -> None:
    names = "[settings.REQUESTS_PER_MINUTE, settings.RATE_LIMIT_REDIS_URL]"
    broker = {"CELERY_BROKER_URL": "redis://broker/0"}
    assert setting(names, **broker) == [60_000, "redis://broker/0"]
    named = {"REQUESTS_PER_MINUTE": "600", "RATE_LIMIT_REDIS_URL": ""}
    assert setting(names, **broker, **named) == [600, ""]


# --- Databases ---------------------------------------------------------------------------------


def test_sqlite_is_asked_for_immediate_transactions_wal_and_full_sync() -> None:
    options = database_options("django.db.backends.sqlite3")
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]
    assert options["timeout"] >= 5


def test_statements_are_prepared_unless_a_pooler_stands_between() -> None:
    threshold = "settings.DATABASES['default']['OPTIONS']['prepare_threshold']"
    postgresql = {"DATABASE_URL": "postgresql://somebody@host/name"}
    assert setting(threshold, **postgresql) == 2
    assert setting(threshold, **postgresql, DATABASE_PREPARED_STATEMENTS="False") is None


@only_sqlite
@pytest.mark.usefixtures("own_database")
def test_wal_and_full_sync_are_really_on_in_a_database_file() -> None:
    with connection.cursor() as cursor:
        pragmas = {}
        for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            cursor.execute(f"PRAGMA {pragma}")
            pragmas[pragma] = cursor.fetchone()[0]
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


@only_sqlite
@pytest.mark.usefixtures("own_database")
def test_a_transaction_holds_the_write_lock_from_its_first_moment_and_readers_go_on_c7() -> None:
    path = str(connection.settings_dict["NAME"])
    with transaction.atomic():
        connection.ensure_connection()
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                other.execute("BEGIN IMMEDIATE")
            assert other.execute("SELECT count(*) FROM core_brand").fetchone() == (0,)
        finally:
            other.close()


@only_postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "milliseconds"),
    [
        ("lock_timeout", settings.DATABASE_LOCK_TIMEOUT_MS),
        ("statement_timeout", settings.DATABASE_STATEMENT_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", 10_000),
    ],
)
def test_nobody_waits_for_ever_on_postgresql(name: str, milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name = %s", [name])
        assert int(cursor.fetchone()[0]) == milliseconds > 0


@only_postgres
@pytest.mark.django_db
def test_instants_come_and_go_as_utc_on_postgresql_c9() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW timezone")
        assert cursor.fetchone()[0] == "UTC"


@pytest.mark.parametrize(
    ("url", "engine", "option"),
    [
        ("sqlite:///some.sqlite3", "django.db.backends.sqlite3", "transaction_mode"),
        ("postgresql://ann@db/shop", "budget_manager.postgresql", "options"),
    ],
)
def test_the_database_comes_from_its_url_with_the_options_of_its_vendor(
    url: str, engine: str, option: str
) -> None:
    database = setting("settings.DATABASES['default']", DATABASE_URL=url)
    assert database["ENGINE"] == engine
    assert option in database["OPTIONS"]


def test_the_timeouts_of_postgresql_come_from_the_environment() -> None:
    given = {"DATABASE_LOCK_TIMEOUT_MS": "1234", "DATABASE_STATEMENT_TIMEOUT_MS": "5678"}
    options = setting(
        "settings.DATABASES['default']['OPTIONS']", DATABASE_URL="postgresql://ann@db/shop", **given
    )
    assert "lock_timeout=1234" in options["options"]
    assert "statement_timeout=5678" in options["options"]


def test_at_rest_every_instant_is_utc_c9() -> None:
    assert settings.USE_TZ
    assert settings.TIME_ZONE == settings.CELERY_TIMEZONE == "UTC"
