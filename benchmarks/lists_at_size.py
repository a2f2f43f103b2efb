"""Whether lists, the status and admission stay as fast as they were while the log grows.

Two databases on one PostgreSQL, a small and a big one, take their turn: every reading is the big
one's time against the small one's. `make bench-lists` prints a table and writes every single run
to var/bench-lists.json.
"""

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Min

from benchmarks.filled_log import DAYS, fill_log
from benchmarks.machine import describe_machine
from benchmarks.many_campaigns import FILLER, NOON, SCHEDULES, ZONES
from core.actions.spend import add_spend, admit_batch
from core.actions.spend_requests import SpendRequest
from core.enums import Reason, SpendKind
from core.models import Campaign, SpendLog
from core.queries.brands import count_brands
from core.queries.campaigns import (
    CAMPAIGN_ORDERINGS,
    CampaignFilter,
    count_campaigns,
    get_campaign_page,
)
from core.queries.spend import SPEND_LOG_ORDERINGS, SpendLogFilter, get_spend_log_page
from stack.checkout import VAR, make_var, write_private

PAGE = 100
BATCH = 1_000
HALF = timedelta(days=DAYS / 2)
SMALL, BIG = "small", "big"

Deed = Callable[[], object]
# Milliseconds, by what was done and in which database.
Runs = dict[str, dict[str, list[float]]]
Blocks = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Size:
    """How much of everything; the brands are as many in both databases."""

    entries: int
    few_entries: int
    campaigns: int
    few_campaigns: int
    brands: int
    repetitions: int


def main(words: list[str]) -> int:
    """Fill two databases on the server that DATABASE_URL names, measure, print and write."""
    size, output = parse(words)
    settings.DEBUG = False  # Or Django would keep every statement.
    make_database(SMALL, size.few_entries, size.few_campaigns, size.brands)
    make_database(BIG, size.entries, size.campaigns, size.brands)
    machine = describe_machine(os.environ["DATABASE_URL"])
    blocks = count_blocks()
    runs = repeat(size.repetitions)
    load = f"{os.getloadavg()[0]:.1f}"
    sys.stdout.write(table(runs, blocks, size, {**machine, "load_after": load}))
    make_var()
    document = {**asdict(size), "machine": machine, "load_after": load}
    write_private(output, json.dumps({**document, "runs": runs, "blocks": blocks}, indent=1))
    say(f"every run: {output}")
    return 0


def parse(words: list[str]) -> tuple[Size, Path]:
    """Read the arguments; the defaults are the real measurement."""
    parser = argparse.ArgumentParser(prog="python -m stack bench-lists", description=__doc__)
    for name, default in (
        ("entries", 10_000_000),
        ("few-entries", 10_000),
        ("campaigns", 100_000),
        ("few-campaigns", 10_000),
        ("brands", 1_000),
        ("repetitions", 7),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--output", type=Path, default=VAR / "bench-lists.json")
    found = vars(parser.parse_args(words))
    output = found.pop("output")
    size = Size(**found)
    shared = len(SCHEDULES) * size.brands
    if size.brands % len(ZONES) or size.campaigns % shared or size.few_campaigns % shared:
        parser.error(f"{len(ZONES)} zones share the brands, which share the campaigns evenly")
    return size, output


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{text}\n")


def make_database(name: str, entries: int, campaigns: int, brands: int) -> None:
    """Make a database of this name and fill it."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    with database(name):
        call_command("migrate", verbosity=0)
        fill_log(entries, campaigns, brands, say)
        assert SpendLog.objects.count() >= entries


@contextmanager
def database(name: str) -> Iterator[None]:
    """Work on the database of this name."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def deeds() -> dict[str, Deed]:
    """Everything that is measured, by name, for the database that is open."""
    first = Campaign.objects.aggregate(first=Min("id"))["first"]
    hot = Campaign.objects.get(pk=first)
    return {**pages_of_log(hot), **pages_of_campaigns(hot), **others(hot)}


def pages_of_log(hot: Campaign) -> dict[str, Deed]:
    """Each filter in each order, at the top and half way down."""
    named = SpendLog.objects.exclude(event_id="").order_by("-id")[0]
    middle = SpendLog.objects.filter(occurred_at__lt=NOON - HALF).order_by("-occurred_at")[0]
    brand, day = hot.brand_id, middle.budget_day
    others = list(Campaign.objects.order_by("-id").values_list("brand_id", flat=True)[:2])
    filters: dict[str, SpendLogFilter] = {
        "all": SpendLogFilter(),
        "campaign": SpendLogFilter(campaign_id=hot.pk),
        "brand": SpendLogFilter(brand_id=brand),
        "a key's 3 brands": SpendLogFilter(brand_ids={brand, *others}),
        "date": SpendLogFilter(budget_day=day),
        "campaign and date": SpendLogFilter(campaign_id=hot.pk, budget_day=day),
        "from, to": SpendLogFilter(occurred_from=NOON - HALF, occurred_until=NOON - HALF / 2),
        "brand, from, to": SpendLogFilter(
            brand_id=brand, occurred_from=NOON - HALF, occurred_until=NOON - HALF / 2
        ),
        "kind=refund": SpendLogFilter(kind=SpendKind.REFUND),
        "kind=capture (none)": SpendLogFilter(kind=SpendKind.CAPTURE),
        "brand, kind=capture (none)": SpendLogFilter(brand_id=brand, kind=SpendKind.CAPTURE),
        "over_budget=true": SpendLogFilter(is_over_budget=True),
        "event_id": SpendLogFilter(event_id=named.event_id),
        "event_id (none)": SpendLogFilter(event_id="nobody's"),
    }
    pages: dict[str, Deed] = {}
    for name, chosen in filters.items():
        for order, ordering in SPEND_LOG_ORDERINGS.items():
            wanted = replace(chosen, ordering=ordering)
            pages[f"log: {name}, {order}"] = partial(get_spend_log_page, wanted, PAGE)
            deep = replace(wanted, after=ordering.place(middle))
            pages[f"log: {name}, {order}, deep"] = partial(get_spend_log_page, deep, PAGE)
    return pages


def pages_of_campaigns(hot: Campaign) -> dict[str, Deed]:
    """The same of campaigns."""
    count = Campaign.objects.count()
    middle = Campaign.objects.order_by("id")[count // 2]
    filters = {
        "all": CampaignFilter(),
        "brand": CampaignFilter(brand_id=hot.brand_id),
        "is_active=false (none)": CampaignFilter(is_active=False),
        "reason (none)": CampaignFilter(reason=Reason.ENDED),
        "search (none)": CampaignFilter(search="winter"),
    }
    named: dict[str, Deed] = {}
    for name, chosen in filters.items():
        for order, ordering in CAMPAIGN_ORDERINGS.items():
            wanted = replace(chosen, ordering=ordering)
            named[f"campaigns: {name}, {order}"] = partial(get_campaign_page, NOON, wanted, PAGE)
            deep = replace(wanted, after=ordering.place(middle))
            named[f"campaigns: {name}, {order}, deep"] = partial(
                get_campaign_page, NOON, deep, PAGE
            )
    return named


def others(hot: Campaign) -> dict[str, Deed]:
    """The status, and admission: alone and in batches, without event ids and with both kinds."""

    def admit(event_id: Callable[[int], str], count: int) -> None:
        amount = Decimal("0.000001")
        asked = [SpendRequest(hot.pk, amount, event_id=event_id(n)) for n in range(count)]
        late = timedelta(hours=72)
        for outcome in admit_batch(asked, caller=FILLER, now=NOON, late_limit=late):
            outcome.accepted()

    def one() -> None:
        add_spend(SpendRequest(hot.pk, Decimal("0.000001")), caller=FILLER, now=NOON).accepted()

    return {
        "status": lambda: (count_brands(None), count_campaigns(None)),
        "add, one": one,
        "add, one with a random event id": lambda: admit(lambda _: str(uuid.uuid4()), 1),
        "batch of 1,000": lambda: admit(lambda _: "", BATCH),
        "batch of 1,000, time-ordered event ids": lambda: admit(ordered_id, BATCH),
        "batch of 1,000, random event ids": lambda: admit(lambda _: str(uuid.uuid4()), BATCH),
    }


def ordered_id(number: int) -> str:
    """An event id that is larger than those before it, as our client makes them."""
    return f"{time.time_ns():016x}-{number:04x}-{uuid.uuid4().hex[:8]}"


def repeat(repetitions: int) -> Runs:
    """Do everything in turn, in both databases; the first round only warms up.

    A reading is the fastest of several times in a row: the others were disturbed.
    """
    runs: Runs = {}
    for number in range(repetitions + 1):
        for name in (SMALL, BIG):
            with database(name):
                for what, deed in deeds().items():
                    kept = runs.setdefault(what, {SMALL: [], BIG: []})
                    times = [milliseconds(deed) for _ in range(3 if ":" in what else 10)]
                    kept[name] += [min(times)] if number else []
            say(f"round {number} of {repetitions}: {name}")
    return runs


def milliseconds(deed: Deed) -> float:
    """How long it takes."""
    started_at = time.perf_counter()
    deed()
    return (time.perf_counter() - started_at) * 1_000


def count_blocks() -> Blocks:
    """The blocks of 8 kB that each list touches, wherever they are: no other load changes that."""
    blocks: Blocks = {}
    for name in (SMALL, BIG):
        with database(name):
            for what, deed in deeds().items():
                if what.startswith(("log", "campaigns", "status")):
                    blocks.setdefault(what, {})[name] = blocks_of(deed)
    return blocks


def blocks_of(deed: Deed) -> int:
    """The blocks that its statements touch."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        deed()
    touched = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, params in statements:
            if sql.startswith("SET LOCAL "):  # How to plan those that follow.
                cursor.execute(sql)
                continue
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            plan = cursor.fetchall()[0][0][0]["Plan"]
            touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return touched


def table(runs: Runs, blocks: Blocks, size: Size, machine: dict[str, str | int]) -> str:
    """Return the measurements as rows of Markdown."""
    heads = ("what", "small", "big", "big / small", "blocks, small", "blocks, big")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for what, kept in runs.items():
        small, big = median(kept[SMALL]), median(kept[BIG])
        touched = blocks.get(what, {SMALL: "", BIG: ""})
        cells = (what, f"{small:.2f} ms", f"{big:.2f} ms", f"{big / small:.2f}")
        lines.append(f"| {' | '.join(cells)} | {touched[SMALL]} | {touched[BIG]} |")
    lines += [
        "",
        f"small: {size.few_entries:,} entries, {size.few_campaigns:,} campaigns; big: "
        f"{size.entries:,} and {size.campaigns:,}; {size.brands:,} brands in both. "
        f"Medians of {size.repetitions} rounds.",
        ", ".join(f"{name} {value}" for name, value in machine.items()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
