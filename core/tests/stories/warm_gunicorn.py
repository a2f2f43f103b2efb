"""How gunicorn serves tests that kill its workers: as in `make run`, but loaded before it forks.

Otherwise each new worker would first import for a second, and be killed before it served anybody.

`CLOCK_AHEAD_SECONDS` makes it a host whose clock is off by so much. With `TRUSTS_ITS_OWN_CLOCK`
that is the broken version: a product in which each host decides by its own clock.
"""

import os
import time
from datetime import timedelta
from typing import Any

from django.urls import get_resolver
from django.utils import timezone

from core.queries import clock
from stack import gunicorn_conf
from stack.gunicorn_conf import (  # noqa: F401 (gunicorn reads the names of this module)
    graceful_timeout,
    keepalive,
    threads,
    timeout,
    worker_class,
    workers,
)

preload_app = True


def when_ready(server: Any) -> None:
    """Import the views, in the master and before there are workers."""
    assert get_resolver().url_patterns


def post_fork(server: Any, worker: Any) -> None:
    """Tie the worker to its master, and put its clock wrong before it serves anybody."""
    gunicorn_conf.post_fork(server, worker)
    ahead = float(os.environ.get("CLOCK_AHEAD_SECONDS", "0"))
    true_now, true_time = timezone.now, time.time
    timezone.now = lambda: true_now() + timedelta(seconds=ahead)
    time.time = lambda: true_time() + ahead
    if os.environ.get("TRUSTS_ITS_OWN_CLOCK"):
        clock.has_server = lambda: False
