"""What callers ask of the one admission path, and what each request comes to."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.actions.caller import Caller
from core.enums import SpendKind
from core.errors import BudgetManagerError
from core.rules.entries import DEFAULT_HOLD
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money


class Subject(StrEnum):
    """What a request names by its id, and so whose brand it is about."""

    CAMPAIGN = "campaign"
    HOLD = "hold"
    ENTRY = "entry"


def ids_of(named: Iterable[tuple[Subject, int]], subject: Subject) -> set[int]:
    """The ids of those that are named as this kind of subject."""
    return {row_id for each, row_id in named if each is subject}


class _Fingerprinted:
    """A request whose content can be told from another's, whatever their event ids (C21).

    No ABC, since admission asks of each entry several times which kind of request it is.
    """

    __slots__ = ()

    @property
    def subject(self) -> tuple[Subject, int]:
        """What the request is about, and its id."""
        return self._subject()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the content. Kept for ever, so the content's form must never change."""
        return hashlib.sha256(repr(self._content()).encode()).hexdigest()

    def _subject(self) -> tuple[Subject, int]:
        raise NotImplementedError

    def _content(self) -> tuple[object, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SpendRequest(_Fingerprinted):
    """To spend, or to tell of spend. `occurred_at` of `None` is now; `event_id` of "" is none."""

    campaign_id: int
    amount: Decimal
    kind: SpendKind = SpendKind.ADD
    occurred_at: datetime | None = None
    currency: str | None = None
    event_id: str = ""

    def _subject(self) -> tuple[Subject, int]:
        return Subject.CAMPAIGN, self.campaign_id

    def _content(self) -> tuple[object, ...]:
        amount, occurred_at = format_money(self.amount), format_instant(self.occurred_at)
        return (self.kind.value, self.campaign_id, amount, occurred_at, self.currency)


@dataclass(frozen=True, slots=True)
class RefundRequest(_Fingerprinted):
    """To take back part or all of an entry of the log (C22); `reason` is a person's words."""

    spend_log_id: int
    amount: Decimal
    reason: str = ""
    event_id: str = ""

    def _subject(self) -> tuple[Subject, int]:
        return Subject.ENTRY, self.spend_log_id

    def _content(self) -> tuple[object, ...]:
        return ("refund", self.spend_log_id, format_money(self.amount), self.reason)


@dataclass(frozen=True, slots=True)
class HoldRequest(_Fingerprinted):
    """To set an amount aside for a time (C20)."""

    campaign_id: int
    amount: Decimal
    duration: timedelta = DEFAULT_HOLD
    currency: str | None = None
    event_id: str = ""

    def _subject(self) -> tuple[Subject, int]:
        return Subject.CAMPAIGN, self.campaign_id

    def _content(self) -> tuple[object, ...]:
        seconds = int(self.duration.total_seconds())
        return ("hold", self.campaign_id, format_money(self.amount), seconds, self.currency)


@dataclass(frozen=True, slots=True)
class CaptureRequest(_Fingerprinted):
    """To turn a hold into spend; an amount of `None` is all of it (C20)."""

    hold_id: int
    amount: Decimal | None = None
    event_id: str = ""

    def _subject(self) -> tuple[Subject, int]:
        return Subject.HOLD, self.hold_id

    def _content(self) -> tuple[object, ...]:
        return ("capture", self.hold_id, format_optional_money(self.amount))


@dataclass(frozen=True, slots=True)
class ReleaseRequest(_Fingerprinted):
    """To free a hold (C20)."""

    hold_id: int
    event_id: str = ""

    def _subject(self) -> tuple[Subject, int]:
        return Subject.HOLD, self.hold_id

    def _content(self) -> tuple[object, ...]:
        return ("release", self.hold_id)


Request = SpendRequest | RefundRequest | HoldRequest | CaptureRequest | ReleaseRequest
# Those that write an entry into the log, and those that end a hold.
LOGGED = (SpendRequest, RefundRequest, CaptureRequest)
ENDING = (CaptureRequest, ReleaseRequest)
NOT_LATE = timedelta(0)
# Whose event it is, and its id (C21).
EventName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, who asks, and how long ago a spend that the caller reports may have been (C11).

    Requests of different callers are admitted together, each under its own caller's event ids
    (C21) and among the brands that its own caller may see (C29).
    """

    request: Request
    caller: Caller
    late_limit: timedelta = NOT_LATE

    @property
    def event(self) -> EventName | None:
        """What makes it the same request when it comes again, if it has an event id."""
        event_id = self.request.event_id
        return (self.caller.source, event_id) if event_id else None


class SpendOutcome:
    """What one request came to: an answer as JSON values, or a refusal.

    The answer may come as what words it, which whoever asks for it first does: its brand isn't
    locked for so long, and who led a group doesn't word everybody's.
    """

    __slots__ = ("_answer", "_word", "is_replay", "refusal")

    def __init__(
        self,
        answer: dict[str, Any] | None = None,
        refusal: BudgetManagerError | None = None,
        *,
        is_replay: bool = False,
        word: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self._answer, self._word = answer, word
        self.refusal, self.is_replay = refusal, is_replay

    @property
    def answer(self) -> dict[str, Any] | None:
        """What the caller is told, if it isn't refused."""
        if self._word:
            self._answer, self._word = self._word(), None
        return self._answer

    def accepted(self) -> dict[str, Any]:
        """The answer. Raises the refusal if there is one."""
        if self.refusal:
            raise self.refusal
        return self.answer or {}
