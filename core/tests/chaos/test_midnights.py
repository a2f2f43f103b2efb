"""Midnights are found by Python's zones alone, and are live only with traffic on both sides."""

from datetime import UTC, datetime, timedelta

import pytest

from chaos.midnights import count_live, midnight_after, next_midnight
from chaos.scene import BEGIN, ZONES
from core.rules.calendar import BrandCalendar

MIDNIGHT = datetime(2030, 3, 31, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("zone", ZONES)
def test_a_midnight_is_where_the_product_begins_a_day(zone: str) -> None:
    instant = BEGIN
    for _ in range(12):
        instant = midnight_after(zone, instant)
        calendar = BrandCalendar(zone)
        assert calendar.budget_day(instant).starts_at == instant


def test_a_midnight_that_does_not_exist_is_the_first_instant_after_it() -> None:
    found = midnight_after("Asia/Beirut", datetime(2030, 3, 30, 12, tzinfo=UTC))
    assert found == datetime(2030, 3, 30, 22, tzinfo=UTC)


def test_the_next_midnight_is_the_nearest_and_belongs_to_all_whose_it_is() -> None:
    zones = {1: ("Asia/Tokyo",), 2: ("UTC",), 3: ("Africa/Abidjan", "Asia/Kathmandu")}
    at, brand_ids = next_midnight(zones, datetime(2030, 3, 30, 19, tzinfo=UTC))
    assert (at, brand_ids) == (datetime(2030, 3, 31, tzinfo=UTC), [2, 3])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({1: [MIDNIGHT - SECOND, MIDNIGHT + SECOND]}, (1, 1)),
        ({1: [MIDNIGHT - SECOND, MIDNIGHT], 2: [MIDNIGHT - SECOND, MIDNIGHT]}, (1, 2)),
        ({1: [MIDNIGHT - SECOND]}, (0, 0)),
        ({1: [MIDNIGHT + SECOND]}, (0, 0)),
        ({1: [MIDNIGHT - 60 * SECOND, MIDNIGHT + SECOND]}, (0, 0)),
        ({1: [MIDNIGHT - SECOND], 2: [MIDNIGHT + SECOND]}, (0, 0)),
        ({}, (0, 0)),
    ],
)
def test_a_midnight_is_live_with_answers_of_its_brand_on_both_sides(
    answers: dict[int, list[datetime]], expected: tuple[int, int]
) -> None:
    assert count_live([(MIDNIGHT, [1, 2])], answers) == expected
