"""Says what was verified and what was found: a table for people, JSON for programs."""

from collections import Counter
from collections.abc import Iterator
from typing import TypedDict

from core.queries.promises import BrokenPromise, Promise
from core.queries.verification import Verified

# So much of what was found is kept to be told one by one; all of it is counted.
MOST_KEPT = 1_000
# What each promise is looked for in.
LOOKED_AT = {
    Promise.TOTALS: "totals",
    Promise.CALENDAR: "periods",
    Promise.DAYS: "entries",
    Promise.CURRENCY: "entries",
    Promise.HOLDS_END: "holds",
    Promise.HOLDS_END_ONCE: "holds",
    Promise.REFUNDS_COVERED: "refunds",
    Promise.ANSWERS: "event ids",
    Promise.ZERO_OVERSPEND: "budgets",
    Promise.STORED_VERDICTS: "verdicts",
    Promise.TRANSITIONS: "transitions",
    Promise.STATUS_COUNTS: "campaigns",
    Promise.APPEND_ONLY: "triggers",
}


class BrokenDocument(TypedDict):
    """A broken promise as JSON."""

    promise: str
    facts: str


class VerificationDocument(TypedDict):
    """What `--json` prints. `found` counts all that is broken, `broken` tells the first 1,000."""

    checked: dict[str, int]
    found: int
    broken: list[BrokenDocument]
    is_sound: bool


class VerificationReport:
    """Adds up what was verified part by part."""

    def __init__(self) -> None:
        # Also what there is none of is in the report.
        self.checked = Counter(dict.fromkeys(("brands", *LOOKED_AT.values(), "answers"), 0))
        self.found: Counter[Promise] = Counter()
        self.broken: list[BrokenPromise] = []

    @property
    def is_sound(self) -> bool:
        """Nothing was found."""
        return not self.found

    def add(self, verified: Verified) -> list[BrokenPromise]:
        """Add a part; what of it is to be told."""
        self.checked.update(verified.checked)
        self.found.update(broken.promise for broken in verified.broken)
        told = verified.broken[: MOST_KEPT - len(self.broken)]
        self.broken += told
        return told

    def document(self) -> VerificationDocument:
        """All of it for programs."""
        return {
            "checked": {what.replace(" ", "_"): count for what, count in self.checked.items()},
            "found": self.found.total(),
            "broken": [
                {"promise": broken.promise.value, "facts": broken.facts} for broken in self.broken
            ],
            "is_sound": self.is_sound,
        }

    def table(self) -> Iterator[str]:
        """A line for each promise: in what it was looked for, and how often it was broken."""
        rows = [
            (promise.value, f"{self.checked[what]} {what}", f"{self.found[promise]}")
            for promise, what in LOOKED_AT.items()
        ]
        rows.insert(0, ("promise", "looked at", "broken"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for promise, looked_at, found in rows:
            yield f"{promise:<{widths[0]}}  {looked_at:>{widths[1]}}  {found:>{widths[2]}}"
