"""Any history: a brand and three campaigns, and what people do with them, step by step."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from core.actions.brands import edit_brand
from core.actions.campaigns import edit_campaign, pause_campaign, resume_campaign
from core.errors import TimeZoneChangeTooSoonError
from core.models import Brand, Campaign
from core.rules.dayparts import Daypart
from core.tests.actions.tasks import DEEDS, run
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    capture,
    hold,
    make_brand,
    make_campaign,
    refund,
    release,
    report,
)
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR


def tick(now: datetime) -> None:
    """All unattended work at one instant."""
    for name in DEEDS:
        run(name, now)


@dataclass(frozen=True)
class Step:
    """A deed so many minutes after the one before."""

    minutes: int
    deed: str
    place: int
    amount: str


DEEDS_OF_PEOPLE = (
    *("add", "add", "add", "report", "late report", "hold", "hold", "capture", "release"),
    *("refund", "raise", "cut", "pause", "resume", "own budget", "schedule", "flight"),
    *("month", "zone"),
)
steps = st.builds(
    Step,
    minutes=st.sampled_from([0, 1, 3, 7, 60, 200, 700]),
    deed=st.sampled_from(DEEDS_OF_PEOPLE),
    place=st.integers(0, 2),
    amount=st.sampled_from(["1", "2.5", "4", "6"]),
)
quick_steps = st.builds(
    Step,
    minutes=st.sampled_from([0, 1, 2, 5, 29, 31]),
    deed=st.sampled_from(DEEDS_OF_PEOPLE),
    place=st.integers(0, 2),
    amount=st.sampled_from(["1", "2.5", "4", "6"]),
)


class Players:
    """A brand and three campaigns, and what people do with them."""

    def __init__(self) -> None:
        self.brand = make_brand(
            name="Acme",
            time_zone="Europe/Berlin",
            daily_budget=Decimal(10),
            monthly_budget=Decimal(40),
        )
        self.campaigns = [
            make_campaign(self.brand, name="always"),
            make_campaign(
                self.brand, name="evenings", schedule=[Daypart((0, 2, 3, 5), 20 * 60, 2 * 60)]
            ),
            make_campaign(
                self.brand,
                name="flight",
                starts_at=NOON + 5 * HOUR,
                ends_at=NOON + 5 * DAY,
                daily_budget=Decimal(6),
            ),
        ]
        self.held: list[Any] = []
        self.spent: list[Any] = []

    def play(self, step: Step, now: datetime) -> None:
        """Do what the step says; what is refused is part of the story."""
        campaign, amount = self.campaigns[step.place], step.amount
        deeds: dict[str, Callable[[], Any]] = {
            "add": lambda: self._keep(self.spent, add(campaign, amount, now=now)),
            "report": lambda: self._keep(self.spent, report(campaign, amount, now=now)),
            "late report": lambda: report(campaign, amount, now=now, occurred_at=now - 20 * HOUR),
            "hold": lambda: self._keep(self.held, hold(campaign, amount, now=now)),
            "capture": lambda: self.held and capture(self.held.pop(), "0.5", now=now),
            "release": lambda: self.held and release(self.held.pop(), now=now),
            "refund": lambda: self.spent and refund(self.spent.pop(), "1", now=now),
            "raise": lambda: self._edit_brand({"daily_budget": Decimal(15)}, now),
            "cut": lambda: self._edit_brand({"daily_budget": Decimal(7)}, now),
            "month": lambda: self._edit_brand({"monthly_budget": Decimal(30)}, now),
            "zone": lambda: self._move(now),
            "pause": lambda: pause_campaign(campaign.pk, caller=CALLER, now=now),
            "resume": lambda: resume_campaign(campaign.pk, caller=CALLER, now=now),
            "own budget": lambda: self._edit(campaign, {"daily_budget": Decimal(amount)}, now),
            "schedule": lambda: self._edit(campaign, {"schedule": [window("09:00", "18:30")]}, now),
            "flight": lambda: self._edit(campaign, {"ends_at": now + 30 * HOUR}, now),
        }
        deeds[step.deed]()

    def _keep(self, kept: list[Any], outcome: Any) -> None:
        if not outcome.refusal:
            kept.append(outcome)

    def _edit_brand(self, changes: Any, now: datetime) -> None:
        edit_brand(self.brand.pk, changes, caller=CALLER, now=now)

    def _move(self, now: datetime) -> None:
        """West, and from there far east."""
        is_west = Brand.objects.get(pk=self.brand.pk).time_zone == "America/New_York"
        with suppress(TimeZoneChangeTooSoonError):
            zone = "Asia/Tokyo" if is_west else "America/New_York"
            self._edit_brand({"time_zone": zone}, now)

    def _edit(self, campaign: Campaign, changes: Any, now: datetime) -> None:
        if "ends_at" in changes and (campaign.starts_at or NOON) >= changes["ends_at"]:
            return
        edit_campaign(campaign.pk, changes, caller=CALLER, now=now)
