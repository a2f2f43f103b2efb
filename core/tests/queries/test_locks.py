"""Locking brands: what is found, what isn't there, and what somebody else holds."""

import pytest
from django.db import connection, transaction

from core.errors import BrandNotFoundError
from core.models import Brand
from core.queries.locks import lock_brand, lock_free_brands
from core.tests.builders import make_brand
from core.tests.holding import holding

pytestmark = pytest.mark.django_db


def test_the_locked_brand_is_the_one_that_is_stored() -> None:
    brand = make_brand(time_zone="Asia/Tokyo")
    stored = Brand.objects.filter(pk=brand.pk).values().get()
    with transaction.atomic():
        locked = lock_brand(brand.pk)
    assert {name: getattr(locked, name) for name in stored} == stored


@pytest.mark.parametrize("number", [0, 999_999, 2**63 - 1, 2**63, 10**30])
def test_a_number_that_no_brand_has_is_not_found(number: int) -> None:
    with pytest.raises(BrandNotFoundError), transaction.atomic():
        lock_brand(number)


def test_free_brands_are_those_that_are_stored_in_the_order_of_their_ids() -> None:
    brands = [make_brand(time_zone="Asia/Tokyo") for _ in range(3)]
    stored = list(Brand.objects.order_by("id").values())
    ids = [brand.pk for brand in brands]
    with transaction.atomic():
        locked = lock_free_brands([999_999, *ids[::-1]])
    assert [{name: getattr(brand, name) for name in stored[0]} for brand in locked] == stored
    with transaction.atomic():
        assert [brand.pk for brand in lock_free_brands(ids[1:2])] == ids[1:2]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there one lock is everybody's")
def test_a_brand_that_somebody_holds_is_left_out_at_once(own_database: str) -> None:
    mine, held, third = (make_brand().pk for _ in range(3))
    with holding(held), transaction.atomic():
        assert [brand.pk for brand in lock_free_brands([mine, held, third])] == [mine, third]
    with transaction.atomic():
        assert [brand.pk for brand in lock_free_brands([mine, held])] == [mine, held]
