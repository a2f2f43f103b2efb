"""Mutants of holds and refunds: the product's own admission with one slip in it.

What each gets wrong is when it looks, or what it forgets; `admit_spends` does the rest.
"""

import time
from datetime import date, datetime
from unittest import mock

from django.db import transaction

from core.actions import catch_up as catching_up
from core.actions import delivery, holds, spend, spend_sessions
from core.actions.caller import Caller
from core.actions.spend_requests import (
    Asked,
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    Request,
    SpendOutcome,
)
from core.errors import BudgetManagerError
from core.models import Brand, Campaign, Hold, SpendLog
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.holds import list_brands_with_expired_holds, map_holds, sum_expired_holds
from core.queries.locks import lock_brand
from core.queries.spend import map_entries_to_refund
from core.rules.admission import Admission, Decision
from core.rules.entries import CaptureEntry, HoldEntry, SpendEntry
from core.rules.money import to_micros
from core.tests.races.mutants import MOMENT_SECONDS

# Between taking a hold and capturing it, the caller shows an ad.
SHOWING_SECONDS = 0.04


def _admit(request: Request, caller: Caller, now: datetime) -> SpendOutcome:
    """What every deed of the product comes to, whatever it asks for."""
    return spend.admit_spends([Asked(request, caller)], now=now)[0]


# --- Taking a hold -------------------------------------------------------------------------


def hold_checked_before_the_lock(
    request: HoldRequest, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """Ask the rules, then set aside under the lock without asking again."""
    brand = Campaign.objects.select_related("brand").get(pk=request.campaign_id).brand
    admission = Admission(get_book(brand, list_campaigns_to_judge(brand), [now]), now)
    admission.free_expired(sum_expired_holds(brand, now))
    if refusal := admission.decide(
        HoldEntry(request.campaign_id, to_micros(request.amount))
    ).refusal:
        return SpendOutcome(refusal=refusal)
    time.sleep(MOMENT_SECONDS)
    with mock.patch.object(spend_sessions, "Admission", _Trusting):
        return holds.create_hold(request, caller=caller, now=now)


class _Trusting(Admission):
    """Believes that somebody has asked the budgets."""

    def _budget_refusal(self, entry: SpendEntry | HoldEntry) -> BudgetManagerError | None:
        return None


def held_column_forgotten(request: Request, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Keep holds, but not what they set aside: alone, everybody captures what was there."""
    if isinstance(request, CaptureRequest):
        time.sleep(SHOWING_SECONDS)
    with (
        mock.patch.object(spend_sessions, "Admission", _Forgetful),
        mock.patch.object(catching_up, "Admission", _Forgetful),
    ):
        return _admit(request, caller, now)


class _Forgetful(Admission):
    """Counts what is spent and nothing else."""

    def _move(self, campaign_id: int, day: date, *, spent: int = 0, held: int = 0) -> None:
        super()._move(campaign_id, day, spent=spent)


# --- Ending a hold -------------------------------------------------------------------------


def hold_read_before_the_lock(
    request: CaptureRequest | ReleaseRequest, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """See that the hold is open, wait for the lock, end it: it may have ended meanwhile."""
    brand_id = Hold.objects.get(pk=request.hold_id).brand_id
    seen = map_holds([brand_id], [request.hold_id])
    time.sleep(MOMENT_SECONDS)
    with mock.patch.object(spend_sessions, "map_holds", return_value=seen):
        return _admit(request, caller, now)


def expired_summed_before_the_lock(*, caller: Caller, now: datetime) -> delivery.Changes:
    """Sum what expired holds keep, wait for the lock, give it back: a second time, maybe."""
    changes = {"expired": 0, "failed": 0}
    for brand_id in list_brands_with_expired_holds(now):
        seen = sum_expired_holds(Brand.objects.get(pk=brand_id), now)
        time.sleep(MOMENT_SECONDS)
        with (
            mock.patch.object(catching_up, "sum_expired_holds", return_value=seen),
            transaction.atomic(),
        ):
            catching_up.catch_up(lock_brand(brand_id), now)
        changes["expired"] += len(seen)
    return changes


def hold_never_expires(request: Request, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Leave expired holds to a task: one that doesn't come keeps the money (C26)."""
    with mock.patch.object(catching_up, "sum_expired_holds", return_value=[]):
        return _admit(request, caller, now)


def nobody_sweeps(*, caller: Caller, now: datetime) -> delivery.Changes:
    """The task that never runs. With the product's admission it isn't missed."""
    return {"expired": 0, "failed": 0}


def rest_kept(request: CaptureRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Capture a part and forget the rest, which stays set aside for ever."""
    with mock.patch.object(spend_sessions, "Admission", _Keeping):
        return holds.capture_hold(request, caller=caller, now=now)


class _Keeping(Admission):
    """Frees of a captured hold only what was captured."""

    def _capture(self, entry: CaptureEntry) -> Decision:
        decision = super()._capture(entry)
        self._move(decision.campaign_id, decision.budget_day, held=decision.freed)
        return decision


# --- Refunds -------------------------------------------------------------------------------


def refund_checked_before_the_lock(
    request: RefundRequest, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """See what is left of the entry, wait for the lock, take it back from what was left."""
    brand_id = SpendLog.objects.get(pk=request.spend_log_id).brand_id
    seen = map_entries_to_refund([brand_id], [request.spend_log_id])
    time.sleep(MOMENT_SECONDS)
    with mock.patch.object(spend_sessions, "map_entries_to_refund", return_value=seen):
        return spend.refund_spend(request, caller=caller, now=now)
