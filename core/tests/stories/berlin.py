"""Three days of a brand in Berlin, over a month's end, and what it hears at each step.

The brand may spend 100.00 a day and 170.00 a month. `night` runs from 22:00 to 02:00, `small` has
20.00 a day of its own, and the flight of `spring` is from Monday 08:00 to Tuesday 18:00.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from core.actions import delivery
from core.actions.brands import edit_brand
from core.actions.caller import Caller
from core.actions.spend_requests import SpendOutcome
from core.models import Brand, Campaign
from core.rules.dayparts import Daypart
from core.tests.builders import CALLER, add, make_brand, make_campaign, report

EVERY_DAY = tuple(range(7))


class Task(Protocol):
    """One of the unattended deeds."""

    __name__: str

    def __call__(self, *, caller: Caller, now: datetime) -> delivery.Changes:
        """Do it."""


TASKS: tuple[Task, ...] = (
    delivery.check_budgets,
    delivery.enforce_dayparting,
    delivery.reset_daily_spend,
    delivery.reset_monthly_spend,
)
# Which tasks run when, in order.
Timetable = Iterable[tuple[datetime, Task]]


def local(text: str) -> datetime:
    """The instant at which a clock in Berlin shows this, in 2026: `03-30 08:00`."""
    wall_time = datetime.fromisoformat(f"2026-{text}")
    return wall_time.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """At this time somebody asks for an amount, tells of one, or sets the brand's daily budget."""

    at: str
    who: str
    deed: str
    amount: str
    heard: str
    # When the money went, if not now.
    occurred: str = ""


STORY = (
    # Monday. The flight starts at 08:00 and not before.
    Step("03-30 07:59", "spring", "add", "10.00", "campaign_not_active: not_started"),
    Step("03-30 08:00", "spring", "add", "10.00", "90.00 remains"),
    # A budget of its own is spent to the last micro, and not one more.
    Step("03-30 09:00", "small", "add", "15.00", "5.00 remains"),
    Step("03-30 09:05", "small", "add", "5.000001", "budget_exceeded: campaign_daily_budget"),
    Step("03-30 09:06", "small", "add", "5.00", "0.00 remains, campaign_daily_budget"),
    Step("03-30 09:07", "small", "add", "0.000001", "campaign_not_active: campaign_daily_budget"),
    Step("03-30 12:00", "night", "add", "1.00", "campaign_not_active: outside_schedule"),
    # Money already gone is recorded; 70.00 of it was covered.
    Step(
        "03-30 14:00", "spring", "report", "80.00", "0.00 remains, 10.00 over, brand_daily_budget"
    ),
    Step("03-30 14:01", "spring", "add", "1.00", "campaign_not_active: brand_daily_budget"),
    # A raised budget binds at once, and what was spent still counts.
    Step("03-30 15:00", "brand", "edit", "150.00", "done"),
    Step("03-30 15:01", "spring", "add", "1.00", "39.00 remains"),
    Step("03-30 22:00", "night", "add", "19.00", "20.00 remains"),
    Step("03-30 23:59:59.999999", "night", "add", "20.00", "0.00 remains, brand_daily_budget"),
    # Tuesday begins inside the window: a new day's budget, and 20.00 left of March.
    Step("03-31 00:00", "night", "add", "5.00", "15.00 remains"),
    Step("03-31 01:59:59", "night", "add", "1.00", "14.00 remains"),
    Step("03-31 02:00", "night", "add", "1.00", "campaign_not_active: outside_schedule"),
    Step("03-31 09:00", "small", "add", "10.00", "4.00 remains"),
    Step("03-31 17:59", "spring", "add", "5.00", "budget_exceeded: brand_monthly_budget"),
    Step("03-31 17:59:30", "spring", "add", "4.00", "0.00 remains, brand_monthly_budget"),
    Step(
        "03-31 18:00", "spring", "add", "1.00", "campaign_not_active: ended, brand_monthly_budget"
    ),
    Step("03-31 22:30", "night", "add", "1.00", "campaign_not_active: brand_monthly_budget"),
    # Wednesday is the 1st of April: a new day and a new month.
    Step("04-01 00:00", "night", "add", "1.00", "149.00 remains"),
    Step("04-01 00:01", "small", "add", "20.00", "0.00 remains, campaign_daily_budget"),
    # Somebody tells late of Tuesday's spend: it is Tuesday's and March's, which had nothing left.
    Step(
        "04-01 10:00",
        "spring",
        "report",
        "3.00",
        "129.00 remains, 3.00 over, ended",
        occurred="03-31 17:00",
    ),
    Step("04-01 10:01", "spring", "add", "1.00", "campaign_not_active: ended"),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """The brand and its campaigns by name."""

    brand: Brand
    campaigns: dict[str, Campaign]


def make_cast() -> Cast:
    """The brand and its campaigns, as they were set up the day before."""
    now = local("03-29 12:00")
    brand = make_brand(
        now=now,
        time_zone="Europe/Berlin",
        daily_budget=Decimal(100),
        monthly_budget=Decimal(170),
    )
    overnight = Daypart(EVERY_DAY, start_minute=22 * 60, end_minute=2 * 60)
    campaigns = [
        make_campaign(brand, now=now, name="night", schedule=[overnight]),
        make_campaign(brand, now=now, name="small", daily_budget=Decimal(20)),
        make_campaign(
            brand,
            now=now,
            name="spring",
            starts_at=local("03-30 08:00"),
            ends_at=local("03-31 18:00"),
        ),
    ]
    return Cast(brand, {campaign.name: campaign for campaign in campaigns})


def live_through(cast: Cast, timetable: Timetable) -> list[str]:
    """Play the story while unattended work runs at its times; what was heard at each step."""
    ticks = sorted(timetable, key=lambda tick: tick[0])
    heard = []
    for step in STORY:
        while ticks and ticks[0][0] <= local(step.at):
            now, task = ticks.pop(0)
            task(caller=task_caller(task), now=now)
        heard.append(_live(cast, step))
    for now, task in ticks:
        task(caller=task_caller(task), now=now)
    return heard


def task_caller(task: Task) -> Caller:
    """Who a task is in the records."""
    return Caller(f"task:core.{task.__name__}")


def _live(cast: Cast, step: Step) -> str:
    now = local(step.at)
    if step.deed == "edit":
        edit_brand(cast.brand.pk, {"daily_budget": Decimal(step.amount)}, caller=CALLER, now=now)
        return "done"
    occurred_at = local(step.occurred) if step.occurred else None
    say = add if step.deed == "add" else report
    return _worded(say(cast.campaigns[step.who], step.amount, now=now, occurred_at=occurred_at))


def _worded(outcome: SpendOutcome) -> str:
    """What the caller hears, in few words."""
    if outcome.refusal:
        details = outcome.refusal.details
        causes = [details["budget"]] if "budget" in details else _codes(details["reasons"])
        return f"{outcome.refusal.code}: {', '.join(causes)}"
    answer = outcome.accepted()
    over = Decimal(answer.get("over_budget", "0.00"))
    words = [f"{answer['remaining']} remains", *([f"{over} over"] if over else [])]
    return ", ".join([*words, *_codes(answer["reasons"])])


def _codes(reasons: list[dict[str, Any]]) -> list[str]:
    return [reason["code"] for reason in reasons]
