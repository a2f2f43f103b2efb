"""The only place that locks rows, and the order in which locks are taken.

**Lock order.** A transaction locks brand rows once, first of all: either the one that it waits for,
or, of several, those that are free at this moment, in the order of their ids, without waiting for
any. It writes nothing that belongs to a brand (its campaigns, schedules, totals, log entries,
transitions) before it holds that brand's row, and everything below a brand needs no lock of its
own. So whoever waits for a brand holds nothing yet, and whoever holds one never waits for another:
there is no cycle, so no deadlock. The one other thing that brands share is the unique index of
event ids. A transaction inserts its ids in one statement and in sorted order, all brands' together:
whoever waits for an id holds smaller ones only, and of a circle one would have to hold a larger.

PostgreSQL takes `FOR NO KEY UPDATE`, which lets foreign keys to the brand be checked meanwhile.
SQLite has no row locks: there every transaction holds the database's write lock from its start
(`transaction_mode: IMMEDIATE` in the settings), and every brand is free.
"""

from collections.abc import Collection, Iterable

from django.db import connection
from django.db.models import BigIntegerField

from core.errors import BrandNotFoundError
from core.models import Brand
from core.models.sql import is_among, listed


def lock_brand(brand_id: int) -> Brand:
    """The brand as it is now, locked until the transaction ends; archived brands included.

    Must be called inside `transaction.atomic()`, which holds no brand yet: it waits for whoever
    holds this one. Raises BrandNotFoundError.
    """
    if brand_id > BigIntegerField.MAX_BIGINT:
        raise BrandNotFoundError  # A path may name any number; the driver fails at such a one.
    for brand in _lock("id = %s", brand_id, " FOR NO KEY UPDATE"):
        return brand
    raise BrandNotFoundError


def lock_free_brands(brand_ids: Collection[int]) -> list[Brand]:
    """Those of the brands that nobody else holds, by id; as they are now, and locked.

    Must be called inside `transaction.atomic()`, which holds no brand yet. It waits for nobody.
    """
    chosen = f"id {is_among('bigint')} ORDER BY id"
    return list(_lock(chosen, listed(list(brand_ids)), " FOR NO KEY UPDATE SKIP LOCKED"))


def _lock(chosen: str, value: int | str, locking: str) -> Iterable[Brand]:
    # By hand: everybody waits for it, and the ORM takes as long to word it as to have it done.
    locked = "" if connection.vendor == "sqlite" else locking
    text = f"SELECT * FROM core_brand WHERE {chosen}{locked}"  # noqa: S608 (our own words)
    return Brand.objects.raw(text, [value])
