"""What `make test` does: the same tests on SQLite and on a real PostgreSQL, one after the other."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from stack.checkout import ROOT, make_var
from stack.leash import leashed
from stack.postgres import throwaway_postgres
from stack.postgres_binaries import has_binaries

PARALLEL = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
# Pure functions, processes and what only talks to the API have no database to differ on.
PURE_TESTS = (
    "core/tests/rules",
    "core/tests/stack",
    "core/tests/clients",
    "core/tests/mutants",
    "core/tests/commands/test_load_demo.py",
    "core/tests/commands/test_simulate_days.py",
    # Its numbers of entries have gaps on PostgreSQL, where refused requests use some up.
    "core/tests/stories/test_api_chapter.py",
    "core/tests/stories/test_readme.py",
    "core/tests/stories/test_recipes.py",
)
CHUNK = 65_536
COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")
PATIENCE_SECONDS = 5.0


def run_suites(arguments: list[str]) -> int:
    """Run both, show the closing line of each, and return 0 only when both passed."""
    on_sqlite = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    make_var()
    with terminated_by_exception(), some_postgres() as url:
        on_postgres = {**on_sqlite, "DATABASE_URL": url}
        fewer = [*skip_pure_tests(arguments), *arguments]
        outcomes = {
            "SQLite": run_suite("SQLite", arguments, on_sqlite),
            "PostgreSQL": run_suite("PostgreSQL", fewer, on_postgres),
        }
    for vendor, (status, closing_line) in outcomes.items():
        verdict = "passed" if status == 0 else "FAILED"
        sys.stdout.write(f"{vendor:<10}  {verdict}  {closing_line}\n")
    return max(status for status, _ in outcomes.values())


@contextmanager
def some_postgres() -> Iterator[str]:
    """Give the URL of a throw-away server; where there is none, that of the person's own."""
    own = os.environ.get("DATABASE_URL", "")
    if not has_binaries() and own.startswith("postgres"):
        yield own
        return
    with throwaway_postgres() as server:
        yield server.url


def skip_pure_tests(arguments: list[str]) -> list[str]:
    """Return the option that leaves the pure tests out, unless somebody asks for them."""
    is_asked_for = any(argument.startswith(PURE_TESTS) for argument in arguments)
    return [] if is_asked_for else [f"--ignore={folder}" for folder in PURE_TESTS]


def run_suite(vendor: str, arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run pytest, pass its output through, and return its status and closing line."""
    sys.stdout.write(f"== The tests on {vendor}\n")
    sys.stdout.flush()
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    command = (sys.executable, "-m", "pytest", *PARALLEL, *colour, *arguments)
    with subprocess.Popen(  # noqa: S603 (a command of ours, no shell)
        leashed(command), cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as suite:
        try:
            closing_line = _pass_through(suite)
        except SystemExit:
            suite.terminate()
            raise
        finally:
            _await_end(suite)
    return suite.returncode, closing_line


def _pass_through(suite: subprocess.Popen[bytes]) -> str:
    """Copy the output as it comes and return its last line."""
    assert suite.stdout is not None  # noqa: S101 (we asked for the pipe)
    tail = b""
    while chunk := os.read(suite.stdout.fileno(), CHUNK):
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        tail = (tail + chunk)[-CHUNK:]
    lines = COLOUR_CODE.sub("", tail.decode(errors="replace")).split("\n")
    return next((line.strip("= ") for line in reversed(lines) if line.strip()), "no output")


def _await_end(suite: subprocess.Popen[bytes]) -> None:
    """Let pytest finish by itself: a Ctrl-C reaches it directly."""
    try:
        suite.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        suite.kill()


@contextmanager
def terminated_by_exception() -> Iterator[None]:
    """Turn TERM into an exception for the length of the block, so that `with` blocks clean up."""
    before = signal.signal(signal.SIGTERM, _raise_exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
