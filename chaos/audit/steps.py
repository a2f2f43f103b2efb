"""What happened to each brand, transaction by transaction, in the order of its lock.

PostgreSQL writes the number of its transaction into every row (`xmin`) and, where it is told to,
keeps when each was committed. A transaction commits before it gives the brand's lock back, so that
within a brand those times are the order of the lock. (The numbers alone are not: who waits for a
row that is being changed gets a number before the lock.) Entries, versions and event answers are
never changed; a hold's row has the number of its end, its event answer that of its beginning.
"""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from psycopg import Connection

_FETCHED = 5_000
# Within a transaction: what ran out comes first, and entries are in the order of their ids. Where
# a new hold stands among them isn't told, so it comes after them.
_STEPS = """
    SELECT brand_id, pg_xact_commit_timestamp(xmin) AS committed_at,
        xmin::text::bigint AS number, 0 AS rank, id, state AS kind, campaign_id,
        amount, 0::bigint AS freed, 0::bigint AS over_budget, budget_day, budget_day AS of_day,
        expires_at AS at, NULL::jsonb AS told, event_id
    FROM core_hold WHERE state = 'expired'
    UNION ALL
    SELECT brand_id, pg_xact_commit_timestamp(xmin), xmin::text::bigint, 1, id, state, campaign_id,
        amount, 0, 0, budget_day, budget_day, ended_at, NULL, event_id
    FROM core_hold WHERE state = 'released'
    UNION ALL
    SELECT s.brand_id, pg_xact_commit_timestamp(s.xmin), s.xmin::text::bigint, 2, s.id, s.kind,
        s.campaign_id, s.amount, coalesce(h.amount, 0), s.over_budget, s.budget_day,
        coalesce(h.budget_day, r.budget_day), s.occurred_at, NULL, s.event_id
    FROM core_spendlog s LEFT JOIN core_hold h ON h.spend_log_id = s.id
    LEFT JOIN core_spendlog r ON r.id = s.refund_of_id
    UNION ALL
    SELECT h.brand_id, pg_xact_commit_timestamp(coalesce(a.xmin, h.xmin)),
        coalesce(a.xmin, h.xmin)::text::bigint, CASE WHEN a.id IS NULL THEN 0
        ELSE 3 END, h.id, 'held', h.campaign_id, h.amount, 0, 0, h.budget_day, NULL, h.held_at,
        NULL, h.event_id
    FROM core_hold h LEFT JOIN core_eventanswer a
        ON a.event_id = h.event_id AND a.source = h.source AND NOT a.is_refusal
    UNION ALL
    SELECT brand_id, pg_xact_commit_timestamp(xmin), xmin::text::bigint, 4, number, 'brand', NULL,
        0, 0, 0, NULL, NULL, at, settings, ''
    FROM core_brandversion
    UNION ALL
    SELECT c.brand_id, pg_xact_commit_timestamp(v.xmin), v.xmin::text::bigint, 4, v.number,
        'campaign', c.id, 0, 0, 0, NULL, NULL, v.at, v.settings, ''
    FROM core_campaignversion v JOIN core_campaign c ON c.id = v.campaign_id
    UNION ALL
    SELECT c.brand_id, a.committed_at, a.number, 5, a.id, 'refused', c.id, a.micros, 0, 0, NULL,
        NULL, a.recorded_at, a.answer, a.event_id
    FROM (
        SELECT DISTINCT ON (a.id) pg_xact_commit_timestamp(a.xmin) AS committed_at,
            a.xmin::text::bigint AS number, a.id, a.recorded_at, a.answer,
            a.event_id, claim.micros, claim.campaign_id
        FROM core_eventanswer a JOIN claim ON claim.event_id = a.event_id AND how <> 'changed'
        WHERE a.is_refusal AND claim.call IN ('add', 'hold')
    ) a JOIN core_campaign c ON c.id = a.campaign_id
    ORDER BY brand_id, committed_at, number, rank, id
"""


class Step(NamedTuple):
    """One thing that happened. `freed` of a capture is its hold; `told` a version or a refusal.

    `of_day` is the day of the hold or the entry that a step is about.
    """

    brand_id: int
    # Of a transaction that isn't over there is none.
    committed_at: datetime | None
    number: int
    rank: int
    id: int
    kind: str
    campaign_id: int
    amount: int
    freed: int
    over_budget: int
    budget_day: date
    of_day: date | None
    at: datetime
    told: dict[str, Any]
    event_id: str


Transaction = list[Step]


class OrderUnknownError(Exception):
    """PostgreSQL doesn't keep when transactions were committed."""


def brands(connection: Connection) -> Iterator[tuple[int, Iterator[Transaction]]]:
    """Each brand's transactions in order. Raises OrderUnknownError."""
    if connection.execute("SHOW track_commit_timestamp").fetchone() != ("on",):
        raise OrderUnknownError("Run PostgreSQL with track_commit_timestamp = on from the start")
    with connection.cursor("steps") as cursor:
        cursor.itersize = _FETCHED
        cursor.execute(_STEPS)
        steps = (Step(*row) for row in cursor)
        for brand_id, of_brand in groupby(steps, key=attrgetter("brand_id")):
            numbered = groupby(of_brand, key=attrgetter("number"))
            yield brand_id, (list(together) for _, together in numbered)
