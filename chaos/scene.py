"""Who spends: brands in many time zones with budgets small enough to be used up, and one key.

They are made by calls of the API. `scene.json` tells clients, rig and audit of them.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from budget_manager_client import BudgetManager, Daypart, Setting

FILE_NAME = "scene.json"
SMALLEST = "0.01"
# Two days later Europe's clocks have changed and a month has begun.
BEGIN = datetime(2030, 3, 30, 12, tzinfo=UTC)
# Offsets that differ, so that midnights come one by one. Beirut's clock changes at midnight, which
# on 31 March doesn't exist there.
ZONES = (
    *("UTC", "Europe/Berlin", "Asia/Beirut", "America/New_York", "America/Los_Angeles"),
    *("America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu", "Asia/Tokyo"),
    *("Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
)
# The brand that moves while it spends, and where to (C12).
MOVER_ZONE, MOVED_TO = "America/Sao_Paulo", "Atlantic/Azores"


@dataclass(frozen=True)
class SceneBrand:
    """A brand, its campaigns, and the zone in which it began."""

    id: int
    name: str
    time_zone: str
    currency: str
    campaign_ids: list[int]


@dataclass(frozen=True)
class Scene:
    """What clients, rig and audit have to know."""

    seed: int
    brands: list[SceneBrand]
    sources: dict[str, str]
    token: str
    smallest_amount: str = SMALLEST

    @classmethod
    def read(cls, folder: Path) -> "Scene":
        """The scene of the run in this folder."""
        told: dict[str, Any] = json.loads((folder / FILE_NAME).read_text())
        brands = [SceneBrand(**brand) for brand in told.pop("brands")]
        return cls(brands=brands, **told)

    def write(self, folder: Path) -> None:
        """Keep it for the run in this folder."""
        (folder / FILE_NAME).write_text(json.dumps(asdict(self), indent=1))

    @property
    def zones(self) -> dict[int, tuple[str, ...]]:
        """Where each brand's midnights are looked for."""
        return {
            brand.id: (brand.time_zone, MOVED_TO)
            if brand.time_zone == MOVER_ZONE
            else (brand.time_zone,)
            for brand in self.brands
        }


def make_scene(api: BudgetManager, *, seed: int, token: str, source: str) -> Scene:
    """Create the brands and campaigns."""
    brands = [_make_brand(api, number, zone) for number, zone in enumerate(ZONES)]
    return Scene(seed, brands, {"spend": source}, token)


def _make_brand(api: BudgetManager, number: int, zone: str) -> SceneBrand:
    daily = Decimal(8 + 3 * (number % 4))
    # The month of every third brand ends before its days do.
    monthly = daily * Decimal("1.5") if number % 3 == 2 else Decimal(2000)
    name = f"Brand {number} in {zone}"
    brand = api.create_brand(
        name, daily_budget=daily, monthly_budget=monthly, time_zone=zone, currency="EUR"
    )
    campaigns = [
        api.create_campaign(brand.id, each, **terms) for each, terms in _campaign_terms(number)
    ]
    ids = [campaign.id for campaign in campaigns]
    return SceneBrand(brand.id, name, zone, brand.currency, ids)


def _campaign_terms(number: int) -> Iterator[tuple[str, dict[str, Setting]]]:
    """A campaign without budgets, with each kind of its own, with a flight or a schedule."""
    yield "Open", {}
    yield "Daily", {"own_daily_budget": Decimal("4.5")}
    yield "Lifetime", {"own_lifetime_budget": Decimal(14), "own_monthly_budget": Decimal(12)}
    if number % 2:
        yield "Flight", {"ends_at": BEGIN + timedelta(hours=20 + number)}
    else:
        every_day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        # Closes for two hours in the night's middle, opens a minute before midnight.
        yield "Scheduled", {"schedule": [Daypart(every_day, "23:59", "20:30")]}
