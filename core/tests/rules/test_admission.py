"""Admission decides entry by entry: adds that fit, reports always, refusals without a trace."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from core.enums import PeriodKind, Reason, SpendKind
from core.errors import BudgetExceededError, InvalidFieldError
from core.rules.admission import (
    Admission,
    BrandBook,
    Decision,
    check_occurred_at,
)
from core.rules.entries import SpendEntry
from core.rules.money import MICROS_PER_UNIT, to_micros
from core.rules.verdict import Amounts, BrandFacts, TotalKey
from core.tests.rules.facts import ALWAYS, BRAND, CAMPAIGN, NOON, THIS_MONTH, TODAY, TOTAL_OF
from core.tests.rules.zones import DAY, HOUR, MINUTE, utc

LARGEST_AMOUNT = Decimal("999999999999.999999")
LARGEST_BIGINT = 2**63 - 1
CAMPAIGNS = (1, 2, 3)


def entry(
    amount: str = "1.00",
    *,
    kind: SpendKind = SpendKind.ADD,
    campaign: int = 1,
    occurred_at: datetime = NOON,
    currency: str | None = None,
) -> SpendEntry:
    return SpendEntry(kind, campaign, to_micros(Decimal(amount)), occurred_at, currency)


def report(amount: str = "1.00", *, occurred_at: datetime = NOON) -> SpendEntry:
    return entry(amount, kind=SpendKind.REPORT, occurred_at=occurred_at)


def book(
    daily: str | None = None,
    *,
    monthly: str | None = None,
    brand: BrandFacts = BRAND,
    totals: dict[TotalKey, Amounts] | None = None,
) -> BrandBook:
    limited = replace(
        brand,
        daily_budget=None if daily is None else Decimal(daily),
        monthly_budget=None if monthly is None else Decimal(monthly),
    )
    campaigns = {number: replace(CAMPAIGN, campaign_id=number) for number in CAMPAIGNS}
    return BrandBook(limited, campaigns, totals or {})


def code(decision: Decision) -> str | None:
    return decision.refusal.code if decision.refusal else None


# --- One by one --------------------------------------------------------------------------------


def test_an_add_that_fits_is_admitted_and_tells_the_totals_after_it_c18() -> None:
    totals = {TotalKey(1, PeriodKind.DAY, TODAY): Amounts(Decimal(2), Decimal(1))}
    decision = Admission(book("10", totals=totals), NOON).decide(entry("3.00"))
    assert decision.refusal is None
    assert decision.day_spent == 5 * MICROS_PER_UNIT
    assert decision.month_spent == 3 * MICROS_PER_UNIT
    assert decision.standing is not None
    assert decision.standing.remaining == 7 * MICROS_PER_UNIT


def test_an_add_beside_open_holds_must_fit_what_they_leave_c18() -> None:
    held = {TotalKey(None, PeriodKind.DAY, TODAY): Amounts(Decimal(4), Decimal(5))}
    admission = Admission(book("10", totals=held), NOON)
    assert code(admission.decide(entry("1.000001"))) == "budget_exceeded"
    assert code(admission.decide(entry("1.00"))) is None
    assert code(admission.decide(entry("0.000001"))) == "campaign_not_active"


def test_a_refused_add_names_the_tightest_budget_and_what_remains_of_it_c18() -> None:
    totals = {TotalKey(None, PeriodKind.MONTH, THIS_MONTH): Amounts(Decimal("95.50"))}
    refusal = Admission(book("10", monthly="100", totals=totals), NOON).decide(entry("5")).refusal
    assert isinstance(refusal, BudgetExceededError)
    assert refusal.details == {"budget": "brand_monthly_budget", "remaining": "4.50"}
    assert refusal.fields == {
        "amount": "4.50 remains of the brand monthly budget; ask for at most that"
    }


def test_the_add_that_fills_the_budget_stops_the_next_one_c5() -> None:
    admission = Admission(book("2"), NOON)
    first, second, third = (admission.decide(entry(campaign=number)) for number in CAMPAIGNS)
    assert first.standing is not None
    assert first.standing.is_active
    assert second.standing is not None
    assert second.standing.reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert code(third) == "campaign_not_active"
    assert third.refusal is not None
    assert third.refusal.details["reasons"][0]["code"] == "brand_daily_budget"


@pytest.mark.parametrize(
    "brand", [replace(BRAND, is_enabled=False), replace(BRAND, daily_budget=Decimal(0))]
)
def test_a_report_is_never_refused_for_switches_or_budgets_c19(brand: BrandFacts) -> None:
    daily = None if brand.daily_budget is None else "0"
    decision = Admission(book(daily, brand=brand), NOON).decide(report("3"))
    assert decision.refusal is None
    assert decision.day_spent == 3 * MICROS_PER_UNIT


def test_over_budget_is_the_uncovered_part_and_its_cause_the_tightest_budget_c19() -> None:
    totals = {TotalKey(None, PeriodKind.MONTH, THIS_MONTH): Amounts(Decimal(98))}
    admission = Admission(book("10", monthly="100", totals=totals), NOON)
    covered, partly, uncovered = (admission.decide(report(text)) for text in ("1.5", "3", "2"))
    assert (covered.over_budget, covered.over_budget_cause) == (0, None)
    assert (partly.over_budget, partly.over_budget_cause) == (
        2_500_000,
        Reason.BRAND_MONTHLY_BUDGET,
    )
    assert (uncovered.over_budget, uncovered.over_budget_cause) == (
        2_000_000,
        Reason.BRAND_MONTHLY_BUDGET,
    )


def test_a_late_report_is_covered_by_the_budgets_of_its_own_day_c11() -> None:
    admission = Admission(book("10"), NOON)
    assert admission.decide(entry("10")).refusal is None
    late = admission.decide(report("4", occurred_at=NOON - DAY))
    assert late.over_budget == 0
    assert late.day_spent == 4 * MICROS_PER_UNIT
    assert late.month_spent == 14 * MICROS_PER_UNIT
    assert late.standing is not None
    assert late.standing.reasons == (Reason.BRAND_DAILY_BUDGET,), "judged now, not then"


@pytest.mark.parametrize("kind", [SpendKind.ADD, SpendKind.REPORT])
def test_the_currency_if_named_must_be_the_brands_c2(kind: SpendKind) -> None:
    euros = replace(BRAND, currency="EUR")
    admission = Admission(book(brand=euros), NOON)
    assert code(admission.decide(entry(kind=kind))) is None
    assert code(admission.decide(entry(kind=kind, currency="EUR"))) is None
    refusal = admission.decide(entry(kind=kind, currency="USD")).refusal
    assert isinstance(refusal, InvalidFieldError)
    assert refusal.fields == {"currency": "must be the brand's currency, EUR"}


def test_a_campaign_that_is_not_in_the_book_is_not_found() -> None:
    admission = Admission(book(), NOON)
    assert code(admission.decide(entry(campaign=9))) == "campaign_not_found"
    assert code(admission.decide(entry(campaign=9, kind=SpendKind.REPORT))) == "campaign_not_found"


def test_an_archived_campaign_takes_reports_and_no_adds_c24() -> None:
    archived = replace(CAMPAIGN, is_archived=True, is_enabled=False)
    admission = Admission(BrandBook(BRAND, {1: archived}, {}), NOON)
    assert code(admission.decide(entry())) == "campaign_not_found"
    assert admission.decide(report("2")).day_spent == 2 * MICROS_PER_UNIT


@pytest.mark.parametrize(
    "refused",
    [
        entry("10.000001"),
        entry("0"),
        entry("-1"),
        entry("0", kind=SpendKind.REPORT),
        entry("-1", kind=SpendKind.REPORT),
        entry("1", campaign=9),
        entry("1", currency="EUR"),
        entry("1", kind=SpendKind.REPORT, currency="EUR"),
    ],
)
def test_a_refused_entry_changes_nothing(refused: SpendEntry) -> None:
    totals = {key: Amounts(Decimal(1), Decimal(1)) for key in TOTAL_OF.values()}
    admission = Admission(book("12", totals=totals), NOON)
    assert admission.decide(refused).refusal is not None
    assert admission.totals == totals
    assert admission.changed == set()


def test_the_facts_that_were_read_are_left_as_they_were() -> None:
    totals = {key: Amounts(Decimal(1)) for key in TOTAL_OF.values()}
    known = book("12", totals=dict(totals))
    Admission(known, NOON).decide(entry())
    assert known.totals == totals


def test_an_add_is_judged_in_the_brands_own_day_and_counts_there_c9() -> None:
    tokyo = replace(BRAND, calendar=replace(BRAND.calendar, time_zone="Asia/Tokyo"))
    at = utc("2026-06-30T15:00")
    admission = Admission(book("10", brand=tokyo), at)
    admission.decide(entry("4", occurred_at=at))
    keys = {(key.period.value, key.starts_on) for key in admission.changed}
    first_of_july = date(2026, 7, 1)
    assert keys == {("day", first_of_july), ("month", first_of_july), ("lifetime", ALWAYS)}


# --- Totals that a 64-bit column can't hold ----------------------------------------------------


def largest_stored(admission: Admission) -> int:
    return max(to_micros(amounts.used) for amounts in admission.totals.values())


def test_a_month_that_can_be_counted_no_further_refuses_more_c1() -> None:
    admission = Admission(book(), NOON)
    outcomes = [code(admission.decide(report(str(LARGEST_AMOUNT)))) for _ in range(5)]
    assert outcomes == [None, None, None, None, "invalid_input"]
    assert largest_stored(admission) <= LARGEST_BIGINT


def test_a_lifetime_that_can_be_counted_no_further_refuses_more_c1() -> None:
    filled = {TotalKey(1, PeriodKind.LIFETIME, ALWAYS): Amounts(Decimal("9223372036854.0"))}
    admission = Admission(book(totals=filled), NOON)
    refusal = admission.decide(report(str(LARGEST_AMOUNT))).refusal
    assert isinstance(refusal, InvalidFieldError)
    assert largest_stored(admission) <= LARGEST_BIGINT


# --- When it occurred (C11) --------------------------------------------------------------------


@pytest.mark.parametrize("late_limit", [timedelta(0), 72 * HOUR])
def test_spend_may_be_as_late_as_the_limit_and_five_minutes_early_c11(
    late_limit: timedelta,
) -> None:
    check_occurred_at(NOON - late_limit, NOON, late_limit)
    check_occurred_at(NOON + 5 * MINUTE, NOON, late_limit)
    a_micro = timedelta(microseconds=1)
    with pytest.raises(InvalidFieldError, match="occurred_at: is more than 5 minutes"):
        check_occurred_at(NOON + 5 * MINUTE + a_micro, NOON, late_limit)
    hours = int(late_limit / HOUR)
    with pytest.raises(InvalidFieldError, match=f"occurred_at: is more than {hours} hours ago"):
        check_occurred_at(NOON - late_limit - a_micro, NOON, late_limit)
