"""Whether each event id's answer is about its own entry or hold, and each of these has one (C21).

Answers are of no brand: they are gone through by id, and the brand's entries by the brand.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max

from core.models import EventAnswer, Hold, SpendLog
from core.models.sql import Statement, run_together
from core.queries.promises import MOST_TOLD, BrokenPromise, Look, Promise

# Answers that are gone through in one snapshot.
CHUNK = 200_000

_ROWS = (("entry", "core_spendlog", "spend_log_id"), ("hold", "core_hold", "hold_id"))


def list_unanswered_events(look: Look) -> list[BrokenPromise]:
    """Entries and holds with an event id whose answer is missing or about another one (C21)."""
    for model in (SpendLog, Hold):
        named = model.objects.filter(brand=look.brand).exclude(event_id="")
        look.count("event ids", named.count())
    return list(_unanswered(look))


def list_empty_answers(after: int, until: int, at: datetime) -> list[BrokenPromise]:
    """Answers after and until these ids that admitted what isn't there (C18, C21)."""
    told = " OR ".join(
        f"{_number(field)} IS NOT NULL AND NOT EXISTS "  # noqa: S608 (our own words)
        f"(SELECT 1 FROM {table} r WHERE r.id = {_number(field)}{_is_of_event(field)})"
        for _, table, field in _ROWS
    )
    text = f"""
        SELECT a.id FROM core_eventanswer a
        WHERE a.id > %s AND a.id <= %s AND NOT a.is_refusal AND ({told})
        ORDER BY a.id LIMIT %s"""  # noqa: S608 (our own words)
    found = _run(text, [after, until, MOST_TOLD])
    return [
        BrokenPromise(Promise.ANSWERS, at, f"answer {answer_id}: what it admitted isn't there")
        for (answer_id,) in found
    ]


def find_last_answer(after: int) -> int | None:
    """The last id of the chunk of answers that follows this id; none if that was the last."""
    chunk = EventAnswer.objects.filter(id__gt=after).order_by("id")[:CHUNK]
    last: int | None = chunk.aggregate(last=Max("id"))["last"]
    return last


def _unanswered(look: Look) -> Iterator[BrokenPromise]:
    for name, table, field in _ROWS:
        # Not joined: for each brand the database would go through the answers of all brands.
        kept = "core_eventanswer a WHERE a.event_id = r.event_id AND a.source = r.source"
        named = f"SELECT {_number(field)} FROM {kept} AND NOT a.is_refusal"  # noqa: S608
        text = f"""
            SELECT r.id, (SELECT a.id FROM {kept}) FROM {table} r
            WHERE r.brand_id = %s AND r.event_id <> '' AND COALESCE(({named}), 0) <> r.id
            ORDER BY r.id LIMIT %s"""  # noqa: S608 (our own words)
        for row_id, answer_id in _run(text, [look.brand.pk, MOST_TOLD]):
            wrong = "has none" if answer_id is None else f"has answer {answer_id} of another"
            yield look.broken(Promise.ANSWERS, f"{name} {row_id}: its event id {wrong}")


def _number(field: str) -> str:
    """A number in the answer `a`."""
    if connection.vendor == "sqlite":
        return f"json_extract(a.answer, '$.{field}')"
    return f"(a.answer->>'{field}')::bigint"


def _is_of_event(field: str) -> str:
    # A capture and a release have event ids of their own, beside that of their hold.
    if field == "hold_id":
        return ""
    return " AND r.event_id = a.event_id AND r.source = a.source"


def _run(text: str, values: list[Any]) -> list[tuple[Any, ...]]:
    (rows,) = run_together([Statement(text, values, is_prepared=False)])
    return rows
