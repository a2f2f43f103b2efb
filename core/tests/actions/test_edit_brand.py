"""An edited brand binds on the next decision; a new zone waits for midnight (C6, C12)."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from core.actions.brands import BrandChanges, archive_brand, edit_brand
from core.actions.caller import Caller
from core.enums import Cause, PeriodKind, Reason
from core.errors import (
    BrandNotFoundError,
    InvalidFieldError,
    NameTakenError,
    TimeZoneChangeTooSoonError,
)
from core.models import Brand, BrandTotal, CampaignTotal
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    code_of,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    report,
    settled,
    spent,
    transitions_of,
)
from core.tests.rules.zones import HOUR, utc

LATER = NOON + HOUR

pytestmark = pytest.mark.django_db


# --- Budgets and switches ----------------------------------------------------------------------


def test_lowering_a_budget_below_what_is_spent_pauses_at_once_c6() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaigns = [make_campaign(brand) for _ in range(2)]
    add(campaigns[0], "6")
    edit_brand(brand.pk, {"daily_budget": Decimal(5)}, caller=CALLER, now=LATER)
    for campaign in campaigns:
        assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
        stopped = transitions_of(campaign)[-1]
        assert (stopped.cause, stopped.actor, stopped.at) == (
            Cause.BRAND_EDITED,
            CALLER.source,
            LATER,
        )
        assert stopped.numbers[0]["budget"] == "5.00"
        assert stopped.numbers[0]["spent"] == "6.00"
    assert spent(brand) == 6, "nothing is undone"


@pytest.mark.parametrize("new_budget", [Decimal("6.000001"), None])
def test_raising_a_budget_reactivates_at_once_c6(new_budget: Decimal | None) -> None:
    brand = make_brand(daily_budget=Decimal(6))
    campaign, disabled = make_campaign(brand), make_campaign(brand, is_enabled=False)
    add(campaign, "6")
    edit_brand(brand.pk, {"daily_budget": new_budget}, caller=CALLER, now=LATER)
    assert fresh(campaign).is_active
    assert fresh(disabled).reasons == (Reason.CAMPAIGN_DISABLED,), (
        "something else stands in the way"
    )
    assert [t.is_active for t in transitions_of(campaign)] == [True, False, True]
    assert code_of(add(campaign, "0.000001", now=LATER)) is None


def test_raising_a_budget_to_what_is_spent_leaves_it_used_up_c5_c6() -> None:
    brand = make_brand(daily_budget=Decimal(6))
    campaign = make_campaign(brand)
    report(campaign, "8")
    edit_brand(brand.pk, {"daily_budget": Decimal(8)}, caller=CALLER, now=LATER)
    assert not fresh(campaign).is_active
    assert len(transitions_of(campaign)) == 2


def test_the_brands_switch_stops_and_starts_all_its_campaigns_c15() -> None:
    brand = make_brand()
    campaign, disabled = make_campaign(brand), make_campaign(brand, is_enabled=False)
    edit_brand(brand.pk, {"is_enabled": False}, caller=CALLER, now=LATER)
    assert fresh(campaign).reasons == (Reason.BRAND_DISABLED,)
    assert fresh(disabled).reasons == (Reason.BRAND_DISABLED, Reason.CAMPAIGN_DISABLED)
    assert fresh(campaign).is_enabled, "the campaign's own switch is another fact"
    edit_brand(brand.pk, {"is_enabled": True}, caller=CALLER, now=LATER)
    assert fresh(campaign).is_active
    assert not fresh(disabled).is_active


@pytest.mark.parametrize(
    "changes", [{}, {"name": "Acme"}, {"daily_budget": Decimal(10)}, {"time_zone": "UTC"}]
)
def test_an_edit_that_changes_nothing_writes_nothing_new_c17(changes: BrandChanges) -> None:
    brand = make_brand(name="Acme", daily_budget=Decimal(10))
    add(make_campaign(brand), "10")
    before = everything_stored()
    edit_brand(brand.pk, changes, caller=CALLER, now=LATER)
    assert everything_stored() == before


def test_only_what_is_named_changes_e3() -> None:
    brand = make_brand(daily_budget=Decimal(10), monthly_budget=Decimal(100))
    edit_brand(brand.pk, {"monthly_budget": Decimal(50)}, caller=CALLER, now=LATER)
    edited = edit_brand(brand.pk, {"daily_budget": None}, caller=CALLER, now=LATER)
    stored = Brand.objects.get(pk=brand.pk)
    for seen in (stored, edited):
        assert (seen.daily_budget, seen.monthly_budget) == (None, Decimal(50))
    assert (stored.name, stored.created_at) == (brand.name, NOON)


# --- Refusals ----------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused() -> None:
    make_brand(name="Acme")
    brand = make_brand(name="Globex")
    before = everything_stored()
    with pytest.raises(NameTakenError):
        edit_brand(brand.pk, {"name": "Acme", "is_enabled": False}, caller=CALLER, now=LATER)
    assert everything_stored() == before
    edit_brand(brand.pk, {"name": "Initech"}, caller=CALLER, now=LATER)
    assert Brand.objects.get(pk=brand.pk).name == "Initech"


def test_the_currency_may_change_only_until_something_was_spent_c2() -> None:
    brand = make_brand()
    edit_brand(brand.pk, {"currency": "EUR"}, caller=CALLER, now=LATER)
    add(make_campaign(brand), "1", currency="EUR")
    before = everything_stored()
    with pytest.raises(InvalidFieldError, match="currency: can't change once"):
        edit_brand(brand.pk, {"currency": "USD"}, caller=CALLER, now=LATER)
    assert everything_stored() == before
    edit_brand(brand.pk, {"currency": "EUR"}, caller=CALLER, now=LATER)


def test_what_is_archived_or_not_the_callers_is_not_found_c29() -> None:
    archived, foreign = make_brand(), make_brand()
    archive_brand(archived.pk, caller=CALLER, now=NOON)
    limited = Caller("test:limited", frozenset({make_brand().pk}))
    before = everything_stored()
    for brand_id, caller in ((archived.pk, CALLER), (foreign.pk, limited), (999_999, CALLER)):
        with pytest.raises(BrandNotFoundError):
            edit_brand(brand_id, {"is_enabled": False}, caller=caller, now=LATER)
    assert everything_stored() == before


# --- Another time zone (C12) -------------------------------------------------------------------


def test_a_new_zone_waits_for_midnight_and_the_running_totals_get_their_new_ends_c12() -> None:
    brand = make_brand(time_zone="Europe/Berlin", daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    add(campaign, "10")
    edit_brand(brand.pk, {"time_zone": "America/New_York"}, caller=CALLER, now=LATER)
    stored = Brand.objects.get(pk=brand.pk)
    assert (stored.time_zone, stored.previous_time_zone) == ("America/New_York", "Europe/Berlin")
    assert stored.time_zone_changes_at == utc("2026-06-10T22:00")
    day_ends_at, month_ends_at = utc("2026-06-11T04:00"), utc("2026-07-01T04:00")
    for totals in (BrandTotal.objects, CampaignTotal.objects):
        day, month = (totals.get(period=period) for period in ("day", "month"))
        assert (day.starts_at, day.ends_at) == (utc("2026-06-09T22:00"), day_ends_at)
        assert (month.starts_at, month.ends_at) == (utc("2026-05-31T22:00"), month_ends_at)
    assert fresh(campaign).next_change_at == day_ends_at


def test_nothing_is_counted_in_another_period_when_the_zone_changes_c12() -> None:
    brand = make_brand(time_zone="Europe/Berlin", daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    report(campaign, "1", occurred_at=NOON - 24 * HOUR)
    add(campaign, "4")
    edit_brand(brand.pk, {"time_zone": "America/New_York"}, caller=CALLER, now=LATER)
    # Berlin's midnight has passed, New York's has not: it is still the tenth.
    add(campaign, "6", now=utc("2026-06-11T03:59:59"))
    assert spent(brand) == 10
    assert code_of(add(campaign, "1", now=utc("2026-06-11T03:59:59"))) == "campaign_not_active"
    assert code_of(add(campaign, "10", now=utc("2026-06-11T04:00"))) is None
    assert [spent(brand, starts_on=date(2026, 6, day)) for day in (9, 10, 11)] == [1, 10, 10]
    assert spent(brand, PeriodKind.MONTH, date(2026, 6, 1)) == 21
    assert BrandTotal.objects.filter(period="day").count() == 3
    ended = BrandTotal.objects.get(period="day", starts_on=date(2026, 6, 9))
    assert (ended.starts_at, ended.ends_at) == (utc("2026-06-08T22:00"), utc("2026-06-09T22:00"))


def test_the_bounds_of_all_totals_still_tile_time_after_a_change_of_zone_c12() -> None:
    brand = make_brand(time_zone="America/New_York")
    campaign = make_campaign(brand)
    for hours in (-24, 0):
        report(campaign, "1", occurred_at=NOON + hours * HOUR)
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=LATER)
    for hours in (12, 24, 36, 48):
        add(campaign, "1", now=NOON + hours * HOUR)
    days = list(BrandTotal.objects.filter(period="day").order_by("starts_at"))
    assert len(days) >= 4
    for day, following in pairwise(days):
        assert day.starts_at < day.ends_at == following.starts_at
        assert day.starts_on < following.starts_on


def test_a_change_of_zone_that_is_taken_back_restores_the_bounds_c12() -> None:
    brand = make_brand()
    add(make_campaign(brand, daily_budget=Decimal(5)), "5")
    before = settled()
    edit_brand(brand.pk, {"time_zone": "America/New_York"}, caller=CALLER, now=LATER)
    assert settled() != before
    edit_brand(brand.pk, {"time_zone": "UTC"}, caller=CALLER, now=LATER)
    assert settled() == before


def test_a_second_change_within_the_stretched_day_is_refused_c12() -> None:
    brand = make_brand(time_zone="Europe/Berlin")
    edit_brand(brand.pk, {"time_zone": "America/New_York"}, caller=CALLER, now=NOON)
    before = everything_stored()
    with pytest.raises(TimeZoneChangeTooSoonError, match="change it again from"):
        edit_brand(brand.pk, {"time_zone": "UTC"}, caller=CALLER, now=utc("2026-06-10T23:00"))
    assert everything_stored() == before


def test_late_spend_counts_in_the_zone_that_was_in_effect_then_c11_c12() -> None:
    brand = make_brand(time_zone="UTC")
    campaign = make_campaign(brand)
    occurred_at = NOON + timedelta(hours=8)  # still the tenth in UTC, the eleventh in Tokyo
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON)
    two_days_later = NOON + timedelta(days=2)
    report(campaign, "1", occurred_at=occurred_at, now=two_days_later)
    assert spent(brand, starts_on=TODAY) == 1


def test_late_spend_counts_in_its_own_day_after_two_changes_of_zone_c11_c12() -> None:
    brand = make_brand(time_zone="UTC")
    campaign = make_campaign(brand)
    occurred_at = NOON + timedelta(hours=8)  # still the tenth in UTC, the eleventh in Tokyo
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=occurred_at)
    changes: BrandChanges = {"time_zone": "America/Lima"}
    changed_at = utc("2026-06-11T00:00")
    just_too_soon = changed_at + timedelta(hours=72) - timedelta(seconds=1)
    with pytest.raises(TimeZoneChangeTooSoonError, match="2026-06-14T00:00:00Z"):
        edit_brand(brand.pk, changes, caller=CALLER, now=just_too_soon)
    report(campaign, "1", occurred_at=occurred_at, now=occurred_at + timedelta(hours=72))
    assert spent(brand, starts_on=TODAY) == 1
    edited = edit_brand(brand.pk, changes, caller=CALLER, now=changed_at + timedelta(hours=72))
    assert edited.previous_time_zone == "Asia/Tokyo"


def test_a_zone_does_not_change_under_spend_of_the_next_day_c12() -> None:
    brand = make_brand(time_zone="Europe/Berlin")
    campaign = make_campaign(brand)
    just_before = utc("2026-06-10T21:57")  # three minutes to midnight in Berlin
    report(campaign, "1", occurred_at=just_before + timedelta(minutes=4), now=just_before)
    changes: BrandChanges = {"time_zone": "America/New_York"}
    with pytest.raises(TimeZoneChangeTooSoonError, match="next budget day"):
        edit_brand(brand.pk, changes, caller=CALLER, now=just_before)
    edited = edit_brand(brand.pk, changes, caller=CALLER, now=just_before + timedelta(hours=1))
    assert edited.previous_time_zone == "Europe/Berlin"


def test_a_change_to_come_is_not_taken_back_under_spend_of_the_next_day_c12() -> None:
    brand = make_brand(time_zone="UTC")
    campaign = make_campaign(brand)
    just_before = utc("2026-06-10T23:58")
    edit_brand(brand.pk, {"time_zone": "America/New_York"}, caller=CALLER, now=just_before)
    # Still the tenth, which goes on until midnight in New York; in UTC it would be the eleventh.
    report(campaign, "1", occurred_at=just_before + timedelta(minutes=4), now=just_before)
    assert spent(brand, starts_on=TODAY) == 1
    before = everything_stored()
    with pytest.raises(TimeZoneChangeTooSoonError, match="next budget day"):
        edit_brand(brand.pk, {"time_zone": "UTC"}, caller=CALLER, now=just_before)
    assert everything_stored() == before


def test_a_second_move_leaves_the_start_of_the_running_month_alone_c12() -> None:
    brand = make_brand(time_zone="America/New_York", now=utc("2026-05-20T12:00"))
    campaign = make_campaign(brand, now=utc("2026-05-20T12:00"))
    first_of_june = utc("2026-06-01T12:00")
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=first_of_june)
    report(campaign, "1", now=first_of_june)
    edit_brand(brand.pk, {"time_zone": "Europe/Berlin"}, caller=CALLER, now=NOON)
    month = BrandTotal.objects.get(brand=brand, period=PeriodKind.MONTH)
    assert month.starts_at == utc("2026-06-01T04:00")
    assert month.ends_at == utc("2026-06-30T22:00")
