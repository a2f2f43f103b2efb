"""Columns and read-only fields: money, instants in UTC, reasons in words. They only show."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from core.enums import Reason
from core.rules.explanation import REASON_SENTENCES
from core.rules.money import format_money
from core.rules.verdict import ZERO

Column = Callable[[Any], str]

NOTHING_TO_SHOW = "–"
NO_LIMIT = "no limit"


def money_column(
    attribute: str, description: str, *, ordering: str | None = None, empty: str = NO_LIMIT
) -> Column:
    """An amount as the API shows it (C1); `empty` stands for a budget that isn't set (C3)."""

    def show(row: object) -> str:
        amount: Decimal | None = attrgetter(attribute)(row)
        return empty if amount is None else format_money(amount)

    return _named(attribute, admin.display(show, description=description, ordering=ordering))


def remaining_column(budgets: Iterable[tuple[str, str]], description: str) -> Column:
    """What the tightest of several budgets leaves, each named with what counts against it (C4)."""
    pairs = [attrgetter(budget, used) for budget, used in budgets]

    def show(row: object) -> str:
        left = [
            budget - used for budget, used in (pair(row) for pair in pairs) if budget is not None
        ]
        return format_money(max(min(left), ZERO)) if left else NO_LIMIT

    return _named(description.replace(" ", "_"), admin.display(show, description=description))


def instant_column(attribute: str, description: str) -> Column:
    """An instant in UTC, which the heading says."""

    def show(row: object) -> str:
        return format_utc(attrgetter(attribute)(row))

    heading = f"{description} (UTC)"
    return _named(attribute, admin.display(show, description=heading, ordering=attribute))


def text_column(attribute: str, description: str, *, ordering: str | None = None) -> Column:
    """Any other value as it is, under a heading of its own."""

    def show(row: object) -> str:
        return str(attrgetter(attribute)(row) or NOTHING_TO_SHOW)

    return _named(attribute, admin.display(show, description=description, ordering=ordering))


def format_utc(instant: datetime | None) -> str:
    """An instant to the second; a dash for none."""
    return NOTHING_TO_SHOW if instant is None else f"{instant:%Y-%m-%d %H:%M:%S}"


def reason_words(reasons: Iterable[Reason]) -> str:
    """Reasons as sentences, one on each line, the binding one first."""
    sentences = [(REASON_SENTENCES[reason],) for reason in reasons]
    return format_html_join(mark_safe("<br>"), "{}.", sentences) or NOTHING_TO_SHOW


def _named(name: str, column: Column) -> Column:
    # The admin makes the CSS class of a column from the function's name.
    column.__name__ = name.replace(".", "_")
    return column


SPENT_TODAY = money_column("spent_today", "spent today", ordering="spent_today")
SPENT_THIS_MONTH = money_column("spent_this_month", "spent this month", ordering="spent_this_month")
