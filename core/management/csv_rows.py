"""Reads a CSV file row by row, with bounded memory and never past what can be told apart.

Row numbers are the line numbers that an editor shows. A row that can't be read is handed on with
its problem, so that the caller says so and goes on.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

LONGEST_LINE = 1_048_576
CHUNK = 1_048_576
SHOWN_HEADERS = 500


class UnusableFileError(Exception):
    """The file can't be read as CSV with these columns."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its cells by header, or the problem with it."""

    number: int
    cells: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def read_rows(path: Path, wanted: Collection[str]) -> Iterator[CsvRow]:
    """The rows below the header, which has to name every wanted column once.

    Raises UnusableFileError.
    """
    _check_text(path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = _Lines(stream)
        reader = csv.reader(lines, strict=True)
        header = _header(reader, wanted)
        while (row := _next_row(reader, lines, header)) is not None:
            if row.cells or row.problem:
                yield row
            if lines.is_inside_quotes:
                return


class _Lines:
    """The physical lines of a file: counted, bounded, and with an eye on open quotes."""

    def __init__(self, stream: TextIO) -> None:
        self.number = 0
        self.is_inside_quotes = False
        self._stream = stream

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            problem = f"line {self.number} has more than {LONGEST_LINE} characters"
            raise UnusableFileError(f"{problem}: this is no CSV file of spend")
        self.is_inside_quotes ^= line.count('"') % 2 == 1
        return line


def _check_text(path: Path) -> None:
    """Read the whole file once, so that nothing is done with the first half of a bad one."""
    if not path.is_file():
        raise UnusableFileError("there is no such file")
    try:
        with path.open(encoding="utf-8-sig") as stream:
            while stream.read(CHUNK):
                pass
    except UnicodeDecodeError as error:
        raise UnusableFileError("is not UTF-8 text; save it as CSV in UTF-8") from error
    except OSError as error:
        raise UnusableFileError(f"can't be read: {error.strerror}") from error


def _header(reader: Iterator[list[str]], wanted: Collection[str]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UnusableFileError(f"line 1 is no CSV header: {error}") from error
    if not header:
        raise UnusableFileError("line 1 is empty; it has to name the columns")
    for name in wanted:
        if header.count(name) != 1:
            problem = f'names the column "{name}" {header.count(name)} times instead of once'
            names = ", ".join(header)[:SHOWN_HEADERS]
            raise UnusableFileError(f"line 1 {problem}; its columns are: {names}")
    return header


def _next_row(reader: Iterator[list[str]], lines: _Lines, header: list[str]) -> CsvRow | None:
    number = lines.number + 1
    lines.is_inside_quotes = False
    try:
        cells = next(reader, None)
    except csv.Error as error:
        return CsvRow(number, problem=_broken(error, number, lines))
    if cells is None:
        return None
    lines.is_inside_quotes = False
    if cells and len(cells) != len(header):
        problem = f"has {len(cells)} cells where the header has {len(header)}"
        return CsvRow(number, problem=f"{problem}{_extent(number, lines)}")
    return CsvRow(number, dict(zip(header, cells, strict=False)))


def _broken(error: csv.Error, number: int, lines: _Lines) -> str:
    if lines.is_inside_quotes:
        # Where the next row begins can't be told: a line inside quotes may look like spend.
        return f"opens a quote that line {lines.number} has not closed; nothing below it was read"
    return f"is no CSV: {error}{_extent(number, lines)}"


def _extent(number: int, lines: _Lines) -> str:
    return f" (it goes on to line {lines.number})" if lines.number > number else ""
