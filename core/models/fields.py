"""Column types of our own: exact money, and a set of reason codes.

`MoneyField` is `Decimal` in Python and whole micros in a BIGINT column (C1), so that sums and
`F()` arithmetic are integer arithmetic on both databases.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import (
    Combinable,
    CombinedExpression,
    Value,
    register_combinable_fields,
)
from django.db.models.functions import Coalesce, Greatest, Least
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)
from django.db.models.sql.compiler import SQLCompiler

from core.enums import Reason
from core.errors import InvalidFieldError
from core.rules.money import format_money, from_micros, parse_money, to_micros


class MoneyFormField(forms.CharField):
    """A form's amount: reads exactly what the API reads and shows it the same way (C1)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        super().__init__(**{"empty_value": None, "strip": True, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return format_money(value) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text is None:
            return None
        try:
            return parse_money(text, "amount")
        except InvalidFieldError as refusal:
            raise ValidationError(refusal.problem) from refusal

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(
                self.to_python(initial and self.prepare_value(initial)) != self.to_python(data)
            )
        except ValidationError:
            return True


class MoneyField(models.Field[Any, Any]):
    """An amount of money: `Decimal` in Python, whole micros as BIGINT in the database (C1)."""

    description = "Money in whole micros"

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return parse_money(str(value), self.name)
        except InvalidFieldError as refusal:
            raise ValidationError(refusal.problem) from refusal

    def from_db_value(
        self, value: Any, _expression: object, _connection: BaseDatabaseWrapper
    ) -> Decimal | None:
        # PostgreSQL's SUM over BIGINT is NUMERIC, SQLite's is INTEGER: both are whole micros.
        return None if value is None else from_micros(int(value))

    def get_prep_value(self, value: Any) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal | int):
            raise TypeError(f"{self.name}: money is Decimal, not {type(value).__name__}")
        try:
            return to_micros(Decimal(value))
        except InvalidOperation as error:
            raise ValueError(f"{self.name}: {value} is not an exact amount") from error

    def get_placeholder(
        self, value: Any, _compiler: object, _connection: BaseDatabaseWrapper
    ) -> str:
        """Called for every assignment: `spent=F("spent") + Decimal("0.5")` means 0.5 units."""
        read_literals_as_money(value)
        return "%s"

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else format_money(value)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": MoneyFormField, **kwargs})


def money_value(amount: Decimal) -> Value:
    """A literal amount for a query expression, e.g. `F("spent") + money_value(amount)`."""
    return Value(amount, output_field=MoneyField())


def read_literals_as_money(expression: Any) -> None:
    """Give the bare numbers that an expression adds, subtracts or chooses the type of money.

    Django would hand `Decimal("0.5")` to the database as half a micro.
    """
    if isinstance(expression, CombinedExpression | Coalesce | Greatest | Least):
        # A factor stays a plain number.
        if getattr(expression, "connector", Combinable.ADD) in (Combinable.ADD, Combinable.SUB):
            for side in expression.get_source_expressions():
                read_literals_as_money(side)
    elif isinstance(expression, Value) and isinstance(expression.value, Decimal | int):
        expression.output_field = MoneyField()


class _MoneyComparison:
    """Compares money with an expression whose bare numbers are amounts, not micros."""

    rhs: Any

    def process_rhs(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        read_literals_as_money(self.rhs)
        return super().process_rhs(compiler, connection)  # type: ignore[misc]  # a mixin over Lookup


for _lookup in (Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual):
    MoneyField.register_lookup(type(f"Money{_lookup.__name__}", (_MoneyComparison, _lookup), {}))

# Money plus or minus money is money. Nothing else is declared, so that an annotation that mixes
# money with a bare number fails loudly instead of counting micros.
for _connector in (Combinable.ADD, Combinable.SUB):
    register_combinable_fields(MoneyField, _connector, MoneyField, MoneyField)


class ReasonsField(models.Field[Any, Any]):
    """A tuple of `Reason` codes, binding one first, stored as `,code,code,` (C14).

    `names_reason` filters by one of them.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 300, "default": (), "blank": True, **kwargs})

    def get_internal_type(self) -> str:
        return "CharField"

    def from_db_value(
        self, value: str | None, _expression: object, _connection: BaseDatabaseWrapper
    ) -> tuple[Reason, ...]:
        return self.to_python(value)

    def to_python(self, value: str | Iterable[Reason] | None) -> tuple[Reason, ...]:
        codes = value.strip(",").split(",") if isinstance(value, str) else (value or ())
        return tuple(Reason(code) for code in codes if code)

    def get_prep_value(self, value: str | Iterable[Reason] | None) -> str:
        if isinstance(value, str):
            return value
        return "".join(f",{code}" for code in value) + "," if value else ""


class CodePoints(models.Func):
    """Text that is compared code point by code point, as SQLite does by itself.

    PostgreSQL compares as its database was set up, often by a language that knows that `a` comes
    before `B`. SQLite has no such order, so the one that both have is asked for by name.
    """

    template = "%(expressions)s"
    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s) COLLATE "C"')


def names_reason(reason: str) -> models.Q:
    """Whether the stored reasons name this one, for campaigns and transitions.

    The commas around each code make this one condition alike on both databases (C30).
    """
    return models.Q(reasons__contains=f",{reason},")
