"""Brands are found by who may see them, with what their running periods hold (C9, C29)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.brands import archive_brand, edit_brand
from core.actions.campaigns import archive_campaign
from core.errors import BrandNotFoundError
from core.models import Brand
from core.queries.brands import (
    BrandFilter,
    count_brands,
    get_brand,
    get_listed_brand,
    has_brand_name,
    has_brand_spent,
    list_brands,
)
from core.queries.locks import lock_brand
from core.tests.builders import CALLER, NOON, add, make_brand, make_campaign, report
from core.tests.rules.zones import DAY, SECOND, utc

pytestmark = pytest.mark.django_db


def archived() -> Brand:
    brand = make_brand()
    archive_brand(brand.pk, caller=CALLER, now=NOON)
    return brand


def test_a_brand_is_found_unless_it_is_archived_or_out_of_sight_c29() -> None:
    brand, gone = make_brand(), archived()
    for get in (get_brand, lambda *args: get_listed_brand(args[0], NOON, *args[1:])):
        assert get(brand.pk) == brand
        assert get(brand.pk, {brand.pk, 7}) == brand
        for wrong in ((gone.pk,), (brand.pk, set()), (brand.pk, {gone.pk}), (0,), (2**62,)):
            with pytest.raises(BrandNotFoundError):
                get(*wrong)


def test_a_lock_is_for_archived_brands_too_since_late_reports_still_come_c19() -> None:
    gone = archived()
    assert lock_brand(gone.pk) == gone
    with pytest.raises(BrandNotFoundError):
        lock_brand(2**62)


def test_a_list_shows_live_brands_in_sight_by_id_from_where_the_last_page_ended_c29() -> None:
    first, _, second, third = make_brand(), archived(), make_brand(), make_brand()
    assert listed() == [first, second, third]
    assert listed(after=(first.pk,)) == [second, third]
    assert listed(brand_ids={first.pk, third.pk}) == [first, third]
    assert listed(brand_ids=set()) == []
    assert [count_brands(seen) for seen in (None, {first.pk}, set())] == [3, 1, 0]


def listed(**chosen: Any) -> list[Brand]:
    return list(list_brands(NOON, BrandFilter(**chosen)))


def test_brands_are_chosen_by_switch_and_name_and_the_choices_narrow_each_other_c30() -> None:
    brands = make_brand(name="Ünal Café"), make_brand(name="Café", is_enabled=False), make_brand()
    assert listed(search="CAFÉ") == listed(search="café") == [*brands[:2]]
    assert listed(search="%") == listed(search=".") == [], "no wildcard is smuggled in"
    assert listed(is_enabled=True) == [brands[0], brands[2]]
    assert listed(is_enabled=False, search="café") == [brands[1]]
    assert listed(is_enabled=False, search="ünal") == []


def test_a_listed_brand_shows_what_its_running_day_and_month_hold_c9() -> None:
    brand = make_brand(time_zone="Asia/Tokyo")
    campaigns = [make_campaign(brand) for _ in range(3)]
    archive_campaign(campaigns[2].pk, caller=CALLER, now=NOON)
    report(campaigns[0], "1", occurred_at=NOON - DAY)
    add(campaigns[0], "2.5")
    add(campaigns[1], "0.000001")
    listed: Any = get_listed_brand(brand.pk, NOON)
    assert listed.campaigns_count == 2
    assert _spends(brand, NOON) == (Decimal("2.500001"), Decimal("3.500001"))
    assert _spends(brand, utc("2026-06-10T14:59:59")) == _spends(brand, NOON)
    assert _spends(brand, utc("2026-06-10T15:00")) == (None, Decimal("3.500001"))
    assert _spends(brand, utc("2026-06-30T15:00")) == (None, None)


def _spends(brand: Brand, now: datetime) -> tuple[Decimal | None, Decimal | None]:
    listed: Any = get_listed_brand(brand.pk, now)
    return listed.daily_spend, listed.monthly_spend


@pytest.mark.parametrize(
    ("now", "last_moment"),
    [
        (utc("2026-06-10T00:00"), utc("2026-06-11T11:00") - SECOND),
        (utc("2027-01-31T00:00"), utc("2027-02-01T11:00") - SECOND),
    ],
)
def test_the_longest_day_and_month_there_are_are_shown_until_their_last_moment_c12(
    now: datetime, last_moment: datetime
) -> None:
    brand = make_brand(time_zone="Pacific/Kiritimati", now=now)
    campaign = make_campaign(brand, now=now)
    add(campaign, "1", now=now)
    edit_brand(brand.pk, {"time_zone": "Pacific/Midway"}, caller=CALLER, now=now)
    assert _spends(brand, last_moment) == (Decimal(1), Decimal(1))
    assert _spends(brand, last_moment + SECOND)[0] is None


def test_a_day_that_has_not_begun_is_not_shown_yet_c11() -> None:
    brand = make_brand()
    campaign = make_campaign(brand)
    before_midnight = utc("2026-06-10T23:58")
    report(campaign, "4", now=before_midnight, occurred_at=utc("2026-06-11T00:02"))
    assert _spends(brand, before_midnight) == (None, Decimal(4))
    add(campaign, "1", now=before_midnight)
    assert _spends(brand, before_midnight) == (Decimal(1), Decimal(5))
    assert _spends(brand, utc("2026-06-11T00:00")) == (Decimal(4), Decimal(5))


def test_names_are_compared_as_they_are_and_archived_ones_are_free() -> None:
    brand, gone = make_brand(name="Acme"), archived()
    assert has_brand_name("Acme")
    assert not has_brand_name("Acme", besides=brand.pk)
    assert not has_brand_name("acme")
    assert not has_brand_name(gone.name)


def test_a_brand_has_spent_from_its_first_entry_on() -> None:
    brand = make_brand()
    campaign = make_campaign(brand)
    assert not has_brand_spent(brand)
    add(campaign, "0.000001")
    assert has_brand_spent(brand)
    assert not has_brand_spent(make_brand())


def test_a_list_is_one_query_however_many_brands_there_are() -> None:
    for _ in range(12):
        add(make_campaign(), "1")
    with CaptureQueriesContext(connection) as queries:
        assert len(listed()) == 12
    assert len(queries) == 1
