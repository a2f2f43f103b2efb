"""A throw-away PostgreSQL for tests and measurements: real, private, gone afterwards.

    with throwaway_postgres() as server: …server.url…

It listens on a unix socket in a folder that only its user can enter, and trusts who gets there.
It ends with the `with` block, and also when the process that started it is killed. A cluster is
its data, on which a server can be started again.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from stack.errors import ServerFailedError
from stack.leash import leashed
from stack.postgres_binaries import PostgresBinaries, find_binaries
from stack.throwaway import Manners, running_server, throwaway_folder

DATABASE = "budget_manager"
SUPERUSER = "postgres"
# A measurement has several web servers with a connection for each thread.
MAX_CONNECTIONS = 300
INITDB_SECONDS = 120
# Faster, and fatal only to data that nobody will want after a crash.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: where it listens, how to reach its database, where `psql` is."""

    socket_folder: Path
    binaries: PostgresBinaries

    @property
    def url(self) -> str:
        """Return the DATABASE_URL. The folder is a query parameter: a host name loses its case."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={self.socket_folder}"


@dataclass(frozen=True)
class Cluster:
    """The folder of a server that isn't running: its data, its socket's place, its log."""

    folder: Path
    binaries: PostgresBinaries
    durable: bool

    @contextmanager
    def running(self, *, to_stop: signal.Signals = signal.SIGINT) -> Iterator[PostgresServer]:
        """Run the server for the length of the block; by SIGQUIT it ends at once, as in a crash."""
        # When the holder died, the immediate shutdown, which still cleans up shared memory; KILL
        # would not.
        manners = Manners(self.binaries.user, to_stop=to_stop, at_death=signal.SIGQUIT)
        command = _command(self.binaries, self.folder, durable=self.durable)
        with running_server(
            command, folder=self.folder, is_ready=lambda: _accepts(self.folder), manners=manners
        ):
            yield PostgresServer(self.folder, self.binaries)


@contextmanager
def throwaway_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Give data without a server for the length of the block; `durable` when it has to last."""
    binaries = find_binaries()
    with throwaway_folder("postgres", user=binaries.user) as folder:
        _initialize(binaries, folder)
        yield Cluster(folder, binaries, durable)


@contextmanager
def throwaway_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run an empty server for the length of the block; `durable` when its speed is measured."""
    with throwaway_cluster(durable=durable) as cluster, cluster.running() as server:
        create_database(server)
        yield server


def _initialize(binaries: PostgresBinaries, folder: Path) -> None:
    command = (
        *(binaries.program("initdb"), "--pgdata", str(folder / "data")),
        *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
        *("--locale-provider", "builtin", "--locale", "C.UTF-8"),
        *("--no-sync", "--no-instructions"),
    )
    done = subprocess.run(  # noqa: S603 (the wheel's program)
        leashed(command, user=binaries.user),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INITDB_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ServerFailedError("initdb", done.stdout + done.stderr)


def _command(binaries: PostgresBinaries, folder: Path, *, durable: bool) -> tuple[str, ...]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": str(MAX_CONNECTIONS),
        "timezone": "UTC",
        # In the data folder rather than /dev/shm, so that removing the folder removes all.
        "dynamic_shared_memory_type": "mmap",
        # The audit of a run puts transactions into their order by it.
        "track_commit_timestamp": "on",
        **({} if durable else CARELESS),
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return (binaries.program("postgres"), "-D", str(folder / "data"), *words)


def _accepts(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(server: PostgresServer) -> None:
    """Create the empty database that the server's URL names."""
    with psycopg.connect(
        host=str(server.socket_folder), user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
