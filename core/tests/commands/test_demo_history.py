"""What `load_demo` loads: two weeks one can believe, and stored verdicts that are right (C16)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import mean

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from core.actions import delivery
from core.enums import Cause, PeriodKind, Reason, SpendKind
from core.management.demo_brands import DEMO_BRANDS
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, SpendLog, Transition
from core.queries.books import get_book, list_campaigns_to_judge
from core.rules.dayparts import is_open, weekly_schedule
from core.rules.verdict import judge
from core.tests.builders import CALLER, everything_stored
from core.tests.commands.running import Ran, run

# A Friday; in New York it is night, in Berlin morning, in Tokyo evening.
NOW = datetime(2026, 11, 20, 9, 38, 12, 345, tzinfo=UTC)
URL = "http://127.0.0.1:8123"


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Ran]:
    """The demo, loaded once for all tests that only look at it; rolled back after them."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr("core.queries.clock.has_server", lambda: False)
        patch.setattr(timezone, "now", lambda: NOW)
        yield run("load_demo", "--url", URL)
        transaction.set_rollback(True)


def days(brand: Brand) -> list[BrandTotal]:
    return list(brand.totals.filter(period=PeriodKind.DAY).order_by("starts_on"))


def test_it_loads_three_brands_in_three_zones_and_a_dozen_campaigns(loaded: Ran, db: None) -> None:
    assert (loaded.status, loaded.err) == (0, "")
    brands = Brand.objects.values_list("name", "time_zone", "currency")
    assert sorted(brands) == [
        ("Alpenglow Coffee", "Europe/Berlin", "EUR"),
        ("Hudson Outfitters", "America/New_York", "USD"),
        ("Sakura Mobile", "Asia/Tokyo", "JPY"),
    ]
    assert Campaign.objects.count() == 12
    for brand in DEMO_BRANDS:
        assert brand.name in loaded.out
    assert f"Recorded {SpendLog.objects.count()} spends" in loaded.out


def test_every_kind_of_reason_that_a_newcomer_may_ask_about_is_there(loaded: Ran, db: None) -> None:
    reasons = {reason for campaign in Campaign.objects.all() for reason in campaign.reasons}

    assert reasons >= {
        Reason.CAMPAIGN_DISABLED,
        Reason.NOT_STARTED,
        Reason.ENDED,
        Reason.OUTSIDE_SCHEDULE,
        Reason.BRAND_DAILY_BUDGET,
        Reason.CAMPAIGN_LIFETIME_BUDGET,
    }


def test_the_first_campaign_runs_and_takes_the_seeds_example(loaded: Ran, db: None) -> None:
    first = Campaign.objects.order_by("id")[0]

    assert first.is_active
    ran = run("simulate_spend", str(first.pk), "75.00")
    assert (ran.status, ran.out) == (0, "Added spend 75.00 to Summer Sale\n")


def test_one_brand_has_used_up_its_day_and_a_little_more_by_a_report(loaded: Ran, db: None) -> None:
    brand = Brand.objects.get(name="Alpenglow Coffee")

    today = days(brand)[-1]

    assert today.ends_at > NOW
    assert today.spent == Decimal("602.50")
    last = SpendLog.objects.filter(brand=brand).order_by("-id")[0]
    assert (last.kind, last.over_budget) == (SpendKind.REPORT, Decimal("2.50"))
    assert not Campaign.objects.filter(brand=brand, is_active=True).exists()


def test_the_stored_verdicts_are_right_now(loaded: Ran, db: None) -> None:
    before = everything_stored()["Campaign"]
    for brand in Brand.objects.all():
        campaigns = list_campaigns_to_judge(brand)
        book = get_book(brand, campaigns, [NOW])
        for campaign in campaigns:
            verdict = judge(book.facts(campaign.pk), NOW)
            stored = (campaign.is_active, campaign.reasons, campaign.next_change_at)
            assert stored == (verdict.is_active, verdict.reasons, verdict.next_change_at)

    for deed in (delivery.check_budgets, delivery.enforce_dayparting, delivery.reset_daily_spend):
        assert set(deed(caller=CALLER, now=NOW).values()) == {0}
    assert everything_stored()["Campaign"] == before


def test_there_are_two_weeks_of_spend_in_order_and_none_of_the_future(
    loaded: Ran, db: None
) -> None:
    instants = list(SpendLog.objects.order_by("id").values_list("recorded_at", flat=True))

    assert instants == sorted(instants)
    assert NOW - timedelta(days=15) < instants[0] < NOW - timedelta(days=13)
    assert instants[-1] == NOW
    assert all(len(days(brand)) >= 14 for brand in Brand.objects.all())
    assert 500 < len(instants) < 5_000


def test_spend_follows_the_schedule_of_each_campaign(loaded: Ran, db: None) -> None:
    for entry in SpendLog.objects.select_related("brand", "campaign").prefetch_related(
        "campaign__dayparts"
    ):
        schedule = weekly_schedule(row.daypart for row in entry.campaign.dayparts.all())
        assert is_open(schedule, entry.occurred_at, entry.brand.calendar)


def test_weekends_are_quieter_and_days_differ(loaded: Ran, db: None) -> None:
    whole = days(Brand.objects.get(name="Sakura Mobile"))[1:-1]
    workdays = [day.spent for day in whole if day.starts_on.weekday() < 5]
    weekend = [day.spent for day in whole if day.starts_on.weekday() >= 5]

    assert mean(weekend) < mean(workdays) * Decimal("0.8")
    assert len(set(workdays)) == len(workdays)


def test_totals_are_the_sums_of_the_log(loaded: Ran, db: None) -> None:
    for total in BrandTotal.objects.filter(period=PeriodKind.DAY):
        entries = SpendLog.objects.filter(brand_id=total.brand_id, budget_day=total.starts_on)
        assert entries.aggregate(sum=Sum("amount"))["sum"] == total.spent
    for lifetime in CampaignTotal.objects.filter(period=PeriodKind.LIFETIME):
        entries = SpendLog.objects.filter(campaign_id=lifetime.campaign_id)
        assert entries.aggregate(sum=Sum("amount"))["sum"] == lifetime.spent


def test_no_budget_is_exceeded_but_by_what_is_labelled_so(loaded: Ran, db: None) -> None:
    for total in BrandTotal.objects.filter(period=PeriodKind.DAY).select_related("brand"):
        entries = SpendLog.objects.filter(brand_id=total.brand_id, budget_day=total.starts_on)
        over_budget = entries.aggregate(sum=Sum("over_budget"))["sum"]
        assert total.spent - over_budget <= total.brand.daily_budget


def test_transitions_came_from_time_midnights_spend_and_a_person(loaded: Ran, db: None) -> None:
    causes = set(Transition.objects.values_list("cause", "actor"))

    assert causes >= {
        (Cause.CREATED, "admin:admin"),
        (Cause.PAUSED, "admin:admin"),
        (Cause.SPEND, "demo:ad-server"),
        (Cause.TIME, "clock"),
        (Cause.PERIOD_TURNED, "clock"),
    }
    brought_back = Transition.objects.filter(cause=Cause.PERIOD_TURNED, is_active=True)
    assert brought_back.exists()
    for transition in brought_back.select_related("campaign__brand"):
        local = transition.campaign.brand.calendar.local(transition.at)
        assert (local.hour, local.minute) == (0, 0)


def test_days_that_ended_are_closed_when_they_ended(loaded: Ran, db: None) -> None:
    for total in BrandTotal.objects.filter(ends_at__lte=NOW):
        assert total.closed_at == total.ends_at


def test_without_a_path_it_prints_the_way_in(loaded: Ran, db: None) -> None:
    printed = json.loads(loaded.out[loaded.out.index("{") :])

    assert set(printed) == {"url", "admin_user", "admin_password", "api_key"}
    assert printed["url"] == URL
