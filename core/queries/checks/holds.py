"""Whether each hold ended once and as it says, and refunds stay within what they take back."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import F, Max, Q, QuerySet, Sum

from core.enums import HoldState, SpendKind
from core.models import Hold, SpendLog
from core.queries.holds import find_expired_holds
from core.queries.promises import MOST_TOLD, BrokenPromise, Look, Promise
from core.rules.instants import format_instant


def list_overdue_holds(look: Look) -> list[BrokenPromise]:
    """Holds that are open although their time was over when all had to be settled (C8, C20)."""
    overdue = find_expired_holds(look.brand, look.settled_at).order_by("id")
    return [
        look.broken(
            Promise.HOLDS_END, f"hold {hold.pk} is open past {format_instant(hold.expires_at)}"
        )
        for hold in overdue[:MOST_TOLD]
    ]


def list_wrong_captures(look: Look) -> list[BrokenPromise]:
    """Holds that ended otherwise than they say, and captures of no hold (C20)."""
    return [*_wrong_ends(look), *_wrong_entries(look), *_captures_of_nothing(look)]


def list_wrong_refunds(look: Look) -> list[BrokenPromise]:
    """Entries of which more was taken back than they were, or somewhere else (C22)."""
    refunds = SpendLog.objects.filter(brand=look.brand, refund_of__isnull=False)
    look.count("refunds", refunds.count())
    return [*_overdrawn(look, refunds), *_misplaced(look, refunds)]


def _wrong_ends(look: Look) -> Iterator[BrokenPromise]:
    holds = Hold.objects.filter(brand=look.brand)
    is_open, is_captured = Q(state=HoldState.OPEN), Q(state=HoldState.CAPTURED)
    wrong = (
        (is_open & Q(ended_at__isnull=False), "is open and has ended"),
        (~is_open & Q(ended_at=None), "has ended at no instant"),
        (is_captured & Q(spend_log=None), "was captured, and no entry says so"),
        (~is_captured & Q(spend_log__isnull=False), "has an entry and wasn't captured"),
        (Q(state=HoldState.EXPIRED) & ~Q(ended_at=F("expires_at")), "expired at another instant"),
    )
    for condition, facts in wrong:
        for hold_id in _ids(holds.filter(condition)):
            yield look.broken(Promise.HOLDS_END_ONCE, f"hold {hold_id} {facts}")


def _wrong_entries(look: Look) -> Iterator[BrokenPromise]:
    """Captured holds whose entry isn't a capture of at most their amount, in their own day."""
    captured = Hold.objects.filter(brand=look.brand, state=HoldState.CAPTURED)
    is_alike = Q(
        spend_log__kind=SpendKind.CAPTURE,
        spend_log__brand=F("brand"),
        spend_log__campaign=F("campaign"),
        spend_log__budget_day=F("budget_day"),
        spend_log__amount__lte=F("amount"),
    )
    wrong = captured.exclude(spend_log=None).exclude(is_alike).order_by("id")
    for hold_id, entry_id in wrong.values_list("id", "spend_log_id")[:MOST_TOLD]:
        facts = f"entry {entry_id} isn't within hold {hold_id}, of which it is the capture"
        yield look.broken(Promise.HOLDS_END_ONCE, facts)


def _captures_of_nothing(look: Look) -> Iterator[BrokenPromise]:
    captures = SpendLog.objects.filter(brand=look.brand, kind=SpendKind.CAPTURE)
    for entry_id in _ids(captures.filter(hold=None)):
        yield look.broken(Promise.HOLDS_END_ONCE, f"entry {entry_id} is a capture of no hold")


def _overdrawn(look: Look, refunds: QuerySet[SpendLog]) -> Iterator[BrokenPromise]:
    by_entry = refunds.order_by("refund_of").values("refund_of")
    sums = by_entry.annotate(taken_back=Sum("amount"), was=Max("refund_of__amount"))
    overdrawn = sums.annotate(rest=F("was") + F("taken_back")).filter(rest__lt=Decimal(0))
    for row in overdrawn[:MOST_TOLD]:
        facts = f"entry {row['refund_of']}: more was taken back than it was"
        yield look.broken(Promise.REFUNDS_COVERED, facts)


def _misplaced(look: Look, refunds: QuerySet[SpendLog]) -> Iterator[BrokenPromise]:
    is_alike = Q(
        refund_of__brand=F("brand"),
        refund_of__campaign=F("campaign"),
        refund_of__budget_day=F("budget_day"),
        refund_of__amount__gt=Decimal(0),
    )
    wrong = refunds.exclude(is_alike).order_by("id")
    for refund_id, entry_id in wrong.values_list("id", "refund_of_id")[:MOST_TOLD]:
        facts = f"entry {refund_id} doesn't count where entry {entry_id} does, which it takes back"
        yield look.broken(Promise.REFUNDS_COVERED, facts)


def _ids(rows: QuerySet[Hold] | QuerySet[SpendLog]) -> list[int]:
    return list(rows.order_by("id").values_list("id", flat=True)[:MOST_TOLD])
