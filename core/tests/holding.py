"""Somebody else, on a connection of their own, who holds a brand."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connections, transaction

from core.queries.locks import lock_brand

PATIENCE_SECONDS = 20.0


@contextmanager
def holding(brand_id: int) -> Iterator[threading.Event]:
    """Have another thread hold the brand for the length of the block, or until the event is set."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock_brand(brand_id)
                is_held.set()
                assert may_end.wait(PATIENCE_SECONDS)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert is_held.wait(PATIENCE_SECONDS)
        try:
            yield may_end
        finally:
            may_end.set()
            held.result(PATIENCE_SECONDS)
