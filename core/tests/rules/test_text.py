"""Names, event ids and currencies are kept as they are or refused, naming the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidFieldError
from core.rules.text import CURRENCIES, parse_currency, parse_event_id, parse_name

# Control characters and lone surrogates: no database keeps all of them alike (C30).
UNKEEPABLE = ["\x00", "\x07", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\ud800", "\udfff"]
keepable = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200)


@pytest.mark.parametrize("name", ["x", "Café Ünal 😀", "a  b", "x" * 200, "😀" * 200])
def test_a_name_is_any_text_of_1_to_200_characters(name: str) -> None:
    assert parse_name(name, "name") == name


def test_a_name_loses_its_outer_white_space_and_nothing_else() -> None:
    assert parse_name("  Summer  Sale \n", "name") == "Summer  Sale"


@pytest.mark.parametrize("name", ["", " ", "\u2003", "\n\t", "x" * 201, " " + "x" * 201])
def test_a_name_that_is_empty_or_longer_is_refused(name: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        parse_name(name, "name")
    assert list(refused.value.fields) == ["name"]


@pytest.mark.parametrize("character", UNKEEPABLE)
def test_what_no_database_keeps_alike_is_refused_c30(character: str) -> None:
    for parse in (parse_name, parse_event_id):
        with pytest.raises(InvalidFieldError, match="field: must not contain control characters"):
            parse(f"a{character}b", "field")


@given(keepable)
def test_an_event_id_is_taken_exactly_as_it_is_c21(text: str) -> None:
    assert parse_event_id(text, "event_id") == text


@pytest.mark.parametrize("text", ["", "x" * 201])
def test_an_event_id_has_1_to_200_characters_c21(text: str) -> None:
    with pytest.raises(InvalidFieldError, match="event_id: must"):
        parse_event_id(text, "event_id")


def test_an_event_id_keeps_its_spaces_so_that_two_ids_never_become_one_c21() -> None:
    assert parse_event_id(" a ", "event_id") == " a "
    assert parse_event_id("a", "event_id") != parse_event_id("A", "event_id")


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "XCG"])
def test_a_currency_is_an_iso_4217_code_c2(code: str) -> None:
    assert parse_currency(code, "currency") == code


@pytest.mark.parametrize("code", ["", "usd", "USDT", "US", " USD", "USD\n", "XAU", "ZZZ", "$"])
def test_anything_else_is_no_currency_c2(code: str) -> None:
    with pytest.raises(InvalidFieldError, match="currency: must be an ISO 4217 currency code"):
        parse_currency(code, "currency")


def test_the_currencies_are_three_capital_letters_each() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert len(CURRENCIES) > 150
