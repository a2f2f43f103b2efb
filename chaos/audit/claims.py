"""What clients wrote down, as tables of the audit's own: one claim for each thing asked for.

A batch makes a claim for each of its entries. The tables are temporary, so that each row of the
audit is one statement and the memory stays small however long the run was.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection

from chaos.audit.folder import Json, journals, micros_of
from chaos.journal import read_lines

SPENDING = frozenset({"add", "report", "hold", "capture", "release", "refund"})
EDITING = frozenset({"edit_brand", "edit_campaign", "pause", "resume"})
# Refusals that an event id keeps for ever; the others may be decided anew (C21).
KEPT = frozenset({"budget_exceeded", "campaign_not_active", "hold_ended", "refund_above_entry"})
_NOT_OF_THE_DOCUMENT = frozenset({"request_id", "index", "status"})
_NO_AMOUNT = -1
_HOLD_IN_PATH = re.compile(r"/holds/(\d+)/")
_TABLES = """
    CREATE TEMP TABLE claim (
        intent text, place int, call text, event_id text, brand_id bigint, campaign_id bigint,
        hold_id bigint, refund_of bigint, micros bigint, how text, content text,
        is_answered boolean, is_accepted boolean, is_kept boolean, is_replay boolean, code text,
        spend_log_id bigint, begun_hold_id bigint, told_micros bigint, document jsonb);
    CREATE TEMP TABLE edit (
        intent text, call text, brand_id bigint, campaign_id bigint, is_answered boolean,
        is_accepted boolean, body jsonb);
    CREATE TEMP TABLE fault (intent text, status int, body text);
"""
_INDEXES = """
    CREATE INDEX ON claim (event_id);
    CREATE INDEX ON claim (spend_log_id);
    ANALYZE claim;
"""
Columns = tuple[Any, ...]


def load_claims(connection: Connection, folder: Path) -> None:
    """Read all journals into the tables `claim`, `edit` and `fault`."""
    connection.execute(_TABLES)
    for path in journals(folder):
        _load(connection, path)
    connection.execute(_INDEXES)


def _load(connection: Connection, path: Path) -> None:
    intents: dict[str, Json] = {}
    answered: set[str] = set()
    claims: list[Columns] = []
    edits: list[Columns] = []
    faults: list[Columns] = []

    def tell(intent: Json, answer: Json | None) -> None:
        if intent["call"] in EDITING:
            edits.append(_edit(intent, answer))
        else:
            claims.extend(_claims(intent, answer))

    for line in read_lines(path):
        if intent := line.get("intent"):
            intents[intent["id"]] = intent
        elif (answer := line.get("answer")) and answer["id"] in intents:
            answered.add(answer["id"])
            tell(intents[answer["id"]], answer)
        elif fault := line.get("fault"):
            faults.append((fault["id"], fault["status"], json.dumps(fault.get("body"))))
    for intent_id in intents.keys() - answered:
        tell(intents[intent_id], None)
    _copy(connection, "COPY claim FROM STDIN", claims)
    _copy(connection, "COPY edit FROM STDIN", edits)
    _copy(connection, "COPY fault FROM STDIN", faults)


def _copy(connection: Connection, statement: LiteralString, rows: Iterable[Columns]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _claims(intent: Json, answer: Json | None) -> Iterator[Columns]:
    """A claim for what was asked; for each entry of a batch."""
    if intent["call"] in SPENDING:
        is_accepted = answer is not None and answer["status"] < 300
        told = None if answer is None else answer["body"]
        is_replay = answer is not None and bool(answer.get("is_replay"))
        asked = {**intent["body"], "kind": intent["call"], "event_id": intent["event_id"]}
        yield _claim(intent, asked, _Told(0, told, is_accepted, is_replay))
        return
    results = (answer or {}).get("body", {}).get("results")
    for place, asked in enumerate(intent["body"]["entries"]):
        told = results[place] if results else (answer or {}).get("body")
        is_accepted = bool(results) and "error" not in results[place]
        is_replay = bool(results) and results[place]["status"] == "replayed"
        yield _claim(intent, asked, _Told(place, told, is_accepted, is_replay))


@dataclass(frozen=True, slots=True)
class _Told:
    """What one thing that was asked for came to, by its document; none is no answer."""

    place: int
    document: Json | None
    is_accepted: bool
    is_replay: bool


def _claim(intent: Json, asked: Json, told: _Told) -> Columns:
    document = told.document or {}
    code = document.get("code")
    hold = _HOLD_IN_PATH.search(intent["path"])
    hold_id = int(hold[1]) if hold else None
    bare = {name: value for name, value in document.items() if name not in _NOT_OF_THE_DOCUMENT}
    return (
        *(intent["id"], told.place, asked["kind"], asked.get("event_id") or ""),
        *(intent.get("brand_id"), asked.get("campaign_id"), hold_id, asked.get("spend_log_id")),
        *(_micros(asked.get("amount")), (intent.get("repeats") or {}).get("how", "")),
        *(_content(asked, hold_id), told.document is not None, told.is_accepted),
        *(told.is_accepted or code in KEPT, told.is_replay, code),
        *(document.get("spend_log_id"), document.get("hold_id")),
        *(_micros(document.get("amount")), json.dumps(bare)),
    )


def _edit(intent: Json, answer: Json | None) -> Columns:
    body = dict(intent["body"] or {})
    if intent["call"] in ("pause", "resume"):
        body = {"is_enabled": intent["call"] == "resume"}
    settings = {name.removeprefix("own_"): value for name, value in body.items()}
    is_accepted = answer is not None and answer["status"] < 300
    return (
        *(intent["id"], intent["call"], intent.get("brand_id"), intent.get("campaign_id")),
        *(answer is not None, is_accepted, json.dumps(settings)),
    )


def _micros(amount: object) -> int | None:
    """An amount in micros; one that is none, which nobody may have accepted, equals no other."""
    try:
        return None if amount is None else micros_of(amount)
    except ValueError:
        return _NO_AMOUNT


def _content(asked: Json, hold_id: int | None) -> str:
    """What makes it the same request, whatever its event id and however it was sent."""
    words = {name: value for name, value in asked.items() if name != "event_id"}
    text = json.dumps([words, hold_id], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
