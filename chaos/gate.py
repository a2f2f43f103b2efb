"""The gate: while it is closed, no request and no task is under way, so that time may leap.

A request that had read the clock before a leap of hours and locked its brand after it would be one
that waited for hours, which no server lets happen. Locks of files: a killed process frees its own.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 0.005


class Gate:
    """Everybody may pass at once, or nobody."""

    def __init__(self, folder: Path) -> None:
        """The folder is the same for all processes."""
        # Who closes the gate stands at the turnstile first, or newcomers would never let it close.
        self._turnstile, self._inside = folder / "turnstile", folder / "inside"

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be under way; waits while the gate is closed."""
        with _locked(self._turnstile, fcntl.LOCK_SH):
            pass
        with _locked(self._inside, fcntl.LOCK_SH):
            yield

    @contextmanager
    def closed(self, patience_seconds: float) -> Iterator[bool]:
        """Whether all who were under way have left in time; until the end nobody comes in."""
        with _locked(self._turnstile, fcntl.LOCK_EX), _opened(self._inside) as inside:
            yield _is_taken(inside, time.monotonic() + patience_seconds)


def _is_taken(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOOK_SECONDS)
        else:
            return True


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with _opened(path) as descriptor:
        fcntl.flock(descriptor, kind)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
