"""One pure function decides whether a campaign is active, why not, and until when (C14)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enums import PeriodKind, Reason
from core.rules.calendar import BrandCalendar, with_time_zone
from core.rules.dayparts import WeeklySchedule, weekly_schedule
from core.rules.verdict import (
    LIFETIME,
    Amounts,
    Facts,
    TotalKey,
    applying_ceilings,
    judge,
    period_of,
    used_up_brand_budgets,
)
from core.tests.depth import examples
from core.tests.rules.by_the_minute import FRI, MON, WED, window
from core.tests.rules.facts import (
    ALWAYS,
    BUDGETS,
    NOON,
    THIS_MONTH,
    TODAY,
    TOTAL_OF,
    facts,
    reference_reasons,
    with_budget,
)
from core.tests.rules.zones import DAY, HOUR, MINUTE, utc

A_MICRO = timedelta(microseconds=1)
MIDNIGHT, NEXT_MONTH = utc("2026-06-11T00:00"), utc("2026-07-01T00:00")
MORNINGS = weekly_schedule([window("08:00", "10:00")])
OFFICE_HOURS = weekly_schedule([window("09:00", "17:00")])

# Facts with exactly one thing in the way at noon, and when time alone removes it.
ALONE: list[tuple[Reason, Facts, datetime | None]] = [
    (Reason.BRAND_DISABLED, facts(brand_is_enabled=False), None),
    (Reason.CAMPAIGN_DISABLED, facts(is_enabled=False), None),
    (Reason.NOT_STARTED, facts(starts_at=NOON + HOUR), NOON + HOUR),
    (Reason.ENDED, facts(ends_at=NOON - HOUR), None),
    (Reason.OUTSIDE_SCHEDULE, facts(schedule=MORNINGS), utc("2026-06-11T08:00")),
    (Reason.BRAND_DAILY_BUDGET, with_budget(Reason.BRAND_DAILY_BUDGET, "5", "5"), MIDNIGHT),
    (Reason.BRAND_MONTHLY_BUDGET, with_budget(Reason.BRAND_MONTHLY_BUDGET, "5", "5"), NEXT_MONTH),
    (Reason.CAMPAIGN_DAILY_BUDGET, with_budget(Reason.CAMPAIGN_DAILY_BUDGET, "5", "5"), MIDNIGHT),
    (
        Reason.CAMPAIGN_MONTHLY_BUDGET,
        with_budget(Reason.CAMPAIGN_MONTHLY_BUDGET, "5", "5"),
        NEXT_MONTH,
    ),
    (Reason.CAMPAIGN_LIFETIME_BUDGET, with_budget(Reason.CAMPAIGN_LIFETIME_BUDGET, "5", "5"), None),
]


def test_nothing_in_the_way_means_active_with_no_change_to_come() -> None:
    verdict = judge(facts(), NOON)
    assert verdict.is_active
    assert verdict.reasons == ()
    assert verdict.ceilings == ()
    assert verdict.remaining is None
    assert verdict.next_change_at is None


@pytest.mark.parametrize(("reason", "known", "lifted_at"), ALONE)
def test_each_reason_stands_alone_and_says_when_time_lifts_it(
    reason: Reason, known: Facts, lifted_at: datetime | None
) -> None:
    verdict = judge(known, NOON)
    assert not verdict.is_active
    assert verdict.reasons == (reason,)
    assert verdict.obstacles[0].ends_at == lifted_at
    assert verdict.next_change_at == lifted_at
    assert verdict.waits_for_time_alone == (lifted_at is not None)
    if lifted_at:
        assert judge(known, lifted_at - A_MICRO).reasons == (reason,)
        assert judge(known, lifted_at).is_active


def test_the_table_of_single_reasons_has_every_reason() -> None:
    assert [reason for reason, _, _ in ALONE] == list(Reason)


def everything_in_the_way() -> Facts:
    five = Decimal(5)
    return facts(
        {key: Amounts(five) for key in TOTAL_OF.values()},
        brand_is_enabled=False,
        is_enabled=False,
        starts_at=NOON + HOUR,
        schedule=MORNINGS,
        brand_daily_budget=five,
        brand_monthly_budget=five,
        daily_budget=five,
        monthly_budget=five,
        lifetime_budget=five,
    )


def test_all_reasons_at_once_come_in_the_order_in_which_they_bind() -> None:
    not_started = [reason for reason in Reason if reason is not Reason.ENDED]
    assert judge(everything_in_the_way(), NOON).reasons == tuple(not_started)


def test_a_reason_that_waits_for_a_person_means_that_time_alone_is_not_enough() -> None:
    verdict = judge(facts(is_enabled=False, schedule=MORNINGS), NOON)
    assert verdict.reasons == (Reason.CAMPAIGN_DISABLED, Reason.OUTSIDE_SCHEDULE)
    assert not verdict.waits_for_time_alone
    waiting = judge(facts(starts_at=NOON + HOUR, schedule=MORNINGS), NOON)
    assert waiting.waits_for_time_alone


# --- Budgets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", BUDGETS)
@pytest.mark.parametrize(
    ("spent", "held", "is_active", "remaining"),
    [
        ("0", "0", True, "5"),
        ("4.999999", "0", True, "0.000001"),
        ("0", "4.999999", True, "0.000001"),
        ("5", "0", False, "0"),
        ("0", "5", False, "0"),
        ("2.5", "2.5", False, "0"),
        ("7", "0", False, "0"),
    ],
)
def test_reaching_a_budget_exactly_uses_it_up_c5(
    reason: Reason, spent: str, held: str, is_active: bool, remaining: str
) -> None:
    verdict = judge(with_budget(reason, "5", spent, held), NOON)
    assert verdict.is_active is is_active
    assert verdict.remaining == Decimal(remaining)
    assert verdict.ceilings[0].is_used_up is not is_active


@pytest.mark.parametrize("reason", BUDGETS)
def test_no_budget_is_no_ceiling_and_zero_is_spend_nothing_c3(reason: Reason) -> None:
    assert judge(with_budget(reason, None, spent="1000000"), NOON).is_active
    nothing_to_spend = judge(with_budget(reason, "0"), NOON)
    assert nothing_to_spend.reasons == (reason,)
    assert nothing_to_spend.next_change_at is None
    assert not nothing_to_spend.waits_for_time_alone


def test_all_budgets_are_checked_together_and_the_tightest_says_what_remains_c4() -> None:
    totals = {TOTAL_OF[Reason.BRAND_DAILY_BUDGET]: Amounts(Decimal(90))}
    totals[TOTAL_OF[Reason.CAMPAIGN_MONTHLY_BUDGET]] = Amounts(Decimal(10), Decimal(5))
    known = facts(totals, brand_daily_budget=Decimal(100), monthly_budget=Decimal(20))
    verdict = judge(known, NOON)
    assert [(c.reason, c.remaining) for c in verdict.ceilings] == [
        (Reason.BRAND_DAILY_BUDGET, Decimal(10)),
        (Reason.CAMPAIGN_MONTHLY_BUDGET, Decimal(5)),
    ]
    assert verdict.remaining == Decimal(5)


def test_a_campaigns_larger_budget_never_raises_its_brands_c4() -> None:
    used = {TOTAL_OF[Reason.BRAND_DAILY_BUDGET]: Amounts(Decimal(10))}
    known = facts(used, brand_daily_budget=Decimal(10), daily_budget=Decimal(1_000))
    assert judge(known, NOON).reasons == (Reason.BRAND_DAILY_BUDGET,)


def test_what_a_period_left_unspent_is_not_carried_over_c4() -> None:
    yesterday = TotalKey(None, PeriodKind.DAY, TODAY - DAY)
    today = TOTAL_OF[Reason.BRAND_DAILY_BUDGET]
    known = facts({yesterday: Amounts(), today: Amounts(Decimal(5))}, brand_daily_budget=Decimal(5))
    assert judge(known, NOON).reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert judge(known, NOON).remaining == 0


def test_totals_of_other_campaigns_and_other_periods_do_not_count() -> None:
    much = Amounts(Decimal(1_000))
    others = {
        TotalKey(2, PeriodKind.DAY, TODAY): much,
        TotalKey(2, PeriodKind.LIFETIME, ALWAYS): much,
        TotalKey(1, PeriodKind.DAY, TODAY - DAY): much,
        TotalKey(1, PeriodKind.DAY, TODAY + DAY): much,
        TotalKey(1, PeriodKind.MONTH, date(2026, 5, 1)): much,
        TotalKey(None, PeriodKind.DAY, TODAY - DAY): much,
    }
    five = Decimal(5)
    known = facts(
        others,
        brand_daily_budget=five,
        daily_budget=five,
        monthly_budget=five,
        lifetime_budget=five,
    )
    assert judge(known, NOON).is_active


def test_a_budget_day_is_the_brands_own_day_c9() -> None:
    known = facts(
        {TotalKey(None, PeriodKind.DAY, date(2026, 6, 11)): Amounts(Decimal(5))},
        brand_calendar=BrandCalendar("Asia/Tokyo"),
        brand_daily_budget=Decimal(5),
    )
    assert judge(known, utc("2026-06-10T14:59:59")).is_active
    verdict = judge(known, utc("2026-06-10T15:00"))
    assert verdict.reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert verdict.next_change_at == utc("2026-06-11T15:00")


def test_used_up_brand_budgets_names_those_that_stop_every_campaign_c5() -> None:
    known = facts(
        {
            TOTAL_OF[Reason.BRAND_DAILY_BUDGET]: Amounts(Decimal(5)),
            TOTAL_OF[Reason.BRAND_MONTHLY_BUDGET]: Amounts(Decimal(5)),
            TOTAL_OF[Reason.CAMPAIGN_DAILY_BUDGET]: Amounts(Decimal(5)),
        },
        brand_daily_budget=Decimal(5),
        brand_monthly_budget=Decimal(6),
        daily_budget=Decimal(5),
    )
    used_up = used_up_brand_budgets(known.brand, known.totals, NOON)
    assert used_up == {Reason.BRAND_DAILY_BUDGET}


# --- When time alone changes the answer --------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ends_at": NOON + HOUR}, NOON + HOUR),
        ({"starts_at": NOON}, None),
        ({"starts_at": NOON + A_MICRO}, NOON + A_MICRO),
        ({"schedule": OFFICE_HOURS}, utc("2026-06-10T17:00")),
        ({"schedule": OFFICE_HOURS, "ends_at": NOON + HOUR}, NOON + HOUR),
        ({"schedule": OFFICE_HOURS, "ends_at": NOON + DAY}, utc("2026-06-10T17:00")),
        ({"schedule": weekly_schedule([window("09:00", "17:00", FRI)])}, utc("2026-06-12T09:00")),
        ({"starts_at": NOON + HOUR, "ends_at": NOON + DAY}, NOON + HOUR),
        ({"is_enabled": False, "schedule": OFFICE_HOURS}, utc("2026-06-10T17:00")),
        ({"ends_at": NOON}, None),
        ({"ends_at": NOON - HOUR, "schedule": OFFICE_HOURS}, None),
        ({"daily_budget": Decimal(5)}, None),
    ],
)
def test_the_next_change_is_the_earliest_edge_ahead(
    changes: dict[str, Any], expected: datetime | None
) -> None:
    assert judge(facts(**changes), NOON).next_change_at == expected


def test_of_two_used_up_budgets_the_next_change_is_the_earlier_renewal() -> None:
    five = Decimal(5)
    totals = {TOTAL_OF[reason]: Amounts(five) for reason in BUDGETS[:2]}
    known = facts(totals, brand_daily_budget=five, brand_monthly_budget=five)
    verdict = judge(known, NOON)
    assert verdict.next_change_at == MIDNIGHT
    assert judge(known, MIDNIGHT).reasons == (Reason.BRAND_MONTHLY_BUDGET,)
    assert judge(known, MIDNIGHT).next_change_at == NEXT_MONTH


def test_a_used_up_day_renews_where_the_change_of_zone_ends_it_c12() -> None:
    calendar = with_time_zone(BrandCalendar("Europe/Berlin"), "America/New_York", NOON)
    known = with_budget(Reason.BRAND_DAILY_BUDGET, "5", "5", brand_calendar=calendar)
    assert judge(known, NOON).next_change_at == utc("2026-06-11T04:00")


def test_a_flight_is_half_open() -> None:
    known = facts(starts_at=NOON, ends_at=NOON + HOUR)
    assert judge(known, NOON - A_MICRO).reasons == (Reason.NOT_STARTED,)
    assert judge(known, NOON).is_active
    assert judge(known, NOON + HOUR - A_MICRO).is_active
    assert judge(known, NOON + HOUR).reasons == (Reason.ENDED,)


def test_a_flight_that_ended_never_runs_again_whatever_the_schedule_and_the_calendar_do() -> None:
    known = with_budget(
        Reason.BRAND_DAILY_BUDGET, "5", "5", ends_at=NOON - HOUR, schedule=OFFICE_HOURS
    )
    verdict = judge(known, NOON)
    assert verdict.reasons[0] is Reason.ENDED
    assert verdict.next_change_at is None
    assert all(not judge(known, NOON + hours * HOUR).is_active for hours in range(24 * 40))


def test_periods_are_named_by_their_first_local_date() -> None:
    calendar = BrandCalendar("Asia/Tokyo")
    day = period_of(calendar, PeriodKind.DAY, TODAY)
    assert (day.starts_at, day.ends_at) == (utc("2026-06-09T15:00"), utc("2026-06-10T15:00"))
    month = period_of(calendar, PeriodKind.MONTH, THIS_MONTH)
    assert (month.starts_at, month.ends_at) == (utc("2026-05-31T15:00"), utc("2026-06-30T15:00"))
    assert period_of(calendar, PeriodKind.LIFETIME, TODAY) is LIFETIME


# --- Against the reference ---------------------------------------------------------------------

amounts = st.sampled_from([Decimal(text) for text in ("0", "0.000001", "4.999999", "5", "9")])
budgets = st.one_of(st.none(), amounts)
near_noon = st.integers(-60 * 24 * 60, 60 * 24 * 60).map(lambda minutes: NOON + minutes * MINUTE)
flight_edges = st.one_of(st.none(), near_noon)
schedules = st.sampled_from(
    [
        WeeklySchedule(),
        OFFICE_HOURS,
        weekly_schedule([window("22:00", "02:00", FRI), window("00:00", "24:00", MON)]),
        weekly_schedule([window("23:30", "00:30", WED)]),
    ]
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Facts, datetime]:
    """Facts in a zone with plain midnights, totals of this day and month and of those before."""
    at = draw(near_noon)
    calendar = BrandCalendar(draw(st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"])))
    today = calendar.local(at).date()
    days, months = [today, today - DAY], [today.replace(day=1), date(2026, 1, 1)]
    keys = [TotalKey(None, PeriodKind.DAY, day) for day in days]
    keys += [TotalKey(None, PeriodKind.MONTH, month) for month in months]
    for owner in (1, 2):
        keys += [TotalKey(owner, PeriodKind.DAY, day) for day in days]
        keys += [TotalKey(owner, PeriodKind.MONTH, month) for month in months]
        keys.append(TotalKey(owner, PeriodKind.LIFETIME, ALWAYS))
    totals = draw(st.dictionaries(st.sampled_from(keys), st.builds(Amounts, amounts, amounts)))
    known = facts(
        totals,
        brand_calendar=calendar,
        brand_is_enabled=draw(st.booleans()),
        brand_daily_budget=draw(budgets),
        brand_monthly_budget=draw(budgets),
        is_enabled=draw(st.booleans()),
        starts_at=draw(flight_edges),
        ends_at=draw(flight_edges),
        schedule=draw(schedules),
        daily_budget=draw(budgets),
        monthly_budget=draw(budgets),
        lifetime_budget=draw(budgets),
    )
    return known, at


@settings(max_examples=examples(300))
@given(worlds())
def test_the_verdict_is_that_of_a_plain_reference(world: tuple[Facts, datetime]) -> None:
    known, at = world
    verdict = judge(known, at)
    expected = reference_reasons(known, at)
    assert [reason.value for reason in verdict.reasons] == expected
    assert verdict.is_active == (not expected)
    assert verdict.ceilings == tuple(applying_ceilings(known, at))
    assert judge(known, at) == verdict, "the same facts and instant gave another verdict"


@settings(max_examples=examples(300))
@given(worlds(), st.floats(0, 1))
def test_until_the_next_change_time_changes_no_reason(
    world: tuple[Facts, datetime], share: float
) -> None:
    known, at = world
    verdict = judge(known, at)
    if Reason.ENDED in verdict.reasons:
        assert verdict.next_change_at is None
        return
    until = verdict.next_change_at or at + 90 * DAY
    assert until > at
    for moment in (at + share * (until - at - A_MICRO), until - A_MICRO):
        assert reference_reasons(known, moment) == [reason.value for reason in verdict.reasons]


@settings(max_examples=examples(200))
@given(worlds())
def test_what_waits_for_time_alone_comes_to_run_by_time_alone(
    world: tuple[Facts, datetime],
) -> None:
    known, at = world
    verdict = judge(known, at)
    if not verdict.waits_for_time_alone:
        return
    for _ in range(200):
        if verdict.is_active or Reason.ENDED in verdict.reasons:
            return
        assert verdict.next_change_at is not None
        verdict = judge(known, verdict.next_change_at)
    pytest.fail("it waits for ever")
