"""Money is exact, and whatever can't be read exactly is refused by name (C1)."""

import sys
import time
import unicodedata
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidFieldError
from core.rules.money import MICROS_PER_UNIT, format_money, from_micros, parse_money, to_micros

LARGEST_MICROS = 9_223_372_036_854_775_807
A_MOMENT = 0.5  # seconds; every case below takes well under a millisecond

column_micros = st.integers(-LARGEST_MICROS, LARGEST_MICROS)
wire_micros = st.integers(0, 10**18 - 1)
digits = st.text("0123456789", min_size=1, max_size=12)
decimals = st.text("0123456789", min_size=1, max_size=6)

# F1 to F3 of the failure scenarios, each with a word of the sentence that refuses it.
REFUSED = [
    ("", "empty"),
    ("NaN", "finite"),
    ("nan", "finite"),
    ("sNaN", "finite"),
    ("Infinity", "finite"),
    ("inf", "finite"),
    ("-Infinity", "sign"),
    ("1e400", "exponent"),
    ("1E+999999999", "exponent"),
    ("1e-7", "exponent"),
    ("1.5E2", "exponent"),
    ("0e0", "exponent"),
    ("9" * 5_000, "large"),
    ("9" * 1_000_000, "large"),
    ("1234567890123", "large"),
    ("0000000000001", "large"),
    ("0.0000001", "decimals"),
    ("0.0000000", "decimals"),
    ("1." + "0" * 1_000_000, "decimals"),
    ("\uff11\uff12", "ASCII"),
    ("\u0661\u0662", "ASCII"),
    ("1\u0662", "ASCII"),
    ("1\uff0e5", "ASCII"),
    ("\u00b2", "ASCII"),
    ("\ud800", "ASCII"),
    ("1_000", "underscore"),
    (" 5 ", "white space"),
    ("5 ", "white space"),
    ("\u00a05", "ASCII"),
    ("12\n", "white space"),
    ("\n12", "white space"),
    ("12\r\n", "white space"),
    ("+5", "sign"),
    ("-5", "sign"),
    ("-0", "sign"),
    ("--5", "sign"),
    (".5", "not an amount"),
    ("5.", "not an amount"),
    (".", "not an amount"),
    ("1.2.3", "not an amount"),
    ("1,5", "not an amount"),
    ("1,000.00", "not an amount"),
    ("0x10", "not an amount"),
    ("1\x00", "not an amount"),
    ("$5", "not an amount"),
    ("5-", "not an amount"),
    ("twelve", "not an amount"),
    ("True", "not an amount"),
]


@pytest.mark.parametrize(
    ("literal", "telling"), REFUSED, ids=[ascii(literal)[:24] for literal, _ in REFUSED]
)
def test_what_is_not_a_plain_amount_is_refused_at_once_and_says_why(
    literal: str, telling: str
) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidFieldError) as refusal:
        parse_money(literal, "daily_budget")
    assert time.perf_counter() - started < A_MOMENT
    assert refusal.value.field == "daily_budget"
    assert telling in refusal.value.problem
    assert len(refusal.value.problem) < 120


@pytest.mark.parametrize(
    ("literal", "micros"),
    [
        ("0", 0),
        ("0.00", 0),
        ("50", 50_000_000),
        ("50.00", 50_000_000),
        ("0.00032", 320),
        ("0.000001", 1),
        ("007", 7_000_000),
        ("000000000000.000000", 0),
        ("999999999999.999999", 999_999_999_999_999_999),
    ],
)
def test_a_plain_amount_is_read_exactly(literal: str, micros: int) -> None:
    amount = parse_money(literal, "amount")
    assert isinstance(amount, Decimal)
    assert amount * MICROS_PER_UNIT == micros
    assert to_micros(amount) == micros


@given(digits, st.one_of(st.none(), decimals))
def test_every_amount_of_the_right_form_is_accepted(whole: str, fraction: str | None) -> None:
    amount = parse_money(whole if fraction is None else f"{whole}.{fraction}", "amount")
    assert to_micros(amount) == int(whole) * MICROS_PER_UNIT + int((fraction or "").ljust(6, "0"))


@given(
    st.one_of(
        st.text(max_size=24),
        st.text("0123456789.", max_size=24),
        st.text("0123456789.eE+-_ \n\u0661\uff11", max_size=24),
        st.from_regex(r"\d{1,13}(\.\d{1,7})?", fullmatch=True),
        st.from_regex(r"\A[0-9]{11,14}(\.[0-9]{5,8})?\Z"),
    )
)
def test_exactly_the_plain_amounts_are_accepted(literal: str) -> None:
    whole, point, fraction = literal.partition(".")
    is_plain = (
        set(whole + fraction) <= set("0123456789")
        and 1 <= len(whole) <= 12
        and (1 <= len(fraction) <= 6 if point else True)
    )
    try:
        parse_money(literal, "amount")
    except InvalidFieldError:
        assert not is_plain
    else:
        assert is_plain


def test_no_digit_of_another_script_is_accepted() -> None:
    others = [
        chr(code)
        for code in range(0x80, sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Nd", "Nl", "No")
    ]
    assert len(others) > 1_000
    for digit in others:
        for literal in (digit, f"1{digit}", f"1.{digit}"):
            with pytest.raises(InvalidFieldError):
                parse_money(literal, "amount")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("50", "50.00"),
        ("50.000000", "50.00"),
        ("5E+1", "50.00"),
        ("0.00032", "0.00032"),
        ("0.1", "0.10"),
        ("0.000001", "0.000001"),
        ("1.100000", "1.10"),
        ("1.101", "1.101"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("0E+20", "0.00"),
        ("-0.000001", "-0.000001"),
        ("-50", "-50.00"),
        ("9223372036854.775807", "9223372036854.775807"),
        ("-9223372036854.775808", "-9223372036854.775808"),
    ],
)
def test_an_amount_is_shown_with_two_to_six_decimals(amount: str, text: str) -> None:
    assert format_money(Decimal(amount)) == text


@given(wire_micros)
def test_what_is_shown_reads_back_as_the_same_amount(micros: int) -> None:
    text = format_money(from_micros(micros))
    assert parse_money(text, "amount") == from_micros(micros)
    assert 2 <= len(text.partition(".")[2]) <= 6


@given(column_micros)
def test_every_stored_amount_survives_the_way_out_and_back(micros: int) -> None:
    amount = from_micros(micros)
    assert to_micros(amount) == micros
    assert to_micros(Decimal(format_money(amount))) == micros
    assert amount * MICROS_PER_UNIT == micros


@given(column_micros)
def test_stored_amounts_are_equal_and_hash_alike_whatever_made_them(micros: int) -> None:
    amount, other = from_micros(micros), Decimal(format_money(from_micros(micros)))
    assert amount == other
    assert hash(amount) == hash(other)
    assert str(amount) == str(from_micros(to_micros(other)))


@given(st.lists(column_micros, max_size=200))
def test_sums_of_stored_amounts_are_exact(parts: list[int]) -> None:
    total = sum((from_micros(part) for part in parts), Decimal(0))
    assert to_micros(total) == sum(parts)
    assert to_micros(Decimal(format_money(total))) == sum(parts)


@given(column_micros, st.integers(1, 10**9))
def test_a_fraction_of_a_micro_is_refused_and_never_rounded(micros: int, part: int) -> None:
    sign = "-" if micros < 0 else ""
    units, fraction = divmod(abs(micros), MICROS_PER_UNIT)
    tail = f"{part:010d}".rstrip("0")
    with pytest.raises(ValueError, match="whole number of micros"):
        to_micros(Decimal(f"{sign}{units}.{fraction:06d}{tail}"))


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+999999999", "1E-999999999", "9" * 5_000]
)
def test_numbers_that_are_no_money_are_refused_without_building_them(text: str) -> None:
    amount = Decimal(text)
    started = time.perf_counter()
    with pytest.raises(ValueError, match="This is not"):
        to_micros(amount)
    with pytest.raises(ValueError, match="This is not"):
        format_money(amount)
    assert time.perf_counter() - started < A_MOMENT


@pytest.mark.parametrize("text", ["0E-999999999", "0E+999999999", "1." + "0" * 10_000])
def test_a_strange_spelling_of_a_whole_number_of_micros_is_that_number(text: str) -> None:
    assert to_micros(Decimal(text)) == int(Decimal(text[:1])) * MICROS_PER_UNIT


def test_a_narrow_decimal_context_of_the_caller_changes_nothing() -> None:
    with localcontext(Context(prec=3)):
        amount = from_micros(LARGEST_MICROS)
        assert to_micros(amount) == LARGEST_MICROS
        assert format_money(amount) == "9223372036854.775807"
        assert to_micros(parse_money("999999999999.999999", "amount")) == 10**18 - 1
