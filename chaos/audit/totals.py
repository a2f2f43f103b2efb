"""The rows that hold the database against itself: totals, holds, transitions."""

from chaos.audit.findings import Question
from chaos.audit.statements import Check

# The five totals that each amount counts in.
_COUNTED_IN = """
        CROSS JOIN LATERAL (VALUES
            ('brand', brand_id, 'day', budget_day),
            ('brand', brand_id, 'month', date_trunc('month', budget_day)::date),
            ('campaign', campaign_id, 'day', budget_day),
            ('campaign', campaign_id, 'month', date_trunc('month', budget_day)::date),
            ('campaign', campaign_id, 'lifetime', DATE '0001-01-01')
        ) AS place(owner, id, period, starts_on)"""
_DRIFT = Check(
    Question(
        "drift",
        "log ↔ totals drift",
        "C25",
        "sum the log of that period; the entries around the last recorded_at come first",
    ),
    "SELECT (SELECT count(*) FROM core_brandtotal) + count(*) FROM core_campaigntotal",
    """
    WITH summed AS (
        SELECT place.owner, place.id, place.period, place.starts_on, sum(amount) AS spent
        FROM core_spendlog"""  # noqa: S608 (our own words)
    + _COUNTED_IN
    + """
        GROUP BY 1, 2, 3, 4
    ), stored AS (
        SELECT 'brand' AS owner, brand_id AS id, period, starts_on, spent FROM core_brandtotal
        UNION ALL SELECT 'campaign', campaign_id, period, starts_on, spent FROM core_campaigntotal
    )
    SELECT owner || ' ' || id || ', ' || period || ' ' || starts_on,
        coalesce(summed.spent, 0) || ' micros in the log',
        coalesce(stored.spent, 0) || ' micros in the total'
    FROM summed FULL JOIN stored USING (owner, id, period, starts_on)
    WHERE coalesce(summed.spent, 0) <> coalesce(stored.spent, 0)
    """,
)
_LEAKED_HOLDS = Check(
    Question(
        "leaked_holds",
        "leaked holds",
        "C20",
        "see why neither core.expire_holds nor the next caller ended it",
    ),
    "SELECT count(*) FROM core_hold",
    """
    WITH summed AS (
        SELECT place.owner, place.id, place.period, place.starts_on, sum(amount) AS held
        FROM core_hold"""  # noqa: S608 (our own words)
    + _COUNTED_IN
    + """
        WHERE state = 'open' GROUP BY 1, 2, 3, 4
    ), stored AS (
        SELECT 'brand' AS owner, brand_id AS id, period, starts_on, held FROM core_brandtotal
        UNION ALL SELECT 'campaign', campaign_id, period, starts_on, held FROM core_campaigntotal
    )
    SELECT 'hold ' || id, 'ended by ' || expires_at, 'open at ' || %(at)s::timestamptz
    FROM core_hold WHERE state = 'open' AND expires_at <= %(at)s
    UNION ALL
    SELECT owner || ' ' || id || ', ' || period || ' ' || starts_on,
        coalesce(summed.held, 0) || ' micros in open holds',
        coalesce(stored.held, 0) || ' micros in the total'
    FROM summed FULL JOIN stored USING (owner, id, period, starts_on)
    WHERE coalesce(summed.held, 0) <> coalesce(stored.held, 0)
    """,
)
_BROKEN_TRANSITIONS = Check(
    Question(
        "broken_transitions",
        "transitions that don't add up",
        "C17",
        "read the campaign's transitions in the order of their ids, with cause and actor",
    ),
    "SELECT count(*) FROM core_transition",
    """
    WITH told AS (
        SELECT id, campaign_id, at, is_active, reasons,
            lag(is_active) OVER w AS was_active, lag(at) OVER w AS before,
            row_number() OVER (PARTITION BY campaign_id ORDER BY id DESC) AS from_the_end
        FROM core_transition WINDOW w AS (PARTITION BY campaign_id ORDER BY id)
    )
    SELECT 'transition ' || id || ' of campaign ' || campaign_id, 'a change', 'active: '
        || is_active || ' again'
    FROM told WHERE was_active = is_active
    UNION ALL
    SELECT 'transition ' || id || ' of campaign ' || campaign_id, 'not before ' || before,
        'at ' || at
    FROM told WHERE at < before
    UNION ALL
    SELECT 'transition ' || id || ' of campaign ' || campaign_id,
        'reasons if and only if it is not active', 'active: ' || is_active || ', "' || reasons
        || '"'
    FROM told WHERE is_active <> (reasons = '')
    UNION ALL
    SELECT 'campaign ' || c.id, 'active: ' || c.is_active || ' since ' || c.status_since,
        coalesce('last transition ' || t.id || ' says active: ' || t.is_active || ' at ' || t.at,
            'no transition')
    FROM core_campaign c LEFT JOIN told t ON t.campaign_id = c.id AND t.from_the_end = 1
    WHERE t.is_active IS DISTINCT FROM c.is_active OR t.at IS DISTINCT FROM c.status_since
    """,
)
CHECKS_OF_TOTALS = (_DRIFT, _LEAKED_HOLDS, _BROKEN_TRANSITIONS)
