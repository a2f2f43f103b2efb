"""The databases of the tests. An ordinary test says `django_db` and is rolled back.

A test that needs real commits (other processes, a worker) asks for `own_database` instead of
`django_db(transaction=True)`: emptying the tables after it would need DELETE or TRUNCATE on the
spend log, which the database refuses, and rightly so (C24).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import override_settings, setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

from core.tests.depth import load_profile
from core.tests.mutants.defects import DEFECTS

# Before a test module makes settings of its own from it.
load_profile()

# What takes longest begins first, so that at the end no process waits for another.
LONGEST_FIRST = (
    *(
        "chaos/test_rig",
        "races",
        "stories",
        "clients",
        "views/test_schemathesis",
        "views/test_hostile",
    ),
    "actions/test_play_simulation",
)
OwnDatabases = Callable[[], AbstractContextManager[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the name of a defect that the tests are to be run with."""
    parser.addoption(
        "--mutant", choices=sorted(DEFECTS), help="run the tests on a product broken in this way"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; the others stay in their order."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(here).as_posix()
        starts = (n for n, start in enumerate(LONGEST_FIRST) if path.startswith(start))
        return next(starts, len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_keepdb: bool,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Make the test database, also for a run in which every test asks for `own_database`."""
    # A test is one transaction, and some are long.
    settings.DATABASES["default"]["OPTIONS"].pop("transaction_milliseconds", None)
    with django_db_blocker.unblock():
        made = setup_databases(
            verbosity=0, interactive=False, keepdb=django_db_keepdb, serialized_aliases=[]
        )
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def requests_counted_here() -> Iterator[None]:
    """Count requests in the process of the test, whatever Redis this machine has."""
    with override_settings(RATE_LIMIT_REDIS_URL=""):
        yield


@pytest.fixture(autouse=True)
def clock_of_this_host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests stop and move the clock in this process, on PostgreSQL as well.

    `clock_of_the_database` marks those that ask its server. Other processes always do.
    """
    if request.node.get_closest_marker("clock_of_the_database") is None:
        monkeypatch.setattr("core.queries.clock.has_server", lambda: False)


@pytest.fixture(autouse=True)
def broken_on_purpose(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put in the defect that was asked for with `--mutant`."""
    name = request.config.getoption("--mutant")
    with DEFECTS[name]() if name else nullcontext():
        yield


@pytest.fixture
def own_database(own_databases: OwnDatabases) -> Iterator[str]:
    """An empty, migrated database of this test's own, as the default one; gives its DATABASE_URL.

    A file on SQLite, so that it has the settings of the product (WAL, IMMEDIATE) and other
    processes can open it.
    """
    with own_databases() as url:
        yield url


@pytest.fixture(scope="session")
def own_databases(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> OwnDatabases:
    """Makes databases such as `own_database`, one after the other."""

    @contextmanager
    def own() -> Iterator[str]:
        folder = tmp_path_factory.mktemp("own")
        with django_db_blocker.unblock(), _default_database_replaced(folder) as url:
            yield url

    return own


@contextmanager
def _default_database_replaced(folder: Path) -> Iterator[str]:
    ordinary = connections["default"]
    own = ordinary.copy()
    own.settings_dict["NAME"] = _copy_database(ordinary, folder)
    connections["default"] = own
    # For threads, which make connections of their own.
    connections.settings["default"] = own.settings_dict
    try:
        _restart_numbering(own)
        yield _database_url(own)
    finally:
        own.close()
        connections["default"] = ordinary
        connections.settings["default"] = ordinary.settings_dict
        _drop_database(own)


def _copy_database(ordinary: BaseDatabaseWrapper, folder: Path) -> str:
    """Copy the test database, which holds nothing but its migrations; the copy's name."""
    name = str(ordinary.settings_dict["NAME"])
    if ordinary.vendor == "sqlite":
        path = str(folder / f"{uuid4().hex}.sqlite3")
        with ordinary.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [path])
        return path
    own = f"{name}_own"
    # PostgreSQL copies no database that somebody is connected to.
    ordinary.close()
    _execute_outside(ordinary, f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')
    _execute_outside(ordinary, f'CREATE DATABASE "{own}" TEMPLATE "{name}"')
    return own


def _restart_numbering(own: BaseDatabaseWrapper) -> None:
    """Begin ids at 1 again: PostgreSQL counts on from rows that were rolled back."""
    if own.vendor == "sqlite":
        return
    with own.cursor() as cursor:
        for model in apps.get_models():
            for sequence in own.introspection.get_sequences(cursor, model._meta.db_table):
                cursor.execute(f'ALTER SEQUENCE "{sequence["name"]}" RESTART')


def _drop_database(own: BaseDatabaseWrapper) -> None:
    if own.vendor != "sqlite":
        _execute_outside(own, f'DROP DATABASE "{own.settings_dict["NAME"]}" WITH (FORCE)')


def _execute_outside(connection: BaseDatabaseWrapper, statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def _database_url(own: BaseDatabaseWrapper) -> str:
    name = str(own.settings_dict["NAME"])
    if own.vendor == "sqlite":
        return f"sqlite:///{quote(name)}"
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
