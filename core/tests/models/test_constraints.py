"""Every named constraint refuses what its name says and nothing beside it, on both databases."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from core.enums import HoldState, Reason, SpendKind
from core.models import (
    ApiKey,
    Brand,
    BrandTotal,
    BrandVersion,
    Campaign,
    CampaignTotal,
    CampaignVersion,
    EventAnswer,
    Hold,
    Schedule,
    SpendLog,
)
from core.models.campaign import OWN_BUDGETS
from core.tests.builders import NOON, TODAY, make_brand, make_campaign

BELOW_ZERO, ZERO, ONE = Decimal("-0.000001"), Decimal(0), Decimal(1)
MICRO = -BELOW_ZERO
A_MICRO = timedelta(microseconds=1)
Rows = Callable[[], list[models.Model]]

pytestmark = pytest.mark.django_db


def brand(**columns: Any) -> Brand:
    return Brand(**{"name": "Acme", "created_at": NOON, **columns})


def campaign(owner: Brand | None = None, **columns: Any) -> Campaign:
    named = {"name": "Summer Sale", "created_at": NOON, **columns}
    return Campaign(brand=owner or make_brand(), **named)


def daypart(start: int = 0, end: int = 60, weekdays: int = 127) -> Schedule:
    hours = {"start_minute": start, "end_minute": end, "weekdays": weekdays}
    return Schedule(campaign=make_campaign(), **hours)


def spend(**columns: Any) -> SpendLog:
    owner = make_campaign()
    entry = {"kind": SpendKind.ADD, "amount": ONE, "over_budget": ZERO, "currency": "USD"}
    entry |= {"budget_day": TODAY, "occurred_at": NOON, "recorded_at": NOON, "source": "test"}
    return SpendLog(brand=owner.brand, campaign=owner, **{**entry, **columns})


def saved(row: models.Model) -> models.Model:
    row.save()
    return row


def refund(**columns: Any) -> SpendLog:
    of_spend = {"kind": SpendKind.REFUND, "refund_of": saved(spend()), "amount": -ONE}
    return spend(**{**of_spend, **columns})


def hold(**columns: Any) -> Hold:
    owner = make_campaign()
    taken = {"amount": ONE, "currency": "USD", "budget_day": TODAY, "held_at": NOON}
    taken |= {"expires_at": NOON + A_MICRO, "source": "test"}
    return Hold(brand=owner.brand, campaign=owner, **{**taken, **columns})


def api_key(**columns: Any) -> ApiKey:
    named = {"name": "client", "public_id": uuid4().hex[:12], "secret_hash": "g"}
    return ApiKey(**{**named, "created_at": NOON, **columns})


def total(owner: Brand | Campaign | None = None, **columns: Any) -> models.Model:
    period = {"period": "day", "starts_on": TODAY, "starts_at": NOON, "ends_at": NOON, **columns}
    if isinstance(owner, Brand):
        return BrandTotal(brand=owner, **period)
    return CampaignTotal(campaign=owner or make_campaign(), **period)


def answer(**columns: Any) -> EventAnswer:
    given = {"source": "test", "event_id": "a", "fingerprint": "f", "is_refusal": False}
    return EventAnswer(**{**given, "answer": {}, "recorded_at": NOON, **columns})


def two_campaigns(first: dict[str, Any], second: dict[str, Any]) -> list[models.Model]:
    owner = make_brand()
    return [campaign(owner, **first), campaign(owner, **second)]


def two_totals(owner: Brand | Campaign, **second: Any) -> list[models.Model]:
    return [total(owner), total(owner, **second)]


def version(owner: Brand | Campaign, number: int) -> models.Model:
    kept = {"number": number, "at": NOON, "settings": {}, "actor": "test"}
    if isinstance(owner, Brand):
        return BrandVersion(brand=owner, **kept)
    return CampaignVersion(campaign=owner, **kept)


ARCHIVED: dict[str, Any] = {"archived_at": NOON, "is_enabled": False}
PAUSED: dict[str, Any] = {"is_active": False, "reasons": (Reason.ENDED,)}
OVER: dict[str, Any] = {
    "kind": SpendKind.REPORT,
    "over_budget": ONE,
    "over_budget_cause": "brand_daily_budget",
}
YESTERDAY = date(2026, 6, 9)

Case = tuple[str, Rows, Rows]
OWNERS: dict[str, Callable[[], Brand | Campaign]] = {
    "brand": make_brand,
    "campaign": make_campaign,
}


def budget_case(budget: str) -> Case:
    def rows(*amounts: Decimal | None) -> list[models.Model]:
        budgets: list[dict[str, Any]] = [{budget: amount} for amount in amounts]
        return [campaign(**columns) for columns in budgets]

    name = f"campaign_{budget}_is_not_negative"
    return name, lambda: rows(BELOW_ZERO), lambda: rows(ZERO, None)


def total_case(owner: str, column: str) -> Case:
    def rows(amount: Decimal) -> list[models.Model]:
        columns: dict[str, Any] = {column: amount}
        return [total(OWNERS[owner](), **columns)]

    return f"{owner}_total_is_not_negative", lambda: rows(BELOW_ZERO), lambda: rows(ZERO)


# Per constraint: rows of which the last is refused, and rows at the edge that are all kept.
CASES: list[Case] = [
    (
        "brand_name_is_unique",
        lambda: [brand(), brand()],
        lambda: [brand(**ARCHIVED), brand(**ARCHIVED), brand(), brand(name="acme")],
    ),
    (
        "brand_daily_budget_is_not_negative",
        lambda: [brand(daily_budget=BELOW_ZERO)],
        lambda: [brand(daily_budget=ZERO), brand(name="b", daily_budget=None)],
    ),
    (
        "brand_monthly_budget_is_not_negative",
        lambda: [brand(monthly_budget=BELOW_ZERO)],
        lambda: [brand(monthly_budget=ZERO), brand(name="b", monthly_budget=None)],
    ),
    (
        "brand_time_zone_change_is_whole",
        lambda: [brand(previous_time_zone="UTC")],
        lambda: [brand(previous_time_zone="UTC", time_zone_changes_at=NOON)],
    ),
    (
        "brand_time_zone_change_is_whole",
        lambda: [brand(time_zone_changes_at=NOON)],
        lambda: [brand()],
    ),
    (
        "brand_archived_is_disabled",
        lambda: [brand(archived_at=NOON)],
        lambda: [brand(**ARCHIVED), brand(is_enabled=False)],
    ),
    (
        "campaign_name_is_unique_in_brand",
        lambda: two_campaigns({}, {}),
        lambda: [*two_campaigns(ARCHIVED | PAUSED, {}), campaign()],
    ),
    (
        "campaign_flight_ends_after_start",
        lambda: [campaign(starts_at=NOON, ends_at=NOON)],
        lambda: [campaign(starts_at=NOON, ends_at=NOON + A_MICRO), campaign(ends_at=NOON)],
    ),
    *(budget_case(budget) for budget in OWN_BUDGETS),
    (
        "campaign_is_active_without_reasons",
        lambda: [campaign(is_active=True, reasons=(Reason.ENDED,))],
        lambda: [campaign(**PAUSED), campaign(is_active=True)],
    ),
    (
        "campaign_is_active_without_reasons",
        lambda: [campaign(is_active=False)],
        lambda: [campaign()],
    ),
    (
        "campaign_archived_is_disabled",
        lambda: [campaign(archived_at=NOON)],
        lambda: [campaign(**ARCHIVED), campaign(is_enabled=False)],
    ),
    (
        "schedule_has_weekdays",
        lambda: [daypart(weekdays=0)],
        lambda: [daypart(weekdays=1), daypart(weekdays=127)],
    ),
    ("schedule_has_weekdays", lambda: [daypart(weekdays=128)], lambda: [daypart(weekdays=64)]),
    (
        "schedule_start_is_a_minute_of_the_day",
        lambda: [daypart(start=1440)],
        lambda: [daypart(start=0), daypart(start=1439)],
    ),
    (
        "schedule_end_is_a_minute_of_the_day",
        lambda: [daypart(end=0)],
        lambda: [daypart(end=1), daypart(end=1440)],
    ),
    ("schedule_end_is_a_minute_of_the_day", lambda: [daypart(end=1441)], lambda: [daypart()]),
    (
        "spend_is_positive_or_a_refund",
        lambda: [spend(amount=ZERO)],
        lambda: [spend(amount=Decimal("0.000001")), refund(amount=BELOW_ZERO)],
    ),
    ("spend_is_positive_or_a_refund", lambda: [spend(amount=-ONE)], lambda: [spend()]),
    ("spend_is_positive_or_a_refund", lambda: [refund(amount=ONE)], lambda: [refund()]),
    ("spend_is_positive_or_a_refund", lambda: [refund(amount=ZERO)], lambda: [refund()]),
    ("spend_is_positive_or_a_refund", lambda: [refund(refund_of=None)], lambda: [refund()]),
    (
        "spend_is_positive_or_a_refund",
        lambda: [spend(refund_of=saved(spend()))],
        lambda: [spend()],
    ),
    (
        "spend_over_budget_is_a_report_with_a_cause",
        lambda: [spend(**{**OVER, "kind": SpendKind.ADD})],
        lambda: [spend(**OVER), spend(kind=SpendKind.REPORT)],
    ),
    (
        "spend_over_budget_is_a_report_with_a_cause",
        lambda: [spend(**{**OVER, "over_budget_cause": ""})],
        lambda: [spend(**OVER)],
    ),
    (
        "spend_over_budget_is_a_report_with_a_cause",
        lambda: [spend(**{**OVER, "over_budget": ZERO})],
        lambda: [spend(**OVER)],
    ),
    (
        "spend_over_budget_is_a_report_with_a_cause",
        lambda: [spend(**{**OVER, "over_budget": BELOW_ZERO})],
        lambda: [spend(**OVER)],
    ),
    (
        "brand_total_is_one_per_period",
        lambda: two_totals(make_brand()),
        lambda: [
            *two_totals(make_brand(), period="month"),
            *two_totals(make_brand(), starts_on=YESTERDAY),
        ],
    ),
    (
        "campaign_total_is_one_per_period",
        lambda: two_totals(make_campaign()),
        lambda: [
            *two_totals(make_campaign(), period="month"),
            *two_totals(make_campaign(), starts_on=YESTERDAY),
        ],
    ),
    *(total_case(owner, column) for owner in OWNERS for column in ("spent", "held")),
    ("hold_is_positive", lambda: [hold(amount=ZERO)], lambda: [hold(amount=MICRO)]),
    (
        "hold_expires_after_it_was_taken",
        lambda: [hold(expires_at=NOON)],
        lambda: [hold(expires_at=NOON + A_MICRO)],
    ),
    (
        "hold_is_open_until_it_ended",
        lambda: [hold(ended_at=NOON)],
        lambda: [hold(), hold(state=HoldState.RELEASED, ended_at=NOON)],
    ),
    (
        "hold_is_open_until_it_ended",
        lambda: [hold(state=HoldState.EXPIRED)],
        lambda: [hold(state=HoldState.EXPIRED, ended_at=NOON)],
    ),
    (
        "hold_captured_has_an_entry",
        lambda: [hold(state=HoldState.CAPTURED, ended_at=NOON)],
        lambda: [hold(state=HoldState.CAPTURED, ended_at=NOON, spend_log=saved(spend()))],
    ),
    (
        "hold_captured_has_an_entry",
        lambda: [hold(state=HoldState.RELEASED, ended_at=NOON, spend_log=saved(spend()))],
        lambda: [hold(state=HoldState.RELEASED, ended_at=NOON)],
    ),
    (
        "api_key_rotation_is_whole",
        lambda: [api_key(previous_secret_hash="h")],
        lambda: [api_key(previous_secret_hash="h", previous_secret_ends_at=NOON)],
    ),
    (
        "api_key_rotation_is_whole",
        lambda: [api_key(previous_secret_ends_at=NOON)],
        lambda: [api_key()],
    ),
    (
        "event_id_is_unique_per_source",
        lambda: [answer(), answer(fingerprint="g")],
        lambda: [answer(), answer(source="other"), answer(event_id="b"), answer(event_id="A")],
    ),
    # The first is kept when the owner is made.
    *(
        (
            f"{owner}_version_is_one",
            lambda make=make: [version(make(), 1)],
            lambda make=make: [version(make(), 2), version(make(), 2), version(make(), 3)],
        )
        for owner, make in OWNERS.items()
    ),
]


def fields_of(name: str) -> list[str] | None:
    """The columns of a unique constraint; `None` for a check."""
    for model in apps.get_app_config("core").get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                is_unique = isinstance(constraint, models.UniqueConstraint)
                return list(constraint.fields) if is_unique else None  # type: ignore[attr-defined]
    raise LookupError(name)


@pytest.mark.parametrize(("name", "refused", "_kept"), CASES)
def test_the_constraint_refuses_what_its_name_says(name: str, refused: Rows, _kept: Rows) -> None:
    *before, last = refused()
    for row in before:
        row.save()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        last.save()
    said = str(refusal.value)
    fields = fields_of(name)
    if fields and connection.vendor == "sqlite":
        # SQLite names the columns of a unique index instead of the index.
        assert "UNIQUE constraint failed" in said
        assert all(field in said for field in fields)
    else:
        assert name in said


@pytest.mark.parametrize(("name", "_refused", "kept"), CASES)
def test_the_constraint_lets_the_edge_through(name: str, _refused: Rows, kept: Rows) -> None:
    for row in kept():
        row.save()
        assert row.pk, name


def test_every_constraint_is_in_the_table_and_the_other_way_round() -> None:
    named = {
        constraint.name
        for model in apps.get_app_config("core").get_models()
        for constraint in model._meta.constraints
    }
    assert {name for name, _, _ in CASES} == named


def test_what_has_spend_or_history_cannot_be_deleted_c24() -> None:
    entry = spend()
    entry.save()
    for owner in (entry.campaign, entry.brand):
        with pytest.raises(models.ProtectedError), transaction.atomic():
            owner.delete()
    assert SpendLog.objects.filter(pk=entry.pk).exists()
