"""A report tells of money already gone: never refused for a budget, counted where it belongs."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from core.actions.brands import archive_brand
from core.actions.campaigns import archive_campaign
from core.enums import Cause, PeriodKind, Reason
from core.models import BrandTotal, SpendLog
from core.rules.dayparts import Daypart
from core.tests.builders import (
    CALLER,
    LATE_LIMIT,
    NOON,
    TODAY,
    add,
    code_of,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    report,
    spent,
    transitions_of,
)
from core.tests.rules.zones import DAY, HOUR, MINUTE, utc

A_MICRO = timedelta(microseconds=1)
MONTH = PeriodKind.MONTH

pytestmark = pytest.mark.django_db


# --- Whatever the budgets say (C19) ------------------------------------------------------------


def test_the_part_that_no_budget_covers_is_kept_with_its_cause_c19() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)), lifetime_budget=Decimal(50))
    add(campaign, "7")
    answer = report(campaign, "5.50", event_id="late").accepted()
    assert (answer["over_budget"], answer["over_budget_cause"]) == ("2.50", "brand_daily_budget")
    assert (answer["new_daily_spend"], answer["remaining"]) == ("12.50", "0.00")
    entry = SpendLog.objects.latest("id")
    assert (entry.kind, entry.amount) == ("report", Decimal("5.5"))
    assert (entry.over_budget, entry.over_budget_cause) == (Decimal("2.5"), "brand_daily_budget")
    assert spent(campaign.brand) == Decimal("12.5")


def test_a_report_that_a_budget_covers_is_over_nothing_c19() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    answer = report(campaign, "10").accepted()
    assert (answer["over_budget"], answer["over_budget_cause"]) == ("0.00", None)
    assert SpendLog.objects.get().over_budget_cause == ""


def test_the_report_that_passes_a_budget_pauses_every_campaign_of_the_brand_c16_c19() -> None:
    brand = make_brand(monthly_budget=Decimal(10))
    campaigns = [make_campaign(brand) for _ in range(3)]
    report(campaigns[0], "25")
    for campaign in campaigns:
        assert fresh(campaign).reasons == (Reason.BRAND_MONTHLY_BUDGET,)
        stopped = transitions_of(campaign)[-1]
        assert (stopped.is_active, stopped.cause) == (False, Cause.SPEND)
        assert stopped.numbers[0]["spent"] == "25.00"


def test_no_switch_schedule_or_flight_refuses_a_report_c19() -> None:
    stopped = [
        make_campaign(is_enabled=False),
        make_campaign(make_brand(is_enabled=False)),
        make_campaign(starts_at=NOON + HOUR),
        make_campaign(ends_at=NOON),
        make_campaign(schedule=[Daypart((0,), 0, 60)]),
        make_campaign(make_brand(daily_budget=Decimal(0))),
    ]
    for campaign in stopped:
        assert code_of(add(campaign, "1")) == "campaign_not_active"
        assert code_of(report(campaign, "1")) is None
        assert spent(campaign) == 1


def test_what_is_archived_takes_no_add_and_still_its_last_reports_c24() -> None:
    campaign, of_archived_brand = make_campaign(), make_campaign()
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    archive_brand(of_archived_brand.brand_id, caller=CALLER, now=NOON)
    for archived in (campaign, of_archived_brand):
        assert code_of(add(archived, "1")) == "campaign_not_found"
        assert code_of(report(archived, "2")) is None
        assert spent(archived) == spent(archived.brand) == 2
        assert not fresh(archived).is_active


def test_the_currency_of_a_report_must_be_the_brands_c2() -> None:
    campaign = make_campaign(make_brand(currency="EUR"))
    assert code_of(report(campaign, "1", currency="USD")) == "invalid_input"
    assert not SpendLog.objects.exists()


def test_a_total_that_cannot_be_counted_is_refused_and_never_wraps_c1() -> None:
    campaign = make_campaign()
    outcomes = [code_of(report(campaign, "999999999999.999999")) for _ in range(5)]
    assert outcomes == [None] * 4 + ["invalid_input"]
    assert spent(campaign) == Decimal("3999999999999.999996")


# --- When it occurred (C11) --------------------------------------------------------------------


@pytest.mark.parametrize("occurred_at", [NOON - LATE_LIMIT, NOON + 5 * MINUTE])
def test_a_report_may_be_as_late_or_early_as_the_limits_say_c11(occurred_at: datetime) -> None:
    campaign = make_campaign()
    assert code_of(report(campaign, "1", occurred_at=occurred_at)) is None
    entry = SpendLog.objects.get()
    assert (entry.occurred_at, entry.recorded_at) == (occurred_at, NOON)
    assert entry.budget_day == occurred_at.date()


@pytest.mark.parametrize(
    "occurred_at", [NOON - LATE_LIMIT - A_MICRO, NOON + 5 * MINUTE + A_MICRO, NOON + 400 * DAY]
)
def test_a_report_beyond_the_limits_is_refused_and_leaves_no_trace_c11(
    occurred_at: datetime,
) -> None:
    campaign = make_campaign()
    before = everything_stored()
    refusal = report(campaign, "1", occurred_at=occurred_at, event_id="a").refusal
    assert refusal is not None
    assert list(refusal.fields) == ["occurred_at"]
    assert everything_stored() == before


def test_late_spend_counts_in_its_own_day_and_month_c11() -> None:
    now = utc("2026-07-02T09:00")
    campaign = make_campaign(make_brand(now=now), now=now)
    for text, amount in (("2026-06-30T23:59:59", "1"), ("2026-07-01T00:00", "2")):
        report(campaign, amount, now=now, occurred_at=utc(text))
    add(campaign, "4", now=now)
    for owner in (campaign, campaign.brand):
        days = [spent(owner, starts_on=date(2026, 6, 30)), spent(owner, starts_on=date(2026, 7, 1))]
        assert [*days, spent(owner, starts_on=date(2026, 7, 2))] == [1, 2, 4]
        assert spent(owner, MONTH, date(2026, 6, 1)) == 1
        assert spent(owner, MONTH, date(2026, 7, 1)) == 6
    answer = report(campaign, "8", now=now, occurred_at=utc("2026-06-30T12:00")).accepted()
    assert (answer["new_daily_spend"], answer["new_monthly_spend"]) == ("9.00", "9.00")


@pytest.mark.parametrize(
    ("zone", "last_of_june", "first_of_july"),
    [
        ("Asia/Tokyo", "2026-06-30T14:59:59.999999", "2026-06-30T15:00:00"),
        ("America/New_York", "2026-07-01T03:59:59.999999", "2026-07-01T04:00:00"),
    ],
)
def test_late_spend_counts_in_the_brands_own_day_far_from_utc_c9_c11(
    zone: str, last_of_june: str, first_of_july: str
) -> None:
    now = utc("2026-07-01T12:00")
    brand = make_brand(time_zone=zone, daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    report(campaign, "1", now=now, occurred_at=utc(last_of_june))
    report(campaign, "2", now=now, occurred_at=utc(first_of_july))
    for owner in (campaign, brand):
        assert spent(owner, starts_on=date(2026, 6, 30)) == 1
        assert spent(owner, starts_on=date(2026, 7, 1)) == 2
        assert spent(owner, MONTH, date(2026, 6, 1)) == 1
        assert spent(owner, MONTH, date(2026, 7, 1)) == 2
    june = BrandTotal.objects.get(brand=brand, period="month", starts_on=date(2026, 6, 1))
    assert june.ends_at == utc(first_of_july)
    assert list(SpendLog.objects.order_by("id").values_list("budget_day", flat=True)) == [
        date(2026, 6, 30),
        date(2026, 7, 1),
    ]


def test_late_spend_beyond_yesterdays_budget_leaves_today_alone_c10_c11() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    answer = report(campaign, "15", occurred_at=NOON - DAY).accepted()
    assert answer["over_budget"] == "5.00"
    assert answer["is_active"] is True
    assert answer["remaining"] == "10.00"
    assert fresh(campaign).is_active
    assert code_of(add(campaign, "10")) is None


def test_late_spend_that_fills_the_running_month_pauses_now_c11_c16() -> None:
    brand = make_brand(daily_budget=Decimal(100), monthly_budget=Decimal(50))
    campaign, other = make_campaign(brand), make_campaign(brand)
    report(campaign, "50", occurred_at=NOON - 2 * DAY)
    assert fresh(campaign).reasons == fresh(other).reasons == (Reason.BRAND_MONTHLY_BUDGET,)


def test_spend_reported_minutes_ahead_waits_for_its_own_day_c11() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    before_midnight = utc("2026-06-10T23:58")
    report(campaign, "10", now=before_midnight, occurred_at=utc("2026-06-11T00:02"))
    assert fresh(campaign).is_active
    assert code_of(add(campaign, "10", now=before_midnight)) is None
    assert code_of(add(campaign, "1", now=utc("2026-06-11T00:00"))) == "campaign_not_active"
    assert spent(campaign, starts_on=TODAY + DAY) == 10
