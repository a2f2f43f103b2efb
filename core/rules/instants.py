"""Reads instants and dates as callers write them: RFC 3339, always with an offset."""

import re
from datetime import UTC, date, datetime
from typing import overload

from core.errors import InvalidFieldError

_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:[0-5]\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# The calendar's rules are right in these years.
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def parse_instant(text: str, field: str) -> datetime:
    """An instant such as `2026-11-20T08:30:00Z` or `…T09:30:00+01:00`, in UTC.

    Raises InvalidFieldError.
    """
    problem = "must be an instant with an offset such as 2026-11-20T08:30:00Z"
    if not _INSTANT.fullmatch(text):
        raise InvalidFieldError(field, problem)
    try:
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidFieldError(field, problem) from error
    if not _FIRST_YEAR <= instant.year < _LAST_YEAR:
        raise InvalidFieldError(field, f"must lie between {_FIRST_YEAR} and {_LAST_YEAR}")
    return instant


def parse_date(text: str, field: str) -> date:
    """A local date such as `2026-11-20`. Raises InvalidFieldError."""
    problem = "must be a date such as 2026-11-20"
    if not _DATE.fullmatch(text):
        raise InvalidFieldError(field, problem)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidFieldError(field, problem) from error


@overload
def format_instant(instant: datetime) -> str: ...
@overload
def format_instant(instant: None) -> None: ...
@overload
def format_instant(instant: datetime | None) -> str | None: ...
def format_instant(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC with a `Z`, e.g. `2026-11-20T08:30:00Z`; `None` stays `None`."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
