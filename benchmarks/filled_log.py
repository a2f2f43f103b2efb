"""Fills an empty PostgreSQL with a log of any length, its event answers and its campaigns' counts.

By statement, with the indexes dropped meanwhile and foreign keys unchecked: the rows are as the
actions would have written them, except that they count in no total.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

from benchmarks.many_campaigns import NOON, Say, fill
from core.models import CampaignCounts
from core.models.sql import long_statements
from core.queries.campaigns import COUNTS, map_counted_campaigns

TOGETHER = 500_000
DAYS = 30
TABLES = ("core_spendlog", "core_eventanswer")
# One entry in twenty is of the first campaign and one in ten a report, of which one in a hundred
# went over a budget; one in a thousand takes the entry before it back. One in ten has no event id,
# so that pages are as full as those of callers who send some with and some without: where no row
# was as short, the first short ones would go into the gaps of all old pages.
ENTRIES = """
    INSERT INTO core_spendlog (brand_id, campaign_id, kind, amount, over_budget,
        over_budget_cause, currency, budget_day, occurred_at, recorded_at, event_id, source,
        refund_of_id)
    SELECT campaign.brand_id, campaign.id, made.kind,
        CASE WHEN made.kind = 'refund' THEN -1 ELSE 320 END,
        made.over, CASE WHEN made.over > 0 THEN 'brand_daily_budget' ELSE '' END, 'USD',
        made.at::date, made.at, made.at,
        CASE WHEN made.number %% 10 = 5 THEN '' ELSE gen_random_uuid()::text END, 'key:bidder',
        CASE WHEN made.kind = 'refund' THEN made.number - 1 END
    FROM (
        SELECT number, %s::timestamptz - (%s - number) * (%s::interval / %s) AS at,
            CASE WHEN number %% 1000 = 999 THEN 'refund' WHEN number %% 10 = 0 THEN 'report'
                ELSE 'add' END AS kind,
            CASE WHEN number %% 1000 = 0 THEN 10 ELSE 0 END AS over,
            CASE WHEN number %% 20 = 1 THEN 0 ELSE 1 + hashint8(number) & 2147483647 END AS place
        FROM generate_series(%s::bigint, %s::bigint) AS number) AS made
    JOIN numbered ON numbered.place = made.place %% (SELECT count(*) FROM numbered)
    JOIN core_campaign AS campaign ON campaign.id = numbered.id
    ORDER BY made.number"""
ANSWERS = """
    INSERT INTO core_eventanswer (source, event_id, fingerprint, is_refusal, answer, recorded_at)
    SELECT source, event_id, md5(event_id) || md5(event_id), false,
        jsonb_build_object('campaign_id', campaign_id, 'campaign_name', 'Campaign 1',
            'amount', '0.00032', 'new_daily_spend', '5.00', 'new_monthly_spend', '5.00',
            'spend_log_id', id, 'is_active', true, 'remaining', '95.00', 'reasons', '[]'::jsonb,
            'event_id', event_id), recorded_at
    FROM core_spendlog WHERE id BETWEEN %s AND %s AND event_id <> '' ORDER BY id"""


def fill_log(entry_count: int, campaign_count: int, brand_count: int, say: Say) -> None:
    """Make so many campaigns, and so many entries in the thirty days before noon."""
    fill(campaign_count, brand_count, say)
    CampaignCounts.objects.all().delete()
    CampaignCounts.objects.bulk_create(
        CampaignCounts(brand_id=brand_id, **dict(zip(COUNTS, numbers, strict=True)))
        for brand_id, numbers in map_counted_campaigns().items()
    )
    with long_statements(), connection.cursor() as cursor:
        with _bare_tables(cursor):
            _insert(cursor, entry_count, say)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _insert(cursor: CursorWrapper, count: int, say: Say) -> None:
    cursor.execute(
        "CREATE TEMPORARY TABLE numbered AS "
        "SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM core_campaign"
    )
    cursor.execute("ANALYZE numbered")
    cursor.execute("SELECT max(id) FROM core_spendlog")
    ((before,),) = cursor.fetchall()
    for first in range(1, count + 1, TOGETHER):
        last = min(first + TOGETHER - 1, count)
        cursor.execute(ENTRIES, [NOON, count, f"{DAYS} days", count, first, last])
        cursor.execute(ANSWERS, [before + first, before + last])
        say(f"filled {last:,} of {count:,} entries")


@contextmanager
def _bare_tables(cursor: CursorWrapper) -> Iterator[None]:
    """Without the indexes and checks that would be updated for every row of the block."""
    cursor.execute(
        "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'u' AND conrelid::regclass::text = ANY(%s)",
        [list(TABLES)],
    )
    unique = cursor.fetchall()
    for name, table, _ in unique:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes "
        "WHERE tablename = ANY(%s) AND indexname NOT LIKE '%%_pkey'",
        [list(TABLES)],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute("SET session_replication_role = replica")
    yield
    cursor.execute("SET session_replication_role = origin")
    for _, definition in indexes:
        cursor.execute(definition)
    for name, table, definition in unique:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
