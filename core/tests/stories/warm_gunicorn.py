"""How gunicorn serves tests that kill its workers: as in `make run`, but loaded before it forks.

Otherwise each new worker would first import for a second, and be killed before it served anybody.
"""

from typing import Any

from django.urls import get_resolver

from stack.gunicorn_conf import (  # noqa: F401 (gunicorn reads the names of this module)
    graceful_timeout,
    keepalive,
    post_fork,
    threads,
    timeout,
    worker_class,
    workers,
)

preload_app = True


def when_ready(server: Any) -> None:
    """Import the views, in the master and before there are workers."""
    assert get_resolver().url_patterns
