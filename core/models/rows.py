"""Rows of hand-written SQL as the models that the ORM would have made of them."""

import json
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

from core.models.fields import MoneyField
from core.models.sql import Row, read_instant
from core.rules.money import from_micros

Read = TypeVar("Read", bound=models.Model)
# What a driver gives otherwise than a field means it.
_CONVERSIONS: dict[type[models.Field[Any, Any]], Callable[[Any], Any]] = {
    MoneyField: from_micros,
    models.DateTimeField: read_instant,
    models.BooleanField: bool,
    models.JSONField: json.loads,
}


class RowReader(Generic[Read]):
    """Makes a model of each row that has its columns, named in `columns`, in this order."""

    def __init__(self, model: type[Read]) -> None:
        self._model = model
        fields = model._meta.concrete_fields
        self._names = [field.attname for field in fields]
        self.columns = ", ".join(self._names)
        self._conversions = [
            (place, convert)
            for place, field in enumerate(fields)
            if (convert := _CONVERSIONS.get(type(field)))
        ]

    def read(self, row: Row) -> Read:
        """The model, as if the ORM had fetched it."""
        values = list(row)
        for place, convert in self._conversions:
            if values[place] is not None:
                values[place] = convert(values[place])
        return self._model.from_db(DEFAULT_DB_ALIAS, self._names, values)
