"""What is promised of speed, as ratios against yardsticks of the same run.

`make bench` lends this a throw-away PostgreSQL with fsync, prints a table and writes every single
run to var/bench.json.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.choices import Choices, Plan, Trials
from benchmarks.hand_written import HandWritten, socket_folder
from benchmarks.machine import describe_machine, flush_microseconds
from benchmarks.prices import PriceStream, read_prices
from benchmarks.rounds import Rounds, all_sites
from benchmarks.scene import make_scene
from benchmarks.sweep import measure_sweeps
from benchmarks.targets import (
    CHECKED,
    LOOPED,
    MEMORY,
    PRICES,
    SHARE_OF_MEMORY,
    Readings,
    document,
    rows_for,
    table,
)
from benchmarks.web import environment_of
from stack.checkout import ROOT, VAR, make_var, write_private
from stack.throwaway import throwaway_folder

PRICES_FILE = ROOT.parent / "shared" / "data" / "rtb_prices.txt.gz"


def main(words: list[str]) -> int:
    """Measure on the PostgreSQL that DATABASE_URL names and on a SQLite file; print and write."""
    plan, prices, output = parse(words)
    url, started_at = os.environ["DATABASE_URL"], time.monotonic()
    machine = describe_machine(url)
    flush = flush_microseconds(Path(socket_folder(url)))
    say(f"{machine}; a flush takes {flush} µs")
    stream, readings = read_prices(prices, plan.most_prices), Readings()
    choices = measure_calls(plan, url, flush, stream=stream, readings=readings)
    sweep(plan, url, readings)
    facts = {
        **machine,
        "flush_microseconds": flush,
        **{name: str(choice) for name, choice in vars(choices).items()},
        "has_real_prices": stream.is_real,
        "seconds_in_all": round(time.monotonic() - started_at),
    }
    rows = rows_for(flush)
    sys.stdout.write("\n".join([table(rows, readings), "", *remarks(facts, stream, readings), ""]))
    make_var()
    write_private(output, document(rows, readings, **facts))
    say(f"every run: {output}")
    return 0


def parse(words: list[str]) -> tuple[Plan, Path, Path]:
    """Read the arguments: the plan, the price stream's file and where to write."""
    parser = argparse.ArgumentParser(prog="python -m stack bench", description=__doc__)
    for option in fields(Plan):
        name = f"--{option.name.replace('_', '-')}"
        kind = type(option.default)
        parser.add_argument(name, type=kind, default=option.default, help="(%(default)s)")
    parser.add_argument("--prices", type=Path, default=PRICES_FILE, help="(%(default)s)")
    parser.add_argument("--output", type=Path, default=VAR / "bench.json")
    found = vars(parser.parse_args(words))
    prices, output = found.pop("prices"), found.pop("output")
    return Plan(**found), prices, output


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def measure_calls(
    plan: Plan, url: str, flush: int, *, stream: PriceStream, readings: Readings
) -> Choices:
    """Measure everything but the sweep."""
    by_hand, here = HandWritten(url), environment_of(url)
    by_hand.prepare()
    say(f"filling {plan.brands:,} brands")
    scene = make_scene(here, brand_count=plan.brands, fresh_count=plan.repetitions)
    choices = Trials(plan, by_hand, scene, here, say).choose()
    say(f"best: {choices}")
    with throwaway_folder("sqlite") as folder, all_sites(url, scene, choices, folder) as sites:
        Rounds(plan, by_hand, choices.way, sites, stream, flush, readings, say).run()
    return choices


def sweep(plan: Plan, url: str, readings: Readings) -> None:
    """Measure the budget check in a database of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE sweep")
    own = environment_of(urlsplit(url)._replace(path="/sweep").geturl())
    found = measure_sweeps(
        own, campaigns=plan.campaigns, looped=plan.looped, repetitions=plan.repetitions
    )
    for name, runs in ((CHECKED, found["checked"]), (LOOPED, found["looped"])):
        for each in runs:
            readings.note(name, 1_000 / each, "/s")


def remarks(facts: Mapping[str, object], stream: PriceStream, readings: Readings) -> Iterator[str]:
    """What the table leaves out."""
    yield ", ".join(f"{name.replace('_', ' ')} {fact}" for name, fact in facts.items())
    kind = "the real one" if stream.is_real else "GENERATED, for lack of the real one's file"
    yield f"The price stream: {len(stream.prices):,} impressions ({kind}), {readings.say(PRICES)}."
    memory, share = readings.say(MEMORY), readings.say(SHARE_OF_MEMORY)
    yield f"A web worker maps {memory}; {share} when what several map is shared out among them."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
