"""The demo's brands: three zones, three currencies, and every kind of reason to be paused."""

from decimal import Decimal

from core.actions.demo import DemoBrand, DemoCampaign
from core.rules.dayparts import EVERY_DAY, WEEKEND, WORKDAYS, Daypart


def daypart(weekdays: tuple[int, ...], starts: int, ends: int) -> Daypart:
    """A window between two full hours."""
    return Daypart(weekdays, starts * 60, ends * 60)


HUDSON = DemoBrand(
    name="Hudson Outfitters",
    time_zone="America/New_York",
    currency="USD",
    daily_budget=Decimal(4_000),
    monthly_budget=Decimal(90_000),
    smallest=Decimal("0.01"),
    campaigns=(
        DemoCampaign({"name": "Summer Sale"}, per_hour=30),
        DemoCampaign(
            {"name": "Winter Campaign", "schedule": [daypart(EVERY_DAY, 10, 18)]}, per_hour=35
        ),
        DemoCampaign({"name": "Weekend Flash", "schedule": [daypart(WEEKEND, 0, 24)]}, per_hour=40),
        DemoCampaign(
            {"name": "Holiday Gift Guide"}, per_hour=30, starts_in_days=5, ends_in_days=26
        ),
    ),
)

ALPENGLOW = DemoBrand(
    name="Alpenglow Coffee",
    time_zone="Europe/Berlin",
    currency="EUR",
    daily_budget=Decimal(600),
    monthly_budget=Decimal(18_000),
    smallest=Decimal("0.01"),
    is_spent_now=True,
    campaigns=(
        DemoCampaign({"name": "Always On Search"}, per_hour=30, reports=True),
        DemoCampaign({"name": "Morning Brew", "schedule": [daypart(WORKDAYS, 6, 11)]}, per_hour=40),
        DemoCampaign({"name": "Night Owls", "schedule": [daypart(EVERY_DAY, 22, 4)]}, per_hour=25),
        DemoCampaign(
            {"name": "New Roast Launch"}, per_hour=20, starts_in_days=-12, ends_in_days=-4
        ),
    ),
)

SAKURA = DemoBrand(
    name="Sakura Mobile",
    time_zone="Asia/Tokyo",
    currency="JPY",
    daily_budget=Decimal(180_000),
    monthly_budget=Decimal(4_500_000),
    smallest=Decimal(1),
    campaigns=(
        DemoCampaign({"name": "Brand Search", "daily_budget": Decimal(40_000)}, per_hour=4_000),
        DemoCampaign(
            {
                "name": "Commuter Video",
                "schedule": [daypart(WORKDAYS, 7, 10), daypart(WORKDAYS, 17, 21)],
            },
            per_hour=8_000,
        ),
        DemoCampaign({"name": "Student Offer"}, per_hour=2_500, paused_in_days=-2),
        DemoCampaign(
            {"name": "Festival Tickets", "lifetime_budget": Decimal(250_000)}, per_hour=3_000
        ),
    ),
)

DEMO_BRANDS = (HUDSON, ALPENGLOW, SAKURA)
