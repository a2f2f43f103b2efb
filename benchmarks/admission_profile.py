"""Where the microseconds of an admission go: CPU time of this process for each entry, by stage.

    python -m stack postgres --durable python -m benchmarks.admission_profile
    DATABASE_URL=sqlite:///somewhere/empty.sqlite3 python -m benchmarks.admission_profile

CPU time and not the clock's, so that other programs on the machine matter less; what a PostgreSQL
server does meanwhile isn't in it, what SQLite does is.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from statistics import median
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from core.actions import ledger, spend, spend_sessions
from core.actions.brands import create_brand
from core.actions.caller import Caller
from core.actions.campaigns import create_campaign
from core.actions.spend_requests import Asked, SpendRequest
from core.models import Brand, Campaign

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
CALLER = Caller("benchmark")
AMOUNT = Decimal("0.00032")
# What is measured, in the order in which it happens: one function each.
STAGES = {
    "find brands": (spend, "_brands_of"),
    "lock": (spend_sessions, "lock_brand"),
    "lock free": (spend_sessions, "lock_free_brands"),
    "read": (spend_sessions, "_read"),
    "decide": (spend_sessions.Session, "decide"),
    "number": (ledger.Ledger, "number"),
    "answer": (spend_sessions, "_answer"),
    "collect": (ledger.Ledger, "collect"),
    "write": (ledger.LedgerRows, "write"),
    "verdicts": (spend_sessions.Session, "store_verdicts"),
}
# Brands, campaigns of each, entries in a batch, repetitions, and whether entries have event ids.
SHAPES = (
    *((1, campaigns, 1, 200, True) for campaigns in (1, 100, 1_000)),
    *((1, campaigns, 1_000, 15, True) for campaigns in (1, 100, 1_000)),
    (1, 1, 1_000, 15, False),
    (1, 1, 30, 60, True),
    # One entry of each brand, as calls for many brands come together.
    *((brands, 1, brands, 60, False) for brands in (1, 8, 32, 64, 128)),
)

_numbers = count(1)


def main() -> int:
    """Measure every shape on the empty database that DATABASE_URL names, and print a table."""
    settings.DEBUG = False  # Or Django would keep every statement.
    call_command("migrate", verbosity=0)
    if Brand.objects.exists():
        sys.stderr.write("This database is somebody's; name an empty one.\n")
        return 1
    shape = ("brands", "campaigns", "entries", "event ids")
    heads = (*shape, "µs an entry", "lowest", *STAGES, "rest")
    rows = [heads, ("---",) * len(heads)]
    for brands, campaigns, entries, repetitions, has_ids in SHAPES:
        crowd = [campaign for _ in range(brands) for campaign in make_crowd(campaigns)]
        runs = [run(crowd, entries, has_ids=has_ids) for _ in range(repetitions + 1)]
        counts = (f"{count:,}" for count in (brands, campaigns, entries))
        rows.append((*counts, str(has_ids), *cells(runs[1:], entries)))
    sys.stdout.write(f"{connection.vendor}: lowest of all runs for each stage\n\n")
    sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in rows)
    return 0


def make_crowd(size: int) -> list[Campaign]:
    """Return the campaigns of a new brand, each with a budget of its own that is never used up."""
    number = next(_numbers)
    brand = create_brand(
        {
            "name": f"Brand {number}",
            "daily_budget": Decimal(10**9),
            "monthly_budget": Decimal(10**10),
        },
        caller=CALLER,
        now=NOON,
    )
    return [
        create_campaign(
            brand.pk,
            {"name": f"Campaign {place}", "daily_budget": Decimal(10**8)},
            caller=CALLER,
            now=NOON,
        )
        for place in range(size)
    ]


def run(campaigns: list[Campaign], entries: int, *, has_ids: bool) -> dict[str, int]:
    """Admit one batch, spread over the campaigns; the nanoseconds of each stage and in all."""
    number = next(_numbers)
    asked = [
        Asked(
            SpendRequest(
                campaigns[place % len(campaigns)].pk,
                AMOUNT,
                event_id=f"{number:06d}-{place:04d}" if has_ids else "",
            ),
            CALLER,
        )
        for place in range(entries)
    ]
    with watched() as taken:
        began_at = time.process_time_ns()
        outcomes = spend.admit_spends(asked, now=NOON)
        taken["total"] = time.process_time_ns() - began_at
    assert not any(outcome.refusal for outcome in outcomes)
    return dict(taken)


@contextmanager
def watched() -> Iterator[defaultdict[str, int]]:
    """Measure the stages within the block."""
    taken: defaultdict[str, int] = defaultdict(int)

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            began_at = time.process_time_ns()
            try:
                return function(*args, **options)
            finally:
                taken[stage] += time.process_time_ns() - began_at

        return call

    with ExitStack() as patches:
        for stage, (owner, name) in STAGES.items():
            function = timed(stage, getattr(owner, name))
            patches.enter_context(mock.patch.object(owner, name, function))
        yield taken


def cells(runs: list[dict[str, int]], entries: int) -> list[str]:
    """Return the columns of a shape, in microseconds an entry."""
    lowest = {stage: min(run.get(stage, 0) for run in runs) for stage in (*STAGES, "total")}
    rest = lowest["total"] - sum(lowest[stage] for stage in STAGES)
    numbers = [
        median(run["total"] for run in runs),
        lowest["total"],
        *(lowest[stage] for stage in STAGES),
        max(rest, 0),
    ]
    return [f"{number / entries / 1_000:,.1f}" for number in numbers]


if __name__ == "__main__":
    sys.exit(main())
