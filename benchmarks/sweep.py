"""How long the budget check takes where nothing changed, and how long the seeds' loop would.

`python -m benchmarks.sweep` fills the empty PostgreSQL that DATABASE_URL names and prints JSON:
milliseconds for each campaign, run by run, of the two in turn.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping

from django.conf import settings
from django.core.management import call_command

from benchmarks.idle_tick import run_idle, say
from benchmarks.many_campaigns import fill
from core.models import Campaign


def measure_sweeps(
    environment: Mapping[str, str], *, campaigns: int, looped: int, repetitions: int
) -> dict[str, list[float]]:
    """Measure both in that environment's database."""
    asked = {"campaigns": campaigns, "looped": looped, "repetitions": repetitions}
    words = [word for name, number in asked.items() for word in (f"--{name}", str(number))]
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-m", "benchmarks.sweep", *words],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def main(words: list[str]) -> int:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    for name in ("campaigns", "looped", "repetitions"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args(words)
    settings.DEBUG = False  # Or Django would keep every statement.
    call_command("migrate", verbosity=0)
    fill(asked.campaigns, min(1_000, asked.campaigns // 10), say)
    checked, looped = [], []
    for number in range(asked.repetitions):
        checked.append(run_idle("check_budgets").total / asked.campaigns)
        looped.append(loop_of_the_seeds(asked.looped) / asked.looped)
        say(f"round {number + 1}: check_budgets {checked[-1]:.6f}, loop {looped[-1]:.3f} ms each")
    sys.stdout.write(json.dumps({"checked": checked, "looped": looped}))
    return 0


def loop_of_the_seeds(count: int) -> float:
    """Go through campaigns one by one: fetch the brand, compare, save; milliseconds."""
    started_at = time.perf_counter()
    for campaign in Campaign.objects.order_by("id")[:count].iterator():
        brand = campaign.brand
        campaign.is_active = campaign.is_active and brand.is_enabled
        campaign.save()
    return (time.perf_counter() - started_at) * 1_000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
