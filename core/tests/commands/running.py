"""Runs a command as `manage.py` would, and keeps what came of it."""

from dataclasses import dataclass
from io import StringIO

from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


def run(command: str, *arguments: str) -> Ran:
    """Run a command with these arguments."""
    out, err = StringIO(), StringIO()
    status = 0
    try:
        call_command(command, *arguments, stdout=out, stderr=err)
    except CommandError as error:
        status = error.returncode
        err.write(f"{error}\n")
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    return Ran(status, out.getvalue(), err.getvalue())
