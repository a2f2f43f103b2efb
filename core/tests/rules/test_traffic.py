"""Traffic is made of a plan and chance alone, and looks like days that one can believe."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from statistics import median

from core.rules.dayparts import Daypart
from core.rules.traffic import (
    BUDGET_PERCENTS,
    HOUR,
    OUTAGES,
    Ask,
    BrandPlan,
    CampaignPlan,
    Event,
    Move,
    NewBudget,
    SetAside,
    Switch,
    TakeBack,
    Tell,
    day_starts_at,
    flight,
    outage,
    traffic,
)

MONDAY = date(2026, 6, 1)
BUSY = CampaignPlan("Busy", asks_per_day=200, typical=1_000)
DAYS = 28


def brand(*campaigns: CampaignPlan) -> BrandPlan:
    budgets = Decimal(100), Decimal(1_000)
    return BrandPlan("Brand", "Asia/Tokyo", "JPY", *budgets, Decimal(1), campaigns)


def events_of(plan: BrandPlan, seed: int = 1, days: int = DAYS) -> list[Event]:
    chance = Random(seed)
    played = [MONDAY + timedelta(days=number) for number in range(days)]
    return [each for day in played for each in traffic(plan, day, first_day=MONDAY, chance=chance)]


def test_the_same_chance_gives_the_same_events() -> None:
    assert events_of(brand(BUSY)) == events_of(brand(BUSY)) != events_of(brand(BUSY), seed=2)


def test_every_kind_of_event_comes_about() -> None:
    kinds = Counter(type(event) for event in events_of(brand(BUSY)))

    assert set(kinds) == {Ask, Tell, SetAside, TakeBack, Switch, NewBudget}, "nobody moves"
    assert kinds[Ask] > kinds.total() / 2


def test_a_day_is_in_order_and_begins_no_earlier() -> None:
    events = traffic(brand(BUSY), MONDAY, first_day=MONDAY, chance=Random(3))

    instants = [event.at for event in events]
    assert instants == sorted(instants)
    assert instants[0] >= day_starts_at(MONDAY)


def test_local_evenings_are_the_busiest_and_weekends_are_quieter() -> None:
    plan = brand(BUSY)
    local = [plan.calendar(MONDAY).local(event.at) for event in events_of(plan)]
    by_hour = Counter(at.hour for at in local)
    by_weekday = Counter(at.weekday() for at in local)

    assert sum(by_hour[hour] for hour in (18, 19, 20)) > 5 * sum(
        by_hour[hour] for hour in (2, 3, 4)
    )
    assert sum(by_weekday[day] for day in (5, 6)) / 2 < sum(by_weekday[day] for day in range(5)) / 5


def test_few_ask_outside_of_schedule_and_flight() -> None:
    evening = Daypart(tuple(range(7)), 18 * 60, 20 * 60)
    open_for_two_hours = CampaignPlan("Evening", 200, 1_000, schedule=(evening,))
    for_a_week = CampaignPlan("Week", 200, 1_000, starts_in_days=7, ends_in_days=14)
    plan = brand(open_for_two_hours, for_a_week)
    starts_at, ends_at = flight(for_a_week, plan.calendar(MONDAY), MONDAY)
    asked = [event for event in events_of(plan) if isinstance(event, Ask)]
    local = [plan.calendar(MONDAY).local(event.at) for event in asked if event.campaign == 0]
    flown = [event.at for event in asked if event.campaign == 1]

    assert sum(at.hour in (18, 19) for at in local) > len(local) / 2
    assert starts_at
    assert ends_at
    assert sum(starts_at <= at < ends_at for at in flown) > len(flown) * 0.8


def test_amounts_are_whole_smallest_units_above_zero() -> None:
    amounts = [each.amount for each in events_of(brand(BUSY)) if isinstance(each, Ask | SetAside)]

    assert min(amounts) > 0
    assert all(amount == int(amount) for amount in amounts)
    assert len(set(amounts)) > 100


def test_reports_are_late_but_not_from_before_the_first_day() -> None:
    reports = [event for event in events_of(brand(BUSY)) if isinstance(event, Tell)]
    lateness = [each.at - each.occurred_at for each in reports]

    assert timedelta(hours=48) < max(lateness) <= timedelta(hours=60)
    assert min(lateness) >= timedelta(0)
    assert min(each.occurred_at for each in reports) >= day_starts_at(MONDAY) - timedelta(minutes=2)


def test_who_pauses_resumes_within_hours_and_seldom_after_days() -> None:
    switches = [event for event in events_of(brand(BUSY), days=365) if isinstance(event, Switch)]
    off, on = ([each.at for each in switches if each.is_on is state] for state in (False, True))

    assert len(off) == len(on) > 0
    hours = [(end - start) / HOUR for start, end in zip(off, on, strict=True)]
    assert median(hours) < 12
    assert max(hours) > 48


def test_every_budget_is_raised_and_cut_and_deep_cuts_are_taken_back() -> None:
    limited = replace(BUSY, daily_budget=Decimal(50), lifetime_budget=Decimal(5_000))
    edits = [each for each in events_of(brand(limited), days=730) if isinstance(each, NewBudget)]
    ways = {(each.campaign, each.name, each.percent > 100) for each in edits if each.percent != 100}
    deep = Counter(each.percent for each in edits)[BUDGET_PERCENTS[0]]

    of_brand = {(None, "daily_budget"), (None, "monthly_budget")}
    budgets = of_brand | {(0, "daily_budget"), (0, "lifetime_budget")}
    assert ways == {(*budget, is_raise) for budget in budgets for is_raise in (True, False)}
    assert Counter(each.percent for each in edits)[100] >= deep > 0


def test_a_brand_moves_once_and_its_flights_know_it() -> None:
    plan = replace(brand(BUSY), moves=(10, "Europe/Berlin"))
    moves = [event for event in events_of(plan) if isinstance(event, Move)]
    later = replace(BUSY, starts_in_days=12)

    assert moves == [Move(day_starts_at(date(2026, 6, 11)) + timedelta(hours=12), "Europe/Berlin")]
    assert flight(later, plan.calendar(MONDAY), MONDAY)[0] == datetime(2026, 6, 12, 22, tzinfo=UTC)


def test_outages_are_rare_and_few_of_them_last_for_days() -> None:
    chance = Random(5)
    outages = [outage(MONDAY, chance) for _ in range(2_000)]
    hours = [(each[1] - each[0]) / HOUR for each in outages if each]

    assert 0.5 * OUTAGES < len(hours) / 2_000 < 2 * OUTAGES
    assert all(day_starts_at(MONDAY) <= each[0] for each in outages if each)
    assert median(hours) < 8
    assert 0.05 < sum(each > 24 for each in hours) / len(hours) < 0.2
    assert 7 * 24 < max(hours) < 10 * 24
