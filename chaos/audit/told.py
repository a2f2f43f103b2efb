"""The rows that hold what clients were told against what the database keeps."""

from chaos.audit.findings import Question
from chaos.audit.statements import Check

_ENTRIES_AND_HOLDS = "SELECT (SELECT count(*) FROM core_spendlog) + count(*) FROM core_hold"
_MISSING = Check(
    Question(
        "missing",
        "acknowledged but missing",
        "C18",
        "find the intent in its journal, then its event id in core_eventanswer and in the logs",
    ),
    """
    SELECT count(*) + (SELECT count(*) FROM edit WHERE is_accepted) FROM claim WHERE is_accepted
    """,
    """
    SELECT 'intent ' || c.intent || ', event ' || c.event_id,
        'a ' || c.call || ' of campaign ' || coalesce(c.campaign_id::text, 'any')
        || ' as entry ' || coalesce(c.spend_log_id::text, 'none'),
        'no such entry'
    FROM claim c LEFT JOIN core_spendlog s
        ON s.id = c.spend_log_id AND s.event_id = c.event_id AND s.kind = c.call
        AND s.campaign_id = coalesce(c.campaign_id, s.campaign_id)
        AND s.refund_of_id IS NOT DISTINCT FROM c.refund_of
    WHERE c.is_accepted AND c.call IN ('add', 'report', 'capture', 'refund') AND s.id IS NULL
    UNION ALL
    SELECT 'intent ' || c.intent || ', event ' || c.event_id,
        'hold ' || c.begun_hold_id || ' of campaign ' || c.campaign_id, 'no such hold'
    FROM claim c LEFT JOIN core_hold h
        ON h.id = c.begun_hold_id AND h.event_id = c.event_id AND h.campaign_id = c.campaign_id
    WHERE c.is_accepted AND c.call = 'hold' AND h.id IS NULL
    UNION ALL
    SELECT 'intent ' || c.intent || ', event ' || c.event_id,
        'hold ' || c.hold_id || ' ended by this ' || c.call,
        'it is ' || coalesce(h.state, 'not there')
        || ' with entry ' || coalesce(h.spend_log_id::text, 'none')
    FROM claim c LEFT JOIN core_hold h ON h.id = c.hold_id
    WHERE c.is_accepted AND c.call IN ('capture', 'release') AND (
        h.state IS DISTINCT FROM CASE c.call WHEN 'capture' THEN 'captured' ELSE 'released' END
        OR h.spend_log_id IS DISTINCT FROM c.spend_log_id)
    UNION ALL
    SELECT 'intent ' || e.intent, 'settings that were kept: ' || e.body::text, 'no version has them'
    FROM edit e
    WHERE e.is_accepted AND NOT EXISTS (
        SELECT 1 FROM (
            SELECT settings FROM core_brandversion
            WHERE e.call = 'edit_brand' AND brand_id = e.brand_id
            UNION ALL
            SELECT settings FROM core_campaignversion
            WHERE e.call <> 'edit_brand' AND campaign_id = e.campaign_id
        ) kept WHERE NOT EXISTS (
            SELECT 1 FROM jsonb_each(e.body) AS wish(name, value)
            WHERE kept.settings ? name AND CASE
                WHEN name LIKE '%%budget' THEN
                    (kept.settings ->> name)::numeric IS DISTINCT FROM (value #>> '{}')::numeric
                WHEN name IN ('is_enabled', 'time_zone', 'name', 'currency') THEN
                    kept.settings -> name IS DISTINCT FROM value
                ELSE false END))
    """,
)
_REFUSED_BUT_PRESENT = Check(
    Question(
        "refused_but_present",
        "refused but present",
        "C21",
        "the refusal was answered before or beside a commit: look at the tries of the intent",
    ),
    "SELECT count(*) FROM claim WHERE is_answered AND NOT is_accepted",
    """
    SELECT 'event ' || c.event_id, 'nothing: it was refused with ' || min(c.code),
        'present as ' || min(made.what)
    FROM claim c JOIN (
        SELECT event_id, 'entry ' || id AS what FROM core_spendlog
        UNION ALL SELECT event_id, 'hold ' || id FROM core_hold
    ) made ON made.event_id = c.event_id
    WHERE c.is_answered AND c.event_id <> ''
    GROUP BY c.event_id
    HAVING NOT bool_or(c.is_accepted) AND NOT EXISTS (
        SELECT 1 FROM claim open WHERE open.event_id = c.event_id AND NOT open.is_answered)
    """,
)
_DOUBLED = Check(
    Question(
        "doubled",
        "doubled",
        "C21",
        "compare recorded_at of the two rows with the tries in the journal",
    ),
    _ENTRIES_AND_HOLDS,
    """
    SELECT 'event ' || event_id, '1 entry or hold', string_agg(what, ', ' ORDER BY what)
    FROM (
        SELECT event_id, 'entry ' || id AS what FROM core_spendlog WHERE event_id <> ''
        UNION ALL SELECT event_id, 'hold ' || id FROM core_hold WHERE event_id <> ''
    ) made GROUP BY event_id HAVING count(*) > 1
    UNION ALL
    SELECT 'entry ' || s.id, 'a capture of one hold', 'of ' || count(h.id) || ' holds'
    FROM core_spendlog s LEFT JOIN core_hold h ON h.spend_log_id = s.id AND h.state = 'captured'
    WHERE s.kind = 'capture' GROUP BY s.id HAVING count(h.id) <> 1
    UNION ALL
    SELECT 'entry ' || s.id, 'at most ' || s.amount || ' micros taken back',
        -sum(r.amount) || ' micros taken back'
    FROM core_spendlog s JOIN core_spendlog r ON r.refund_of_id = s.id
    GROUP BY s.id, s.amount HAVING -sum(r.amount) > s.amount
    """,
)
_WRONG_AMOUNT = Check(
    Question(
        "wrong_amount",
        "wrong amount",
        "C1",
        "compare the intent's amount, the answer's and the entry's",
    ),
    "SELECT count(*) FROM claim WHERE is_accepted AND call <> 'release'",
    """
    SELECT 'intent ' || c.intent || ', event ' || c.event_id,
        coalesce(c.micros, h.amount) || ' micros', abs(s.amount) || ' micros in entry ' || s.id
        || ', ' || coalesce(c.told_micros::text, 'none') || ' in the answer'
    FROM claim c JOIN core_spendlog s ON s.id = c.spend_log_id AND s.event_id = c.event_id
    LEFT JOIN core_hold h ON h.id = c.hold_id
    WHERE c.is_accepted AND (
        abs(s.amount) <> coalesce(c.micros, h.amount)
        OR c.told_micros IS DISTINCT FROM abs(s.amount))
    UNION ALL
    SELECT 'intent ' || c.intent || ', event ' || c.event_id, c.micros || ' micros',
        h.amount || ' micros in hold ' || h.id
        || ', ' || coalesce(c.told_micros::text, 'none') || ' in the answer'
    FROM claim c JOIN core_hold h ON h.id = c.begun_hold_id AND h.event_id = c.event_id
    WHERE c.is_accepted AND c.call = 'hold'
        AND (h.amount <> c.micros OR c.told_micros IS DISTINCT FROM h.amount)
    """,
)
_CHANGED_ANSWERS = Check(
    Question(
        "changed_answers",
        "event ids answered differently on replay",
        "C21",
        "compare the answers in the journals with core_eventanswer.answer",
    ),
    "SELECT count(*) FROM claim WHERE is_answered AND event_id <> ''",
    """
    SELECT 'event ' || c.event_id, 'the first answer, as it is kept',
        CASE WHEN a.id IS NULL THEN 'none is kept' ELSE 'told: ' || left(c.document::text, 300)
            || ' · kept: ' || left(a.answer::text, 300) END
    FROM claim c LEFT JOIN core_eventanswer a ON a.event_id = c.event_id
    WHERE c.is_kept AND c.event_id <> '' AND c.how <> 'changed'
        AND (a.id IS NULL OR a.answer <> c.document OR a.is_refusal = c.is_accepted)
    UNION ALL
    SELECT 'event ' || c.event_id, 'one answer to one content',
        count(DISTINCT c.document) || ' answers: ' || left(min(c.document::text), 300) || ' · '
        || left(max(c.document::text), 300)
    FROM claim c
    WHERE (c.is_kept OR c.code = 'event_id_reused') AND c.event_id <> '' AND c.event_id IN (
        SELECT event_id FROM claim GROUP BY event_id HAVING count(*) > 1)
    GROUP BY c.event_id, c.content HAVING count(DISTINCT c.document) > 1
    UNION ALL
    SELECT 'intent ' || intent || ', event ' || event_id, 'said to be a replay', 'not said'
    FROM claim WHERE how = 'later' AND is_kept AND NOT is_replay
    UNION ALL
    SELECT 'intent ' || intent || ', event ' || event_id, 'event_id_reused',
        coalesce(code, 'accepted')
    FROM claim WHERE how = 'changed' AND is_answered AND code IS DISTINCT FROM 'event_id_reused'
    """,
)
_UNINTENDED = Check(
    Question(
        "unintended",
        "entries that no journal intended",
        "C24",
        "see who wrote it: core_spendlog.source and recorded_at",
    ),
    _ENTRIES_AND_HOLDS,
    """
    SELECT what, 'an intent with event ' || coalesce(nullif(event_id, ''), '(none)'), 'no intent'
    FROM (
        SELECT 'entry ' || id AS what, event_id FROM core_spendlog
        UNION ALL SELECT 'hold ' || id, event_id FROM core_hold
    ) made WHERE NOT EXISTS (
        SELECT 1 FROM claim c WHERE c.event_id = made.event_id AND c.event_id <> '')
    """,
)
_UNANSWERED = Check(
    Question(
        "unanswered",
        "intents without a definite answer",
        "C8",
        "read the intent's tries: the client gave up, or its successor never came to it",
    ),
    "SELECT count(*) + (SELECT count(*) FROM edit) FROM claim",
    """
    SELECT 'intent ' || intent || ', event ' || coalesce(event_id, ''), 'an answer', 'none'
    FROM claim WHERE NOT is_answered
    UNION ALL
    SELECT 'intent ' || intent, 'an answer', 'none' FROM edit WHERE NOT is_answered
    """,
)
_SERVER_FAULTS = Check(
    Question(
        "server_faults",
        "5xx other than 503",
        "C28",
        "look for the request id of the answer in the web hosts' logs",
    ),
    "SELECT count(*) + (SELECT count(*) FROM edit) FROM claim",
    "SELECT 'intent ' || intent, 'no fault', status || ' ' || coalesce(body, '') FROM fault",
)
CHECKS_OF_ANSWERS = (
    *(_MISSING, _REFUSED_BUT_PRESENT, _DOUBLED, _WRONG_AMOUNT, _CHANGED_ANSWERS),
    *(_UNINTENDED, _UNANSWERED, _SERVER_FAULTS),
)
