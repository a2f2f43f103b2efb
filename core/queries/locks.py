"""The only place that locks rows, and the order in which locks are taken.

**Lock order.** A transaction locks at most one brand row, first of all, and writes nothing that
belongs to a brand (its campaigns, schedules, totals, log entries, transitions) before it holds
that lock. Work on several brands is several transactions. With one lock per transaction there
is no cycle, so no deadlock; everything below a brand needs no lock of its own. The one thing that
brands share is the unique index of event ids: they are inserted in sorted order, after everything
else that could make a transaction wait.

PostgreSQL takes `FOR NO KEY UPDATE`, which lets foreign keys to the brand be checked meanwhile.
SQLite has no row locks: there every transaction holds the database's write lock from its start
(`transaction_mode: IMMEDIATE` in the settings).
"""

from django.db import connection
from django.db.models import BigIntegerField

from core.errors import BrandNotFoundError
from core.models import Brand


def lock_brand(brand_id: int) -> Brand:
    """The brand as it is now, locked until the transaction ends; archived brands included.

    Must be called inside `transaction.atomic()`. Raises BrandNotFoundError.
    """
    if brand_id > BigIntegerField.MAX_BIGINT:
        raise BrandNotFoundError  # A path may name any number; the driver fails at such a one.
    # By hand: everybody waits for it, and the ORM takes as long to word it as to have it done.
    locking = "" if connection.vendor == "sqlite" else " FOR NO KEY UPDATE"
    text = f"SELECT * FROM core_brand WHERE id = %s{locking}"  # noqa: S608 (our own words)
    brands = Brand.objects.raw(text, [brand_id])
    for brand in brands:
        return brand
    raise BrandNotFoundError
