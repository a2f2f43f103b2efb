"""Django's PostgreSQL backend, with connections that give up a server that doesn't answer (C27).

`statement_timeout` is the server's own promise. A host that lost its power, a hung proxy or a
network that swallows packets keeps none, and would keep every thread of the web server for minutes.
"""

import time
from collections.abc import Sequence
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from budget_manager.postgresql.pipeline import Pipeline, Prepared, Row, Sent

Answer = TypeVar("Answer")

# Of PostgreSQL 17. Without it a transaction whose client fell silent between two statements that it
# sends together keeps its locks for as long as TCP likes: such a session isn't idle.
LIMITS_TRANSACTIONS = 170_000

# No server restarts as fast as this, so what was used since then needs no question.
FRESH_SECONDS = 1.0


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when its server hasn't answered for `patience_seconds`.

    `None` waits for ever. The server ends transactions after so many milliseconds (`None`: it
    can't, 0: never).
    """

    patience_seconds: float | None = None
    transaction_milliseconds: int | None = None
    prepared: Prepared

    def run(self, statements: Sequence[Sent], *, commits: bool) -> list[list[Row]]:
        """The rows of each statement, in one round trip."""
        return Pipeline(self, self.prepared).run(statements, commits=commits)

    def wait(
        self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None
    ) -> Answer:
        """Wait for the server's answer. Raises psycopg.OperationalError when there is none."""
        patience = self.patience_seconds if timeout is None else timeout
        if patience is None:
            return super().wait(gen, interval)
        deadline = time.monotonic() + patience
        try:
            return super().wait(gen, interval, patience)
        except psycopg.OperationalError:
            if time.monotonic() >= deadline:
                # Nobody knows what the server is going to say, and to which question.
                self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django's connections are on PostgreSQL."""

    health_check_done: bool
    _used_at = -FRESH_SECONDS

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect. Besides what Django knows, the options of the settings name our limits."""
        patience_seconds = conn_params.pop("patience_seconds", None)
        transaction_milliseconds = conn_params.pop("transaction_milliseconds", 0)
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = PatientConnection.connect(**conn_params)
        connection.patience_seconds = patience_seconds
        connection.prepared = Prepared()
        if connection.info.server_version >= LIMITS_TRANSACTIONS:
            connection.transaction_milliseconds = transaction_milliseconds
        return connection

    def init_connection_state(self) -> None:
        """Set what no option of an older server may name."""
        super().init_connection_state()
        driver: PatientConnection = self.connection
        if driver.transaction_milliseconds:
            driver.execute(f"SET transaction_timeout = {driver.transaction_milliseconds:d}")
            driver.commit()

    def make_cursor(self, cursor: Any) -> Any:
        """What every statement goes through."""
        self._used_at = time.monotonic()
        return super().make_cursor(cursor)

    def run_together(self, statements: Sequence[Sent], *, commits: bool) -> list[list[Row]]:
        """The rows of each statement, in one round trip; `commits` ends the transaction with it."""
        self._used_at = time.monotonic()
        driver: PatientConnection = self.connection
        with self.wrap_database_errors:
            return driver.run(statements, commits=commits)

    def close_if_health_check_failed(self) -> None:
        """Close a lost connection before a request's first statement, which waits for the answer.

        Only one that was idle is asked.
        """
        if not self.health_check_done:
            self.health_check_done = time.monotonic() - self._used_at < FRESH_SECONDS
        super().close_if_health_check_failed()
