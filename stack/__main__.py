"""The door to the stack. After `python -m stack`:

run [--with-parent]             run the whole system until Ctrl-C (or the parent's death)
test [PYTEST ARGUMENT …]        run the tests on SQLite, then on a throw-away PostgreSQL
manage COMMAND …                run manage.py on the data of `run`
postgres [--durable] [PROGRAM …]
                                run a program (default: a shell) with a throw-away PostgreSQL
                                as its DATABASE_URL; --durable: with fsync, for measurements
bench [ARGUMENT …]              measure what is promised of speed on such a one, and on SQLite
bench-ticks [ARGUMENT …]        measure there what a tick of the unattended work costs
bench-lists [ARGUMENT …]        measure there what lists and admission cost as the log grows
chaos [ARGUMENT …]              attack the whole system and judge it by its clients' journals
"""

import os
import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn

from stack import environment, valkey
from stack.checkout import ROOT, make_var
from stack.errors import CannotStartError
from stack.leash import leashed, tie_to_parent
from stack.postgres import throwaway_postgres
from stack.run import run
from stack.suites import run_suites, terminated_by_exception

MISUSED = 2
INTERRUPTED = 130
MEASUREMENTS = {
    "bench": "benchmarks.ratios",
    "bench-ticks": "benchmarks.idle_tick",
    "bench-lists": "benchmarks.lists_at_size",
}


def main(words: list[str]) -> int:
    """Do what the words say; a refusal is one sentence and status 1."""
    os.chdir(ROOT)
    try:
        return obey(words)
    except CannotStartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def obey(words: list[str]) -> int:
    """Call what the words name."""
    match words:
        case ["run"]:
            return run_here(tied=False)
        case ["run", "--with-parent"]:
            return run_here(tied=True)
        case ["test", *arguments]:
            return run_suites(arguments)
        case ["manage", *arguments]:
            return manage(arguments)
        case ["postgres", "--durable", *program]:
            return lend_postgres(program, durable=True)
        case ["postgres", *program]:
            return lend_postgres(program, durable=False)
        case [name, *arguments] if name in MEASUREMENTS:
            return measure(MEASUREMENTS[name], arguments)
        case ["chaos", *arguments]:
            return attack(arguments)
        case _:
            sys.stderr.write(str(__doc__))
            return MISUSED


def run_here(*, tied: bool) -> int:
    """Run the system in this process."""
    if tied:
        tie_to_parent(signal.SIGTERM)
    run()
    return 0


def manage(arguments: list[str]) -> int:
    """Run manage.py with the environment of a run: the same database, broker and secret key."""
    make_var()
    broker_url = valkey.broker_url(valkey.socket_path())
    complete = environment.complete(os.environ, broker_url=broker_url)
    command = (sys.executable, "manage.py", *arguments)
    return subprocess.run(command, env=complete, check=False).returncode  # noqa: S603 (ours)


def lend_postgres(program: list[str], *, durable: bool) -> int:
    """Run `program` (default: a shell) with DATABASE_URL set, and give its exit status."""
    wanted = tuple(program) or (os.environ.get("SHELL", "/bin/sh"),)
    with terminated_by_exception(), throwaway_postgres(durable=durable) as server:
        sys.stderr.write(f"DATABASE_URL={server.url}\n")
        signal.signal(signal.SIGINT, leave_to_the_program)
        done = subprocess.run(  # noqa: S603 (what the person asked for)
            leashed(wanted),
            env={**os.environ, "DATABASE_URL": server.url},
            check=False,
        )
    return done.returncode


def measure(module: str, arguments: list[str]) -> int:
    """Run a measurement with a PostgreSQL that is as durable as a real one."""
    return lend_postgres([sys.executable, "-m", module, *arguments], durable=True)


def attack(arguments: list[str]) -> NoReturn:
    """Become the rig, which needs the typed client; so signals and its exit status are its own."""
    paths = [str(ROOT / "clients" / "python"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    os.execve(  # noqa: S606 (ours, no shell)
        sys.executable, [sys.executable, "-m", "chaos.rig", *arguments], environment
    )


def leave_to_the_program(number: int, frame: FrameType | None) -> None:
    """Do nothing: a Ctrl-C reaches the program directly, and the server ends after it."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
