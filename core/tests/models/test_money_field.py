"""Money in the database is whole micros, exact in every expression on both vendors (C1, C30)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import DataError, connection, transaction
from django.db.models import Case, F, Func, Max, Min, Sum, When
from django.db.models.functions import Coalesce, Greatest, Least

from core.models import Brand, BrandTotal, money_value
from core.rules.money import from_micros
from core.tests.builders import NOON, TODAY, make_brand

SMALLEST, LARGEST = Decimal("0.000001"), Decimal("999999999999.999999")
TELLING = [Decimal(0), SMALLEST, Decimal("0.1"), Decimal("0.3"), Decimal("12.50"), LARGEST]

pytestmark = pytest.mark.django_db


def make_total(spent: Decimal, held: Decimal = Decimal(0), day: date = TODAY) -> BrandTotal:
    return BrandTotal.objects.create(
        brand=Brand.objects.first() or make_brand(),
        period="day",
        starts_on=day,
        starts_at=NOON,
        ends_at=NOON,
        spent=spent,
        held=held,
    )


def stored_micros(total: BrandTotal) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT spent FROM core_brandtotal WHERE id = %s", [total.pk])
        micros: int = cursor.fetchone()[0]
    return micros


def days(count: int) -> list[date]:
    return [date.fromordinal(TODAY.toordinal() + number) for number in range(count)]


@pytest.mark.parametrize("amount", TELLING)
def test_an_amount_is_stored_as_whole_micros_and_read_back_exactly(amount: Decimal) -> None:
    total = make_total(amount)
    assert stored_micros(total) == int(amount * 1_000_000)
    found = BrandTotal.objects.get(pk=total.pk).spent
    assert found == amount
    assert isinstance(found, Decimal)


def test_the_largest_64_bit_amount_fits() -> None:
    largest = from_micros(2**63 - 1)
    total = make_total(largest)
    assert BrandTotal.objects.get(pk=total.pk).spent == largest
    rows = BrandTotal.objects.filter(pk=total.pk)
    assert rows.filter(spent__gte=largest).exists()
    assert not rows.filter(spent__gt=largest).exists()


@pytest.mark.parametrize("amount", TELLING)
@pytest.mark.parametrize("more", [SMALLEST, Decimal("0.2")])
def test_adding_and_taking_in_the_database_is_exact(amount: Decimal, more: Decimal) -> None:
    total = make_total(amount, held=more)
    rows = BrandTotal.objects.filter(pk=total.pk)

    rows.update(spent=F("spent") + more)
    assert rows.get().spent == amount + more
    rows.update(spent=F("spent") - more)
    assert rows.get().spent == amount
    rows.update(spent=F("spent") + F("held"), held=F("held") - F("held"))
    assert (rows.get().spent, rows.get().held) == (amount + more, Decimal(0))
    rows.update(spent=more + F("spent") - money_value(more))
    assert rows.get().spent == amount + more


def test_a_bare_number_is_units_wherever_it_is_assigned_or_compared() -> None:
    total = make_total(Decimal("2.5"), held=Decimal(1))
    rows = BrandTotal.objects.filter(pk=total.pk)
    rows.update(spent=F("spent") + 1)
    assert rows.get().spent == Decimal("3.5")
    assert rows.filter(spent=F("held") + Decimal("2.5")).exists()
    assert rows.filter(spent__gt=F("held") + 2).exists()
    assert not rows.filter(spent__gt=F("held") + Decimal("2.5")).exists()
    assert rows.filter(spent__gte=3).exists()
    assert not rows.filter(spent__gte=4).exists()


@pytest.mark.parametrize("budget", [Decimal("0.3"), LARGEST])
def test_a_budget_compared_with_what_is_spent_is_exact_to_the_micro(budget: Decimal) -> None:
    brand = make_brand(daily_budget=budget)
    make_total(budget - SMALLEST, held=SMALLEST)
    rows = BrandTotal.objects.filter(brand=brand)
    assert rows.filter(brand__daily_budget__lte=F("spent") + F("held")).exists()
    assert not rows.filter(brand__daily_budget__lt=F("spent") + F("held")).exists()
    assert rows.filter(spent__lte=F("brand__daily_budget") - SMALLEST).exists()
    assert not rows.filter(spent__lte=F("brand__daily_budget") - SMALLEST - SMALLEST).exists()
    assert rows.filter(spent__lt=F("brand__daily_budget")).exists()


def test_lists_and_ranges_of_amounts_are_read_as_amounts() -> None:
    total = make_total(Decimal("2.5"), held=Decimal(1))
    rows = BrandTotal.objects.filter(pk=total.pk)
    assert rows.filter(spent__in=[Decimal("2.5"), Decimal(7)]).exists()
    assert rows.filter(spent__range=(Decimal(2), Decimal("2.5"))).exists()
    assert not rows.filter(spent__range=(Decimal("2.500001"), Decimal(3))).exists()


def test_sums_over_many_rows_are_exact() -> None:
    brand = make_brand()
    amounts = [TELLING[number % len(TELLING)] for number in range(24)]
    BrandTotal.objects.bulk_create(
        BrandTotal(
            brand=brand, period="day", starts_on=day, starts_at=NOON, ends_at=NOON, spent=amount
        )
        for day, amount in zip(days(24), amounts, strict=True)
    )
    totals = BrandTotal.objects.filter(brand=brand)
    found = totals.aggregate(
        used=Sum(F("spent") + F("held")), sum=Sum("spent"), most=Max("spent"), least=Min("spent")
    )
    assert found == {
        "used": sum(amounts),
        "sum": sum(amounts),
        "most": LARGEST,
        "least": Decimal(0),
    }
    assert Brand.objects.annotate(spent=Sum("totals__spent")).get().spent == sum(amounts)
    assert totals.filter(starts_on=date(1999, 1, 1)).aggregate(Sum("spent")) == {"spent__sum": None}


def test_a_thousand_tenths_are_a_hundred() -> None:
    brand = make_brand()
    tenth = Decimal("0.1")
    BrandTotal.objects.bulk_create(
        BrandTotal(
            brand=brand, period="day", starts_on=day, starts_at=NOON, ends_at=NOON, spent=tenth
        )
        for day in days(1_000)
    )
    assert BrandTotal.objects.aggregate(Sum("spent")) == {"spent__sum": Decimal(100)}


def test_many_rows_are_updated_exactly_at_once() -> None:
    totals = [make_total(Decimal(1), day=day) for day in days(len(TELLING))]
    for total, amount in zip(totals, TELLING, strict=True):
        total.spent = amount
    BrandTotal.objects.bulk_update(totals, ["spent"])
    assert [total.spent for total in BrandTotal.objects.order_by("starts_on")] == TELLING


def test_an_upsert_writes_amounts_exactly() -> None:
    total = make_total(Decimal(1))
    again = BrandTotal(
        brand=total.brand,
        period="day",
        starts_on=TODAY,
        starts_at=NOON,
        ends_at=NOON,
        spent=LARGEST,
        held=SMALLEST,
    )
    BrandTotal.objects.bulk_create(
        [again],
        update_conflicts=True,
        unique_fields=["brand", "period", "starts_on"],
        update_fields=["spent", "held"],
    )
    found = BrandTotal.objects.get()
    assert (found.pk, found.spent, found.held) == (total.pk, LARGEST, SMALLEST)


# --- What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [0.5, 1.0, "1.50", b"1", [1]])
def test_anything_but_decimals_and_whole_numbers_is_refused(amount: Any) -> None:
    with pytest.raises(TypeError, match="spent: money is Decimal"), transaction.atomic():
        make_total(amount)
    with pytest.raises(TypeError, match="money is Decimal"):
        BrandTotal.objects.update(spent=amount)
    with pytest.raises(TypeError, match="money is Decimal"):
        BrandTotal.objects.filter(spent=amount).exists()


@pytest.mark.parametrize("text", ["0.0000001", "NaN", "Infinity", "1e60", "-0.0000005"])
def test_an_amount_that_no_whole_micros_make_is_refused_and_never_rounded(text: str) -> None:
    refusal = "whole number of micros|not finite|far too large|not an exact amount"
    with pytest.raises(ValueError, match=refusal), transaction.atomic():
        make_total(Decimal(text))
    assert not BrandTotal.objects.exists()


@pytest.mark.parametrize(
    "expression",
    [F("spent") + Decimal("0.5"), F("spent") - 1, F("spent") * 2, F("spent") / F("held")],
)
def test_an_annotation_that_mixes_money_with_bare_numbers_fails_loudly(expression: Any) -> None:
    make_total(Decimal(5), held=Decimal(2))
    with pytest.raises(FieldError, match="Cannot infer type"):
        BrandTotal.objects.annotate(mixed=expression).get()
    with pytest.raises(FieldError, match="Cannot infer type"):
        BrandTotal.objects.aggregate(mixed=Sum(expression))


def test_an_annotation_of_money_and_money_is_money() -> None:
    make_total(Decimal(5), held=Decimal("0.5"))
    annotated = BrandTotal.objects.annotate(
        used=F("spent") + F("held"), left=F("spent") - money_value(SMALLEST)
    ).get()
    assert (annotated.used, annotated.left) == (Decimal("5.5"), Decimal("4.999999"))


@pytest.mark.parametrize("name", ["spent", "held"])
def test_an_amount_beyond_64_bits_is_refused_and_never_wrapped(name: str) -> None:
    total = make_total(Decimal(1))
    beyond = from_micros(2**63)
    with pytest.raises((OverflowError, DataError)), transaction.atomic():
        BrandTotal.objects.update(**{name: beyond})
    assert stored_micros(total) == 1_000_000


def test_a_case_that_mixes_money_with_bare_numbers_fails_loudly() -> None:
    total = make_total(Decimal(5))
    mixed = Case(When(pk__gt=0, then=Decimal("0.5")), default=F("spent"))
    with pytest.raises(FieldError, match="mixed types"), transaction.atomic():
        BrandTotal.objects.update(spent=mixed)
    assert stored_micros(total) == 5_000_000


@pytest.mark.parametrize(
    ("function", "micros"), [(Coalesce, 5_000_000), (Greatest, 7_500_000), (Least, 5_000_000)]
)
def test_a_bare_number_inside_a_function_is_an_amount(function: type[Func], micros: int) -> None:
    total = make_total(Decimal(5))
    BrandTotal.objects.update(spent=function(F("spent"), Decimal("7.5")))
    assert stored_micros(total) == micros
    beyond = Greatest(F("held"), Decimal("7.500001"))
    assert not BrandTotal.objects.filter(spent__gte=beyond).exists()
