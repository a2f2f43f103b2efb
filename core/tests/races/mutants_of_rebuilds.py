"""Mutants of those who read the whole log of a brand: before its lock, or without one moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest import mock

from core.actions import rebuild
from core.actions.caller import Caller
from core.actions.rebuild import Rebuilt, rebuild_brand
from core.enums import PeriodKind
from core.models import Brand, BrandTotal, CampaignTotal
from core.queries import verification
from core.queries.recount import Recount
from core.queries.verification import Verified, get_verified_brand
from core.rules.verdict import Amounts, TotalKey
from core.tests.races.mutants import _pause


def log_read_before_the_lock(brand_id: int, *, caller: Caller, now: datetime) -> Rebuilt:
    """Add up the log, wait for the lock, store the sums: what was spent meanwhile is forgotten."""
    # While nothing is wrong, the totals are what the log adds up to.
    summed = [
        Recount(TotalKey(owner, PeriodKind(total.period), total.starts_on), amounts, amounts)
        for owner, total, amounts in _totals(brand_id)
    ]
    _pause()

    def before(_brand: Brand) -> list[Recount]:
        return summed

    with mock.patch.object(rebuild, "list_wrong_rows", before):
        return rebuild_brand(brand_id, caller=caller, now=now)


def verified_without_a_snapshot(brand_id: int, clock: Callable[[], datetime]) -> Verified:
    """Look with one statement after the other, each at a moment of its own."""

    @contextmanager
    def many_moments(_seconds: int = 0) -> Iterator[None]:
        yield

    with mock.patch.object(verification, "one_snapshot", many_moments):
        return get_verified_brand(brand_id, clock)


def _totals(
    brand_id: int,
) -> Iterator[tuple[int | None, BrandTotal | CampaignTotal, Amounts]]:
    for of_brand in BrandTotal.objects.filter(brand=brand_id):
        yield None, of_brand, Amounts(of_brand.spent, of_brand.held)
    for total in CampaignTotal.objects.filter(campaign__brand=brand_id):
        yield total.campaign_id, total, Amounts(total.spent, total.held)
