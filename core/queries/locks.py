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

from collections.abc import Collection

from django.db import connection
from django.db.models import BigIntegerField

from core.errors import BrandNotFoundError
from core.models import Brand
from core.models.rows import RowReader
from core.models.sql import Reading, Statement, is_among, listed, run_together

_BRANDS = RowReader(Brand)


def lock_brand(brand_id: int, along: Reading | None = None) -> Brand:
    """The brand as it is now, locked until the transaction ends; archived brands included.

    Must be called inside `transaction.atomic()`, which holds no brand yet: it waits for whoever
    holds this one. What goes along is read under the lock. Raises BrandNotFoundError.
    """
    if brand_id > BigIntegerField.MAX_BIGINT:
        raise BrandNotFoundError  # A path may name any number; the driver fails at such a one.
    for brand in _lock("id = %s", brand_id, " FOR NO KEY UPDATE", along=along):
        return brand
    raise BrandNotFoundError


def lock_free_brands(brand_ids: Collection[int], along: Reading | None = None) -> list[Brand]:
    """Those of the brands that nobody else holds, by id; as they are now, and locked.

    Must be called inside `transaction.atomic()`, which holds no brand yet. It waits for nobody.
    What goes along is read afterwards, of the brands that weren't free as well.
    """
    chosen = f"id {is_among('bigint')} ORDER BY id"
    ids = listed(list(brand_ids))
    return _lock(chosen, ids, " FOR NO KEY UPDATE SKIP LOCKED", along=along)


def _lock(chosen: str, value: int | str, locking: str, *, along: Reading | None) -> list[Brand]:
    # By hand: everybody waits for it, and the ORM takes as long to word it as to have it done.
    locked = "" if connection.vendor == "sqlite" else locking
    text = f"SELECT {_BRANDS.columns} FROM core_brand WHERE {chosen}{locked}"  # noqa: S608 (our own words)
    (rows,) = run_together([Statement(text, (value,))], along=along)
    return [_BRANDS.read(row) for row in rows]
