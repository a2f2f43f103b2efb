"""How gunicorn serves the site. The address to bind is an argument of its command line."""

import ctypes
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

M_ARENA_MAX = -8  # From <malloc.h>.
ARENAS = 2


def post_fork(server: Any, worker: Any) -> None:
    """Tie a worker to its master, so that it never serves on alone, and keep it small."""
    tie_to_parent(signal.SIGKILL)
    share_arenas()


def share_arenas() -> None:
    """Let all threads of this process allocate from the same few arenas.

    Otherwise glibc gives nearly each of them its own, and each keeps what its largest batch took.
    """
    libc = ctypes.CDLL(None)
    # Other C libraries have no such thing.
    if hasattr(libc, "mallopt") and not libc.mallopt(M_ARENA_MAX, ARENAS):
        raise OSError("mallopt(M_ARENA_MAX) failed")
