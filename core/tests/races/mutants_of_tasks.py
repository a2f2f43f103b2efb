"""Mutants of unattended work: the product's own deeds without the lock, or with stale knowledge.

One for each task: two copies of a tick find the same work, and both of them do it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from types import SimpleNamespace
from unittest import mock

from core.actions import catch_up as catching_up
from core.actions import delivery
from core.actions.caller import Caller
from core.actions.counts import Tally
from core.actions.delivery import (
    Changes,
    check_budgets,
    enforce_dayparting,
    expire_holds,
    reset_daily_spend,
    reset_monthly_spend,
)
from core.actions.verdicts import write_verdicts
from core.models import Brand, Campaign, Transition
from core.queries.books import list_campaigns_to_judge
from core.queries.sweeps import list_due_campaign_ids
from core.tests.races.mutants import MOMENT_SECONDS, _pause


@contextmanager
def _without_lock(moment_seconds: float = MOMENT_SECONDS) -> Iterator[None]:
    """Read the brand instead of locking it, and write row by row, as people first do."""

    def read(brand_id: int) -> Brand:
        return Brand.objects.get(pk=brand_id)

    def write(
        campaigns: Sequence[Campaign],
        changed: Collection[Campaign],
        transitions: Collection[Transition],
        *,
        before: Tally,
    ) -> None:
        _pause(moment_seconds)
        write_verdicts(campaigns, changed, transitions, before=before)

    with (
        mock.patch.object(delivery, "lock_brand", read),
        mock.patch.object(delivery, "transaction", SimpleNamespace(atomic=nullcontext)),
        mock.patch.object(catching_up, "write_verdicts", write),
    ):
        yield


def doubtful_unlocked(*, caller: Caller, now: datetime) -> Changes:
    """Judge the doubtful campaigns of a brand that nobody keeps still."""
    with _without_lock():
        return check_budgets(caller=caller, now=now)


def due_unlocked(*, caller: Caller, now: datetime) -> Changes:
    """Judge campaigns at edges that another worker is just writing."""
    with _without_lock():
        return enforce_dayparting(caller=caller, now=now)


def days_unlocked(*, caller: Caller, now: datetime) -> Changes:
    """Close days that another worker is just closing."""
    with _without_lock():
        return reset_daily_spend(caller=caller, now=now)


def months_unlocked(*, caller: Caller, now: datetime) -> Changes:
    """Close months that another worker is just closing."""
    with _without_lock():
        return reset_monthly_spend(caller=caller, now=now)


def expiry_unlocked(*, caller: Caller, now: datetime) -> Changes:
    """Free what another worker is just freeing."""
    with _without_lock():
        return expire_holds(caller=caller, now=now)


def due_found_before_the_lock(*, caller: Caller, now: datetime) -> Changes:
    """Read the campaigns that are due, wait for the lock, judge them as they were."""
    seen: dict[int, tuple[list[int], list[Campaign]]] = {}
    for brand in Brand.objects.all():
        due = list_due_campaign_ids(brand, now)
        seen[brand.pk] = due, list_campaigns_to_judge(brand, due)
    _pause()

    def listed(brand: Brand, *ids: Collection[int]) -> list[Campaign]:
        due, campaigns = seen[brand.pk]
        return campaigns if ids == (set(due),) else list_campaigns_to_judge(brand, *ids)

    with (
        mock.patch.object(
            catching_up, "list_due_campaign_ids", lambda brand, *_: seen[brand.pk][0]
        ),
        mock.patch.object(catching_up, "list_campaigns_to_judge", listed),
    ):
        return enforce_dayparting(caller=caller, now=now)
