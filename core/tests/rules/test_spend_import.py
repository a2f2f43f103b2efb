"""A line of a file is read exactly, rounded only where asked, and keeps its id (C1, C9, C21)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rules.calendar import BrandCalendar
from core.rules.spend_import import (
    LineLayout,
    LineReader,
    RefusedLine,
    SpendLine,
    is_date_format,
    listed_amount,
    recorded_amount,
)

COLUMNS = {"campaign": "Campaign", "amount": "Spent", "date": "Date"}
BERLIN = BrandCalendar("Europe/Berlin")
LAYOUT = LineLayout(COLUMNS, BERLIN)

listed = st.from_regex(r"[0-9]{1,11}\.[0-9]{1,30}", fullmatch=True)


def cells(campaign: str = "916", amount: str = "1.50", day: str = "2026-11-20") -> dict[str, str]:
    return {"Campaign": campaign, "Spent": amount, "Date": day}


def read(row: dict[str, str], layout: LineLayout = LAYOUT) -> SpendLine | RefusedLine:
    return LineReader(layout).read(7, row)


def spend(row: dict[str, str], layout: LineLayout = LAYOUT) -> SpendLine:
    line = read(row, layout)
    assert isinstance(line, SpendLine)
    return line


def problem(row: dict[str, str], layout: LineLayout = LAYOUT) -> str:
    line = read(row, layout)
    assert isinstance(line, RefusedLine)
    return line.problem


def event_ids(rows: Iterable[dict[str, str]], layout: LineLayout = LAYOUT) -> list[str]:
    reader = LineReader(layout)
    lines = [reader.read(number, row) for number, row in enumerate(rows, 2)]
    return [line.event_id for line in lines if isinstance(line, SpendLine)]


def test_a_line_says_who_spent_how_much_and_on_which_budget_day() -> None:
    line = spend(cells(" 916 ", " 1.50 ", " 2026-11-20 "))

    assert (line.number, line.campaign, line.amount) == (7, "916", Decimal("1.50"))
    # Midnight in Berlin.
    assert line.occurred_at == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_a_day_whose_midnight_does_not_exist_starts_at_its_first_instant() -> None:
    layout = LineLayout(COLUMNS, BrandCalendar("America/Sao_Paulo"))

    assert spend(cells(day="2018-11-04"), layout).occurred_at == datetime(
        2018, 11, 4, 3, tzinfo=UTC
    )


def test_the_instant_of_a_line_goes_before_its_date() -> None:
    layout = LineLayout({**COLUMNS, "occurred_at": "At"}, BERLIN)

    at = spend({**cells(), "At": "2026-11-20T09:30:00+01:00"}, layout).occurred_at

    assert at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert spend({**cells(), "At": ""}, layout).occurred_at == spend(cells()).occurred_at


def test_an_instant_without_an_offset_is_refused() -> None:
    layout = LineLayout({**COLUMNS, "occurred_at": "At"}, BERLIN)

    assert "occurred_at: must be an instant with an offset" in problem(
        {**cells(), "At": "2026-11-20 09:30:00"}, layout
    )


def test_a_line_needs_an_instant_where_the_file_has_no_dates() -> None:
    columns = {"campaign": "Campaign", "amount": "Spent", "occurred_at": "At"}

    assert "occurred_at: must not be empty" in problem(
        {**cells(), "At": ""}, LineLayout(columns, BERLIN)
    )


def test_dates_are_read_in_the_form_that_the_operator_names() -> None:
    layout = LineLayout(COLUMNS, BERLIN, date_format="%d-%m-%Y")

    assert spend(cells(day="20-11-2026"), layout).occurred_at == spend(cells()).occurred_at
    assert 'date: is not a date of the form %d-%m-%Y: "2026-11-20"' in problem(cells(), layout)


@pytest.mark.parametrize("day", ["1969-12-31", "2200-01-01", "9999-12-31", "0001-01-01"])
def test_dates_for_which_the_calendar_does_not_vouch_are_refused(day: str) -> None:
    assert "date: must lie in the years 1970 to 2199" in problem(cells(day=day))


@pytest.mark.parametrize("form", ["%d-%m-%Y", "%m/%d/%y", "%Y%m%d", "%b %d, %Y", "%Y-%m-%d %H:%M"])
def test_a_date_format_holds_day_month_and_year(form: str) -> None:
    assert is_date_format(form)


@pytest.mark.parametrize("form", ["", "%Y", "%d-%m", "%H:%M", "%Q", "%", "dd-mm-yyyy", "\x00"])
def test_anything_else_is_no_date_format(form: str) -> None:
    assert not is_date_format(form)


def test_a_seventh_decimal_is_refused_with_what_to_do() -> None:
    line = read(cells(amount="1.820000023"))

    assert isinstance(line, RefusedLine)
    assert line.problem == (
        "amount: has more than six decimals: 1.820000023; pass --round-to 2 to round"
    )
    assert line.listed == Decimal("1.820000023")


def test_six_decimals_are_kept() -> None:
    assert spend(cells(amount="0.000001")).amount == Decimal("0.000001")


@pytest.mark.parametrize(
    ("amount", "round_to", "recorded"),
    [
        ("1.820000023", 2, "1.82"),
        ("639.9499981", 2, "639.95"),
        ("0.005", 2, "0.01"),
        ("0.015", 2, "0.02"),
        ("1.005", 2, "1.01"),  # A float would be 1.00499999999999989… and round down.
        ("2.5", 0, "3"),
        ("0.4999999999999999999999999999999999", 0, "0"),
        ("0.0000005", 6, "0.000001"),
        ("1.5", 2, "1.5"),
    ],
)
def test_amounts_are_rounded_half_up_on_their_text(
    amount: str, round_to: int, recorded: str
) -> None:
    assert recorded_amount(listed_amount(amount), round_to) == Decimal(recorded)


@given(listed, st.integers(0, 6))
def test_rounding_is_exact_and_moves_by_at_most_half_a_unit(text: str, round_to: int) -> None:
    exact = listed_amount(text)
    unit = Fraction(1, 10**round_to)

    recorded = recorded_amount(exact, round_to)

    assert Fraction(exact) == Fraction(text)
    difference = Fraction(recorded) - Fraction(text)
    assert -unit / 2 < difference <= unit / 2
    assert Fraction(recorded) % unit == 0


@pytest.mark.parametrize(
    ("amount", "word"),
    [
        ("", "empty"),
        ("-1.00", "sign"),
        ("1,50", "not an amount"),
        ("1.000,50", "not an amount"),
        ("$5", "not an amount"),
        ("1e-05", "exponent"),
        ("NaN", "finite"),
        ("1234567890123", "large"),
        ("1" * 100_000, "large"),
        ("0." + "0" * 101, "decimals"),
        ("999999999999.9999999", "large"),
        ("\u0661.5", "ASCII"),
    ],
)
def test_what_is_no_amount_is_refused_even_where_rounding_is_asked_for(
    amount: str, word: str
) -> None:
    line = read(cells(amount=amount), LineLayout(COLUMNS, BERLIN, round_to=2))

    assert isinstance(line, RefusedLine)
    assert line.problem.startswith("amount: ")
    assert word in line.problem


def test_a_line_that_rounds_to_nothing_has_not_spent() -> None:
    assert not spend(cells(amount="0.004"), LineLayout(COLUMNS, BERLIN, round_to=2)).has_spent
    assert not spend(cells(amount="0")).has_spent
    assert spend(cells(amount="0.000001")).has_spent


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "campaign: must not be empty"), ("a\x00b", "control"), ("x" * 201, "200")],
)
def test_a_campaign_has_to_have_a_name(name: str, said: str) -> None:
    assert said in problem(cells(campaign=name))


def test_an_event_id_of_the_file_is_taken_as_it_is() -> None:
    layout = LineLayout({**COLUMNS, "event_id": "ad_id"}, BERLIN)

    assert spend({**cells(), "ad_id": "708746"}, layout).event_id == "708746"
    assert "event_id: must not be empty" in problem({**cells(), "ad_id": ""}, layout)


def test_identical_lines_are_different_spends() -> None:
    first, second, third = event_ids([cells(), cells(), cells()])

    assert len({first, second, third}) == 3


@given(st.lists(st.sampled_from(["1", "2.5", "2.50", "3"]), max_size=8), st.randoms())
def test_the_same_lines_in_another_order_have_the_same_ids(
    amounts: list[str], chance: Random
) -> None:
    rows = [cells(amount=amount) for amount in amounts]
    shuffled = [*rows]
    chance.shuffle(shuffled)

    assert sorted(event_ids(rows)) == sorted(event_ids(shuffled))


def test_more_lines_leave_the_ids_of_the_others_alone() -> None:
    before = event_ids([cells(), cells(amount="2")])
    after = event_ids([cells(amount="9"), cells(amount="2"), cells(), cells()])

    assert set(before) < set(after)


@pytest.mark.parametrize("other", [{"campaign": "917"}, {"amount": "1.51"}, {"day": "2026-11-21"}])
def test_another_content_has_another_id(other: dict[str, str]) -> None:
    assert event_ids([cells()]) != event_ids([cells(**other)])


def test_rounding_differently_does_not_change_an_id() -> None:
    rows = [cells(amount="1.23456")]

    assert event_ids(rows) == event_ids(rows, LineLayout(COLUMNS, BERLIN, round_to=2))
