"""The audit's own budget days are those of the product, which it doesn't import (C9, C12)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.audit.days import Zones
from core.rules.calendar import BrandCalendar, with_time_zone
from core.tests.depth import examples

# Clocks put back after midnight, by half an hour, by a whole day, and zones far apart.
ZONES = st.sampled_from(
    """UTC Europe/Berlin America/New_York America/St_Johns Australia/Lord_Howe Pacific/Apia
    Pacific/Kiritimati Pacific/Pago_Pago Asia/Beirut America/Havana""".split()
)
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)
MINUTES = st.integers(0, 16 * 366 * 1440)
LATER_MINUTES = st.integers(0, 5 * 1440)


def settings_of(calendar: BrandCalendar) -> dict[str, str | None]:
    moves_at = calendar.changes_at
    return {
        "time_zone": calendar.time_zone,
        "previous_time_zone": calendar.previous_time_zone,
        "time_zone_changes_at": moves_at.isoformat() if moves_at else None,
    }


@settings(max_examples=examples(300, deep=20_000))
@given(zone=ZONES, minutes=MINUTES)
def test_a_day_is_the_one_that_the_product_counts_in(zone: str, minutes: int) -> None:
    zones, calendar = Zones(), BrandCalendar(zone)
    zones.learn(settings_of(calendar), BEGINNING)
    at = BEGINNING + timedelta(minutes=minutes)
    assert zones.day(at) == calendar.budget_day(at).starts_on


@settings(max_examples=examples(300, deep=20_000))
@given(zone=ZONES, new_zone=ZONES, minutes=MINUTES, later=LATER_MINUTES)
def test_so_it_is_around_a_move_to_another_zone(
    zone: str, new_zone: str, minutes: int, later: int
) -> None:
    zones, calendar = Zones(), BrandCalendar(zone)
    zones.learn(settings_of(calendar), BEGINNING)
    moved = BEGINNING + timedelta(minutes=minutes)
    calendar = with_time_zone(calendar, new_zone, moved)
    zones.learn(settings_of(calendar), moved)
    at = moved + timedelta(minutes=later)
    assert zones.day(at) == calendar.budget_day(at).starts_on


def test_a_move_that_was_called_off_never_happened() -> None:
    zones, calendar = Zones(), BrandCalendar("Europe/Berlin")
    zones.learn(settings_of(calendar), BEGINNING)
    moved = with_time_zone(calendar, "Pacific/Pago_Pago", BEGINNING)
    zones.learn(settings_of(moved), BEGINNING)
    zones.learn(settings_of(with_time_zone(moved, "Europe/Berlin", BEGINNING)), BEGINNING)
    assert zones.zone_at(BEGINNING + timedelta(days=3)) == "Europe/Berlin"


@pytest.mark.parametrize("hour", [0, 23])
def test_the_local_clock_is_that_of_the_zone(hour: int) -> None:
    zones = Zones()
    zones.learn(settings_of(BrandCalendar("Europe/Berlin")), BEGINNING)
    at = BEGINNING + timedelta(hours=hour)
    assert zones.local(at).hour == (hour + 1) % 24
