"""How calls that move money come to the one admission path: with all those of the same moment.

One transaction for many requests is what keeps a hot brand fast: its lock and the disk are waited
for once for all of them, and everybody's answer is the one that it would have got alone (C23).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from core.actions.coalescing import Coalescer, PutOff
from core.actions.spend import UNAVAILABLE, admit_free_spends, admit_spends
from core.actions.spend_requests import NOT_LATE, Asked, Request, SpendOutcome
from core.views.authentication import ApiRequest

# A request, and the instant at which it came.
Arrival = tuple[Asked, datetime]


def admit(request: ApiRequest, asked: Request, late_limit: timedelta = NOT_LATE) -> SpendOutcome:
    """Decide what this call asks; it may come with others of its process (`GROUP_COMMIT`).

    Raises DatabaseUnavailableError and what the database raises when it is away (C27).
    """
    mine = Asked(asked, request.auth, late_limit)
    if settings.GROUP_COMMIT:
        return arrive(mine, request.now)
    return admit_spends([mine], now=request.now)[0]


def arrive(asked: Asked, now: datetime) -> SpendOutcome:
    """Decide this together with what comes to this process at the same moment."""
    return _GROUPS.ask((asked, now))


def _admit_together(arrivals: Sequence[Arrival]) -> list[SpendOutcome | PutOff]:
    # They came within the same moment, and the last of them has read the one clock, too.
    now = max(at for _, at in arrivals)
    return admit_free_spends([asked for asked, _ in arrivals], now=now)


_GROUPS = Coalescer(_admit_together, outages=UNAVAILABLE)
