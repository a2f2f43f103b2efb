"""`simulate_spend`: spends through the same admission as the API (C18) and says what came of it."""

import random
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.actions.caller import Caller
from core.actions.spend import add_spend
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.errors import CampaignNotFoundError
from core.management.arguments import parse_spend, read_argument, read_id, unusable
from core.management.output import printable, refusal_sentence
from core.models import Campaign
from core.queries.campaigns import CampaignFilter, get_campaign, list_campaigns
from core.rules.instants import format_instant
from core.rules.money import format_money

CALLER = Caller("command:simulate_spend")
LEAST, MOST = 1, 100
SOMETHING_REFUSED = 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """One spend to try; `said` is the amount as the output shows it."""

    campaign: Campaign
    amount: Decimal
    said: str


class Command(BaseCommand):
    """Exit status: 0 when all was admitted, 1 when something was refused, 2 for bad input."""

    help = "Spend a random amount for every active campaign, or the given amount for one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Nothing, or a campaign and an amount."""
        parser.add_argument("campaign_id", nargs="?", help="spend for this campaign only")
        parser.add_argument("amount", nargs="?", help='such as "75.00"')
        parser.add_argument("--seed", type=int, help="makes the random amounts repeatable")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Try each spend; a refusal doesn't stop the next one."""
        attempts = _attempts(options, timezone.now())
        if not attempts:
            self.stderr.write("No campaign is active: nothing was spent.")
        was_refused = False
        for attempt in attempts:
            now = timezone.now()
            request = SpendRequest(attempt.campaign.pk, attempt.amount)
            outcome = add_spend(request, caller=CALLER, now=now)
            self._say(attempt, outcome, now)
            was_refused |= outcome.refusal is not None
        if was_refused:
            raise SystemExit(SOMETHING_REFUSED)

    def _say(self, attempt: Attempt, outcome: SpendOutcome, now: datetime) -> None:
        if outcome.refusal:
            name = printable(attempt.campaign.name, self.stderr)
            why = printable(refusal_sentence(outcome.refusal), self.stderr)
            at = format_instant(now.replace(microsecond=0))
            self.stderr.write(f"Refused spend {attempt.said} to {name} at {at}: {why}")
        else:
            name = printable(attempt.campaign.name, self.stdout)
            self.stdout.write(f"Added spend {attempt.said} to {name}")


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
