"""Folders for sockets and throw-away data: private, and short enough for a unix socket."""

import os
import re
import stat
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 106  # sun_path holds 108 bytes with its closing zero; one is for caution.
PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/-]*")


def fits_socket(path: Path) -> bool:
    """Say whether a socket at `path` can be bound, and named in a URL without escapes."""
    text = str(path)
    return len(text.encode()) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(text) is not None


def temporary_roots() -> list[Path]:
    """List where temporary folders may be made, the person's choice first."""
    return [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 (mkdtemp and an owner check protect them)


def is_open_to_everybody(path: Path) -> bool:
    """Say whether any user can enter `path`, which takes every folder above it too."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))


def is_ours_alone(path: Path) -> bool:
    """Say whether `path` is a folder of this user that nobody else can write to."""
    found = path.lstat()
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not others_write
