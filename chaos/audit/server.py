"""The rows that ask the servers: deadlocks, and what the product's own proof says (C25)."""

import json
import os
import subprocess
import sys
from pathlib import Path

from psycopg import Connection

from chaos.audit.findings import Question, Row
from chaos.audit.folder import Settled

ROOT = Path(__file__).resolve().parents[2]
DEADLOCKS = Question(
    "deadlocks",
    "deadlocks",
    "C7",
    "read the statements of both sides in the log of PostgreSQL",
)
VERIFY_LEDGER = Question(
    "verify_ledger",
    "verify_ledger says no",
    "C25",
    "run manage.py verify_ledger on this database and read what it names",
)
_LOGGED = "deadlock detected"
_COUNTED = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
_PATIENCE_SECONDS = 600.0


def count_deadlocks(connection: Connection, folder: Path, settled: Settled) -> Row:
    """As many as anybody has seen: PostgreSQL forgets its counts when it is stopped at once."""
    row = Row(DEADLOCKS)
    logs = sorted((folder / "logs").glob("*.log"))
    for log in logs:
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                row.checked += 1
                # Only the server's own words; a client that was told repeats them.
                if _LOGGED in line and log.name.startswith("postgres"):
                    row.note(log.name, expected="no deadlock", found=line.strip()[:300])
    found = connection.execute(_COUNTED).fetchone()
    counted = found[0] if found else 0
    for source, count in (("pg_stat_database", counted), ("settled.json", settled.deadlocks)):
        row.checked += 1
        if count > row.count:
            row.note(source, expected="0 deadlocks", found=count)
            row.count = count
    return row


def verify_ledger(settled: Settled) -> Row:
    """What the product says of its own books."""
    manage = settled.manage or (sys.executable, "manage.py")
    done = subprocess.run(  # noqa: S603 (the product's own command)
        [*manage, "verify_ledger", "--json"],
        cwd=ROOT,
        env={**os.environ, **settled.environment},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    row = Row(VERIFY_LEDGER)
    try:
        told = json.loads(done.stdout)
        row.checked = sum(told["checked"].values())
        for broken in told["broken"]:
            row.note(broken["promise"], expected="kept", found=broken["facts"])
        row.count, is_sound = told["found"], told["is_sound"]
    except (ValueError, KeyError, TypeError):
        is_sound = False
    if not row.count and (done.returncode or not is_sound):
        said = (done.stdout + done.stderr)[-1_000:]
        row.note(f"exit status {done.returncode}", expected="a sound ledger", found=said)
    return row
