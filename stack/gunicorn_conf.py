"""How gunicorn serves the site. The address to bind is an argument of its command line."""

import signal
from typing import Any

from stack.leash import tie_to_parent

workers = 2
worker_class = "gthread"
threads = 4
timeout = 30
# Below the seven seconds after which the supervisor kills.
graceful_timeout = 5
keepalive = 5


def post_fork(server: Any, worker: Any) -> None:
    """Tie a worker to its master, so that it never serves on alone."""
    tie_to_parent(signal.SIGKILL)
