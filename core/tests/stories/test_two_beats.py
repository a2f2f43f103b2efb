"""Two beats and two workers by mistake: everything is ticked twice, and happens once (C26).

The processes are real, and so is the time in which holds run out and flights begin and end.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.models import Transition
from core.tests.actions.tasks import DEEDS, run
from core.tests.builders import add, hold, make_brand, make_campaign, story, undone
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, MINUTE
from core.tests.stories.unattended import TASKS, Unattended, unattended_work

BRANDS = 3
BEATS = ("beat 1", "beat 2")
# After this long, all that time was to bring has come.
SCENE = timedelta(seconds=6)
# What depends on which worker came when.
OPEN = {"recorded_at", "finished_at", "changed"}

Story = dict[str, list[dict[str, Any]]]


def test_what_two_beats_tick_happens_once_and_in_order_c10_c13_c17_c20_c26(
    own_database: str,
) -> None:
    with unattended_work(own_database, workers=2) as unattended, two_beats(unattended):
        scene = make_scene(timezone.now())
        unattended.await_that(scene.is_over, "all that was due")
        after = Counter(ticks(unattended))
        # Whatever is to be done twice, is done now.
        unattended.await_that(lambda: has_ticked(unattended, after, 2), "two more ticks of each")
    assert told() == scene.expected
    assert in_order()
    assert counted(unattended) == scene.changes


def test_the_story_notices_workers_that_forget_the_lock_c26(own_database: str) -> None:
    careless = "core.tests.stories.careless_work"
    with (
        unattended_work(own_database, workers=2, application=careless) as unattended,
        two_beats(unattended),
    ):
        scene = make_scene(timezone.now())
        unattended.await_that(scene.is_broken, "a change that was recorded twice")
    assert told() != scene.expected


@contextmanager
def two_beats(unattended: Unattended) -> Iterator[None]:
    """Two beats for the length of the block, which begins when both have ticked every task."""
    first, second = BEATS
    with unattended.beat(*TASKS, name=first), unattended.beat(*TASKS, name=second):
        unattended.await_that(lambda: has_ticked(unattended, Counter(), 1), "a tick of each")
        yield


def ticks(unattended: Unattended) -> list[tuple[str, str]]:
    """Which beat has sent which task, one after the other."""
    return re.findall(r"^(beat \d) .* Sending due task \S+ \(core\.(\w+)\)", unattended.said, re.M)


def has_ticked(unattended: Unattended, since: Counter[tuple[str, str]], often: int) -> bool:
    """Whether both beats have sent every task so often since then."""
    sent = Counter(ticks(unattended)) - since
    return all(sent[beat, task] >= often for beat in BEATS for task in TASKS)


def counted(unattended: Unattended) -> Counter[str]:
    """What all runs together say that they changed."""
    runs = re.findall(r"core\.\w+ changed (\{.*\})", unattended.said)
    together: Counter[str] = Counter()
    for changes in map(ast.literal_eval, runs):
        together.update(changes)
    return counted_by_all(together)


def counted_by_all(changes: Counter[str]) -> Counter[str]:
    """Without the holds: whoever comes first frees them, but only their own task counts them."""
    return Counter({word: count for word, count in changes.items() if word != "expired"})


# --- What is due -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """What will be stored, and counted, in the end if everything that is due happens once."""

    expected: Story
    changes: Counter[str]

    def is_over(self) -> bool:
        """Whether all is as foretold, or more was recorded than that."""
        done = told()
        return done == self.expected or len(done["Transition"]) > len(self.expected["Transition"])

    def is_broken(self) -> bool:
        """Whether a change was recorded that wasn't due, or not once more."""
        recorded, due = (map(repr, kept["Transition"]) for kept in (told(), self.expected))
        return bool(Counter(recorded) - Counter(due))


def make_scene(now: datetime) -> Scene:
    """Make brands in which time has to bring something, and foretell what one run would leave.

    All in one transaction: nobody sees half of it.
    """
    with transaction.atomic():
        for _ in range(BRANDS):
            make_due_brand(now)
        with undone():
            changes: Counter[str] = Counter()
            for name in DEEDS:
                changes.update(run(name, now + SCENE))
            return Scene(told(), counted_by_all(changes))


def make_due_brand(now: datetime) -> None:
    """Windows missed for three days; a day used up yesterday, a hold and a flight that end soon."""
    # Not in a zone whose day turns while we look.
    time_zone = "UTC" if 1 <= now.hour < 23 else "Asia/Kolkata"
    before = now - 3 * DAY
    missed = make_brand(now=before, time_zone=time_zone)
    local = missed.calendar.local(now)
    opens_at, closes_at = (f"{local - ago:%H:%M}" for ago in (90 * MINUTE, HOUR))
    for _ in range(3):
        make_campaign(missed, now=before, schedule=[window(opens_at, closes_at)])

    brand = make_brand(now=before, time_zone=time_zone, daily_budget=Decimal(10))
    spender = make_campaign(brand, now=before)
    make_campaign(brand, now=before, starts_at=now + SCENE / 3, ends_at=now + SCENE / 2)
    add(spender, "10", now=now - DAY).accepted()
    used_up = make_brand(now=before, time_zone=time_zone, daily_budget=Decimal(10))
    add(make_campaign(used_up, now=before), "10", now=now - DAY).accepted()
    hold(spender, "10", now=now, duration=SCENE / 2).accepted()


# --- What is stored ----------------------------------------------------------------------------


def told() -> Story:
    """All that is stored of brands, but when it was written down."""
    return {
        table: [{name: value for name, value in row.items() if name not in OPEN} for row in rows]
        for table, rows in story().items()
        if table != "TaskRun"
    }


def in_order() -> bool:
    """Whether each campaign's changes were written in the order in which they were due."""
    by_due = Transition.objects.order_by("campaign", "at", "id")
    written = Transition.objects.order_by("campaign", "id")
    return list(by_due) == list(written)
