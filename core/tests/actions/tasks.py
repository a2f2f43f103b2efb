"""The unattended deeds as their tasks run them, and a world in which each finds work."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from budget_manager.celery import app
from core.actions import delivery
from core.actions.caller import Caller
from core.actions.campaigns import pause_campaign
from core.actions.delivery import Changes
from core.enums import Reason
from core.models import Brand, Campaign
from core.tests.builders import CALLER, NOON, add, hold, make_brand, make_campaign, report, story
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import HOUR, utc

DEEDS: dict[str, Callable[..., Changes]] = {
    "check_budgets": delivery.check_budgets,
    "enforce_dayparting": delivery.enforce_dayparting,
    "reset_daily_spend": delivery.reset_daily_spend,
    "reset_monthly_spend": delivery.reset_monthly_spend,
    "expire_holds": delivery.expire_holds,
}
# Noon in UTC is 21:00 in Tokyo and 08:00 in New York.
# What looks and changes nothing, however often.
LOOKS = ("verify_ledgers",)
INSTANTS = {
    "within the day": NOON + HOUR,
    "after midnight in Tokyo": utc("2026-06-10T15:00:30"),
    "in the morning in Tokyo": utc("2026-06-10T22:00:30"),
    "after midnight in both": utc("2026-06-11T04:00:30"),
    "after the month's end in Tokyo": utc("2026-06-30T15:00:30"),
    "after the month's end in both": utc("2026-07-01T04:00:30"),
    "after an outage of seven weeks": utc("2026-08-01T09:00"),
}


def registered() -> list[str]:
    """The names of all tasks, whoever registered them."""
    app.loader.import_default_modules()
    return sorted(name for name in app.tasks if not name.startswith("celery."))


def changing() -> list[str]:
    """The names of those that change what is stored."""
    return [name for name in registered() if name.removeprefix("core.") not in LOOKS]


def run(name: str, now: datetime) -> Changes:
    """Run one deed as its task does."""
    return DEEDS[name](caller=Caller(f"task:core.{name}"), now=now)


@dataclass(frozen=True)
class World:
    """Two brands in far zones whose budgets are used up, and campaigns with every kind of edge.

    Of a third brand the one campaign waits for a hold to expire.
    """

    tokyo: Brand
    new_york: Brand
    campaigns: dict[str, Campaign]

    def active(self) -> set[str]:
        """The campaigns that are stored as active, by name."""
        active = Campaign.objects.filter(is_active=True).values_list("name", flat=True)
        return set(active)


def make_world() -> World:
    """Make it, all at noon; the daily budget of Tokyo and the month of New York are used up."""
    tokyo = make_brand(
        time_zone="Asia/Tokyo", daily_budget=Decimal(10), monthly_budget=Decimal(1_000)
    )
    new_york = make_brand(time_zone="America/New_York", monthly_budget=Decimal(20))
    made = [
        make_campaign(tokyo, name="plain"),
        make_campaign(tokyo, name="mornings", schedule=[window("06:00", "12:00")]),
        make_campaign(tokyo, name="paused by hand"),
        make_campaign(tokyo, name="flight", starts_at=utc("2026-06-11T00:00")),
        make_campaign(tokyo, name="ending", ends_at=utc("2026-06-10T13:00")),
        make_campaign(new_york, name="own lifetime", lifetime_budget=Decimal(4)),
        make_campaign(new_york, name="own day", daily_budget=Decimal(5)),
        make_campaign(new_york, name="unlimited"),
        make_campaign(make_brand(daily_budget=Decimal(10)), name="held"),
    ]
    campaigns = {campaign.name: campaign for campaign in made}
    pause_campaign(campaigns["paused by hand"].pk, caller=CALLER, now=NOON)
    report(campaigns["own lifetime"], "4", occurred_at=NOON - 24 * HOUR)
    for name, amount in (("plain", "10"), ("own day", "5"), ("unlimited", "11")):
        add(campaigns[name], amount).accepted()
    hold(campaigns["held"], "10").accepted()
    return World(tokyo, new_york, campaigns)


def make_holding_world() -> World:
    """The same two brands, each with one campaign that waits for a hold to expire."""
    brands = [make_brand(daily_budget=Decimal(10)) for _ in range(2)]
    campaigns = {
        name: make_campaign(brand, name=name) for name, brand in zip("ab", brands, strict=True)
    }
    for campaign in campaigns.values():
        hold(campaign, "10").accepted()
    tokyo, new_york = brands
    return World(tokyo, new_york, campaigns)


def corrupt(campaign: Campaign, *reasons: Reason) -> None:
    """Store a verdict by hand."""
    Campaign.objects.filter(pk=campaign.pk).update(is_active=not reasons, reasons=reasons)


def outcome() -> dict[str, list[dict[str, Any]]]:
    """What is stored, but for which task brought it about."""
    kept = story()
    for transition in kept["Transition"]:
        del transition["cause"], transition["actor"]
    return kept
