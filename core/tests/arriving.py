"""Requests that come together to their admission, as the API's calls do, without calls and keys."""

from datetime import datetime

from core.actions.spend_requests import Asked, SpendOutcome
from core.enums import Scope
from core.views.admission import _GROUPS, Arrival
from core.views.authentication import Visit


def arrive(asked: Asked, now: datetime) -> SpendOutcome:
    """Decide this together with what comes to this process at the same moment."""
    visit = Visit("", Scope.SPEND, asked.caller, now)
    return _GROUPS.ask(Arrival(visit, asked.request, asked.late_limit))
