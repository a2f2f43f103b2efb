"""What the figures were measured on; above all how long the disk takes to keep what it was told."""

import os
import platform
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from stack.checkout import commit
from stack.postgres_binaries import find_binaries

_FLUSH = re.compile(r"^\s+fdatasync\s.*ops/sec\s+(\d+) usecs/op")


def describe_machine(url: str) -> dict[str, str | int]:
    """Cores, versions, the commit, and how busy the machine was beforehand."""
    with psycopg.connect(url) as connection:
        postgres = connection.info.parameter_status("server_version") or ""
    return {
        "cores": os.cpu_count() or 0,
        "load_before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "postgresql": postgres,
        "commit": commit(),
    }


def flush_microseconds(folder: Path) -> int:
    """How long PostgreSQL's own test takes to write 8 kB into this folder and flush them."""
    command = [find_binaries().program("pg_test_fsync"), "--secs-per-test", "1"]
    with subprocess.Popen(  # noqa: S603 (the wheel's program)
        [*command, "--filename", str(folder / "flush")], stdout=subprocess.PIPE, text=True
    ) as test:
        assert test.stdout is not None
        # The first such line is what a commit costs. A test of everything takes half a minute.
        found = next((match for line in test.stdout if (match := _FLUSH.match(line))), None)
        test.terminate()
    assert found is not None, "pg_test_fsync said nothing of fdatasync"
    return int(found[1])


@contextmanager
def slower_flushes(url: str, microseconds: int) -> Iterator[None]:
    """Let each flush of PostgreSQL's log take so much longer, as it does on a slower disk."""
    _delay_flushes(url, microseconds)
    try:
        yield
    finally:
        _delay_flushes(url, 0)


def _delay_flushes(url: str, microseconds: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET commit_delay = {microseconds:d}".encode())
        # Also where nobody else is about to commit.
        connection.execute("ALTER SYSTEM SET commit_siblings = 0")
        connection.execute("SELECT pg_reload_conf()")
