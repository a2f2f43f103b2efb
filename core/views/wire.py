"""The types of which documents are made: text in its one form, words from a list.

They say nothing at run time. The OpenAPI document is generated from them, and the tests hold every
answer to it.
"""

from enum import StrEnum
from typing import Annotated, Any, NotRequired

from pydantic import Field, GetJsonSchemaHandler, TypeAdapter, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from core.enums import Cause, HoldState, Reason, SpendKind

INSTANT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$"


def one_of(words: type[StrEnum]) -> WithJsonSchema:
    """A string that is one of these words."""
    return WithJsonSchema({"type": "string", "enum": [word.value for word in words]})


class ShownAs:
    """Says what a value looks like that isn't checked as a whole."""

    def __init__(self, shown: Any) -> None:
        self._shown = TypeAdapter[Any](shown).core_schema

    def __get_pydantic_json_schema__(
        self, _read: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of what is shown."""
        return handler(self._shown)


MoneyText = Annotated[str, Field(pattern=r"^[0-9]{1,13}\.[0-9]{2,6}$")]
# A refund's entry is negative, so that a period's total is the plain sum of its entries.
SignedMoneyText = Annotated[str, Field(pattern=r"^-?[0-9]{1,13}\.[0-9]{2,6}$")]
InstantText = Annotated[
    str, Field(pattern=INSTANT_PATTERN, json_schema_extra={"format": "date-time"})
]
DateText = Annotated[str, Field(json_schema_extra={"format": "date"})]
ClockText = Annotated[str, Field(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
CurrencyText = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Count = Annotated[int, Field(ge=0)]
RowId = Annotated[int, Field(ge=1)]
# Taken as it is from `next` of the page before.
Cursor = Annotated[str, Field(min_length=1)]
ReasonWord = Annotated[str, one_of(Reason)]
SpendKindWord = Annotated[str, one_of(SpendKind)]
HoldStateWord = Annotated[str, one_of(HoldState)]
CauseWord = Annotated[str, one_of(Cause)]


class ObstacleDocument(TypedDict):
    """One reason why a campaign doesn't run now; the numbers are those of a budget."""

    code: ReasonWord
    message: str
    budget: NotRequired[MoneyText]
    spent: NotRequired[MoneyText]
    held: NotRequired[MoneyText]
    remaining: NotRequired[MoneyText]
    ends_at: InstantText | None
