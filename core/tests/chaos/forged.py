"""What a broken product would have left in a played run: written by hand, and never committed."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from chaos.audit.findings import Row
from chaos.audit.folder import money, read_settled
from chaos.audit.judgement import judge_run
from core.tests.chaos.played import Run, write_line
from core.tests.views.api import Json

TODAY = date(2024, 1, 16)
NOW = datetime(2024, 1, 16, 9, 30, tzinfo=UTC)
EVENT, HOLDING = "forged", "forged hold"
HALF = 500_000
_NEW_ENTRY = """
    INSERT INTO core_spendlog (brand_id, campaign_id, kind, amount, over_budget, over_budget_cause,
        currency, budget_day, occurred_at, recorded_at, event_id, source, refund_of_id)
    VALUES (%s, %s, %s, %s, 0, '', 'USD', %s, %s, %s, %s, 'forger', %s) RETURNING id
"""
_NEW_HOLD = """
    INSERT INTO core_hold (id, brand_id, campaign_id, amount, currency, state, budget_day, held_at,
        expires_at, ended_at, spend_log_id, event_id, source)
    VALUES (%s, %s, %s, %s, 'USD', %s, %s, %s, %s, %s, %s, %s, 'forger') RETURNING id
"""
_NEW_ANSWER = """
    INSERT INTO core_eventanswer (source, event_id, fingerprint, is_refusal, answer, recorded_at)
    VALUES ('forger', %s, '', %s, %s, %s)
"""
_SOME_TOTAL = """
    INSERT INTO {table} ({owner}, period, starts_on, starts_at, ends_at, spent, held)
    VALUES (%s, %s, %s, %s, %s, 0, 0) ON CONFLICT ({owner}, period, starts_on) DO NOTHING
"""
_MORE = """
    UPDATE {table} SET spent = spent + %s, held = held + %s
    WHERE {owner} = %s AND period = %s AND starts_on = %s
"""


@dataclass
class Forger:
    """A played run within a transaction that is rolled back, and a folder of its own.

    Each call writes in a transaction within that one, which has a number of its own.
    """

    run: Run
    folder: Path
    connection: psycopg.Connection

    def rows(self) -> list[Row]:
        """What the audit says of it."""
        return judge_run(self.connection, self.folder, read_settled(self.folder))

    def execute(self, statement: str, *values: object) -> None:
        """Change rows, also those that the database wouldn't let anybody change."""
        with self.connection.transaction():
            self.connection.execute("SET LOCAL session_replication_role = replica")
            assert self.connection.execute(statement.encode(), values).rowcount
            self.connection.execute("SET LOCAL session_replication_role = origin")

    def spend(self, campaign: Json, kind: str = "add", *, day: date = TODAY) -> Json:
        """A spend of `HALF` that was admitted in all respects; how it was answered."""
        answer = answer_of(campaign, self.enter(campaign, kind, day=day))
        self.keep(answer)
        self.say(kind, asked_of(campaign), answer)
        return answer

    def enter(
        self,
        campaign: Json,
        kind: str = "add",
        *,
        micros: int = HALF,
        day: date = TODAY,
        refund_of: int | None = None,
    ) -> int:
        """An entry of the log, and the totals that count it; its id."""
        named = (campaign["brand_id"], campaign["id"], kind, micros)
        with self.connection.transaction():
            self._count(campaign, day, spent=micros)
            return self._insert(_NEW_ENTRY, *named, day, NOW, NOW, EVENT, refund_of)

    def begin_hold(self) -> Json:
        """How a hold of `HALF` is answered, whose row is written by `end_hold`."""
        sequence = "SELECT nextval(pg_get_serial_sequence('core_hold', 'id'))"
        answer = {"hold_id": self._insert(sequence), "amount": money(HALF)}
        self.keep(answer, event_id=HOLDING)
        return answer

    def end_hold(
        self,
        answer: Json,
        campaign: Json,
        state: str,
        *,
        micros: int = HALF,
        spend_log_id: int | None = None,
    ) -> None:
        """The row of a hold of this morning; while it is open, the totals count it."""
        is_open = state == "open"
        named = (answer["hold_id"], campaign["brand_id"], campaign["id"], micros, state, TODAY)
        times = (NOW, NOW + timedelta(minutes=1), None if is_open else NOW)
        with self.connection.transaction():
            self._insert(_NEW_HOLD, *named, *times, spend_log_id, HOLDING)
            self._count(campaign, TODAY, held=micros if is_open else 0)
        self.say("hold", asked_of(campaign), answer, status=201, event_id=HOLDING)

    def keep(self, answer: Json, *, is_refusal: bool = False, event_id: str = EVENT) -> None:
        """Keep a first answer to the event."""
        with self.connection.transaction():
            values = (event_id, is_refusal, json.dumps(answer), NOW)
            self.connection.execute(_NEW_ANSWER, values)

    def say(self, call: str, body: Json, answer: Json, **more: Any) -> None:
        """An intent with its answer; `status`, `path`, `repeats` and the like may be other ones."""
        event_id = more.get("event_id", EVENT)
        named = {"id": f"{call} {more}", "event_id": event_id, "call": call, "body": body}
        others = {name: more.get(name) for name in ("repeats", "brand_id", "campaign_id")}
        self.intend({**named, "path": more.get("path", ""), **others})
        told = {"status": more.get("status", 200), "is_replay": more.get("is_replay", False)}
        write_line(self._journal, {"answer": {"id": named["id"], **told, "body": answer}})

    def intend(self, intent: Json) -> None:
        """An intent without an answer."""
        write_line(self._journal, {"intent": intent})

    def fail(self, status: int) -> None:
        """A fault of a server."""
        write_line(self._journal, {"fault": {"id": "some intent", "status": status, "body": {}}})

    @property
    def _journal(self) -> Path:
        return self.folder / "journals" / "forger.jsonl"

    def _count(self, campaign: Json, day: date, *, spent: int = 0, held: int = 0) -> None:
        """Move every total that counts this day."""
        periods = (("day", day), ("month", day.replace(day=1)), ("lifetime", date.min))
        for owner, owner_id in (("brand", campaign["brand_id"]), ("campaign", campaign["id"])):
            names = {"table": f"core_{owner}total", "owner": f"{owner}_id"}
            for period, starts_on in periods[: 2 if owner == "brand" else 3]:
                key = (owner_id, period, starts_on)
                self.connection.execute(_SOME_TOTAL.format(**names).encode(), (*key, NOW, NOW))
                self.connection.execute(_MORE.format(**names).encode(), (spent, held, *key))

    def _insert(self, statement: str, *values: object) -> int:
        row = self.connection.execute(statement.encode(), values).fetchone()
        assert row
        return int(row[0])


def asked_of(campaign: Json, amount: str = "0.50") -> Json:
    """The body of a request for a spend or a hold."""
    return {"campaign_id": campaign["id"], "amount": amount}


def answer_of(campaign: Json, entry_id: int) -> Json:
    """How a spend of `HALF` is answered."""
    return {**asked_of(campaign), "spend_log_id": entry_id}
