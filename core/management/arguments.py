"""Reads what was typed after a command by the rules of the API, naming the argument that is wrong.

A `CommandError` from here ends the command with status 2; status 1 means that it ran and something
was refused.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from django.core.management.base import CommandError

from core.errors import BrandNotFoundError, InvalidFieldError
from core.queries.brands import get_any_brand
from core.rules.money import parse_money

Value = TypeVar("Value")

UNUSABLE = 2
LONGEST_ID = 18


def unusable(sentence: str) -> CommandError:
    """The error that says why a command can't begin."""
    return CommandError(sentence, returncode=UNUSABLE)


def read_argument(parse: Callable[[str, str], Value], text: str, name: str) -> Value:
    """What a rule makes of an argument. Raises CommandError."""
    try:
        return parse(text, name)
    except InvalidFieldError as refusal:
        raise unusable(refusal.message) from refusal


def read_count(text: str, name: str, *, least: int, most: int) -> int:
    """A whole number within bounds. Raises CommandError."""
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_ID
    if not is_number or not least <= int(text) <= most:
        raise unusable(f"{name}: must be a whole number from {least} to {most}")
    return int(text)


def read_id(text: str, name: str) -> int:
    """The id of something stored. Raises CommandError."""
    return read_count(text, name, least=1, most=10**LONGEST_ID - 1)


def read_brand_id(text: str, name: str) -> int:
    """The id of a brand that there is, archived or not. Raises CommandError."""
    brand_id = read_id(text, name)
    try:
        return get_any_brand(brand_id).pk
    except BrandNotFoundError as refusal:
        raise unusable(f"{name}: no brand has the id {brand_id}") from refusal


def parse_spend(text: str, field: str) -> Decimal:
    """An amount of money above zero. Raises InvalidFieldError."""
    amount = parse_money(text, field)
    if not amount:
        raise InvalidFieldError(field, "must be more than zero")
    return amount
