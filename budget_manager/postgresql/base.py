"""Django's PostgreSQL backend, with connections that give up a server that doesn't answer (C27).

`statement_timeout` is the server's own promise. A host that lost its power, a hung proxy or a
network that swallows packets keeps none, and would keep every thread of the web server for minutes.
"""

from time import monotonic
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

Answer = TypeVar("Answer")


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when its server hasn't answered for `patience_seconds`.

    `None` waits for ever.
    """

    patience_seconds: float | None = None

    def wait(
        self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None
    ) -> Answer:
        """Wait for the server's answer. Raises psycopg.OperationalError when there is none."""
        patience = self.patience_seconds if timeout is None else timeout
        if patience is None:
            return super().wait(gen, interval)
        deadline = monotonic() + patience
        try:
            return super().wait(gen, interval, patience)
        except psycopg.OperationalError:
            if monotonic() >= deadline:
                # Nobody knows what the server is going to say, and to which question.
                self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django's connections are on PostgreSQL."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect. Besides what Django knows, the options of the settings name a patience."""
        patience_seconds = conn_params.pop("patience_seconds", None)
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = PatientConnection.connect(**conn_params)
        connection.patience_seconds = patience_seconds
        return connection
