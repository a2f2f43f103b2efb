"""How a row of the audit is asked as one statement."""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection

from chaos.audit.findings import Question, Row


@dataclass(frozen=True, slots=True)
class Check:
    """A question as SQL: how many were looked at, and those that break the promise.

    `broken` gives subject, expected and found as text. `%(at)s` is when everything had settled.
    """

    question: Question
    looked_at: LiteralString
    broken: LiteralString

    def ask(self, connection: Connection, values: dict[str, Any]) -> Row:
        """The row that answers it."""
        looked_at = connection.execute(self.looked_at, values).fetchone()
        row = Row(self.question, checked=looked_at[0] if looked_at else 0)
        for subject, expected, found in connection.execute(self.broken, values):
            row.note(subject, expected=expected, found=found)
        return row
