"""Serves the site: `python -m stack.web APPLICATION [--bind …] [--workers …] [--threads …]`.

A master loads the application and forks workers from itself, so that a killed one is replaced in a
moment. Each worker serves HTTP/1 by granian, with so many threads for the application. A stop ends
what was begun, whenever it comes.
"""

import argparse
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from granian import _signals, wsgi
from granian._granian import ListenerSpec, WorkerSignal
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels, logger
from granian.server.mp import MPServer, WorkerProcess

from stack.leash import tie_to_parent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WORKERS = 2
THREADS = 32
STOPS = (signal.SIGINT, signal.SIGTERM)
# Below the seven seconds after which the supervisor kills.
GRACEFUL_SECONDS = 5
# Who dies so soon may be unable to live; a pause before the next one leaves the cores to others.
SHORT_LIFE_SECONDS = 1.0
PAUSE_SECONDS = 0.1
# How many connections may wait for a worker, and how many each keeps open.
BACKLOG = MOST_CONNECTIONS = 1_024

M_ARENA_MAX = -8  # From <malloc.h>.
ARENAS = 2


class Master(MPServer):
    """Granian's master, but with one socket for all workers, and with no end of new ones.

    Granian's own gives each worker a socket, so that what waits for a killed one is lost, and stops
    altogether when a worker dies twice within seconds.
    """

    def _init_shared_socket(self) -> None:
        shared = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sso = socket.socket(fileno=shared.get_fd())
        self._shd = shared  # type: ignore[assignment]  # Granian declares what it begins with.

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            self.interrupt_children.clear()
            for worker in [each for each in self.wrks if not each.inner.is_alive()]:
                self._replace(worker, spawn_target, target_loader)

    def _replace(self, dead: WorkerProcess, spawn_target: Any, target_loader: Any) -> None:
        if time.monotonic() - dead.birth < SHORT_LIFE_SECONDS:
            time.sleep(PAUSE_SECONDS)
        if not self.interrupt_signal:
            self._respawn_workers([dead.idx], spawn_target, target_loader)


def main(words: list[str]) -> int:
    """Serve until a TERM."""
    parser = argparse.ArgumentParser(prog="python -m stack.web", description=__doc__)
    parser.add_argument("application", help="where it is, as MODULE:NAME")
    parser.add_argument("--bind", default="127.0.0.1:8000", help="HOST:PORT (%(default)s)")
    parser.add_argument("--workers", type=int, default=WORKERS, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=THREADS, help="of each (%(default)s)")
    asked = parser.parse_args(words)
    serve(asked.application, asked.bind, workers=asked.workers, threads=asked.threads)
    return 0


def serve(name: str, bind: str, *, workers: int, threads: int) -> None:
    """Load the application of this name and serve it at HOST:PORT."""
    share_arenas()
    # Before there is a thread or a worker: all of them leave stops to the one that waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    sys.path.insert(0, "")
    application = resolve_name(name)
    # What is loaded stays: no worker's collector goes through it, or copies its memory by that.
    gc.freeze()
    host, _, port = bind.rpartition(":")
    logger.addFilter(is_news)
    master = Master(
        name,
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=threads,
        backlog=BACKLOG,
        backpressure=MOST_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACEFUL_SECONDS,
        # The application's own handlers, format and level.
        log_level=LogLevels.notset,
        log_dictconfig={"loggers": {logger.name: {"propagate": True}}},
    )
    on_stop(master.signal_handler_interrupt)
    master.serve(target_loader=partial(begin_work, application, os.getpid()), wrap_loader=False)


def begin_work(application: "WSGIApplication", master: int) -> "WSGIApplication":
    """Tie this worker to its master, so that it never serves on alone; what it serves."""
    tie_to_parent(signal.SIGKILL)
    if os.getppid() != master:
        sys.exit(1)  # It died before the tie held.
    # Granian would hand each request the variables of this process, secrets and all.
    vars(wsgi)["os"] = SimpleNamespace(environ={})
    vars(_signals)["set_sync_signals"] = take_stops
    return in_one_piece(application)


def take_stops() -> WorkerSignal:
    """What tells a worker of granian's to stop, in place of its own, which a handler sets."""
    told = WorkerSignal()
    on_stop(told.set)
    return told


def on_stop(act: Callable[[], object]) -> None:
    """Act once this process is told to stop, even if it was told before: a thread waits for it.

    A handler would lose stops. Until a worker has its own it has its master's, and would serve on
    until it is killed between a commit and its answers. And a handler runs once the main thread
    looks: not if it was just about to sleep, nor without the lock that it may hold itself.
    """

    def obey() -> None:
        signal.sigwait(STOPS)
        act()

    threading.Thread(target=obey, daemon=True).start()


def in_one_piece(application: "WSGIApplication") -> "WSGIApplication":
    """The application, whose answers that are whole go out at once.

    Granian asks any other than a list for one piece after the other, which it takes turns with.
    """

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer: Any = application(environ, start_response)
        if getattr(answer, "streaming", True):
            return answer  # type: ignore[no-any-return]
        try:
            return [answer.content]
        finally:
            answer.close()

    return answering


def is_news(record: logging.LogRecord) -> bool:
    """Whether to say it. That there are more threads than cores is meant so: most of them wait."""
    return not record.getMessage().startswith("Configuration allows spawning up to")


def share_arenas() -> None:
    """Let all threads of this process and of its children allocate from the same few arenas.

    Otherwise glibc gives nearly each of them its own, and each keeps what its largest batch took.
    """
    libc = ctypes.CDLL(None)
    # Other C libraries have no such thing.
    if hasattr(libc, "mallopt") and not libc.mallopt(M_ARENA_MAX, ARENAS):
        raise OSError("mallopt(M_ARENA_MAX) failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
