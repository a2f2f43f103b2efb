"""Database connections that the threads of a web process lend each other.

Django makes one for each thread. Of threads that lead a group in turn each would keep a server's
process busy with little, and every one of them would have to prepare the same statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# More than ever work at the same moment for long: a group, those it put off, some batches.
MOST_IDLE = 4


class Lending:
    """Nothing is lent before `begin`, so that commands, tasks and tests have their own."""

    def __init__(self) -> None:
        self._has_begun = False
        # The last one that came back goes out first: as few as work at the same moment stay warm.
        self._idle: list[BaseDatabaseWrapper] = []

    def begin(self) -> None:
        """Lend from now on, in this process and those that it forks."""
        self._has_begun = True

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Use one that nobody uses for the length of the block, in place of the thread's own."""
        own = connections[DEFAULT_DB_ALIAS]
        if not self._has_begun or own.in_atomic_block:
            yield
            return
        lent = self._take(own)
        connections[DEFAULT_DB_ALIAS] = lent
        try:
            # As Django does at the beginning of each request with the thread's own.
            lent.close_if_unusable_or_obsolete()
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = own
            self._idle.append(lent)
            self._close_surplus()

    def _close_surplus(self) -> None:
        """Those of a burst, the longest idle first; a server takes only so many connections."""
        while len(self._idle) > MOST_IDLE:
            try:
                self._idle.pop(0).close()
            except IndexError:
                return

    def _take(self, own: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
        try:
            return self._idle.pop()
        except IndexError:
            lent = own.copy()
            lent.inc_thread_sharing()
            return lent


LENDING = Lending()
