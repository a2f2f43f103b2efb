"""The brands of `simulate_spend --days`: four zones and currencies, every kind of budget.

New York, Berlin and Santiago change their clocks twice a year, Santiago in the south and at its
midnight, and Tokyo never.
"""

from decimal import Decimal

from core.rules.dayparts import EVERY_DAY, WORKDAYS, Daypart
from core.rules.traffic import BrandPlan, CampaignPlan

SIMULATED_BRANDS = (
    BrandPlan(
        name="Hudson Outfitters",
        time_zone="America/New_York",
        currency="USD",
        daily_budget=Decimal(1_000),
        monthly_budget=Decimal(24_000),
        smallest=Decimal("0.01"),
        campaigns=(
            CampaignPlan("Always On", asks_per_day=11, typical=6_875),
            CampaignPlan(
                "Business Hours",
                asks_per_day=10,
                typical=5_000,
                schedule=(Daypart(WORKDAYS, 9 * 60, 18 * 60),),
                daily_budget=Decimal(220),
            ),
            CampaignPlan("Retargeting", asks_per_day=8, typical=2_500, is_reported=True),
            CampaignPlan(
                "Spring Launch",
                asks_per_day=8,
                typical=5_000,
                starts_in_days=2,
                ends_in_days=20,
                lifetime_budget=Decimal(4_000),
            ),
        ),
        moves=(120, "America/Los_Angeles"),
    ),
    BrandPlan(
        name="Alpenglow Coffee",
        time_zone="Europe/Berlin",
        currency="EUR",
        daily_budget=Decimal("2.50"),
        monthly_budget=Decimal(65),
        smallest=Decimal("0.00001"),
        campaigns=(
            CampaignPlan("Search", asks_per_day=13, typical=20_000),
            CampaignPlan(
                "Night Owls",
                asks_per_day=14,
                typical=15_000,
                schedule=(Daypart(EVERY_DAY, 21 * 60, 3 * 60 + 30),),
            ),
            CampaignPlan(
                "Newsletter", asks_per_day=6, typical=11_250, monthly_budget=Decimal("11.50")
            ),
        ),
    ),
    BrandPlan(
        name="Andes Outdoor",
        time_zone="America/Santiago",
        currency="CLP",
        daily_budget=Decimal(150_000),
        monthly_budget=Decimal(4_200_000),
        smallest=Decimal(1),
        campaigns=(
            CampaignPlan(
                "Late Show",
                asks_per_day=8,
                typical=12_000,
                schedule=(Daypart(EVERY_DAY, 22 * 60, 90),),
                daily_budget=Decimal(60_000),
            ),
            CampaignPlan(
                "Winter Sale", asks_per_day=9, typical=20_000, starts_in_days=31, ends_in_days=185
            ),
            CampaignPlan(
                "Summer Sale",
                asks_per_day=9,
                typical=20_000,
                starts_in_days=185,
                lifetime_budget=Decimal(12_000_000),
            ),
        ),
    ),
    BrandPlan(
        name="Sakura Mobile",
        time_zone="Asia/Tokyo",
        currency="JPY",
        daily_budget=Decimal(90_000),
        monthly_budget=Decimal(2_600_000),
        smallest=Decimal(1),
        campaigns=(
            CampaignPlan("Brand Video", asks_per_day=11, typical=5_000),
            CampaignPlan(
                "Commuters",
                asks_per_day=24,
                typical=3_750,
                schedule=(
                    Daypart(WORKDAYS, 6 * 60 + 30, 9 * 60),
                    Daypart(WORKDAYS, 17 * 60, 20 * 60),
                ),
            ),
            CampaignPlan(
                "App Installs",
                asks_per_day=8,
                typical=3_750,
                daily_budget=Decimal(32_000),
                is_reported=True,
            ),
        ),
    ),
)
