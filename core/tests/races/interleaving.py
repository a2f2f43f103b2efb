"""Two deeds in one chosen order: the first stops at a named point while the second comes by.

No chance is in it, so one run proves what a thousand races make likely. PostgreSQL only: on SQLite
a transaction that writes is alone from its start.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic, sleep
from typing import Any
from unittest import mock

from django.db import connection, connections

from core.tests.races.promises import Promise, PromiseBrokenError

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.01
_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


class Point(Enum):
    """Where the first deed stops: before it sends the first statement that begins or ends so.

    These words are all that an interleaving knows of how the product is written.
    """

    BEFORE_LOCK = ("", "FOR NO KEY UPDATE")
    BEFORE_WRITE = (("INSERT", "UPDATE", "DELETE"), "")
    BEFORE_COMMIT = ("COMMIT", "")

    def is_here(self, statement: str) -> bool:
        """Whether this is a statement that the first deed stops before."""
        begins, ends = self.value
        words = statement.strip()
        return words.startswith(begins) and words.endswith(ends)


@dataclass(slots=True)
class _Stop:
    """Holds one thread up at its point, once, until it is let go."""

    point: Point
    reached: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hold up this thread's connection."""
        own = connections["default"]
        own.ensure_connection()
        # The driver's, since the last statements of a transaction go out together with it.
        driver = own.connection
        commit = driver.commit

        def commit_later() -> None:
            self.pass_by("COMMIT")
            commit()

        def send(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            self.pass_by(sql)
            return execute(sql, *rest)

        with own.execute_wrapper(send), mock.patch.object(driver, "commit", commit_later):
            yield

    def pass_by(self, statement: str) -> None:
        if not self.reached.is_set() and self.point.is_here(statement):
            self.reached.set()
            if not self.let_go.wait(PATIENCE_SECONDS):
                raise TimeoutError("nobody let the first deed go")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the deeds returned, and whether the second one had to wait for the first."""

    first: object
    second: object
    had_to_wait: bool


def interleave(first: Callable[[], object], second: Callable[[], object], at: Point) -> Seen:
    """Stop the first deed at a point, start the second, let the first go when that one waits."""
    stop = _Stop(at)

    def begin() -> object:
        with stop.watching():
            return first()

    connection.close()
    with ThreadPoolExecutor(2) as pool:
        leading = pool.submit(_closing, begin)
        try:
            _await(lambda: stop.reached.is_set() or leading.done(), "the first deed")
            if leading.done():
                raise PromiseBrokenError(
                    Promise.NO_SURPRISE, f"{at} never came: {_result(leading)}"
                )
            following = pool.submit(_closing, second)
            _await(lambda: following.done() or _is_somebody_waiting(), "the second deed")
            had_to_wait = not following.done()
        finally:
            stop.let_go.set()
        return Seen(_result(leading), _result(following), had_to_wait)


def _closing(deed: Callable[[], object]) -> object:
    try:
        return deed()
    finally:
        connections.close_all()


def _await(is_so: Callable[[], bool], who: str) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while not is_so():
        if monotonic() > deadline:
            raise PromiseBrokenError(Promise.NO_SURPRISE, f"{who} neither ended nor waited")
        sleep(LOOK_SECONDS)


def _is_somebody_waiting() -> bool:
    """Whether the database holds up a transaction of ours for a lock of another."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone()[0])


def _result(deed: Future[object]) -> object:
    try:
        return deed.result(PATIENCE_SECONDS)
    except Exception as error:
        raise PromiseBrokenError(Promise.NO_SURPRISE, repr(error)) from error
