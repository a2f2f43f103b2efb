"""How deep the tests look: at a sample ordinarily, at everything when DEEP=1 (`make test-deep`).

The one place that reads the switch.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

IS_DEEP = os.environ.get("DEEP", "0") not in ("", "0")

Thing = TypeVar("Thing")


def examples(ordinarily: int, *, deep: int = 2_000) -> int:
    """With how many random examples a property is tried, for `max_examples`."""
    return deep if IS_DEEP else ordinarily


def sampled(things: Sequence[Thing], *, one_in: int) -> Sequence[Thing]:
    """All of the things, ordinarily one in so many, always the same ones."""
    return things if IS_DEEP else things[::one_in]


def load_profile() -> None:
    """Let the switch set how properties are tried that have no number of their own."""
    settings.register_profile("default", deadline=None, max_examples=100)
    settings.register_profile("deep", deadline=None, max_examples=2_000)
    settings.load_profile("deep" if IS_DEEP else "default")
