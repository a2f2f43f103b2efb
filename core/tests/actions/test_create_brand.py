"""A brand is created with budgets, currency and zone, under a name of its own."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Model

from core.actions.brands import archive_brand, create_brand
from core.actions.caller import Caller
from core.errors import KeyLimitedToBrandsError, NameTakenError
from core.models import Brand
from core.rules.calendar import BrandCalendar
from core.tests.builders import CALLER, NOON, everything_stored, make_brand

pytestmark = pytest.mark.django_db


def test_a_brand_is_by_default_enabled_in_dollars_in_utc_without_budgets_c2_c3_c9() -> None:
    brand = Brand.objects.get(pk=create_brand({"name": "Acme"}, caller=CALLER, now=NOON).pk)
    assert (brand.name, brand.currency, brand.time_zone) == ("Acme", "USD", "UTC")
    assert (brand.daily_budget, brand.monthly_budget) == (None, None)
    assert (brand.is_enabled, brand.archived_at, brand.created_at) == (True, None, NOON)
    assert brand.calendar == BrandCalendar("UTC")


def test_a_brand_keeps_what_it_is_created_with() -> None:
    brand = make_brand(
        name="Acme",
        daily_budget=Decimal("0.000001"),
        monthly_budget=Decimal(0),
        currency="EUR",
        time_zone="Asia/Tokyo",
        is_enabled=False,
    )
    stored = Brand.objects.get(pk=brand.pk)
    assert (stored.daily_budget, stored.monthly_budget) == (Decimal("0.000001"), Decimal(0))
    assert (stored.currency, stored.time_zone, stored.is_enabled) == ("EUR", "Asia/Tokyo", False)


def test_a_name_that_is_taken_is_refused_and_writes_nothing() -> None:
    make_brand(name="Acme")
    before = everything_stored()
    with pytest.raises(NameTakenError) as refused:
        make_brand(name="Acme")
    assert refused.value.code == "name_taken"
    assert list(refused.value.fields) == ["name"]
    assert everything_stored() == before


def test_the_name_of_an_archived_brand_is_free_again() -> None:
    first = make_brand(name="Acme")
    archive_brand(first.pk, caller=CALLER, now=NOON)
    assert make_brand(name="Acme").pk != first.pk


def test_who_loses_the_race_for_a_name_is_told_that_it_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def save(*_args: Any, **_options: Any) -> None:
        raise IntegrityError("brand_name_is_unique")

    monkeypatch.setattr(Model, "save", save)
    with pytest.raises(NameTakenError):
        make_brand(name="Acme")


def test_a_caller_limited_to_brands_cannot_create_another_c29() -> None:
    limited = Caller("test:limited", frozenset({make_brand().pk}))
    before = everything_stored()
    with pytest.raises(KeyLimitedToBrandsError):
        create_brand({"name": "Another"}, caller=limited, now=NOON)
    assert everything_stored() == before
