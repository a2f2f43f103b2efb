"""The command lines of the system's processes, in one place.

`docker-compose.yml` and the Dockerfile say the same words; a test holds them equal.
"""

import sys
from collections.abc import Mapping

from stack.process import ProcessSpec

MIGRATE = ("python", "manage.py", "migrate", "--noinput")
WEB = ("python", "-m", "stack.web", "budget_manager.wsgi:application")
# Threads, not child processes: a killed worker leaves no orphans behind.
WORKER = (
    *("python", "-m", "celery", "-A", "budget_manager", "worker"),
    *("--pool", "threads", "--concurrency", "4", "--loglevel", "INFO"),
    *("--without-gossip", "--without-mingle"),  # Workers have nothing to tell each other.
)
BEAT = (
    *("python", "-m", "celery", "-A", "budget_manager", "beat"),
    *("--pidfile=", "--loglevel", "INFO"),
)


def load_demo(*, credentials: str, url: str) -> tuple[str, ...]:
    """Return the command that loads the demo brands and writes the way in to a file."""
    return ("python", "manage.py", "load_demo", "--credentials", credentials, "--url", url)


def spec(name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> ProcessSpec:
    """Describe a process that runs `command` with the Python of this very process."""
    _, *arguments = command
    return ProcessSpec(name=name, command=(sys.executable, *arguments), environment=environment)
