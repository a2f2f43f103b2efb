"""A race of one task with itself: it was ticked twice, or delivered twice, and both run (C26).

The task is the registered one, found by its name. All runners have found the same work before the
first of them begins with it, which is the worst moment there is.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any
from unittest import mock

from budget_manager.celery import app
from core.actions import delivery
from core.tests.actions.tasks import INSTANTS, changing, corrupt, make_world
from core.tests.builders import story, undone
from core.tests.races.budgets import Heat
from core.tests.races.crowd import meeting_point, run_together
from core.tests.races.field import PRODUCT, Deeds
from core.tests.races.promises import Promise, PromiseBrokenError, demand, demand_equal

NOW = INSTANTS["after the month's end in both"]
TWICE = Heat(crowd=2)

_for_each_brand = delivery._for_each_brand


def race_of_doubled_ticks(deeds: Deeds, heat: Heat = TWICE, names: Collection[str] = ()) -> None:
    """Each of these tasks, or the broken ones, or all, leaves what one run would leave."""
    for name in names or _broken(deeds) or changing():
        corrupt(make_world().campaigns["paused by hand"])
        with undone():
            expected = _run(name, deeds)
            expected_story = _told()
        demand(any(expected.values()), Promise.NO_SURPRISE, f"{name} had nothing to do")
        begin = _Meeting(meeting_point(heat.crowd))
        try:
            changes = run_together([partial(_run, name, deeds, begin)] * heat.crowd)
        except PromiseBrokenError as error:
            # One alone has just done it; so the other one was in its way.
            raise PromiseBrokenError(Promise.TICKS_ARE_ONE, error.facts) from error
        told = _told()
        for table, rows in expected_story.items():
            demand_equal(told[table], rows, Promise.TICKS_ARE_ONE)
        together = {word: sum(each[word] for each in changes) for word in expected}
        demand_equal(together, expected, Promise.TICKS_ARE_ONE)


def _broken(deeds: Deeds) -> list[str]:
    """The tasks whose deed isn't the product's."""
    return [name for name in changing() if _deed(name, deeds) is not _deed(name, PRODUCT)]


def _deed(name: str, deeds: Deeds) -> Callable[..., delivery.Changes]:
    deed: Callable[..., delivery.Changes] = getattr(deeds, name.removeprefix("core."))
    return deed


@dataclass(slots=True)
class _Meeting:
    """Has everybody who found work wait for the others, once, before the first transaction."""

    place: Barrier
    is_over: bool = False

    def for_each_brand(self, brand_ids: Iterable[int], *rest: Any) -> delivery.Changes:
        """Look for the brands, meet, and go on as the product does."""
        found = list(brand_ids)
        if found and not self.is_over:
            self.is_over = True
            self.place.wait()
        return _for_each_brand(found, *rest)


def _run(name: str, deeds: Deeds, begin: _Meeting | None = None) -> delivery.Changes:
    """Run the task as a worker does, but at `NOW`; what it says that it changed."""
    deed = _deed(name, deeds)

    def at_now(**told: Any) -> delivery.Changes:
        return deed(**{**told, "now": NOW})

    meeting = begin.for_each_brand if begin else _for_each_brand
    with (
        mock.patch.object(delivery, name.removeprefix("core."), at_now),
        mock.patch.object(delivery, "_for_each_brand", meeting),
    ):
        changed: delivery.Changes = app.tasks[name]()
    return changed


def _told() -> dict[str, list[dict[str, Any]]]:
    """All that is stored, but when the task ran last and what it says of that."""
    return {table: rows for table, rows in story().items() if table != "TaskRun"}
