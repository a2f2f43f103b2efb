"""The database and the broker: real ones, that can be stopped like in a crash and come back."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.proxy import Proxy
from stack import valkey
from stack.postgres import Cluster, PostgresServer, create_database, throwaway_cluster
from stack.throwaway import LOG_NAME, throwaway_folder

SOCKET_NAME = ".s.PGSQL.5432"


class Database:
    """A PostgreSQL with fsync that can crash and start again on the same data."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._running = ExitStack()

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self._cluster.folder / LOG_NAME).read_text(errors="replace")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._cluster.folder / SOCKET_NAME

    @property
    def url(self) -> str:
        """How to reach it directly, also while it is down."""
        return PostgresServer(self._cluster.folder, self._cluster.binaries).url

    def start(self) -> PostgresServer:
        """Run it, after a crash on what the crash left."""
        running = self._cluster.running(to_stop=signal.SIGQUIT)
        return self._running.enter_context(running)

    def crash(self) -> None:
        """Stop it at once: no session is ended, nothing is written that isn't yet."""
        self._running.close()

    def dump(self, file: Path) -> None:
        """Write all that it holds as SQL."""
        command = [self._cluster.binaries.program("pg_dump"), "--dbname", self.url]
        with file.open("wb") as stream:
            subprocess.run(command, stdout=stream, check=True)  # noqa: S603 (the wheel's program)


@dataclass(frozen=True)
class Servers:
    """The database, the broker's socket, and a proxy before each."""

    database: Database
    database_proxy: Proxy
    broker_socket: Path
    broker_proxy: Proxy


@contextmanager
def running_servers() -> Iterator[Servers]:
    """An empty database for the length of the block, and the places of the broker and the proxies.

    The broker itself is one of the supervisor's processes.
    """
    with throwaway_cluster(durable=True) as cluster, throwaway_folder("broker") as folder:
        database = Database(cluster)
        create_database(database.start())
        broker = folder / valkey.SOCKET_NAME
        try:
            with (
                Proxy(database.socket).running() as before_database,
                Proxy(broker).running() as before_broker,
            ):
                yield Servers(database, before_database, broker, before_broker)
        finally:
            database.crash()
