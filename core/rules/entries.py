"""What admission is asked to decide, and what it has to know of holds and earlier entries.

Amounts are whole micros: a loop over a thousand entries reckons with integers.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.enums import HoldState, SpendKind

# How long a hold sets its amount aside unless the caller says otherwise, and at most (C20).
DEFAULT_HOLD = timedelta(minutes=5)
LONGEST_HOLD = timedelta(hours=24)


@dataclass(slots=True)
class SpendEntry:
    """One spend to decide. `currency` is what the caller named, if anything (C2).

    Not frozen, as `Decision` isn't: a thousand of them are made at a time.
    """

    kind: SpendKind
    campaign_id: int
    amount: int
    occurred_at: datetime
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class HoldEntry:
    """An amount to set aside now (C20)."""

    campaign_id: int
    amount: int
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureEntry:
    """A hold to turn into spend; `None` is all of it (C20)."""

    hold_id: int
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """A hold to free (C20)."""

    hold_id: int


@dataclass(frozen=True, slots=True)
class RefundEntry:
    """Part or all of an entry of the log to take back (C22)."""

    spend_log_id: int
    amount: int


Entry = SpendEntry | HoldEntry | CaptureEntry | ReleaseEntry | RefundEntry


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A hold as it stands; it counts in the totals of `budget_day` while it is open."""

    hold_id: int
    campaign_id: int
    amount: int
    state: HoldState
    budget_day: date
    expires_at: datetime

    def state_at(self, at: datetime) -> HoldState:
        """What has become of it by then, whether or not somebody has written it down yet."""
        has_expired = self.state is HoldState.OPEN and at >= self.expires_at
        return HoldState.EXPIRED if has_expired else self.state


@dataclass(frozen=True, slots=True)
class LoggedSpend:
    """An entry of the log: what of it hasn't been refunded, and in which day it counts."""

    campaign_id: int
    kind: SpendKind
    budget_day: date
    refundable: int
