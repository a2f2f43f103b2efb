"""Money: exact amounts as `Decimal`, their text on the wire and their whole micros in storage (C1).

Nothing here rounds: what can't be kept exactly is refused.
"""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from core.errors import InvalidFieldError

MICROS_PER_UNIT = 1_000_000
MAX_DECIMALS = 6
MAX_INTEGER_DIGITS = 12

_AMOUNT = re.compile(rf"\d{{1,{MAX_INTEGER_DIGITS}}}(\.\d{{1,{MAX_DECIMALS}}})?", re.ASCII)

# What breaks the form of an amount, most telling first, and the sentence that says so.
_PROBLEMS = tuple(
    (re.compile(pattern, re.ASCII), problem)
    for pattern, problem in (
        (r"^$", 'is empty; send an amount such as "12.50"'),
        (r"^[+-]", 'has a sign; send an amount without one, such as "12.50"'),
        (r"(?i)nan|inf", 'is not a finite number; send an amount such as "12.50"'),
        (r"\s", 'has white space; send digits only, such as "12.50"'),
        (r"_", 'has an underscore; send "1000", not "1_000"'),
        (r"[^\x00-\x7f]", 'has characters outside ASCII; send the digits 0-9, such as "12.50"'),
        (r"^[\d.]+[eE]", 'has an exponent; write the number out, "100.00" and not "1e2"'),
        (rf"^\d{{{MAX_INTEGER_DIGITS + 1}}}", "is too large; send at most twelve integer digits"),
        (
            rf"^\d+\.\d{{{MAX_DECIMALS + 1}}}",
            "has too many decimals; send at most six, nothing is rounded",
        ),
    )
)
_NOT_AN_AMOUNT = 'is not an amount; send digits with an optional decimal point, such as "12.50"'

# Of amounts that are worth a look; a 64-bit column of micros holds less.
LARGEST_EXPONENT = 50
# Wide enough for any sum of 64-bit columns, whatever the caller's own decimal context is.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])


def parse_money(literal: str, field: str) -> Decimal:
    """The amount that a literal in a request says, read exactly (C1).

    Raises InvalidFieldError, naming `field` and the rule that broke, unless the literal is one to
    twelve ASCII digits, optionally with a point and one to six more. The form is checked before
    any arithmetic, so the work is bounded by the literal's length.
    """
    if _AMOUNT.fullmatch(literal) is None:
        raise InvalidFieldError(field, _problem(literal))
    return Decimal(literal)


def _problem(literal: str) -> str:
    for pattern, problem in _PROBLEMS:
        if pattern.search(literal):
            return problem
    return _NOT_AN_AMOUNT


def format_money(amount: Decimal) -> str:
    """The amount as the wire shows it: at least two decimals, at most six, no exponent (C1).

    Raises ValueError if the amount is not a whole number of micros.
    """
    return format_micros(to_micros(amount))


def format_micros(micros: int) -> str:
    """The amount that whole micros stand for, in the one form of `format_money`."""
    if micros < 0:
        return f"-{format_micros(-micros)}"
    digits = f"{micros:07d}"
    return f"{digits[:-6]}.{digits[-6:-4]}{digits[-4:].rstrip('0')}"


def to_micros(amount: Decimal) -> int:
    """The amount in whole micros, as it is stored (C1).

    Raises ValueError if the amount has more than six decimals, isn't finite or is far beyond what
    a 64-bit column holds. Never rounds, whatever the current decimal context says.
    """
    if not amount.is_finite():
        raise ValueError("This is not an amount of money: it is not finite")
    if not amount:
        return 0
    if amount.adjusted() > LARGEST_EXPONENT:
        raise ValueError("This is not an amount of money: it is far too large")
    try:
        scaled = amount.scaleb(MAX_DECIMALS, context=_EXACT)
    except (Inexact, InvalidOperation) as error:
        raise ValueError("This is not a whole number of micros") from error
    micros = int(scaled)
    if micros != scaled:
        raise ValueError("This is not a whole number of micros")
    return micros


def from_micros(micros: int) -> Decimal:
    """The amount that whole micros stand for, always with six decimals (C1)."""
    return Decimal(micros).scaleb(-MAX_DECIMALS, context=_EXACT)


def format_optional_money(amount: Decimal | None) -> str | None:
    """`format_money`, where `None` (no ceiling, C3) stays `None`."""
    return None if amount is None else format_money(amount)
