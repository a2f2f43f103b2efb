"""Which fault comes when: the same for the same seed and duration, whatever else happens."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What is done to the system."""

    KILL_WEB_SERVER = "kill -9 of a web server's first process"
    KILL_WEB_WORKER = "kill -9 of a web server's worker process"
    KILL_CELERY_WORKER = "kill -9 of a Celery worker"
    KILL_POOL_CHILD = "kill -9 of a pool child of the Celery worker"
    KILL_BEAT = "kill -9 of a beat"
    KILL_CLIENT = "kill -9 of a client"
    CRASH_DATABASE = "immediate stop of PostgreSQL"
    CUT_DATABASE = "all connections to the database cut"
    CUT_AFTER_COMMIT = "connections cut after COMMIT was sent"
    REFUSE_DATABASE = "the database refuses connections"
    DELAY_DATABASE = "the database answers late"
    SWALLOW_DATABASE = "the database is a black hole"
    KILL_BROKER = "kill -9 of the broker"
    FLUSH_BROKER = "the broker loses all it has"
    CUT_BROKER = "all connections to the broker cut"
    SWALLOW_BROKER = "the broker is a black hole"


# Which process, by the number of its kind; the injector counts modulo how many there are.
MOST_TARGETS = 12
# How long each lasts, at least and at most; what isn't here is over at once.
SECONDS = {
    Fault.CRASH_DATABASE: (0.2, 2.0),
    Fault.REFUSE_DATABASE: (0.3, 2.0),
    Fault.DELAY_DATABASE: (1.0, 3.0),
    Fault.SWALLOW_DATABASE: (0.5, 2.5),
    Fault.KILL_BROKER: (0.2, 3.0),
    Fault.SWALLOW_BROKER: (1.0, 5.0),
}
# Between the beginnings of two faults, on average; every fault comes once in a round of all.
MEAN_GAP = 3.4
CALM_AT_BEGIN, CALM_AT_END = 3.0, 4.0


@dataclass(frozen=True)
class Planned:
    """A fault to come, in seconds after the begin; `target` is a number to choose by."""

    at: float
    fault: Fault
    seconds: float
    target: int

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:7.1f} s  {self.fault}{lasting}"


def timetable(seed: int, duration: float) -> tuple[Planned, ...]:
    """All faults of a run, in the order of their beginning; pure."""
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    return tuple(_planned(chance, duration))


def _planned(chance: random.Random, duration: float) -> Iterator[Planned]:
    deck: list[Fault] = []
    at = min(CALM_AT_BEGIN, duration / 4)
    while True:
        if not deck:
            deck = list(Fault)
            chance.shuffle(deck)
        fault = deck.pop()
        lasts = chance.uniform(*SECONDS[fault]) if fault in SECONDS else 0.0
        if at + lasts > duration - min(CALM_AT_END, duration / 4):
            return
        yield Planned(round(at, 2), fault, round(lasts, 2), chance.randrange(MOST_TARGETS))
        at += chance.uniform(0.4, 1.6) * MEAN_GAP
