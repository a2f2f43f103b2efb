"""Any order of steps does what is done on paper (C5, C7, C10, C14, C16, C18 to C23, C26).

What is broken on purpose here has to be found by no more steps than `make test` takes.
"""

import pytest
from django.db import IntegrityError, connection
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from core.tests.depth import examples
from core.tests.mutants.defects import DEFECTS
from core.tests.stories.any_order import AnyOrder

TRIES, STEPS = 25, 40
DEEP_ENOUGH = settings(
    max_examples=examples(TRIES, deep=200), stateful_step_count=examples(STEPS, deep=50)
)
# As many tries as ordinarily, always the same ones: what they find, they always find.
SAMPLE = settings(
    max_examples=TRIES,
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)
BROKEN = (
    *("capture_frees_nothing", "refund_without_limit", "totals_zeroed_in_place"),
    *("exact_budget_not_used_up", "float_money", "transitions_forgotten"),
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="one process needs no server"),
]


def test_any_order_of_steps_does_what_is_done_on_paper() -> None:
    run_state_machine_as_test(AnyOrder, settings=DEEP_ENOUGH)


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(name: str) -> None:
    with DEFECTS[name](), pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(AnyOrder, settings=SAMPLE)
