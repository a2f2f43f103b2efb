"""Throw-away servers: a folder that is always removed and a process that always ends.

A run that was killed leaves its folder; the next run finds it by its free lock and removes it.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack import folders
from stack.errors import FolderUnfitError, ServerFailedError
from stack.leash import SAME_USER, leashed

LOCK_NAME = "in-use"
LOG_NAME = "server.log"
LOG_TAIL = 2_000
# A folder this young may belong to a run that hasn't taken its lock yet.
YOUNG_SECONDS = 60.0
# What a socket's name may add to a folder that was found short enough.
SOCKET_ROOM = "/.s.PGSQL.5432"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.02


@contextmanager
def throwaway_folder(purpose: str, *, user: str = SAME_USER) -> Iterator[Path]:
    """Give a private folder, `user`'s own, for the length of the block."""
    prefix = f"budget-manager-{purpose}-{os.getuid()}-"
    root = _root_for(prefix, needs_everybody=user != SAME_USER)
    _sweep(root, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if user != SAME_USER:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _root_for(prefix: str, *, needs_everybody: bool) -> Path:
    roots = folders.temporary_roots()
    for root in roots:
        is_short = folders.fits_socket(Path(f"{root}/{prefix}12345678{SOCKET_ROOM}"))
        is_open = not needs_everybody or (root.is_dir() and folders.is_open_to_everybody(root))
        if is_short and is_open and os.access(root, os.W_OK):
            return root
    raise FolderUnfitError(roots)


def _sweep(root: Path, prefix: str) -> None:
    """Remove what killed runs left behind."""
    for folder in root.glob(f"{prefix}*"):
        try:
            descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # Not ours, or its owner is about to lock or remove it.
        try:
            if time.time() - os.fstat(descriptor).st_mtime > YOUNG_SECONDS:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # Its owner lives.
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Manners:
    """Who a server runs as, and which signals end it: asked, and when its holder died."""

    user: str = SAME_USER
    to_stop: signal.Signals = signal.SIGTERM
    at_death: signal.Signals = signal.SIGKILL


@contextmanager
def running_server(
    command: tuple[str, ...],
    *,
    folder: Path,
    is_ready: Callable[[], bool],
    manners: Manners = Manners(),
) -> Iterator[None]:
    """Run a server inside `folder` for the length of the block, ready when the block begins."""
    log = folder / LOG_NAME
    # Another server may have run on the same data, and what it said is worth reading, too.
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 (a command of ours, no shell)
            leashed(command, at_death=manners.at_death, user=manners.user),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_ready(server, program=Path(command[0]).name, is_ready=is_ready, log=log)
        yield
    finally:
        _stop(server, manners.to_stop)


def _await_ready(
    server: subprocess.Popen[bytes], *, program: str, is_ready: Callable[[], bool], log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise ServerFailedError(program, log.read_text()[-LOG_TAIL:])
        time.sleep(LOOK_SECONDS)


def _stop(server: subprocess.Popen[bytes], to_stop: signal.Signals) -> None:
    if server.poll() is None:
        server.send_signal(to_stop)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
