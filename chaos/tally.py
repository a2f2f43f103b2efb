"""Counts what the journals say, while they grow."""

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Self

from chaos.journal import Document, read_line


class Tally:
    """Reads on where it stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_until: dict[Path, int] = {}
        self._brands: dict[str, tuple[int, datetime]] = {}
        self.counts: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        # The simulated instants at which calls were meant that were answered, by brand.
        self.answered_at: defaultdict[int, list[datetime]] = defaultdict(list)

    def read(self) -> Self:
        """Take in what was added."""
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as stream:
                stream.seek(self._read_until.get(path, 0))
                text = stream.read()
            whole = text.rfind(b"\n") + 1
            self._read_until[path] = self._read_until.get(path, 0) + whole
            for line in text[:whole].splitlines():
                self._note(line)
        return self

    def say(self) -> str:
        """How far it is, in one line."""
        names = ("attempts", "acknowledged", "refused", "replayed", "retried")
        return ", ".join(f"{self.counts[name]:,} {name}" for name in names)

    def _note(self, text: bytes) -> None:
        match read_line(text):
            case {"intent": told}:
                self.counts["attempts"] += 1
                self.calls[told["call"]] += 1
                if told["brand_id"] is not None:
                    at = datetime.fromisoformat(told["simulated_at"])
                    self._brands[told["id"]] = told["brand_id"], at
            case {"try": told}:
                self.counts["tries"] += 1
                self.counts[f"tries {told['outcome']}"] += 1
                if told.get("status") == 503:
                    self.counts["tries refused by 503"] += 1
            case {"answer": told}:
                self._note_answer(told)
            case {"fault": _}:
                self.counts["server faults"] += 1
        self.counts["retried"] = max(0, self.counts["tries"] - self.counts["answers"])

    def _note_answer(self, told: Document) -> None:
        self.counts["answers"] += 1
        self.counts["acknowledged" if told["status"] < 300 else "refused"] += 1
        self.counts["replayed"] += bool(told["is_replay"])
        if told["id"] in self._brands:
            brand_id, at = self._brands.pop(told["id"])
            self.answered_at[brand_id].append(at)
