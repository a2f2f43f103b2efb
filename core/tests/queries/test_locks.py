"""Locking a brand: what is found, and what isn't there."""

import pytest
from django.db import transaction

from core.errors import BrandNotFoundError
from core.models import Brand
from core.queries.locks import lock_brand
from core.tests.builders import make_brand

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
