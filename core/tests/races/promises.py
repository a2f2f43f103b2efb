"""The promises that races put to the test, and how a race says that one was broken."""

from collections.abc import Callable
from enum import StrEnum

from core.tests.conftest import OwnDatabases

# Chance decides who meets whom; what survives so many races isn't caught reliably.
ROUNDS = 5


class Promise(StrEnum):
    """What must hold under any number of concurrent callers."""

    ZERO_OVERSPEND = "no budget is overspent (C7)"
    FULL_DELIVERY = "a budget with enough demand is spent to the last unit (C8)"
    EDITS_BIND = "an edited budget binds on the next decision and no edit is lost (C6)"
    STORED_VERDICTS = (
        "the stored verdict is the judged one, and its changes are recorded (C16, C17)"
    )
    CAMPAIGNS_ARE_COUNTED = "the status counts what the stored verdicts say (C16)"
    ONE_ANSWER = "an event id has one entry and one answer (C21)"
    HOLDS_END_ONCE = "each hold ends exactly once (C20)"
    REFUNDS_ARE_COVERED = "refunds never exceed their entry (C22)"
    TOTALS_ARE_THE_LOG = "the totals are the sums of the log and of open holds (C10, C20, C25)"
    NO_FALSE_ALARM = "a sound brand is found sound while money moves in it (C25)"
    TICKS_ARE_ONE = "a task that runs twice at once leaves what one run would leave (C26)"
    NO_SURPRISE = "no call fails by surprise, waits for ever or deadlocks (C26)"


class PromiseBrokenError(AssertionError):
    """A promise didn't hold in this race."""

    def __init__(self, promise: Promise, facts: object) -> None:
        super().__init__(f"{promise}: {facts}")
        self.promise = promise
        self.facts = str(facts)


def demand_caught(breaks: Promise, run: Callable[[], None], own_databases: OwnDatabases) -> None:
    """Raise AssertionError unless the race with something broken breaks this promise, and soon."""
    broken: list[Promise | None] = []
    while breaks not in broken and len(broken) < ROUNDS:
        with own_databases():
            broken.append(_broken_by(run))
    assert breaks in broken, f"it lived; what it broke is only {broken}"


def _broken_by(run: Callable[[], None]) -> Promise | None:
    try:
        run()
    except PromiseBrokenError as error:
        return error.promise
    return None


def demand(holds: bool, promise: Promise, facts: object) -> None:
    """Raise PromiseBrokenError unless the promise holds."""
    if not holds:
        raise PromiseBrokenError(promise, facts)


def demand_equal(found: object, expected: object, promise: Promise) -> None:
    """Raise PromiseBrokenError unless both are equal."""
    demand(found == expected, promise, f"found {found!r}, expected {expected!r}")
