"""After any outage one tick leaves what a tick every minute would have left (C16, C17, C26)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions.campaigns import edit_campaign
from core.enums import Cause, Reason
from core.models import Brand
from core.tests.actions.players import Players, Step, quick_steps, steps, tick
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    hold,
    make_brand,
    make_campaign,
    story,
    transitions_of,
    undone,
)
from core.tests.depth import examples
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, MINUTE

pytestmark = pytest.mark.django_db

EVENING = NOON.replace(hour=21)


# --- By example --------------------------------------------------------------------------------


def test_every_missed_edge_is_recorded_at_the_instant_at_which_it_was_due_c17() -> None:
    campaign = make_campaign(schedule=[window("13:00", "15:00")])
    later = NOON + 3 * DAY + 2 * HOUR
    tick(later)
    created, *missed = transitions_of(campaign)
    assert [(t.at - NOON, t.is_active) for t in missed] == [
        (days * DAY + hours * HOUR, is_open)
        for days in range(4)
        for hours, is_open in ((1, True), (3, False))
        if days * DAY + hours * HOUR <= later - NOON
    ]
    assert {t.recorded_at for t in missed} == {later}
    assert {(t.cause, t.actor) for t in missed} == {(Cause.TIME, "clock")}
    assert created.recorded_at == created.at == NOON


def test_a_spend_records_what_was_due_before_it_and_then_itself_c16() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    spender, windowed = (
        make_campaign(brand),
        make_campaign(brand, schedule=[window("13:00", "15:00")]),
    )
    add(spender, "10", now=NOON + 2 * HOUR).accepted()
    opened, stopped = transitions_of(windowed)[1:]
    assert (opened.at, opened.is_active, opened.cause) == (NOON + HOUR, True, Cause.TIME)
    assert opened.numbers[0]["spent"] == "0.00", "as it was at 13:00"
    assert (stopped.at, stopped.reasons) == (NOON + 2 * HOUR, (Reason.BRAND_DAILY_BUDGET,))


def test_a_period_that_turned_unseen_brings_campaigns_back_at_midnight_c10() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    add(campaign, "10", now=EVENING).accepted()
    add(campaign, "10", now=EVENING + DAY).accepted()
    midnight = EVENING + 3 * HOUR
    came_back = transitions_of(campaign)[2]
    assert (came_back.at, came_back.is_active) == (midnight, True)
    assert (came_back.cause, came_back.actor) == (Cause.PERIOD_TURNED, "clock")
    assert came_back.recorded_at == EVENING + DAY


def test_a_hold_that_ran_out_unseen_gives_the_brand_back_at_that_instant_c20() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    keeper, sibling = (
        make_campaign(brand),
        make_campaign(brand, schedule=[window("12:02", "12:30")]),
    )
    hold(keeper, "10").accepted()
    tick(NOON + HOUR)
    freed_at = NOON + 5 * MINUTE
    assert [(t.at, t.is_active) for t in transitions_of(keeper)] == [
        (NOON, True),
        (NOON, False),
        (freed_at, True),
    ]
    # The window opened at 12:02 onto a used-up budget.
    assert [(t.at, t.is_active) for t in transitions_of(sibling)] == [
        (NOON, False),
        (freed_at, True),
        (NOON + 30 * MINUTE, False),
    ]


def test_an_edit_changes_nothing_that_was_due_before_it_c6() -> None:
    campaign = make_campaign(schedule=[window("13:00", "15:00")])
    edit_campaign(campaign.pk, {"schedule": []}, caller=CALLER, now=NOON + 4 * HOUR)
    states = [(t.at - NOON, t.is_active) for t in transitions_of(campaign)[1:]]
    assert states == [(HOUR, True), (3 * HOUR, False), (4 * HOUR, True)]


# --- Any history, ticked at any time -------------------------------------------------------------


def every(minutes: int, since: datetime, until: datetime) -> Iterator[datetime]:
    at = since + timedelta(minutes=minutes)
    while at <= until:
        yield at
        at += timedelta(minutes=minutes)


def told(
    sequence: list[Step],
    ticks: Callable[[datetime, datetime], Iterator[datetime]],
    since: datetime = NOON,
) -> Any:
    """What is stored in the end, but for when it was written down and the numbers of rows."""
    with undone():
        players, now = Players(), since
        for step in sequence:
            until = now + timedelta(minutes=step.minutes)
            for at in ticks(now, until):
                tick(at)
            now = until
            players.play(step, now)
        tick(now + 2 * DAY)
        kept = story()
        names = {brand.pk: "brand" for brand in Brand.objects.all()}
    del kept["TaskRun"], names
    return {
        name: sorted(
            repr({column: value for column, value in row.items() if column not in UNTOLD})
            for row in rows
        )
        for name, rows in kept.items()
    }


# Rows are numbered as they are written, and written down when somebody came.
UNTOLD = {"recorded_at", "brand_id", "campaign_id", "spend_log_id", "refund_of_id", "answer"}


def never(_since: datetime, _until: datetime) -> Iterator[datetime]:
    return iter(())


@settings(deadline=None, max_examples=examples(12, deep=60))
@given(st.lists(steps, min_size=1, max_size=10), st.sampled_from([None, 7, 45, 333]))
def test_ticked_often_or_never_ends_in_the_same_rows_c26(
    sequence: list[Step], minutes: int | None
) -> None:
    def often(since: datetime, until: datetime) -> Iterator[datetime]:
        return every(20, since, until)

    def sometimes(since: datetime, until: datetime) -> Iterator[datetime]:
        return every(minutes, since, until) if minutes else never(since, until)

    assert told(sequence, sometimes) == told(sequence, often)


@settings(deadline=None, max_examples=examples(3, deep=40))
@given(st.lists(quick_steps, min_size=1, max_size=8), st.booleans())
def test_ticked_every_minute_over_midnight_or_never_ends_in_the_same_rows_c26(
    sequence: list[Step], is_west: bool
) -> None:
    # Half an hour before midnight in Berlin or in New York, to which the brand may be moving.
    since = NOON + (15.5 if is_west else 9.5) * HOUR

    def every_minute(start: datetime, until: datetime) -> Iterator[datetime]:
        return every(1, start, until)

    assert told(sequence, never, since) == told(sequence, every_minute, since)
