"""Two reads at a time, on a connection each: for what goes through everything and locks nothing."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Part = TypeVar("Part")
Found = TypeVar("Found")
# Parts that are asked for before the first of them is wanted: neither reader waits for the other.
AHEAD = 3


def map_two_at_a_time(read: Callable[[Part], Found], parts: Iterable[Part]) -> Iterator[Found]:
    """What `read` finds in each part, in the order of the parts.

    One at a time on SQLite, and in a transaction, into which no other connection can look.
    """
    if connection.vendor == "sqlite" or connection.in_atomic_block:
        yield from map(read, parts)
        return
    opened: set[BaseDatabaseWrapper] = set()

    def read_there(part: Part) -> Found:
        own = connections[DEFAULT_DB_ALIAS]
        if own not in opened:
            own.inc_thread_sharing()  # For the one that closes it.
            opened.add(own)
        return read(part)

    waiting, reading = iter(parts), deque[Future[Found]]()
    readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reader")
    try:
        reading.extend(readers.submit(read_there, part) for part in islice(waiting, AHEAD))
        while reading:
            found = reading.popleft().result()
            reading.extend(readers.submit(read_there, part) for part in islice(waiting, 1))
            yield found
    finally:
        readers.shutdown(cancel_futures=True)
        for own in opened:
            own.close()
