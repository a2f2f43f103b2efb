"""A client's own book: what it means to send, each try, and the answer that counts.

JSON lines. An intent is on the disk before anything of it is sent, so that whoever takes over from
a killed client knows what may have been done.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One call that a client means to make. `repeats` says of which other and how."""

    id: str
    call: str
    path: str
    body: Document
    event_id: str = ""
    brand_id: int | None = None
    campaign_id: int | None = None
    amount: str | None = None
    method: str = "POST"
    if_match: int = 0
    at: float = 0.0
    simulated_at: str = ""
    repeats: dict[str, str] | None = None

    def document(self) -> Document:
        """What the journal keeps of it."""
        optional = {"if_match": self.if_match, "repeats": self.repeats}
        told = {name: value for name, value in asdict(self).items() if name not in optional}
        return told | {name: value for name, value in optional.items() if value}


@dataclass
class Book:
    """What a journal says: intents in their order, and the answers to them."""

    intents: dict[str, Intent] = field(default_factory=dict)
    answers: dict[str, Document] = field(default_factory=dict)
    tries: dict[str, list[Document]] = field(default_factory=dict)
    faults: list[Document] = field(default_factory=list)

    @property
    def open_intents(self) -> list[Intent]:
        """Those without an answer that counts."""
        return [intent for name, intent in self.intents.items() if name not in self.answers]

    def note(self, line: Document) -> None:
        """Take one line in."""
        match line:
            case {"intent": told}:
                self.intents[told["id"]] = Intent(**told)
            case {"try": told}:
                self.tries.setdefault(told["id"], []).append(told)
            case {"answer": told}:
                self.answers[told["id"]] = told
            case {"fault": told}:
                self.faults.append(told)


class Journal:
    """Appends to one file, also after the death of who wrote it before; safe among threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        is_torn = path.exists() and not path.read_bytes().endswith(b"\n")
        self._stream = path.open("ab", buffering=0)
        if is_torn:
            self._stream.write(b"\n")

    def mean(self, intent: Intent) -> None:
        """Write down what will be sent, and see it on the disk."""
        self._write({"intent": intent.document()})
        os.fdatasync(self._stream.fileno())

    def tried(self, intent: Intent, host: str, outcome: str, status: int | None = None) -> None:
        """Write down one try."""
        answered = {} if status is None else {"status": status}
        self._write({"try": {**_of(intent), "host": host, "outcome": outcome, **answered}})

    def answered(self, intent: Intent, answer: Document) -> None:
        """Write down the answer that counts."""
        self._write({"answer": {**_of(intent), **answer}})

    def failed(self, intent: Intent, host: str, fault: Document) -> None:
        """Write down a fault of the server, which there must never be."""
        self._write({"fault": {**_of(intent), "host": host, **fault}})

    def _write(self, line: Document) -> None:
        # One write for each line: a kill leaves the line or nothing of it, or at worst a torn end.
        with self._lock:
            self._stream.write(json.dumps(line).encode() + b"\n")


def _of(intent: Intent) -> Document:
    return {"id": intent.id, "at": time.time()}


def read_line(text: bytes) -> Document:
    """What a line of a journal says; nothing if a kill has torn it."""
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def read_lines(path: Path) -> Iterator[Document]:
    """The lines of a journal, without those that a kill has torn."""
    with path.open("rb") as stream:
        yield from filter(None, map(read_line, stream))


def read_book(path: Path) -> Book:
    """What a journal says; nothing if there is none yet."""
    book = Book()
    if path.exists():
        for line in read_lines(path):
            book.note(line)
    return book
