"""A row of the schedule is a daypart and nothing else (C13)."""

import pytest
from hypothesis import given

from core.models import Campaign, Schedule
from core.rules.dayparts import Daypart
from core.tests.rules.by_the_minute import FRI, MON, SUN, dayparts, window


@given(dayparts)
def test_a_daypart_comes_back_from_its_row(daypart: Daypart) -> None:
    row = Schedule.of(Campaign(), daypart)
    assert row.daypart == daypart
    assert 1 <= row.weekdays <= 127
    assert 0 <= row.start_minute < 1440
    assert 1 <= row.end_minute <= 1440


@pytest.mark.parametrize(
    ("daypart", "weekdays", "text"),
    [
        (window("09:00", "17:30", MON), 1, "09:00–17:30"),
        (window("22:00", "02:00", FRI, SUN), 16 + 64, "22:00–02:00"),
        (window("00:00", "24:00"), 127, "00:00–24:00"),
    ],
)
def test_weekdays_are_a_bit_set_from_monday_on(daypart: Daypart, weekdays: int, text: str) -> None:
    row = Schedule.of(Campaign(), daypart)
    assert row.weekdays == weekdays
    assert str(row) == text
