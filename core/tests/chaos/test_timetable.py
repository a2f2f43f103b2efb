"""The timetable repeats with the seed and leaves no kind of fault out."""

import pytest

from chaos.timetable import CALM_AT_END, SECONDS, Fault, timetable


def test_the_same_seed_and_duration_give_the_same_timetable() -> None:
    assert timetable(7, 600) == timetable(7, 600)


def test_another_seed_gives_another_timetable() -> None:
    assert timetable(7, 600) != timetable(8, 600)


@pytest.mark.parametrize("seed", range(20))
def test_two_minutes_have_every_kind_of_fault(seed: int) -> None:
    assert {planned.fault for planned in timetable(seed, 120)} == set(Fault)


@pytest.mark.parametrize("seed", range(20))
def test_faults_come_in_order_and_all_is_over_before_the_calm_at_the_end(seed: int) -> None:
    planned = timetable(seed, 120)
    assert [each.at for each in planned] == sorted(each.at for each in planned)
    assert all(each.at + each.seconds <= 120 - CALM_AT_END for each in planned)


def test_what_lasts_has_its_time_and_what_is_over_at_once_has_none() -> None:
    for planned in timetable(3, 3_600):
        least, most = SECONDS.get(planned.fault, (0.0, 0.0))
        assert least <= planned.seconds <= most


def test_a_very_short_run_has_a_timetable_too() -> None:
    assert all(planned.at + planned.seconds <= 15 for planned in timetable(5, 15))
    assert timetable(5, 15)
