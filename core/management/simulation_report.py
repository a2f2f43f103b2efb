"""Says what became of a simulation: a line for each brand, then a line for each of its days."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from core.actions.simulation import Played, PlayedBrand
from core.queries.brand_days import BrandDay
from core.queries.promises import BrokenPromise
from core.rules.instants import format_instant
from core.rules.money import format_money

HOUR = timedelta(hours=1)
NUMBERS = ("spent", "refused", "over budget", "paused h")


def report_lines(played: Played) -> Iterator[str]:
    """The two tables, in columns."""
    yield from _columns(
        [
            ("brand", "zone", "currency", *NUMBERS, "days with a pause"),
            *map(_brand_row, played.brands),
        ],
        left=3,
    )
    for brand in played.brands:
        yield ""
        yield f"{brand.brand.name}, day by day in {brand.brand.time_zone}"
        rows = [_day_row(brand, day) for day in brand.days]
        yield from _columns([("day", *NUMBERS, "first pause"), *rows], left=1)


def broken_sentence(broken: BrokenPromise) -> str:
    """Which promise was broken, when that was first seen, and by what."""
    return f"Broken at {format_instant(broken.at)}: {broken.promise}: {broken.facts}"


def _brand_row(played: PlayedBrand) -> tuple[str, ...]:
    brand, days = played.brand, played.days
    return (
        brand.name,
        brand.time_zone,
        brand.currency,
        format_money(sum((day.spent for day in days), Decimal(0))),
        str(sum(played.refused.values())),
        format_money(sum((day.over_budget for day in days), Decimal(0))),
        _hours(sum((day.paused for day in days), timedelta(0))),
        str(sum(day.first_pause_at is not None for day in days)),
    )


def _day_row(played: PlayedBrand, day: BrandDay) -> tuple[str, ...]:
    first = day.first_pause_at
    return (
        f"{day.starts_on:%a %Y-%m-%d}",
        format_money(day.spent),
        str(played.refused.get(day.starts_on, 0)),
        format_money(day.over_budget) if day.over_budget else "-",
        _hours(day.paused) if day.paused else "-",
        f"{played.brand.calendar.local(first):%H:%M}" if first else "-",
    )


def _hours(span: timedelta) -> str:
    return f"{span / HOUR:.1f}"


def _columns(rows: Sequence[tuple[str, ...]], *, left: int) -> Iterator[str]:
    """The rows, each column as wide as it has to be; the first `left` ones begin at the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        placed = (
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(cells)
        )
        yield "  ".join(placed).rstrip()
