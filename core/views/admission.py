"""How calls that move money come to the one admission path: with all those of the same moment.

One transaction for many requests is what keeps a hot brand fast: its lock and the disk are waited
for once for all of them, and everybody's answer is the one that it would have got alone (C23).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.actions.coalescing import Coalescer, PutOff
from core.actions.spend import UNAVAILABLE, admit_free_spends, admit_spends, find_brands
from core.actions.spend_requests import NOT_LATE, Asked, Request, SpendOutcome
from core.models.lending import LENDING
from core.views.authentication import ApiRequest, Visit, note_entry, open_together, take_visit


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A request, and the call that brings it."""

    visit: Visit
    request: Request
    late_limit: timedelta


def admit(request: ApiRequest, asked: Request, late_limit: timedelta = NOT_LATE) -> SpendOutcome:
    """Decide what this call asks; it may come with others of its process (`GROUP_COMMIT`).

    Raises what its key is refused for, DatabaseUnavailableError and what the database raises when
    it is away (C27).
    """
    visit = take_visit(request)
    if visit is None:
        with LENDING.connection():
            return admit_spends([Asked(asked, request.auth, late_limit)], now=request.now)[0]
    try:
        return _GROUPS.ask(Arrival(visit, asked, late_limit))
    finally:
        if not visit.is_waiting:
            note_entry(request, visit)


@LENDING.connection()
def _admit_together(arrivals: Sequence[Arrival]) -> list[SpendOutcome | PutOff]:
    brands = find_brands([arrival.request for arrival in arrivals])
    if waiting := [arrival.visit for arrival in arrivals if arrival.visit.is_waiting]:
        open_together(waiting, along=brands.reading)
    asked = [
        Asked(arrival.request, arrival.visit.caller, arrival.late_limit)
        for arrival in arrivals
        if arrival.visit.caller
    ]
    if not asked:
        return [SpendOutcome(refusal=arrival.visit.refusal) for arrival in arrivals]
    # They came within the same moment, and the last of them has read the one clock, too.
    now = max(arrival.visit.now for arrival in arrivals if arrival.visit.now)
    outcomes = iter(admit_free_spends(asked, brands, now=now))
    return [
        next(outcomes) if arrival.visit.caller else SpendOutcome(refusal=arrival.visit.refusal)
        for arrival in arrivals
    ]


_GROUPS = Coalescer(_admit_together, outages=UNAVAILABLE)
