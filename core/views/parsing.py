"""Turns bodies and query strings into typed values by the rules that everything else uses.

A body forbids unknown fields and a query unknown parameters, each named in the answer (C28).
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.errors import BudgetManagerError, InvalidFieldError, InvalidInputError
from core.rules.calendar import parse_time_zone
from core.rules.instants import parse_date, parse_instant
from core.rules.money import parse_money
from core.rules.text import parse_currency, parse_event_id, parse_name
from core.views.strict_json import LARGEST_BODY, NumberLiteral, read_json

LARGEST_ID = 2**63 - 1
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
        if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
            raise UnsupportedMediaTypeError("Send the body as `Content-Type: application/json`")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaTypeError("Send the body without Content-Encoding")
        if len(request.body) > LARGEST_BODY:
            raise BodyTooLargeError(f"The body has more than {LARGEST_BODY} bytes")
        return read_json(request.body)


class Body(Schema):
    """A JSON object in which every field is known."""

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


Money = Annotated[Decimal, BeforeValidator(_money)]
PositiveMoney = Annotated[Money, AfterValidator(_more_than_zero)]
Identifier = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
Name = Annotated[str, by_rule(parse_name)]
Currency = Annotated[str, by_rule(parse_currency)]
TimeZone = Annotated[str, by_rule(parse_time_zone)]
EventId = Annotated[str, by_rule(parse_event_id)]
Instant = Annotated[datetime, by_rule(parse_instant)]
LocalDate = Annotated[date, by_rule(parse_date)]
Switch = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, by_rule(_digits)]
QueryIdentifier = Annotated[Whole, Field(ge=1, le=LARGEST_ID)]
Search = Annotated[str, by_rule(_search)]


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


class Page(Filters):
    """Which part of a list: up to `limit` rows after `cursor`."""

    limit: Annotated[Whole, Field(ge=1, le=1000)] = 100
    cursor: QueryIdentifier | None = None
