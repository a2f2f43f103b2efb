"""Any order of steps does what is done on paper (C5, C7, C10, C14, C16, C18 to C23, C26).

What is broken on purpose here has to be found by no more steps than `make test` takes.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from unittest import mock

import pytest
from django.db import IntegrityError, connection
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from core.actions import delivery
from core.actions.caller import Caller
from core.enums import PeriodKind
from core.errors import BudgetManagerError
from core.models import BrandTotal, CampaignTotal
from core.rules.admission import Admission
from core.rules.counters import Line
from core.rules.entries import RefundEntry
from core.tests.actions.tasks import DEEDS
from core.tests.depth import examples
from core.tests.stories.any_order import AnyOrder

TRIES, STEPS = 25, 40
DEEP_ENOUGH = settings(
    max_examples=examples(TRIES, deep=400), stateful_step_count=examples(STEPS, deep=60)
)
# As many tries as ordinarily, always the same ones: what they find, they always find.
SAMPLE = settings(
    max_examples=TRIES,
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="one process needs no server"),
]


def test_any_order_of_steps_does_what_is_done_on_paper() -> None:
    run_state_machine_as_test(AnyOrder, settings=DEEP_ENOUGH)


def capture_frees_nothing() -> AbstractContextManager[object]:
    """What was captured stays set aside as well."""
    move = Admission._move

    def move_what_is_spent(
        self: Admission, campaign_id: int, day: date, *, spent: int = 0, held: int = 0
    ) -> None:
        move(self, campaign_id, day, spent=spent, held=0 if spent else held)

    return mock.patch.object(Admission, "_move", move_what_is_spent)


def refund_without_limit() -> AbstractContextManager[object]:
    """More comes back than was spent."""

    def refusal(self: Admission, entry: RefundEntry) -> BudgetManagerError | None:
        return None

    return mock.patch.object(Admission, "_refund_refusal", refusal)


def totals_zeroed_at_midnight() -> AbstractContextManager[object]:
    """The day that runs is zeroed, as one does who keeps a single counter."""
    reset = delivery.reset_daily_spend

    def zero(*, caller: Caller, now: datetime) -> delivery.Changes:
        today = {"period": PeriodKind.DAY, "starts_at__lte": now, "ends_at__gt": now}
        BrandTotal.objects.filter(**today).update(spent=0)
        CampaignTotal.objects.filter(**today).update(spent=0)
        return reset(caller=caller, now=now)

    return mock.patch.dict(DEEDS, {"reset_daily_spend": zero})


def exact_budget_admitted_once_more() -> AbstractContextManager[object]:
    """A budget that is reached exactly lets one more through."""
    tightest = Line.tightest

    def generous(self: Line) -> object:
        limit = tightest(self)
        return None if limit and limit.counter.used == limit.budget else limit

    return mock.patch.object(Line, "tightest", generous)


BROKEN: list[Callable[[], AbstractContextManager[object]]] = [
    capture_frees_nothing,
    refund_without_limit,
    totals_zeroed_at_midnight,
    exact_budget_admitted_once_more,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_is_found(broken: Callable[[], AbstractContextManager[object]]) -> None:
    with broken(), pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(AnyOrder, settings=SAMPLE)
