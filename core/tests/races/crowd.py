"""Real processes that start at the same moment, each with database connections of its own.

They are forked, so what they run may be any function, and they end with the race whatever happens.
"""

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier, Event
from typing import Generic, TypeVar

from django.db import connections

from core.tests.races.promises import Promise, PromiseBrokenError

CROWD = 8
# Far beyond any race: only a deadlock that nobody resolves takes as long.
PATIENCE_SECONDS = 60.0
# Who waits for SQLite's lock gets it by luck: of eight that never rest, one may wait for seconds,
# and on a busy machine longer than the product does before it answers 503.
SQLITE_PATIENCE_SECONDS = 50
FAREWELL_SECONDS = 2.0
LOOK_SECONDS = 0.005

T = TypeVar("T")
_FORK = multiprocessing.get_context("fork")


class _Child(Generic[T]):
    """One process that runs one function and sends home what it returned or raised."""

    def __init__(self, deed: Callable[[], T]) -> None:
        self.inbox, outbox = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_live, args=(deed, outbox), daemon=True)
        self._process.start()
        # With our end closed, the end of the process is the end of the pipe.
        outbox.close()

    def result(self) -> T:
        """What the function returned, once there is something in the inbox."""
        try:
            value, broken = self.inbox.recv()
        except EOFError:
            value, broken = None, (Promise.NO_SURPRISE, "a process died")
        if broken:
            raise PromiseBrokenError(*broken)
        return value  # type: ignore[no-any-return]  # It came through a pipe, but from `deed`.

    def end(self, patience_seconds: float) -> None:
        """Make sure that the process is gone."""
        self._process.join(patience_seconds)
        self._process.kill()
        self._process.join()
        self._process.close()
        self.inbox.close()


def _live(deed: Callable[[], object], outbox: Connection) -> None:
    own = connections["default"]
    if own.vendor == "sqlite":
        own.settings_dict["OPTIONS"]["timeout"] = SQLITE_PATIENCE_SECONDS
    try:
        outbox.send((deed(), None))
    except PromiseBrokenError as error:
        outbox.send((None, (error.promise, error.facts)))
    except Exception:
        outbox.send((None, (Promise.NO_SURPRISE, traceback.format_exc())))
    finally:
        connections.close_all()


def meeting_point(size: int) -> Barrier:
    """Where so many processes wait for each other, as often as they like."""
    return _FORK.Barrier(size, timeout=PATIENCE_SECONDS)


def signal() -> Event:
    """What one process sets for all to see."""
    return _FORK.Event()


def counter() -> "Synchronized[int]":
    """A number that all processes count up together."""
    return _FORK.Value("q", 0)


def run_together(deeds: Sequence[Callable[[], T]], *, threads: int = 1) -> list[T]:
    """Run each function in a process of its own, all from the same moment; what each returned.

    With more `threads`, so many share a process. Raises PromiseBrokenError as soon as one raises,
    dies or takes for ever.
    """
    start = meeting_point(len(deeds))

    def begin_together(deed: Callable[[], T]) -> T:
        # Connected before the start, so that nobody is late.
        connections["default"].ensure_connection()
        try:
            start.wait()
            return deed()
        finally:
            connections.close_all()

    def share(together: Sequence[Callable[[], T]]) -> list[T]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(begin_together, together))

    # A connection shared by two processes would be nobody's.
    connections.close_all()
    children: list[_Child[list[T]]] = []
    patience = 0.0
    try:
        for first in range(0, len(deeds), threads):
            children.append(_Child(partial(share, deeds[first : first + threads])))
        results = _await_all(children)
        patience = FAREWELL_SECONDS
        return list(chain.from_iterable(results))
    finally:
        for child in children:
            child.end(patience)


def _await_all(children: Sequence[_Child[T]]) -> list[T]:
    """Take results as they come, so that the first problem is told at once."""
    results: dict[int, T] = {}
    places = {child.inbox: place for place, child in enumerate(children)}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(results) < len(children):
        waiting = [inbox for inbox, place in places.items() if place not in results]
        ready = wait(waiting, timeout=deadline - time.monotonic())
        if not ready:
            raise PromiseBrokenError(Promise.NO_SURPRISE, "a process never ended")
        for inbox in ready:
            place = places[inbox]  # type: ignore[index]  # `wait` gives back what it got.
            results[place] = children[place].result()
    return [results[place] for place in range(len(children))]


@contextmanager
def witnessing(look: Callable[[], T]) -> Iterator[list[T]]:
    """Have one more process look at committed state for the length of the block.

    What it saw, repetitions left out, is in the list after the block.
    """
    is_watching, is_over = signal(), signal()

    def watch() -> list[T]:
        seen: list[T] = []
        while True:
            is_last = is_over.is_set()
            view = look()
            if not seen or seen[-1] != view:
                seen.append(view)
            is_watching.set()
            if is_last:
                return seen
            time.sleep(LOOK_SECONDS)

    connections.close_all()
    seen: list[T] = []
    witness = _Child(watch)
    try:
        is_watching.wait(PATIENCE_SECONDS)
        yield seen
        is_over.set()
        seen += _await_all([witness])[0]
    finally:
        is_over.set()
        witness.end(FAREWELL_SECONDS)
