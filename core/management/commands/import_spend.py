"""`import_spend`: records a CSV file of spend as reports (C19), each line once (C21)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError

from core.actions.imports import SpendForecast, SpendImport, import_spend_lines
from core.actions.spend_requests import SpendOutcome
from core.management.arguments import read_count, unusable
from core.management.csv_rows import CsvRow, UnusableFileError, read_rows
from core.management.import_report import ImportReport
from core.management.output import printable, show_progress
from core.models import Brand
from core.queries.brands import list_brands_called
from core.queries.clock import get_now
from core.queries.history import get_whole_calendar
from core.rules.money import MAX_DECIMALS
from core.rules.spend_import import (
    AMOUNT,
    CAMPAIGN,
    DATE,
    FIELDS,
    OCCURRED_AT,
    LineLayout,
    LineReader,
    RefusedLine,
    SpendLine,
    is_date_format,
)

LINES_AT_ONCE = 500
MOST_LATE_HOURS = 1_000_000
SOMETHING_REFUSED = 1


class Command(BaseCommand):
    """Exit status: 0 when every line is in, 1 when one was refused, 2 for an unusable file."""

    help = "Record a CSV file of spend as reports. Running it again adds nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, the brand, what its columns mean, and what may be done with odd lines."""
        parser.add_argument("file", help="CSV in UTF-8, the first line names the columns")
        parser.add_argument("--brand", required=True, metavar="NAME_OR_ID")
        parser.add_argument(
            "--column",
            action="append",
            required=True,
            metavar="FIELD=HEADER",
            help=f"which column is what; FIELD is one of {', '.join(FIELDS)}",
        )
        parser.add_argument("--date-format", default="%Y-%m-%d", help="default: %(default)r")
        parser.add_argument("--round-to", metavar="N", help="round amounts half up to N decimals")
        parser.add_argument("--create-campaigns", action="store_true", help="create missing ones")
        parser.add_argument("--late-hours", metavar="N", help="how old spend may be")
        parser.add_argument("--dry-run", action="store_true", help="say what would be, do nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read, record and report batch by batch; a refused line stops nothing."""
        brand = _brand(str(options["brand"]))
        layout = _layout(brand, options)
        into = _destination(brand, options, get_now())
        deed = _deed(into, is_dry_run=options["dry_run"])
        report = ImportReport(into, is_dry_run=options["dry_run"])
        reader = LineReader(layout)
        try:
            for rows in _batches(read_rows(Path(options["file"]), layout.columns.values())):
                lines = [_line(reader, row) for row in rows]
                spends = [line for line in lines if isinstance(line, SpendLine) and line.has_spent]
                self._say_refused(report.count(lines, spends, deed(spends)))
                show_progress(self.stderr, f"{report.lines} lines …")
        except UnusableFileError as error:
            raise unusable(f"{options['file']}: {error}") from error
        except OperationalError as error:
            sentence = f"The database is busy or unreachable ({error})"
            raise unusable(f"{sentence}; run this again: what is in stays in, once") from error
        show_progress(self.stderr, "")
        self.stdout.write("\n".join(report.summary()))
        if report.refused:
            raise SystemExit(SOMETHING_REFUSED)

    def _say_refused(self, sentences: list[str]) -> None:
        show_progress(self.stderr, "")
        for sentence in sentences:
            self.stderr.write(printable(sentence, self.stderr))


def _brand(name_or_id: str) -> Brand:
    match list_brands_called(name_or_id):
        case [brand]:
            return brand
        case []:
            raise unusable(f'--brand: no brand has the name or id "{name_or_id}"')
        case _:
            raise unusable(f'--brand: "{name_or_id}" names one brand and is the id of another')


def _destination(brand: Brand, options: dict[str, Any], now: datetime) -> SpendImport:
    hours = settings.SPEND_LATE_HOURS
    if options["late_hours"] is not None:
        hours = read_count(
            str(options["late_hours"]), "--late-hours", least=0, most=MOST_LATE_HOURS
        )
    late_limit = timedelta(hours=hours)
    return SpendImport(brand.pk, now, late_limit, options["create_campaigns"])


def _layout(brand: Brand, options: dict[str, Any]) -> LineLayout:
    date_format, round_to = options["date_format"], options["round_to"]
    if not is_date_format(date_format):
        raise unusable("--date-format: must hold day, month and year, such as %d-%m-%Y")
    if round_to is not None:
        round_to = read_count(str(round_to), "--round-to", least=0, most=MAX_DECIMALS)
    return LineLayout(_columns(options["column"]), get_whole_calendar(brand), date_format, round_to)


def _columns(pairs: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        name, _, header = pair.partition("=")
        if name not in FIELDS or name in columns or not header.strip():
            wanted = f"FIELD=HEADER with FIELD one of {', '.join(FIELDS)}, each once"
            raise unusable(f'--column: "{pair}" is not {wanted}')
        columns[name] = header.strip()
    if not {CAMPAIGN, AMOUNT} <= columns.keys() or columns.keys().isdisjoint({DATE, OCCURRED_AT}):
        raise unusable("--column: campaign, amount and date (or occurred_at) are needed")
    return columns


def _deed(
    into: SpendImport, *, is_dry_run: bool
) -> Callable[[list[SpendLine]], list[SpendOutcome]]:
    if is_dry_run:
        return SpendForecast(into).foretell_spend_lines
    # A long file takes longer than an instant: each batch has its own.
    return lambda lines: import_spend_lines(lines, replace(into, now=get_now()))


def _batches(rows: Iterator[CsvRow]) -> Iterator[list[CsvRow]]:
    return iter(lambda: list(islice(rows, LINES_AT_ONCE)), [])


def _line(reader: LineReader, row: CsvRow) -> SpendLine | RefusedLine:
    if row.problem:
        return RefusedLine(row.number, row.problem)
    return reader.read(row.number, row.cells)
