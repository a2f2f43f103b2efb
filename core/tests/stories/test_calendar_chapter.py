"""Every row of the tables in docs/calendar.md is what the rules say (C9, C12, C13)."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise

import pytest

from core.enums import PeriodKind, Reason
from core.rules.calendar import BrandCalendar, with_time_zone
from core.rules.dayparts import Daypart, is_open, next_edge, parse_minute, weekly_schedule
from core.rules.verdict import Amounts, TotalKey, judge
from core.tests.rules.by_the_minute import window
from core.tests.rules.facts import facts
from stack.checkout import ROOT

Row = tuple[str, ...]
DAY, MICROSECOND = timedelta(days=1), timedelta.resolution


def rows_of_days(calendar: BrandCalendar, label: str) -> Row:
    day = calendar.day_period(date.fromisoformat(label))
    return (label, stamp(day.starts_at), stamp(day.ends_at), hours(day.starts_at, day.ends_at))


def told_days(rows: list[Row]) -> list[Row]:
    return [(zone, *rows_of_days(BrandCalendar(zone), label)) for zone, label, *_ in rows]


def told_moves(rows: list[Row]) -> list[Row]:
    told: list[Row] = []
    for move, set_at, label, *_ in rows:
        old, _, new = move.partition(" → ")
        calendar = with_time_zone(BrandCalendar(old), new, datetime.fromisoformat(set_at))
        told.append((move, set_at, *rows_of_days(calendar, label)))
    return told


def told_windows(rows: list[Row]) -> list[Row]:
    """All openings of each window that the table names, so that none is left out of it."""
    told: list[Row] = []
    for named, _ in groupby(rows, key=lambda row: row[:3]):
        zone, clocks, label = named
        found = list(edges(BrandCalendar(zone), clocks, date.fromisoformat(label)))
        told += [
            (*named, stamp(opens), stamp(closes), hours(opens, closes))
            for opens, closes in zip(found[::2], found[1::2], strict=True)
        ] or [(*named, "never", "never", "0")]
    return told


def edges(calendar: BrandCalendar, clocks: str, label: date) -> Iterator[datetime]:
    start, _, end = clocks.partition("–")
    part = Daypart((label.weekday(),), parse_minute(start, "start"), parse_minute(end, "end"))
    schedule, day = weekly_schedule([part]), calendar.day_period(label)
    edge = next_edge(schedule, day.starts_at - MICROSECOND, calendar)
    while edge is not None and edge <= day.ends_at + DAY:
        yield edge
        edge = next_edge(schedule, edge, calendar)


def told_changes(rows: list[Row]) -> list[Row]:
    calendar, schedule = BrandCalendar("Europe/Berlin"), weekly_schedule([window("22:00", "03:00")])
    known = facts(brand_calendar=calendar, schedule=schedule)
    told: list[Row] = []
    for text, *_ in rows:
        at = datetime.fromisoformat(text)
        verdict = judge(known, at)
        assert verdict.next_change_at is not None
        assert verdict.is_active == is_open(schedule, at, calendar)
        runs = "yes" if verdict.is_active else "no"
        clock = f"{calendar.local(at):%H:%M:%S}"
        told.append((text, clock, runs, stamp(verdict.next_change_at)))
    return told


def told_renewals(rows: list[Row]) -> list[Row]:
    told: list[Row] = []
    for zone, budget, text, _ in rows:
        at, calendar = datetime.fromisoformat(text), BrandCalendar(zone)
        is_daily = budget == "daily"
        period = calendar.budget_day(at) if is_daily else calendar.budget_month(at)
        kind = PeriodKind.DAY if is_daily else PeriodKind.MONTH
        spent = {TotalKey(1, kind, period.starts_on): Amounts(Decimal(5))}
        known = facts(spent, brand_calendar=calendar, **{f"{budget}_budget": Decimal(5)})
        verdict = judge(known, at)
        assert verdict.reasons == (Reason(f"campaign_{budget}_budget"),)
        assert verdict.next_change_at is not None
        assert judge(known, verdict.next_change_at).is_active
        told.append((zone, budget, text, stamp(verdict.next_change_at)))
    return told


TOLD: dict[str, Callable[[list[Row]], list[Row]]] = {
    "zone | budget day | begins | ends | hours": told_days,
    "zone | window | starts on | opens | closes | hours": told_windows,
    "at | in Berlin | runs | next_change_at": told_changes,
    "zone | budget | used up at | next_change_at": told_renewals,
    "move | set at | budget day | begins | ends | hours": told_moves,
}


def tables() -> dict[str, list[Row]]:
    page = (ROOT / "docs/calendar.md").read_text()
    found = re.findall(r"^\| (.+) \|\n\|[-|]+\|\n((?:\|.*\|\n)+)", page, re.MULTILINE)
    return {
        header: [tuple(line.strip("| ").split(" | ")) for line in lines.splitlines()]
        for header, lines in found
    }


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def hours(first: datetime, last: datetime) -> str:
    return f"{(last - first) / timedelta(hours=1):g}"


def test_each_table_of_the_calendar_chapter_is_one_that_a_test_reads() -> None:
    # The table of warnings is read by `test_preview_chapter.py`.
    assert [header for header in tables() if not header.startswith("code ")] == list(TOLD)


@pytest.mark.parametrize("header", TOLD)
def test_each_row_of_the_calendar_chapter_is_what_the_rules_say(header: str) -> None:
    rows = tables()[header]
    assert len(rows) > 5
    assert rows == TOLD[header](rows)


def test_the_moves_of_the_calendar_chapter_leave_no_gap_between_their_days() -> None:
    rows = tables()["move | set at | budget day | begins | ends | hours"]
    for before, after in pairwise(rows):
        if before[0] == after[0]:
            assert before[4] == after[3]
