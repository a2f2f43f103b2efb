"""Before the attack: an empty database becomes one with tables, a key and a simulated clock."""

import subprocess
import sys
from collections.abc import Mapping

import psycopg

from chaos.clock import SimulatedClock
from chaos.database_clock import replace_clock, set_clocks
from chaos.scene import BEGIN
from stack import commands
from stack.checkout import ROOT
from stack.errors import StepFailedError

SCOPES = ("read", "spend", "manage")


def prepare_database(
    database_url: str, environment: Mapping[str, str], clock: SimulatedClock
) -> tuple[str, str]:
    """Make the tables, a key, and the clock; the key's token and its name in the log (`source`)."""
    direct = {**environment, "DATABASE_URL": database_url}
    _run_command("migrate", commands.MIGRATE, direct)
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    making = ("python", "manage.py", "create_api_key", "rig", *scopes)
    token = _run_command("create_api_key", making, direct).strip()
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute("SELECT public_id FROM core_apikey").fetchone()
        assert found is not None  # noqa: S101 (it was made a moment ago)
        replace_clock(connection)
        set_clocks(connection, clock, BEGIN)
    return token, f"key:{found[0]}"


def _run_command(name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Run a command of the product to its end; what it printed."""
    _, *arguments = command
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StepFailedError(name, done.returncode)
    return done.stdout
