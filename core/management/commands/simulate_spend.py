"""`simulate_spend`: spends through the same admission as the API (C18) and says what came of it.

With `--days` it plays days at virtual instants on a database in memory, and never on the real one.
"""

import random
import time
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.actions.caller import Caller
from core.actions.simulation import Played, Simulation, play_simulation
from core.actions.spend import add_spend
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.errors import CampaignNotFoundError
from core.management.arguments import parse_spend, read_argument, read_count, read_id, unusable
from core.management.memory_database import database_in_memory
from core.management.output import printable, progress_bar, refusal_sentence, show_progress
from core.management.simulated_brands import SIMULATED_BRANDS
from core.management.simulation_report import broken_sentence, report_lines
from core.models import Campaign
from core.queries.campaigns import CampaignFilter, get_campaign, list_campaigns
from core.queries.clock import get_now
from core.rules.instants import format_instant
from core.rules.money import format_money

CALLER = Caller("command:simulate_spend")
LEAST, MOST = 1, 100
SOMETHING_REFUSED = 1
PROMISE_BROKEN = 1
# A month from here has two changes of clocks and the turn of a month in it.
FIRST_DAY = date(2026, 3, 5)
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Attempt:
    """One spend to try; `said` is the amount as the output shows it."""

    campaign: Campaign
    amount: Decimal
    said: str


class Command(BaseCommand):
    """Exit status: 0 when all was admitted, 1 when something was refused, 2 for bad input.

    With `--days`: 1 when a promise of the contract was broken; there, refusals are daily life.
    """

    help = (
        "Spend a random amount for every active campaign, or the given amount for one; or play "
        "days of traffic in memory and look whether every promise is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Nothing, or a campaign and an amount, or how many days to play."""
        parser.add_argument("campaign_id", nargs="?", help="spend for this campaign only")
        parser.add_argument("amount", nargs="?", help='such as "75.00"')
        parser.add_argument("--seed", type=int, help="makes everything random repeatable")
        parser.add_argument(
            "--days", metavar="N", help="play N days of traffic in memory; touches no real data"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Play days, or try each spend; a refusal doesn't stop the next one."""
        if simulation := _simulation(options):
            self._play(simulation)
            return
        attempts = _attempts(options, get_now())
        if not attempts:
            self.stderr.write("No campaign is active: nothing was spent.")
        was_refused = False
        for attempt in attempts:
            now = get_now()
            request = SpendRequest(attempt.campaign.pk, attempt.amount)
            outcome = add_spend(request, caller=CALLER, now=now)
            self._say(attempt, outcome, now)
            was_refused |= outcome.refusal is not None
        if was_refused:
            raise SystemExit(SOMETHING_REFUSED)

    def _play(self, simulation: Simulation) -> None:
        """Play it, print what became of it, and name each promise that was broken."""
        began = time.perf_counter()
        with database_in_memory():
            played = play_simulation(
                simulation, on_day=lambda day: self._say_progress(day, simulation.days)
            )
        self._say_progress(0, 0)
        self.stdout.write("\n".join(report_lines(played)))
        self._say_speed(played, time.perf_counter() - began)
        for broken in played.broken:
            self.stderr.write(printable(broken_sentence(broken), self.stderr))
        if played.broken:
            raise SystemExit(PROMISE_BROKEN)

    def _say_progress(self, day: int, days: int) -> None:
        """A bar that the next one overwrites, for a person only; none after the last day."""
        show_progress(self.stderr, progress_bar(day, days, "day") if days else "")

    def _say_speed(self, played: Played, seconds: float) -> None:
        rate = played.requests / seconds
        self.stderr.write(
            f"{played.requests} requests in {seconds:.1f} s: {rate:.0f} a second", style_func=str
        )

    def _say(self, attempt: Attempt, outcome: SpendOutcome, now: datetime) -> None:
        if outcome.refusal:
            name = printable(attempt.campaign.name, self.stderr)
            why = printable(refusal_sentence(outcome.refusal), self.stderr)
            at = format_instant(now.replace(microsecond=0))
            self.stderr.write(f"Refused spend {attempt.said} to {name} at {at}: {why}")
        else:
            name = printable(attempt.campaign.name, self.stdout)
            self.stdout.write(f"Added spend {attempt.said} to {name}")


def _simulation(options: dict[str, Any]) -> Simulation | None:
    """What to play, if that is what was asked for. Raises CommandError."""
    days, seed = options["days"], options["seed"]
    names_campaign = options["campaign_id"] is not None
    if seed is not None and names_campaign:
        raise unusable("--seed: is not for one campaign and amount; leave it out")
    if days is None:
        return None
    if names_campaign:
        raise unusable("--days: is not for one campaign and amount; leave out either")
    if seed is None:
        raise unusable('--seed: is missing; say which traffic, as in "--days 30 --seed 7"')
    count = read_count(str(days), "--days", least=1, most=MOST_DAYS)
    return Simulation(SIMULATED_BRANDS, FIRST_DAY, count, seed)


def _attempts(options: dict[str, Any], now: datetime) -> list[Attempt]:
    campaign_id, amount = options["campaign_id"], options["amount"]
    if campaign_id is None:
        return _random_attempts(options["seed"], now)
    if amount is None:
        raise unusable('amount: is missing; say how much, as in "simulate_spend 1 75.00"')
    return [_attempt(str(campaign_id), str(amount))]


def _random_attempts(seed: int | None, now: datetime) -> list[Attempt]:
    """One for each campaign that is stored as active; admission judges afresh."""
    chance = random.Random(seed)  # noqa: S311 (a simulation keeps no secrets)
    units = [
        (campaign, chance.randint(LEAST, MOST))
        for campaign in list_campaigns(now, CampaignFilter(is_active=True))
    ]
    return [Attempt(campaign, Decimal(amount), str(amount)) for campaign, amount in units]


def _attempt(campaign_id: str, amount: str) -> Attempt:
    number = read_id(campaign_id, "campaign_id")
    money = read_argument(parse_spend, amount, "amount")
    try:
        return Attempt(get_campaign(number), money, format_money(money))
    except CampaignNotFoundError as refusal:
        raise unusable(f"campaign_id: no campaign has the id {number}") from refusal
