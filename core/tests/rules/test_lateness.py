"""What the next tick writes down is in time; what waited longer was caught up with (C16, C26)."""

from datetime import timedelta

import pytest

from core.rules.lateness import is_caught_up
from core.tests.builders import NOON
from core.tests.rules.zones import MINUTE

MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("late_by", "expected"),
    [
        (-2 * MINUTE, False),  # Who waited for the lock is judged at a change that is later still.
        (timedelta(0), False),
        (MINUTE, False),
        (MINUTE + MOMENT, True),
        (timedelta(days=7), True),
    ],
)
def test_a_change_is_caught_up_when_it_waited_longer_than_for_the_next_tick(
    late_by: timedelta, expected: bool
) -> None:
    assert is_caught_up(NOON, NOON + late_by) is expected
