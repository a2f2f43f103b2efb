"""Two reads at a time, on a connection each: for what goes through everything and locks nothing."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from django.db import connection, connections

Part = TypeVar("Part")
Found = TypeVar("Found")


def map_two_at_a_time(read: Callable[[Part], Found], parts: Iterable[Part]) -> Iterator[Found]:
    """What `read` finds in each part, in the order of the parts.

    One at a time on SQLite, and in a transaction, into which no second connection can look.
    """
    if connection.vendor == "sqlite" or connection.in_atomic_block:
        yield from map(read, parts)
        return
    waiting = iter(parts)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="second-reader") as second:
        try:
            for part in waiting:
                others = [second.submit(read, other) for other in islice(waiting, 1)]
                yield read(part)
                yield from (other.result() for other in others)
        finally:
            # Its thread's own, which nobody else would close.
            second.submit(connections.close_all).result()
