"""The words of those who look for stored facts that contradict the contract.

What is looked at stands in `core/queries/checks`, who looks in `core/queries/verification.py`.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.models import Brand

# Of what is wrong with one brand in one way, so much is told: a garbled brand fills no memory.
MOST_TOLD = 100


class Promise(StrEnum):
    """What the contract promises, as far as traffic, time and tampering can break it."""

    ANSWERS = "what was answered to an event id is in the log, and only once (C21)"
    APPEND_ONLY = "the database refuses to change or delete an entry of the log (C24)"
    CALENDAR = "periods are those of the brand's calendar, without gap or overlap (C9, C12)"
    CURRENCY = "all money of a brand is in its currency (C2)"
    DAYS = "spend counts in the budget day in which it occurred (C9, C11)"
    FULL_DELIVERY = "what fits is admitted, what doesn't is refused with what remains (C8, C18)"
    HISTORY = "the transitions are those that the log and the settings give (C16, C17, C26)"
    HOLDS_CAPTURED = "an open hold can be captured or released (C20)"
    HOLDS_END = "every hold ends when its time is over (C8, C20)"
    HOLDS_END_ONCE = "each hold ends once, by a capture within it or by none (C20)"
    NO_SURPRISE = "the rules let nothing through that the database refuses (C7, C18)"
    ONE_ANSWER = "the same event id gets the first answer again (C21)"
    ONLY_ACTIVE = "spend and holds are admitted only while the campaign is active (C18)"
    REFUNDS = "a refund within its entry is taken (C22)"
    REFUNDS_COVERED = "no more is taken back of an entry than it was, and where it counts (C22)"
    REPORTS = "a report is never refused (C19)"
    STATUS_COUNTS = "the status counts what the stored verdicts say (C16)"
    STORED_VERDICTS = "the stored verdict is the judged one (C16)"
    SWITCHES = "only a person changes a person's switch (C15)"
    TOTALS = "the totals are what the log and the open holds add up to (C10, C20, C25)"
    TRANSITIONS = "each change of is_active writes one transition (C17)"
    ZERO_OVERSPEND = "no budget is overspent (C7)"


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """A promise, and the facts that contradict it at `at`."""

    promise: Promise
    at: datetime
    facts: str


@dataclass(frozen=True, slots=True)
class Look:
    """A look at one brand as it is at `at`, in one snapshot of the database.

    By `settled_at` all that time alone made due was to be written down (C16); what came due since
    may wait for its tick. `checked` counts what was looked at.
    """

    brand: Brand
    at: datetime
    settled_at: datetime
    checked: Counter[str] = field(default_factory=Counter)

    def count(self, what: str, number: int) -> None:
        """Say that so many of these were looked at."""
        self.checked[what] += number

    def broken(self, promise: Promise, facts: str) -> BrokenPromise:
        """What was found."""
        return BrokenPromise(promise, self.at, facts)
