"""Whatever unattended work does or fails to do, every answer is the same (C9, C10, C26)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from core.actions import delivery
from core.actions.caller import Caller
from core.enums import PeriodKind
from core.models import BrandTotal, Transition
from core.queries.books import get_book, list_campaigns_to_judge
from core.rules.verdict import judge
from core.tests.builders import CALLER, fresh, spent
from core.tests.stories.berlin import (
    STORY,
    TASKS,
    Cast,
    Task,
    Timetable,
    live_through,
    local,
    make_cast,
)

pytestmark = pytest.mark.django_db

HEARD = [step.heard for step in STORY]
STORY_ENDS_AT = local("04-01 11:00")
EDGES = tuple(
    local(text)
    for text in (
        *("03-29 22:00", "03-30 00:00", "03-30 02:00", "03-30 08:00", "03-30 22:00"),
        *("03-31 00:00", "03-31 02:00", "03-31 18:00", "03-31 22:00"),
        *("04-01 00:00", "04-01 02:00"),
    )
)
HOURS = tuple(local("03-29 13:00") + timedelta(hours=number) for number in range(70))


def ticks(instants: Sequence[datetime], tasks: Sequence[Task] = TASKS) -> Timetable:
    return [(instant, task) for instant in instants for task in tasks]


TIMETABLES = {
    "never": [],
    "on time": ticks(EDGES),
    "every hour": ticks(HOURS),
    "twice": [*ticks(EDGES), *ticks(EDGES)],
    "half an hour late": ticks([edge + timedelta(minutes=30) for edge in EDGES]),
    "only once a day at dawn": ticks([local(f"{day} 05:37") for day in ("03-30", "03-31")]),
    "only resets": ticks(EDGES, [delivery.reset_daily_spend, delivery.reset_monthly_spend]),
    "only the budget check": ticks(EDGES, [delivery.check_budgets]),
}


@pytest.mark.parametrize("timetable", TIMETABLES.values(), ids=TIMETABLES)
def test_every_answer_is_the_same_however_tasks_run_c10(timetable: Timetable) -> None:
    cast = make_cast()
    assert live_through(cast, timetable) == HEARD
    assert_all_is_well_after_one_more_tick(cast)


@pytest.mark.parametrize(
    "order", list(permutations(TASKS))[::3], ids=lambda order: " ".join(map(short, order))
)
def test_every_answer_is_the_same_in_whatever_order_tasks_run_c26(order: Sequence[Task]) -> None:
    cast = make_cast()
    assert live_through(cast, ticks(EDGES, order)) == HEARD
    assert_all_is_well_after_one_more_tick(cast)


def short(task: Task) -> str:
    return task.__name__.rpartition("_")[0]


def assert_all_is_well_after_one_more_tick(cast: Cast) -> None:
    """Totals never depended on tasks; one tick brings verdicts and closed periods up to date."""
    brand = cast.brand
    days = [spent(brand, PeriodKind.DAY, date(2026, 3, 30) + timedelta(days=n)) for n in range(3)]
    assert days == [Decimal("150.00"), Decimal("23.00"), Decimal("21.00")]
    months = [spent(brand, PeriodKind.MONTH, date(2026, month, 1)) for month in (3, 4)]
    assert months == [Decimal("173.00"), Decimal("21.00")]

    for task in TASKS:
        task(caller=CALLER, now=STORY_ENDS_AT)
    reasons = {name: fresh(campaign).reasons for name, campaign in cast.campaigns.items()}
    assert reasons == {
        "night": ("outside_schedule",),
        "small": ("campaign_daily_budget",),
        "spring": ("ended",),
    }
    ended = BrandTotal.objects.filter(ends_at__lte=STORY_ENDS_AT)
    assert [total.closed_at is not None for total in ended] == [True] * 3


def test_the_stored_verdict_is_right_at_every_hour_when_tasks_run_c16() -> None:
    cast = make_cast()

    def look(*, caller: Caller, now: datetime) -> delivery.Changes:
        campaigns = list_campaigns_to_judge(cast.brand)
        book = get_book(fresh(campaigns[0]).brand, campaigns, [now])
        for campaign in campaigns:
            verdict = judge(book.facts(campaign.pk), now)
            stored = (campaign.is_active, campaign.reasons)
            assert stored == (verdict.is_active, verdict.reasons), f"{campaign} at {now}"
        return {}

    live_through(cast, ticks(HOURS, [*TASKS, look]))


CHANGES = (
    ("03-29 12:00", "night", "outside_schedule", "created"),
    ("03-29 12:00", "small", "active", "created"),
    ("03-29 12:00", "spring", "not_started", "created"),
    ("03-29 22:00", "night", "active", "time"),
    ("03-30 02:00", "night", "outside_schedule", "time"),
    ("03-30 08:00", "spring", "active", "time"),
    ("03-30 09:06", "small", "campaign_daily_budget", "spend"),
    ("03-30 14:00", "spring", "brand_daily_budget", "spend"),
    ("03-30 15:00", "spring", "active", "brand_edited"),
    ("03-30 22:00", "night", "active", "time"),
    ("03-30 23:59:59.999999", "night", "brand_daily_budget", "spend"),
    ("03-30 23:59:59.999999", "spring", "brand_daily_budget", "spend"),
    ("03-31 00:00", "night", "active", "period_turned"),
    ("03-31 00:00", "small", "active", "period_turned"),
    ("03-31 00:00", "spring", "active", "period_turned"),
    ("03-31 02:00", "night", "outside_schedule", "time"),
    ("03-31 17:59:30", "small", "brand_monthly_budget", "spend"),
    ("03-31 17:59:30", "spring", "brand_monthly_budget", "spend"),
    ("04-01 00:00", "night", "active", "period_turned"),
    ("04-01 00:00", "small", "active", "period_turned"),
    ("04-01 00:01", "small", "campaign_daily_budget", "spend"),
    ("04-01 02:00", "night", "outside_schedule", "time"),
)


def test_every_change_is_told_once_with_its_instant_reasons_and_cause_c17() -> None:
    cast = make_cast()
    order = (
        delivery.reset_daily_spend,
        delivery.reset_monthly_spend,
        delivery.enforce_dayparting,
        delivery.check_budgets,
    )
    live_through(cast, ticks(HOURS, order))
    told = [
        (t.at, t.campaign.name, ", ".join(t.reasons) or "active", t.cause)
        for t in Transition.objects.select_related("campaign").order_by("id")
    ]
    assert told == [(local(at), *rest) for at, *rest in CHANGES]
