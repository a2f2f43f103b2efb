"""Sweeps name the campaigns and brands that unattended work has to look at, and no others (C26)."""

from decimal import Decimal

import pytest

from core.actions.campaigns import archive_campaign
from core.enums import PeriodKind, Reason
from core.models import TaskRun
from core.queries.health import find_last_tick
from core.queries.sweeps import map_doubtful_campaigns, map_due_campaigns
from core.queries.totals import list_brands_to_close, list_totals_to_close
from core.tests.actions.tasks import INSTANTS, corrupt, make_world
from core.tests.builders import CALLER, NOON, add, make_brand, make_campaign, report
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, SECOND, utc

pytestmark = pytest.mark.django_db


def test_due_are_those_whose_edge_has_come_by_brand() -> None:
    brand = make_brand()
    first = make_campaign(brand, schedule=[window("13:00", "15:00")])
    second = make_campaign(brand, starts_at=NOON + HOUR)
    third = make_campaign(ends_at=NOON + 2 * HOUR)
    make_campaign()
    gone = make_campaign(starts_at=NOON + HOUR)
    archive_campaign(gone.pk, caller=CALLER, now=NOON)
    assert map_due_campaigns(NOON + HOUR - SECOND) == {}
    assert map_due_campaigns(NOON + HOUR) == {brand.pk: [first.pk, second.pk]}
    both = {brand.pk: [first.pk, second.pk], third.brand_id: [third.pk]}
    assert map_due_campaigns(NOON + 2 * HOUR) == both


def test_doubtful_is_nobody_while_every_verdict_is_right_c16() -> None:
    make_world()
    assert map_doubtful_campaigns(NOON) == {}


def test_doubtful_is_whoever_is_stored_otherwise_than_the_facts_say_c16() -> None:
    world = make_world()
    plain, unlimited = world.campaigns["plain"], world.campaigns["unlimited"]
    corrupt(plain, Reason.BRAND_MONTHLY_BUDGET)
    corrupt(unlimited)
    found = map_doubtful_campaigns(NOON)
    assert found == {world.tokyo.pk: [plain.pk], world.new_york.pk: [unlimited.pk]}


def test_doubtful_is_who_was_stopped_by_a_period_that_is_over_c10() -> None:
    world = make_world()
    now = INSTANTS["after midnight in Tokyo"]
    stopped_by_the_day = {c.pk for c in world.campaigns.values() if c.brand_id == world.tokyo.pk}
    assert set(map_doubtful_campaigns(now)[world.tokyo.pk]) == stopped_by_the_day
    assert world.new_york.pk not in map_doubtful_campaigns(now)


def test_a_budget_far_below_what_is_spent_is_no_doubt_once_it_is_stored_c6() -> None:
    campaign = make_campaign(daily_budget=Decimal(1), monthly_budget=Decimal(2))
    report(campaign, "1000")
    assert map_doubtful_campaigns(NOON) == {}


def test_to_close_are_brands_with_an_ended_period_each_once_c10() -> None:
    brand, other = make_brand(), make_brand(time_zone="America/New_York")
    for owner in (brand, other):
        campaign = make_campaign(owner)
        report(campaign, "1", occurred_at=NOON - DAY)
        add(campaign, "1")
    midnight = utc("2026-06-11T00:00")
    day, month = PeriodKind.DAY, PeriodKind.MONTH
    assert list_brands_to_close(day, NOON) == [brand.pk, other.pk], "yesterday"
    assert [t.starts_on.day for t in list_totals_to_close(brand, day, midnight)] == [9, 10]
    assert [t.starts_on.day for t in list_totals_to_close(other, day, midnight)] == [9]
    assert list_brands_to_close(month, midnight) == []
    assert list_brands_to_close(month, utc("2026-07-01T00:00")) == [brand.pk]
    assert list_totals_to_close(brand, month, utc("2026-07-01T00:00") - SECOND) == []


def test_the_last_tick_is_that_of_whichever_task_finished_last_c27() -> None:
    assert find_last_tick() is None
    for task, at in (("core.a", NOON), ("core.b", NOON + HOUR), ("core.c", NOON - HOUR)):
        TaskRun.objects.create(task=task, finished_at=at)
    assert find_last_tick() == NOON + HOUR
