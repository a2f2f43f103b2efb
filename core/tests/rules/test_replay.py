"""A log is played again by `judge` alone: every change is dated, every wrong admission is found."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.enums import Reason
from core.rules.dayparts import EVERY_DAY, Daypart, weekly_schedule
from core.rules.replay import Edit, Flip, Movement, Replayed, replay
from core.tests.rules.facts import BRAND, CAMPAIGN, NOON, TODAY
from core.tests.rules.zones import utc

HOUR = timedelta(hours=1)
SETTINGS = [
    Edit(NOON - HOUR, replace(BRAND, daily_budget=Decimal(100))),
    Edit(NOON - HOUR, CAMPAIGN),
]
ACTIVE = Flip(NOON - HOUR, True, ())


def move(at: datetime = NOON, **amounts: Any) -> Movement:
    return Movement(at, CAMPAIGN.campaign_id, TODAY, **amounts)


def flips_of(replayed: Replayed) -> list[Flip]:
    return replayed.flips[CAMPAIGN.campaign_id]


def test_spend_that_uses_up_a_budget_pauses_until_the_next_day() -> None:
    replayed = replay([*SETTINGS, move(spent=Decimal(100), is_admitted=True)], NOON + 24 * HOUR)

    assert flips_of(replayed) == [
        ACTIVE,
        Flip(NOON, False, (Reason.BRAND_DAILY_BUDGET,)),
        Flip(utc("2026-06-11T00:00"), True, ()),
    ]
    assert replayed.wrong == []


def test_what_a_hold_frees_wakes_the_whole_brand() -> None:
    other = replace(CAMPAIGN, campaign_id=2)
    held = move(held=Decimal(100), is_admitted=True)
    freed = move(NOON + HOUR, held=Decimal(-100))

    replayed = replay([*SETTINGS, Edit(NOON - HOUR, other), held, freed], NOON + HOUR)

    stopped = Flip(NOON, False, (Reason.BRAND_DAILY_BUDGET,))
    assert flips_of(replayed) == [ACTIVE, stopped, Flip(NOON + HOUR, True, ())]
    assert replayed.flips[2] == flips_of(replayed)


def test_windows_open_and_close_although_nothing_happens() -> None:
    evening = weekly_schedule([Daypart(EVERY_DAY, 18 * 60, 20 * 60)])
    edit = Edit(NOON, replace(CAMPAIGN, schedule=evening))

    replayed = replay([*SETTINGS, edit], utc("2026-06-10T20:00"))

    assert flips_of(replayed)[1:] == [
        Flip(NOON, False, (Reason.OUTSIDE_SCHEDULE,)),
        Flip(utc("2026-06-10T18:00"), True, ()),
        Flip(utc("2026-06-10T20:00"), False, (Reason.OUTSIDE_SCHEDULE,)),
    ]


def test_what_should_have_been_refused_is_found_and_a_report_is_not() -> None:
    pause = Edit(NOON, replace(CAMPAIGN, is_enabled=False))
    told = move(spent=Decimal(150))
    admitted = replace(told, is_admitted=True)

    def wrong(*steps: Edit | Movement) -> list[tuple[tuple[Reason, ...], bool]]:
        return [
            (each.reasons, each.is_overspent) for each in replay([*SETTINGS, *steps], NOON).wrong
        ]

    assert wrong(told, told) == wrong(pause, told) == []
    assert wrong(admitted) == [((Reason.BRAND_DAILY_BUDGET,), True)]
    assert wrong(pause, move(held=Decimal(1), is_admitted=True)) == [
        ((Reason.CAMPAIGN_DISABLED,), False)
    ]
