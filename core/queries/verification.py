"""Verifies that what is stored is what the contract promises; in a sound database nothing is found.

Nothing here repairs, and nothing locks: each brand is looked at in one snapshot, so that spend
neither waits nor is seen by halves. Right on a live system (C25): what time alone has made due and
no tick has written down yet isn't a fault, see `Look`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.models import Brand
from core.models.sql import one_snapshot
from core.queries.brands import get_any_brand
from core.queries.checks.answers import (
    find_last_answer,
    list_empty_answers,
    list_unanswered_events,
)
from core.queries.checks.budgets import list_overspent_periods
from core.queries.checks.holds import (
    list_overdue_holds,
    list_wrong_captures,
    list_wrong_refunds,
)
from core.queries.checks.totals import (
    list_wrong_currencies,
    list_wrong_days,
    list_wrong_periods,
    list_wrong_totals,
)
from core.queries.checks.triggers import count_triggers, list_wrong_triggers
from core.queries.checks.verdicts import (
    list_lost_transitions,
    list_wrong_counts,
    list_wrong_verdicts,
)
from core.queries.promises import BrokenPromise, Look
from core.rules.lateness import OVERDUE_AFTER

Check = Callable[[Look], list[BrokenPromise]]
# Brands whose ids are read together.
CHUNK = 1_000

# These hold whatever the tasks have done or missed till then.
ALWAYS: tuple[Check, ...] = (
    list_wrong_totals,
    list_wrong_periods,
    list_wrong_days,
    list_wrong_currencies,
    list_wrong_captures,
    list_wrong_refunds,
    list_unanswered_events,
    list_overspent_periods,
    list_lost_transitions,
    list_wrong_counts,
)
# These hold once the tasks have run.
AFTER_TICK: tuple[Check, ...] = (list_wrong_verdicts, list_overdue_holds)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, by what it is, and what contradicts the contract."""

    checked: Counter[str] = field(default_factory=Counter)
    broken: list[BrokenPromise] = field(default_factory=list)


def list_broken_promises(at: datetime, checks: Sequence[Check] = ALWAYS) -> list[BrokenPromise]:
    """What these checks find in all brands; by default what holds whatever tasks have done."""
    looks = [Look(brand, at, settled_at=at) for brand in Brand.objects.order_by("id")]
    return [found for look in looks for check in checks for found in check(look)]


def list_broken_after_tick(at: datetime) -> list[BrokenPromise]:
    """What all tasks together, having run at `at`, should have left behind and have not."""
    return list_broken_promises(at, AFTER_TICK)


def get_verified_brand(brand_id: int, clock: Callable[[], datetime]) -> Verified:
    """All that is verified of one brand, in one snapshot.

    The clock is read after the snapshot was taken, so that nothing in it is of the future. Raises
    BrandNotFoundError.
    """
    with one_snapshot():
        brand = get_any_brand(brand_id)
        at = clock()
        look = Look(brand, at, settled_at=at - OVERDUE_AFTER)
        broken = [found for check in (*ALWAYS, *AFTER_TICK) for found in check(look)]
    look.count("brands", 1)
    return Verified(look.checked, broken)


def get_verified_triggers(clock: Callable[[], datetime]) -> Verified:
    """Whether this database refuses to change the log."""
    return Verified(Counter(triggers=count_triggers()), list_wrong_triggers(clock()))


def list_verified_answers(
    clock: Callable[[], datetime], after: int = 0
) -> Iterator[tuple[int, Verified]]:
    """All answers to event ids after this one, a chunk in each snapshot, and up to which it is."""
    while True:
        with one_snapshot():
            until = find_last_answer(after)
            if until is None:
                return
            found = list_empty_answers(after, until, clock())
        yield until, Verified(Counter(answers=until - after), found)
        after = until


def list_brand_ids(after: int = 0) -> list[int]:
    """The next brands after this id, archived ones included; none after the last."""
    ids = Brand.objects.filter(id__gt=after).order_by("id").values_list("id", flat=True)
    return list(ids[:CHUNK])


def count_brands() -> int:
    """How many there are."""
    return Brand.objects.count()
