"""Where things lie in this checkout, and which process holds it.

Everything that a run writes is in `var/`, which only its owner can enter.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import AlreadyRunningError

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
RUN_LOCK = VAR / "run.lock"
# Empty: the admin's files come from the packages, but their server warns when it is missing.
STATIC_FILES = VAR / "static"


def make_var() -> None:
    """Create `var/`, closed to everybody else."""
    VAR.mkdir(mode=0o700, exist_ok=True)
    VAR.chmod(0o700)
    STATIC_FILES.mkdir(exist_ok=True)


def commit() -> str:
    """Name the commit that is checked out, and whether something differs from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (git)
    return done.stdout.strip() or "unknown"


@contextmanager
def held_for_this_run(url: str) -> Iterator[None]:
    """Hold the checkout, so that no second run writes into the same `var/`.

    The kernel frees the lock when this process ends, however it ends.
    """
    descriptor = os.open(RUN_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode().strip()
            raise AlreadyRunningError(holder) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} at {url}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; a crash leaves the old one or the new one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    draft.replace(path)
