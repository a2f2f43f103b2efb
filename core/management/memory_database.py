"""A database in the memory of this process, in the place of the real one for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ConnectionHandler

from core.management.arguments import unusable
from core.models import Brand

ALIAS = "default"


@contextmanager
def database_in_memory() -> Iterator[None]:
    """Swap the default database of this thread for an empty, migrated one that no one else sees.

    Raises CommandError, and lets nothing begin, unless the rows really go there.
    """
    ordinary = connections[ALIAS]
    own = _new_connection()
    connections[ALIAS] = own
    try:
        _demand_own(own)
        _migrate(own)
        yield
    finally:
        connections[ALIAS] = ordinary
        own.close()


def _new_connection() -> BaseDatabaseWrapper:
    in_memory = {ALIAS: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    return ConnectionHandler(in_memory)[ALIAS]


def _demand_own(own: BaseDatabaseWrapper) -> None:
    """Refuse to go on unless rows of brands go to this connection, and this one to no file."""
    used = [connections[find(Brand)] for find in (router.db_for_read, router.db_for_write)]
    with own.cursor() as cursor:
        cursor.execute("PRAGMA database_list")
        files = [path for _, _, path in cursor.fetchall() if path]
        cursor.execute("SELECT count(*) FROM sqlite_master")
        tables = cursor.fetchone()[0]
    if any(connection is not own for connection in used) or files or tables:
        raise unusable("--days: the simulation has no database of its own; nothing was played")


def _migrate(own: BaseDatabaseWrapper) -> None:
    """Only our own tables, and without the signals after which Django remembers rows of them."""
    executor = MigrationExecutor(own)
    executor.migrate(executor.loader.graph.leaf_nodes("core"))
