"""What the audit says: one row per promise, how much was looked at and what broke it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Example:
    """One violation: what it is about, what should be there and what is."""

    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a row asks: its name, its title in the table, the promise behind it.

    `next_step` tells a reader of its examples where to look first.
    """

    name: str
    title: str
    promise: str
    next_step: str


@dataclass(slots=True)
class Row:
    """The answer to one question: `count` has to be zero."""

    question: Question
    checked: int = 0
    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def note(self, subject: str, *, expected: object, found: object) -> None:
        """Count one violation, and keep it as an example while there are few."""
        self.count += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(Example(subject, str(expected), str(found)))

    def document(self) -> dict[str, Any]:
        """The row as JSON values."""
        examples = [asdict(example) for example in self.examples]
        return {
            **asdict(self.question),
            **{"count": self.count, "checked": self.checked, "examples": examples},
        }


def is_clean(rows: Iterable[Row]) -> bool:
    """Whether nothing was broken."""
    return not any(row.count for row in rows)
