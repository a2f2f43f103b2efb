"""The product with a database that is free: it answers at once, and whatever is asked.

What is left is what a call of spend costs the web server and the views, but for the threads that
wait for each other's answers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.noop_site import ANSWER
from budget_manager.wsgi import application
from core.actions.spend_requests import SpendOutcome
from core.enums import Scope
from core.models import ApiKey
from core.queries.api_keys import OpenedKey
from core.views import admission, authentication

__all__ = ["application"]

_NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
_KEY = ApiKey(public_id="0123456789ab", scopes=[Scope.SPEND], last_used_at=_NOW)


def find_api_keys(tokens: Sequence[str], along: object = None) -> list[OpenedKey | None]:
    """Find every key good."""
    return [OpenedKey(_KEY, _NOW)] * len(tokens)


def admit_free_spends(
    asked: Sequence[object], brands: object, *, now: object
) -> list[SpendOutcome]:
    """Admit everything."""
    return [SpendOutcome(answer=ANSWER)] * len(asked)


vars(authentication)["find_api_keys"] = find_api_keys
vars(admission)["admit_free_spends"] = admit_free_spends
