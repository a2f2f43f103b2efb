"""Sets money aside, turns it into spend, frees it again (C20). Each hold ends exactly once.

All of it is decided by `admit_spends`, beside every other spend of the brand.
"""

from datetime import datetime

from core.actions.caller import Caller
from core.actions.spend import admit_spends
from core.actions.spend_requests import (
    Asked,
    CaptureRequest,
    HoldRequest,
    ReleaseRequest,
    SpendOutcome,
)


def create_hold(request: HoldRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Set an amount aside now, if the campaign is active and every budget covers it."""
    return admit_spends([Asked(request, caller)], now=now)[0]


def capture_hold(request: CaptureRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Turn a hold into spend in the period in which it was taken, and free the rest."""
    return admit_spends([Asked(request, caller)], now=now)[0]


def release_hold(request: ReleaseRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Free all of a hold."""
    return admit_spends([Asked(request, caller)], now=now)[0]
