"""Turns bodies and query strings into typed values by the rules that everything else uses.

A body forbids unknown fields and a query unknown parameters, each named in the answer (C28).
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Annotated, Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.parser import Parser
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.errors import (
    BudgetManagerError,
    InvalidFieldError,
    InvalidInputError,
    MalformedBodyError,
)
from core.rules.calendar import parse_time_zone
from core.rules.instants import parse_date, parse_instant
from core.rules.money import MAX_DECIMALS, MAX_INTEGER_DIGITS, parse_money
from core.rules.text import (
    CURRENCIES,
    LONGEST_EVENT_ID,
    LONGEST_NAME,
    parse_currency,
    parse_event_id,
    parse_name,
)
from core.views.strict_json import LARGEST_BODY, NumberLiteral, read_json

JSON = "application/json"
# What one call of many entries may send; the settings let no body be larger.
LARGEST_BODIES = {"/api/spend/batch/": 1024 * 1024}
# As many digits as the JSON reader takes for an integer, and more than any sequence gets to.
LARGEST_ID = 10**18 - 1
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)


class BodyTooLargeError(BudgetManagerError):
    """More bytes than the call reads."""

    code = "body_too_large"


class UnsupportedMediaTypeError(BudgetManagerError):
    """Anything but JSON in UTF-8, sent as it is."""

    code = "unsupported_media_type"


class StrictParser(Parser):
    """Reads bodies as strict JSON; the media type and the size are checked first."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The body's JSON object. Raises a named refusal."""
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        if request.content_type != JSON or charset not in ("utf-8", "utf8"):
            raise UnsupportedMediaTypeError("Send the body as `Content-Type: application/json`")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaTypeError("Send the body without Content-Encoding")
        largest = LARGEST_BODIES.get(request.path_info, LARGEST_BODY)
        if len(request.body) > largest:
            raise BodyTooLargeError(f"The body has more than {largest} bytes")
        return read_json(request.body)


class Body(BaseModel):
    """A JSON object in which every field is known. No `Schema`: that costs three times as much."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent, `null` included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def by_rule(parse: Callable[[str, str], Any]) -> BeforeValidator:
    """A rule's parser `(text, field)` as a validator; what it raises names the field."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            raise PydanticCustomError("not_text", "must be a string")
        return _parsed(parse, value, info)

    return BeforeValidator(validate)


def _parsed(parse: Callable[[str, str], Any], text: str, info: ValidationInfo) -> Any:
    try:
        return parse(text, info.field_name or "value")
    except InvalidFieldError as refusal:
        raise PydanticCustomError("refused", "{problem}", {"problem": refusal.problem}) from refusal


def _money(value: Any, info: ValidationInfo) -> Any:
    match value:
        case NumberLiteral(text) | str(text):
            return _parsed(parse_money, text, info)
        case int() if not isinstance(value, bool):
            return _parsed(parse_money, str(value), info)
    raise PydanticCustomError("not_money", 'must be an amount such as "50.00"')


def _digits(text: str, field: str) -> int:
    """A whole number in a query string: ASCII digits and nothing else."""
    if not _DIGITS.fullmatch(text):
        raise InvalidFieldError(field, "must be a whole number in the digits 0-9")
    return int(text)


def _search(text: str, field: str) -> str:
    """What to look for in names, which any name could hold; nothing finds everything."""
    return parse_name(text, field) if text.strip() else ""


def _more_than_zero(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise PydanticCustomError("not_positive", "must be more than zero")
    return amount


def _text(pattern: str, **more: Any) -> WithJsonSchema:
    """What the OpenAPI document says of a string that a rule reads."""
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


def _money_schema(pattern: str, **least: int) -> WithJsonSchema:
    number = {"type": "number", **least, "exclusiveMaximum": 10**MAX_INTEGER_DIGITS}
    return WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": pattern}, number],
            "description": "An amount with at most six decimals, written without an exponent.",
        }
    )


_AMOUNT = rf"[0-9]{{1,{MAX_INTEGER_DIGITS}}}(\.[0-9]{{1,{MAX_DECIMALS}}})?"
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
Money = Annotated[Decimal, BeforeValidator(_money), _money_schema(f"^{_AMOUNT}$", minimum=0)]
PositiveMoney = Annotated[
    Decimal,
    BeforeValidator(_money),
    AfterValidator(_more_than_zero),
    _money_schema(rf"^(?=.*[1-9]){_AMOUNT}$", exclusiveMinimum=0),
]
Identifier = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
Name = Annotated[
    str,
    by_rule(parse_name),
    _text(rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$", minLength=1, maxLength=LONGEST_NAME),
]
Currency = Annotated[
    str, by_rule(parse_currency), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
]
TimeZone = Annotated[
    str,
    by_rule(parse_time_zone),
    _text("^[A-Za-z0-9_+/-]+$", description="An IANA time zone such as Europe/Berlin."),
]
EventId = Annotated[
    str,
    by_rule(parse_event_id),
    _text(f"^[^{_CONTROL}]+$", minLength=1, maxLength=LONGEST_EVENT_ID),
]
_DAY = r"(19[7-9][0-9]|20[0-9]{2}|21[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
Instant = Annotated[
    datetime,
    by_rule(parse_instant),
    _text(
        rf"^{_DAY}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?"
        r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
        format="date-time",
    ),
]
LocalDate = Annotated[
    date, by_rule(parse_date), WithJsonSchema({"type": "string", "format": "date"})
]
Switch = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, by_rule(_digits)]
QueryIdentifier = Annotated[Whole, Field(ge=1, le=LARGEST_ID)]
Search = Annotated[str, by_rule(_search), _text(f"^[^{_CONTROL}]*$", maxLength=LONGEST_NAME)]


def say_no_defaults(schema: dict[str, Any]) -> None:
    """Leave the stand-ins for absent fields out of the OpenAPI document."""
    for field in schema["properties"].values():
        field.pop("default", None)


class Filters(Schema):
    """Query parameters, of which every one is known."""

    @model_validator(mode="after")
    def _refuse_unknown_and_repeated(self, info: ValidationInfo) -> "Filters":
        request = cast("HttpRequest", (info.context or {})["request"])
        known = {field.alias or name for name, field in type(self).model_fields.items()}
        problem = f"is not a known parameter; known: {', '.join(sorted(known))}"
        problems = {name[:50]: problem for name in request.GET if name not in known}
        problems |= {
            name: "stands twice; send it once"
            for name in known
            if len(request.GET.getlist(name)) > 1
        }
        if problems:
            raise InvalidInputError(problems)
        return self


def read_everything(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, which refuses what it would otherwise leave unread (C28).

    That is a query string if it takes no `Filters`, and a body that broke off.
    """

    @wraps(view)
    def reading(request: HttpRequest, **values: Any) -> HttpResponse:
        if request.GET and not any(isinstance(value, Filters) for value in values.values()):
            problem = "is not a known parameter; this call takes none"
            raise InvalidInputError({name[:50]: problem for name in request.GET})
        # Of a caller that died half-way a server hands over what came: without this check, a
        # capture of a part of a hold whose body never came would be one of all of it.
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if len(request.body) != int(announced):
            raise MalformedBodyError("The body broke off before its Content-Length")
        return view(request, **values)

    return reading
