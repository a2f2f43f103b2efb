"""Whether the database itself still refuses to change or delete an entry of the log (C24).

What is expected stands here once more, and not as the migration that made it words it.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from core.queries.promises import BrokenPromise, Promise

REFUSAL = "the spend log is append-only: correct an entry by a refund"
# On PostgreSQL, what a trigger does by the bits of `pg_trigger.tgtype`.
_ROW, _BEFORE, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 8, 16, 32
_POSTGRESQL = {
    "spend_log_refuses_change": _ROW | _BEFORE | _DELETE | _UPDATE,
    "spend_log_refuses_truncate": _BEFORE | _TRUNCATE,
}
_BODY = f"BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END"
_SQLITE = {
    "spend_log_refuses_update": "BEFORE UPDATE ON core_spendlog",
    "spend_log_refuses_delete": "BEFORE DELETE ON core_spendlog",
    "spend_log_refuses_replace": "BEFORE INSERT ON core_spendlog "
    "WHEN EXISTS (SELECT 1 FROM core_spendlog WHERE id = NEW.id)",
}


def list_wrong_triggers(at: datetime) -> list[BrokenPromise]:
    """Triggers on the log that are missing, switched off, or do something else."""
    wrong = _wrong_in_sqlite() if connection.vendor == "sqlite" else _wrong_in_postgresql()
    return [
        BrokenPromise(Promise.APPEND_ONLY, at, f"trigger {name} {facts}")
        for name, facts in wrong.items()
    ]


def count_triggers() -> int:
    """How many there should be."""
    return len(_SQLITE if connection.vendor == "sqlite" else _POSTGRESQL)


def _wrong_in_sqlite() -> Mapping[str, str]:
    """SQLite keeps the words of a trigger, and has no way of switching it off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'trigger' AND tbl_name = 'core_spendlog'"
        )
        found = dict(cursor.fetchall())
    wrong = {}
    for name, when in _SQLITE.items():
        text = f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        if name not in found:
            wrong[name] = "is missing"
        elif " ".join(found[name].split()) != text:
            wrong[name] = "isn't the one that refuses"
    return wrong


def _wrong_in_postgresql() -> Mapping[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname, t.tgenabled::text, t.tgtype, p.prosrc, "
            "t.tgqual IS NULL AND t.tgattr::text = '' "
            "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE t.tgrelid = 'core_spendlog'::regclass AND NOT t.tgisinternal"
        )
        found = {name: rest for name, *rest in cursor.fetchall()}
    wrong = {}
    for name, deeds in _POSTGRESQL.items():
        if name not in found:
            wrong[name] = "is missing"
            continue
        enabled, of_type, body, is_always = found[name]
        # 'O': in every session but one that replicates; 'A': there, too.
        if enabled not in ("O", "A"):
            wrong[name] = f"is switched off (tgenabled {enabled})"
        elif of_type != deeds or not is_always or " ".join(body.split()) != _BODY:
            wrong[name] = "isn't the one that refuses"
    return wrong
