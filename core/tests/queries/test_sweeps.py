"""Sweeps name the campaigns and brands that unattended work has to look at, and no others (C26)."""

import re
from decimal import Decimal

import pytest
from django.db import connection

from core.actions.brands import edit_brand
from core.actions.campaigns import archive_campaign
from core.enums import PeriodKind, Reason
from core.models import Campaign, TaskRun
from core.queries import sweeps
from core.queries.books import list_campaigns_to_judge
from core.queries.health import find_last_tick
from core.queries.sweeps import (
    DuePlace,
    find_due_campaigns,
    list_ranges,
    map_doubtful_campaigns,
    map_due_campaigns,
)
from core.queries.totals import list_brands_to_close, list_totals_to_close
from core.rules.dayparts import Daypart, is_open, weekly_schedule
from core.tests.actions.tasks import INSTANTS, corrupt, make_world
from core.tests.builders import CALLER, NOON, add, make_brand, make_campaign, report
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, MINUTE, SECOND, utc

pytestmark = pytest.mark.django_db

SCHEDULES: tuple[list[Daypart], ...] = (
    [],
    [window("00:00", "24:00")],
    [window("00:00", "12:00"), window("12:00", "24:00")],
    [window("09:00", "17:00", 0, 1, 2, 3, 4)],
    [window("22:00", "03:00", 6)],
    [window("22:00", "03:00", 0, 2), window("02:00", "04:30", 1)],
    [window("10:00", "10:00", 3, 5)],
    [window("18:00", "24:00", 4)],
)


def test_due_are_those_whose_edge_has_come_by_brand() -> None:
    brand = make_brand()
    first = make_campaign(brand, schedule=[window("13:00", "15:00")])
    second = make_campaign(brand, starts_at=NOON + HOUR)
    third = make_campaign(ends_at=NOON + 2 * HOUR)
    make_campaign()
    gone = make_campaign(starts_at=NOON + HOUR)
    archive_campaign(gone.pk, caller=CALLER, now=NOON)
    assert dict(map_due_campaigns(NOON + HOUR - SECOND)) == {}
    assert dict(map_due_campaigns(NOON + HOUR)) == {brand.pk: [first.pk, second.pk]}
    both = {brand.pk: [first.pk, second.pk], third.brand_id: [third.pk]}
    assert dict(map_due_campaigns(NOON + 2 * HOUR)) == both


def test_doubtful_is_nobody_while_every_verdict_is_right_c16() -> None:
    make_world()
    assert dict(map_doubtful_campaigns(NOON)) == {}


def test_doubtful_is_whoever_is_stored_otherwise_than_the_facts_say_c16() -> None:
    world = make_world()
    plain, unlimited = world.campaigns["plain"], world.campaigns["unlimited"]
    corrupt(plain, Reason.BRAND_MONTHLY_BUDGET)
    corrupt(unlimited)
    found = dict(map_doubtful_campaigns(NOON))
    assert found == {world.tokyo.pk: [plain.pk], world.new_york.pk: [unlimited.pk]}


def test_doubtful_is_who_was_stopped_by_a_period_that_is_over_c10() -> None:
    world = make_world()
    now = INSTANTS["after midnight in Tokyo"]
    stopped_by_the_day = {c.pk for c in world.campaigns.values() if c.brand_id == world.tokyo.pk}
    found = dict(map_doubtful_campaigns(now))
    assert set(found[world.tokyo.pk]) == stopped_by_the_day
    assert world.new_york.pk not in found


def test_a_budget_far_below_what_is_spent_is_no_doubt_once_it_is_stored_c6() -> None:
    campaign = make_campaign(daily_budget=Decimal(1), monthly_budget=Decimal(2))
    report(campaign, "1000")
    assert dict(map_doubtful_campaigns(NOON)) == {}


@pytest.mark.parametrize(
    "zone", ["UTC", "America/St_Johns", "Pacific/Apia", "Europe/Berlin", "moving"]
)
def test_doubtful_by_its_schedule_is_whoever_the_rule_says_c13_c30(zone: str) -> None:
    brand = make_brand(time_zone="America/New_York" if zone == "moving" else zone)
    if zone == "moving":
        edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON)
    for schedule in SCHEDULES:
        make_campaign(brand, schedule=schedule)
    # All are stored as open, and no edge is awaited.
    Campaign.objects.update(is_active=True, reasons=(), next_change_at=None)
    brand.refresh_from_db()
    schedules = {
        campaign.pk: weekly_schedule(row.daypart for row in campaign.dayparts.all())
        for campaign in list_campaigns_to_judge(brand)
    }
    told = set()
    for number in range(50):
        # A prime, so that every hour and minute has its turn.
        now = NOON + number * 211 * MINUTE
        closed = [pk for pk, own in schedules.items() if not is_open(own, now, brand.calendar)]
        assert dict(map_doubtful_campaigns(now)) == ({brand.pk: closed} if closed else {})
        told.add(tuple(closed))
    assert len(told) > 5, "some open while others are closed"


def test_due_campaigns_of_one_instant_come_by_brand_and_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = make_brand(), make_brand()
    made = [make_campaign(brand, starts_at=NOON + HOUR) for brand in (first, second) * 4]
    of_first, of_second = [c.pk for c in made[::2]], [c.pk for c in made[1::2]]
    monkeypatch.setattr(sweeps, "JUDGED_TOGETHER", 3)
    for chunk in (1, 2, 3, 8, 100):
        monkeypatch.setattr(sweeps, "CHUNK", chunk)
        parts = list(map_due_campaigns(NOON + HOUR))
        ids = [campaign_id for _, part in parts for campaign_id in part]
        assert ids == of_first + of_second
        assert max(len(part) for _, part in parts) == min(chunk, 3)
        assert [brand_id for brand_id, _ in parts] == sorted(brand_id for brand_id, _ in parts)


@pytest.mark.parametrize("after", [None, (NOON, 3, 7)], ids=["first chunk", "later chunk"])
def test_what_is_due_is_found_by_the_index_of_instants_c26(after: DuePlace | None) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # An empty table is sooner read whole, or all its brands one after the other.
            for shortcut in ("seqscan", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{shortcut} = off")
            cursor.execute("DROP INDEX campaign_of_brand_by_change")
    plan = find_due_campaigns(NOON, after)[: sweeps.CHUNK].explain()
    assert "campaign_next_change" in plan
    bounds = "next_change_at>? AND next_change_at<?" if after else "next_change_at<?"
    if connection.vendor == "sqlite":
        assert bounds in plan
    else:
        assert re.search(r"Index Cond: .*next_change_at <= ", plan)
        assert ("next_change_at >= " in plan) is (after is not None)


def test_ranges_hold_every_id_and_none_is_empty_c26(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "RANGE", 3)
    assert list(list_ranges()) == []
    first = make_campaign().pk
    assert list(list_ranges()) == [range(first, first + 3)]
    brand = make_campaign().brand
    # The last of the first range, the first of the next, and one that is far away.
    for campaign_id in (first + 2, first + 3, first + 3_000):
        Campaign(pk=campaign_id, brand=brand, name=str(campaign_id), created_at=NOON).save()
    starts = [first, first + 3, first + 3_000]
    assert list(list_ranges()) == [range(start, start + 3) for start in starts]


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
