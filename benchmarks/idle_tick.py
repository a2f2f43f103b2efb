"""What a tick of the unattended work costs where there are a million campaigns (C26).

Beside it the loop that it replaces: load every campaign, judge it. `make bench-ticks` prints a
table and writes every single run to var/bench-ticks.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from benchmarks.many_campaigns import FILLER, NOON, SCHEDULES, ZONES, fill
from benchmarks.stopwatch import Cost, Spread, measured
from core.actions import delivery
from core.enums import Reason
from core.models import Campaign
from core.queries.books import get_book
from core.queries.sweeps import find_due_campaigns
from core.rules.verdict import judge
from stack.checkout import VAR, make_var, write_private

LATER = NOON + timedelta(seconds=30)
IDLE_TASKS = ("enforce_dayparting", "reset_daily_spend", "reset_monthly_spend", "expire_holds")
NOTHING = {"activated": 0, "paused": 0, "failed": 0}


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    campaigns: int
    brands: int
    due: int
    looped: int
    repetitions: int


def main(words: list[str]) -> int:
    """Fill the database that DATABASE_URL names, measure, print and write."""
    size, output = parse(words)
    settings.DEBUG = False  # Or Django would keep every statement.
    call_command("migrate", verbosity=0)
    fill(size.campaigns, size.brands, say)
    # Or the table would lie.
    assert Campaign.objects.count() == size.campaigns
    assert "campaign_next_change" in find_due_campaigns(LATER).explain()
    runs = repeat(measures(size), size.repetitions)
    sys.stdout.write(table(runs, size))
    make_var()
    write_private(output, json.dumps(document(runs, size), indent=1))
    say(f"every run: {output}")
    return 0


def parse(words: list[str]) -> tuple[Size, Path]:
    """Read the arguments; the defaults are the real measurement."""
    parser = argparse.ArgumentParser(prog="python -m stack bench-ticks", description=__doc__)
    for name, default in (
        ("campaigns", 1_000_000),
        ("brands", 1_000),
        ("due", 1_000),
        ("looped", 5_000),
        ("repetitions", 3),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--output", type=Path, default=VAR / "bench-ticks.json")
    found = vars(parser.parse_args(words))
    output = found.pop("output")
    size = Size(**found)
    if size.brands % len(ZONES) or size.campaigns % (len(SCHEDULES) * size.brands):
        parser.error(f"{len(ZONES)} zones share the brands, which share the campaigns evenly")
    return size, output


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{text}\n")


def measures(size: Size) -> dict[str, Callable[[], Cost]]:
    """What is measured, by name."""
    idle = {f"idle {task}": partial(run_idle, task) for task in IDLE_TASKS}
    together = min(size.due, size.campaigns // size.brands)
    return {
        **idle,
        "due in many brands": lambda: run_due(size.due, scattered_ids(size)),
        "due in one brand": lambda: run_due(together, ids_of_one_brand(together)),
        "idle check_budgets": partial(run_idle, "check_budgets"),
        "loop": partial(run_loop, size.looped),
    }


def scattered_ids(size: Size) -> list[int]:
    """So many campaigns, in as many brands as there are."""
    step = max(size.campaigns // size.due, 1)
    ids = Campaign.objects.order_by("brand_id", "id").values_list("id", flat=True)
    return list(ids[::step][: size.due])


def ids_of_one_brand(count: int) -> list[int]:
    """So many campaigns of the last brand."""
    last = Campaign.objects.order_by("-brand_id").values_list("brand_id", flat=True)[:1]
    ids = Campaign.objects.filter(brand_id__in=list(last)).order_by("id")
    return list(ids.values_list("id", flat=True)[:count])


def run_idle(task: str) -> Cost:
    """Run a task that finds nothing to do."""
    with measured() as cost:
        changes = getattr(delivery, task)(caller=FILLER, now=LATER)
    assert not any(changes.values()), changes
    return cost


def run_due(count: int, ids: list[int]) -> Cost:
    """Let so many campaigns be due, stored as closed and in truth open; run the task for them."""
    chosen = Campaign.objects.filter(id__in=ids)
    chosen.update(
        is_active=False, reasons=(Reason.OUTSIDE_SCHEDULE,), status_since=NOON, next_change_at=NOON
    )
    with measured() as cost:
        changes = delivery.enforce_dayparting(caller=FILLER, now=LATER)
    assert changes == {**NOTHING, "activated": count}, changes
    return cost


def run_loop(count: int) -> Cost:
    """Load and judge this many campaigns one by one, in the order of their ids.

    It is spared what it can be: brands come with their campaigns, dayparts by the thousand, and
    it has nothing to write.
    """
    campaigns = Campaign.objects.select_related("brand").prefetch_related("dayparts")
    with measured() as cost:
        for campaign in campaigns.order_by("id")[:count].iterator(chunk_size=1_000):
            book = get_book(campaign.brand, [campaign], [LATER])
            verdict = judge(book.facts(campaign.pk), LATER)
            assert verdict.reasons == campaign.reasons
    return cost


def repeat(measures: dict[str, Callable[[], Cost]], repetitions: int) -> dict[str, list[Cost]]:
    """Take each measure in turn, so that no other load falls on one of them alone."""
    runs: dict[str, list[Cost]] = {name: [] for name in measures}
    for number in range(repetitions + 1):
        for name, measure in measures.items():
            cost = measure()
            say(f"round {number} of {repetitions}: {name}: {cost.total:,.1f} ms")
            # The first round only warms up.
            runs[name] += [cost] if number else []
    return runs


def table(runs: dict[str, list[Cost]], size: Size) -> str:
    """Return the measurements as rows of Markdown."""
    heads = ("what", "statements", "in the database", "in all", "longest statement", "each lock")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, costs in runs.items():
        cells = (
            name,
            f"{len(costs[0].statements):,}",
            str(Spread.of([cost.database for cost in costs])),
            str(Spread.of([cost.total for cost in costs])),
            f"{max(max(cost.statements) for cost in costs):.2f} ms",
            _locks(costs),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_conclusions(runs, size), ""])


def _locks(costs: list[Cost]) -> str:
    locks = [lock for cost in costs for lock in cost.locks]
    return str(Spread.of(locks)) if locks else "none"


def _conclusions(runs: dict[str, list[Cost]], size: Size) -> Iterator[str]:
    whole = [
        sum(runs[f"idle {task}"][number].database for task in IDLE_TASKS)
        for number in range(size.repetitions)
    ]
    idle, loop = Spread.of(whole), Spread.of([cost.total for cost in runs["loop"]])
    due = Spread.of([cost.total for cost in runs["due in many brands"]])
    sweep = Spread.of([cost.total for cost in runs["idle check_budgets"]])
    yield f"{size.campaigns:,} campaigns in {size.brands:,} brands, {size.repetitions} runs each."
    yield f"An idle tick of the {len(IDLE_TASKS)} tasks: {idle} in the database."
    yield f"The loop over {size.looped:,} of the campaigns: {loop},"
    yield f"{loop.median / size.looped:.3f} ms a campaign; that alone is"
    yield f"{loop.median / idle.median:,.0f} times the idle tick for all of them and"
    yield f"{loop.median / due.median:.1f} times the tick in which {size.due:,} are due."
    yield f"check_budgets goes through all: {sweep.median / size.campaigns:.4f} ms a campaign."


def document(runs: dict[str, list[Cost]], size: Size) -> dict[str, object]:
    """Return every single run."""
    return {
        **{name: getattr(size, name) for name in size.__dataclass_fields__},
        "cores": os.cpu_count(),
        "runs": {
            name: [
                {
                    "database_ms": cost.database,
                    "total_ms": cost.total,
                    "statements": len(cost.statements),
                    "longest_statement_ms": max(cost.statements),
                    "locks_ms": sorted(cost.locks),
                }
                for cost in costs
            ]
            for name, costs in runs.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
