"""Writes a file that only its owner can read."""

import os
from pathlib import Path


def write_private_file(path: Path, text: str) -> None:
    """Write the file with mode 0600 from its first byte on; a crash leaves the old or the new one.

    Folders that are missing are made, closed to everybody else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
