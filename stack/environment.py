"""The environment of a run: what the person set, and a safe default for everything else."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from stack.checkout import VAR, write_private
from stack.errors import PortInvalidError

DEFAULT_PORT = 8000
HIGHEST_PORT = 65_535
SQLITE_FILE = VAR / "budget_manager.sqlite3"
SQLITE_URL = f"sqlite:///{quote(str(SQLITE_FILE))}"
SECRET_KEY_FILE = VAR / "secret_key"


def port_of(environ: Mapping[str, str]) -> int:
    """Return the port that PORT asks for."""
    text = environ.get("PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= HIGHEST_PORT):
        raise PortInvalidError(text)
    return int(text)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Say whether a variable has a value; an empty one counts as not set."""
    return bool(environ.get(name))


def wants_demo(environ: Mapping[str, str]) -> bool:
    """Say whether demo brands belong into this run: never unasked into a person's own database."""
    if is_set(environ, "DEMO"):
        return environ["DEMO"].strip().lower() in {"1", "true", "yes", "on"}
    return not is_set(environ, "DATABASE_URL") and not is_set(environ, "CELERY_BROKER_URL")


def complete(environ: Mapping[str, str], *, broker_url: str) -> dict[str, str]:
    """Return the environment of every process of the run."""
    defaults = {
        "DEBUG": "0",
        "HTTPS_ONLY": "0",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "DATABASE_URL": SQLITE_URL,
        "CELERY_BROKER_URL": broker_url,
        "PYTHONUNBUFFERED": "1",
    }
    if not is_set(environ, "SECRET_KEY"):
        defaults["SECRET_KEY"] = kept_secret_key(SECRET_KEY_FILE)
    missing = {name: value for name, value in defaults.items() if not is_set(environ, name)}
    return {**environ, **missing}


def kept_secret_key(path: Path) -> str:
    """Return this checkout's own secret key, made once."""
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    made = secrets.token_urlsafe(50)
    write_private(path, f"{made}\n")
    return made
