"""One line of a file of spend: which campaign, how much, when, and by what event id.

Files carry what the API refuses, such as the float noise in `1.820000023`. What rounds here is
asked for by the operator and counted; everything else is refused, naming the field (C1).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from core.errors import InvalidFieldError
from core.rules.calendar import BrandCalendar
from core.rules.instants import parse_instant
from core.rules.money import MAX_DECIMALS, MAX_INTEGER_DIGITS, parse_money
from core.rules.text import parse_event_id, parse_name

CAMPAIGN, AMOUNT, DATE, OCCURRED_AT, EVENT_ID = FIELDS = (
    "campaign",
    "amount",
    "date",
    "occurred_at",
    "event_id",
)
# Wide enough to add up and round whatever `listed_amount` accepts, without losing a digit.
EXACT = Context(prec=200)

_LISTED = re.compile(rf"\d{{1,{MAX_INTEGER_DIGITS}}}(\.\d{{1,100}})?", re.ASCII)
# The calendar's rules are right in these years.
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class LineLayout:
    """How to read the lines of one file.

    `columns` maps our fields to the file's headers. `round_to` of `None` refuses what has more
    than six decimals; otherwise amounts are rounded to that many, half up.
    """

    columns: Mapping[str, str]
    calendar: BrandCalendar
    date_format: str = "%Y-%m-%d"
    round_to: int | None = None


@dataclass(frozen=True, slots=True)
class SpendLine:
    """A line that can be recorded.

    `number` is its place in the file, `listed` its amount exactly as it stands there and `amount`
    as it is to be recorded.
    """

    number: int
    listed: Decimal
    amount: Decimal
    campaign: str
    occurred_at: datetime
    event_id: str

    @property
    def has_spent(self) -> bool:
        """Whether there is anything to record; a won impression may have cost nothing."""
        return self.amount > 0


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that can't be recorded, why, and its amount if at least that can be read."""

    number: int
    problem: str
    listed: Decimal | None = None


class LineReader:
    """Reads a file's lines one after another.

    Lines without an event id of their own get one from their content and from how many lines like
    it came before, so that the same lines in another order get the same ids (C21).
    """

    def __init__(self, layout: LineLayout) -> None:
        self._layout = layout
        self._alike: Counter[str] = Counter()

    def read(self, number: int, cells: Mapping[str, str]) -> SpendLine | RefusedLine:
        """The line with these cells, by header."""
        given = {field: cells[header].strip() for field, header in self._layout.columns.items()}
        listed = None
        try:
            listed = listed_amount(given[AMOUNT])
            return SpendLine(
                number=number,
                listed=listed,
                amount=recorded_amount(listed, self._layout.round_to),
                campaign=parse_name(given[CAMPAIGN], CAMPAIGN),
                occurred_at=_occurred_at(given, self._layout),
                event_id=self._event_id(given, listed),
            )
        except InvalidFieldError as refusal:
            return RefusedLine(number, refusal.message, listed)

    def _event_id(self, given: Mapping[str, str], listed: Decimal) -> str:
        if EVENT_ID in given:
            return parse_event_id(given[EVENT_ID], EVENT_ID)
        # The amount before rounding: another --round-to must not make another id.
        amount = str(EXACT.normalize(listed))
        content = [given[CAMPAIGN], amount, given.get(DATE), given.get(OCCURRED_AT)]
        digest = hashlib.sha256(repr(content).encode(errors="surrogatepass")).hexdigest()[:40]
        self._alike[digest] += 1
        return f"line:{digest}:{self._alike[digest]}"


def listed_amount(text: str) -> Decimal:
    """The amount that a file lists, with as many decimals as it has.

    Raises InvalidFieldError for what is no amount.
    """
    if _LISTED.fullmatch(text) is None:
        return parse_money(text, AMOUNT)  # Always refuses: what it takes was matched above.
    return Decimal(text)


def recorded_amount(listed: Decimal, round_to: int | None) -> Decimal:
    """The amount to record: as listed, or rounded half up if `round_to` says so.

    Raises InvalidFieldError for a seventh decimal that may not be rounded.
    """
    decimals = -int(listed.as_tuple().exponent)
    if round_to is None and decimals > MAX_DECIMALS:
        shown = f"{listed:f}"[:_LONGEST_SHOWN]
        problem = f"has more than six decimals: {shown}; pass --round-to 2 to round"
        raise InvalidFieldError(AMOUNT, problem)
    if round_to is None or decimals <= round_to:
        return listed
    unit = Decimal(1).scaleb(-round_to)
    rounded = listed.quantize(unit, rounding=ROUND_HALF_UP, context=EXACT)
    return parse_money(f"{rounded:f}", AMOUNT)


def _occurred_at(given: Mapping[str, str], layout: LineLayout) -> datetime:
    """The instant that the line names; else the first instant of its budget day (C9)."""
    if given.get(OCCURRED_AT):
        return parse_instant(given[OCCURRED_AT], OCCURRED_AT)
    if DATE not in given:
        raise InvalidFieldError(OCCURRED_AT, "must not be empty")
    return layout.calendar.first_instant(_date(given[DATE], layout.date_format))


def _date(text: str, date_format: str) -> date:
    try:
        day = datetime.strptime(text, date_format).date()  # noqa: DTZ007 (a date has no zone)
    except ValueError as error:
        problem = f'is not a date of the form {date_format}: "{text[:_LONGEST_SHOWN]}"'
        raise InvalidFieldError(DATE, problem) from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InvalidFieldError(DATE, f"must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


def is_date_format(text: str) -> bool:
    """Whether dates written in this form can be read back: day, month and year are all in it."""
    sample = date(2001, 12, 23)
    try:
        return datetime.strptime(sample.strftime(text), text).date() == sample  # noqa: DTZ007
    except ValueError:
        return False
