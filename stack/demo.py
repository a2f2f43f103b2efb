"""The demo's way in: loaded once, kept in a private file, shown to the person at the terminal."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from stack import commands
from stack.checkout import VAR, write_private
from stack.environment import SQLITE_FILE, SQLITE_URL
from stack.process import ProcessSpec

CREDENTIALS_FILE = VAR / "demo.json"
# Which database the way in leads into, as a hash: its URL may hold a password.
DATABASE_MARK_FILE = VAR / "demo.database"


def forget_credentials_of_another_database(database_url: str) -> None:
    """Remove the way in unless it leads into this database. Call before migrating creates it."""
    mark = hashlib.sha256(database_url.encode()).hexdigest()
    is_lost = database_url == SQLITE_URL and not SQLITE_FILE.exists()
    is_same = DATABASE_MARK_FILE.exists() and DATABASE_MARK_FILE.read_text() == mark
    if is_lost or not is_same:
        CREDENTIALS_FILE.unlink(missing_ok=True)
    write_private(DATABASE_MARK_FILE, mark)


def loading(*, url: str, environment: Mapping[str, str]) -> ProcessSpec | None:
    """Describe the step that loads the demo, or None when it was loaded before."""
    if CREDENTIALS_FILE.exists():
        _correct_url(CREDENTIALS_FILE, url)
        return None
    command = commands.load_demo(credentials=str(CREDENTIALS_FILE), url=url)
    return commands.spec("demo", command, environment)


def credentials() -> dict[str, str]:
    """Return the way in, empty when there is no demo."""
    try:
        found = json.loads(CREDENTIALS_FILE.read_text())
    except FileNotFoundError:
        return {}
    return {name: str(value) for name, value in found.items()}


def _correct_url(path: Path, url: str) -> None:
    kept = json.loads(path.read_text())
    if kept.get("url") != url:
        write_private(path, json.dumps({**kept, "url": url}, indent=2) + "\n")
