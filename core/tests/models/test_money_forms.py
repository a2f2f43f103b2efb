"""A form reads an amount as the API does and knows when nothing was changed (C1)."""

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core import serializers
from django.core.exceptions import ValidationError
from django.forms import modelform_factory

from core.models import Brand, BrandTotal
from core.models.fields import MoneyFormField

pytestmark = pytest.mark.django_db

BudgetForm = modelform_factory(Brand, fields=["daily_budget", "monthly_budget"])


def form(**data: str) -> forms.ModelForm[Brand]:
    stored = Brand(daily_budget=Decimal("12.500000"), monthly_budget=None)
    return BudgetForm(data, instance=stored)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.50", Decimal("12.5")),
        (" 0.00032 ", Decimal("0.00032")),
        ("0", Decimal(0)),
        ("999999999999.999999", Decimal("999999999999.999999")),
        ("", None),
        ("   ", None),
    ],
)
def test_a_form_reads_an_amount_exactly_and_empty_as_no_ceiling_c3(
    text: str, amount: Decimal | None
) -> None:
    filled = form(daily_budget=text)
    assert filled.is_valid()
    assert filled.cleaned_data["daily_budget"] == amount


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0.0000001", "at most six"),
        ("1e2", "exponent"),
        ("-1", "sign"),
        ("1,50", "not an amount"),
        ("NaN", "finite"),
        ("1_000", "underscore"),
        ("\u0661", "ASCII"),
        ("1234567890123", "twelve"),
    ],
)
def test_a_form_refuses_what_the_api_refuses_and_says_why(text: str, problem: str) -> None:
    filled = form(daily_budget=text)
    assert not filled.is_valid()
    (said,) = filled.errors["daily_budget"]
    assert problem in said
    assert "daily_budget" not in filled.cleaned_data


def test_a_form_shows_an_amount_as_the_api_does() -> None:
    unbound = BudgetForm(instance=Brand(daily_budget=Decimal("12.500000"), monthly_budget=None))
    assert 'value="12.50"' in str(unbound["daily_budget"])
    assert "value=" not in str(unbound["monthly_budget"])


@pytest.mark.parametrize(
    ("text", "has_changed"),
    [
        ("12.50", False),
        ("12.5", False),
        ("012.500000", False),
        ("12.51", True),
        ("", True),
        ("nonsense", True),
    ],
)
def test_the_same_amount_in_other_words_is_no_change_e3(text: str, has_changed: bool) -> None:
    assert ("daily_budget" in form(daily_budget=text).changed_data) is has_changed


@pytest.mark.parametrize(
    ("text", "has_changed"), [("", False), ("  ", False), ("0", True), ("1", True)]
)
def test_no_budget_and_a_budget_of_zero_are_different_c3(text: str, has_changed: bool) -> None:
    assert ("monthly_budget" in form(monthly_budget=text).changed_data) is has_changed


def test_a_required_amount_must_be_there() -> None:
    field = MoneyFormField()
    with pytest.raises(ValidationError, match="required"):
        field.clean("")
    assert field.clean("0") == Decimal(0)
    assert field.has_changed(Decimal(0), "0") is False
    assert field.has_changed(Decimal(0), "") is True
    assert field.has_changed(Decimal("1E+2"), "100") is False


def test_zero_is_shown_as_an_amount_and_not_as_empty() -> None:
    unbound = BudgetForm(instance=Brand(daily_budget=Decimal(0)))
    assert 'value="0.00"' in str(unbound["daily_budget"])


@pytest.mark.parametrize("value", ["0.0000001", 0.1234567, "abc"])
def test_the_column_itself_refuses_what_is_no_amount(value: Any) -> None:
    column = Brand._meta.get_field("daily_budget")
    with pytest.raises(ValidationError):
        column.to_python(value)


@pytest.mark.parametrize(
    "amount", [Decimal(0), Decimal("0.000001"), Decimal("999999999999.999999")]
)
def test_a_fixture_keeps_amounts_exactly(amount: Decimal) -> None:
    text = serializers.serialize("json", [BrandTotal(spent=amount, held=Decimal("0.1"))])
    (read_back,) = serializers.deserialize("json", text)
    assert isinstance(read_back.object, BrandTotal)
    assert (read_back.object.spent, read_back.object.held) == (amount, Decimal("0.1"))
