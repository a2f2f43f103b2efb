"""A race of spends and unattended work across midnights, a month's end and a clock change.

Time is virtual and each process has its own: soon some are a day ahead of others, like a web
host with a wrong clock or a task that runs late (C7, C9, C10, C26).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from multiprocessing.synchronize import Barrier

from core.models import BrandTotal, SpendLog
from core.rules.calendar import BrandCalendar
from core.rules.dayparts import Daypart
from core.tests.races.audit import audit
from core.tests.races.crowd import CROWD, meeting_point, run_together
from core.tests.races.field import (
    Answer,
    Deeds,
    demand_refused_for_budget,
    is_admitted,
    make_field,
    spender,
)
from core.tests.races.promises import Promise, demand, demand_equal

CALENDAR = BrandCalendar("Europe/Berlin")
# The 29th has 23 hours; the month ends before the last day.
DAYS = tuple(date(2026, 3, 29) + timedelta(days=number) for number in range(4))
STARTS_AT = CALENDAR.day_period(DAYS[0]).starts_at
ENDS_AT = CALENDAR.day_period(DAYS[-1]).ends_at
DAILY_BUDGET = Decimal(20)
REQUESTS_A_DAY = 8
TICKERS = 3
SPENDERS = CROWD - TICKERS
OVERNIGHT = Daypart(weekdays=tuple(range(7)), start_minute=22 * 60, end_minute=6 * 60)
MOMENT = timedelta(microseconds=1)
# When unattended work runs: at midnight and once more at once, then every six hours.
TICKS = (timedelta(0), timedelta(minutes=1), *(timedelta(hours=hours) for hours in (6, 12, 18)))


def race_across_midnights(deeds: Deeds) -> None:
    """Five spenders ask for twice the budget of each day; three processes run every task."""
    field = make_field(
        {"daily_budget": DAILY_BUDGET, "time_zone": CALENDAR.time_zone},
        [{}, {"schedule": [OVERNIGHT]}],
        at=STARTS_AT,
    )
    always_open, _ = field.campaign_ids
    runners = [spender(deeds, [always_open], tuple(_instants()))] * SPENDERS
    runners += [_ticker(deeds, meeting_point(TICKERS))] * TICKERS
    answers = list(chain.from_iterable(run_together(runners, threads=deeds.threads)))
    demand_refused_for_budget(answers)
    demand_equal(
        len(list(filter(is_admitted, answers))),
        SpendLog.objects.count(),
        Promise.TOTALS_ARE_THE_LOG,
    )
    for day in DAYS:
        _demand_full(day)
    # The next tick has the last word on what time alone has changed (C16).
    deeds.tick(ENDS_AT)
    _demand_every_ended_period_is_closed()
    audit(ENDS_AT)


def _instants() -> Iterator[datetime]:
    """When money is asked for: evenly through each day, at its first and its last moment too."""
    for day in map(CALENDAR.day_period, DAYS):
        step = (day.ends_at - MOMENT - day.starts_at) / (REQUESTS_A_DAY - 1)
        yield from (day.starts_at + number * step for number in range(REQUESTS_A_DAY))


def _ticker(deeds: Deeds, start: Barrier) -> Callable[[], list[Answer]]:
    """Runs every task at every tick, at the same time as the other tickers do."""

    def tick_on_and_on() -> list[Answer]:
        for day in map(CALENDAR.day_period, DAYS):
            for since_midnight in TICKS:
                start.wait()
                failed = deeds.tick(day.starts_at + since_midnight)
                demand_equal(failed, 0, Promise.NO_SURPRISE)
        return []

    return tick_on_and_on


def _demand_full(day: date) -> None:
    """There was demand enough, so the day's budget was spent exactly, whoever was late or early."""
    entries = SpendLog.objects.filter(budget_day=day)
    spent = sum((entry.amount for entry in entries), Decimal(0))
    facts = f"{spent} of {DAILY_BUDGET} on {day}"
    demand(spent <= DAILY_BUDGET, Promise.ZERO_OVERSPEND, facts)
    demand(spent >= DAILY_BUDGET, Promise.FULL_DELIVERY, facts)


def _demand_every_ended_period_is_closed() -> None:
    ended = BrandTotal.objects.filter(ends_at__lte=ENDS_AT)
    demand_equal(ended.count(), len(DAYS) + 1, Promise.STORED_VERDICTS)
    for total in ended:
        demand(
            total.closed_at is not None and total.closed_at >= total.ends_at,
            Promise.STORED_VERDICTS,
            f"{total} was closed at {total.closed_at}",
        )
