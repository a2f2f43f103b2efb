"""Facts about one brand and its campaign 1 for the tests of the verdict and of admission.

The references are written without the code under test: plain local dates, plain dicts.
"""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.enums import PeriodKind, Reason
from core.rules.calendar import BrandCalendar
from core.rules.dayparts import WeeklySchedule
from core.rules.verdict import Amounts, BrandFacts, CampaignFacts, Facts, TotalKey
from core.tests.rules.zones import utc

NOON = utc("2026-06-10T12:00")  # a Wednesday
TODAY = NOON.date()
THIS_MONTH = TODAY.replace(day=1)
ALWAYS = date.min
DAY, MONTH, LIFETIME = PeriodKind

BRAND = BrandFacts(True, BrandCalendar("UTC"), "USD", None, None)
CAMPAIGN = CampaignFacts(1, True, False, None, None, WeeklySchedule(), None, None, None)

# Where the total of each budget is filed when a spend occurs at noon: whose, which, since when.
TOTAL_OF = {
    Reason.BRAND_DAILY_BUDGET: TotalKey(None, DAY, TODAY),
    Reason.BRAND_MONTHLY_BUDGET: TotalKey(None, MONTH, THIS_MONTH),
    Reason.CAMPAIGN_DAILY_BUDGET: TotalKey(1, DAY, TODAY),
    Reason.CAMPAIGN_MONTHLY_BUDGET: TotalKey(1, MONTH, THIS_MONTH),
    Reason.CAMPAIGN_LIFETIME_BUDGET: TotalKey(1, LIFETIME, ALWAYS),
}
BUDGETS = list(TOTAL_OF)


def facts(totals: dict[TotalKey, Amounts] | None = None, **changes: Any) -> Facts:
    """Facts with these changes, `brand_…` ones to the brand and others to the campaign."""
    of_brand = {
        name.removeprefix("brand_"): value
        for name, value in changes.items()
        if name.startswith("brand_")
    }
    of_campaign = {name: value for name, value in changes.items() if name[:6] != "brand_"}
    brand, campaign = replace(BRAND, **of_brand), replace(CAMPAIGN, **of_campaign)
    return Facts(brand, campaign, totals or {})


def with_budget(
    reason: Reason, budget: str | None, spent: str = "0", held: str = "0", **changes: Any
) -> Facts:
    """Facts with this one budget, of which so much is used at noon."""
    name = reason.value.removeprefix("campaign_")
    limit = None if budget is None else Decimal(budget)
    totals = {TOTAL_OF[reason]: Amounts(Decimal(spent), Decimal(held))}
    return facts(totals, **{name: limit}, **changes)


def reference_reasons(known: Facts, at: datetime) -> list[str]:
    """Why the campaign is not active, for zones whose midnights are plain."""
    brand, campaign = known.brand, known.campaign
    wall = at.astimezone(ZoneInfo(brand.calendar.time_zone))
    today = wall.date()
    minute = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    windows = campaign.schedule.windows

    def is_used_up(owner: int | None, period: str, since: date, budget: Decimal | None) -> bool:
        if budget is None:
            return False
        total = known.totals.get(TotalKey(owner, PeriodKind(period), since), Amounts())
        return total.spent + total.held >= budget

    first = today.replace(day=1)
    found = {
        "brand_disabled": not brand.is_enabled,
        "campaign_disabled": not campaign.is_enabled,
        "not_started": campaign.starts_at is not None and at < campaign.starts_at,
        "ended": campaign.ends_at is not None and campaign.ends_at <= at,
        "outside_schedule": bool(windows) and not any(a <= minute < b for a, b in windows),
        "brand_daily_budget": is_used_up(None, "day", today, brand.daily_budget),
        "brand_monthly_budget": is_used_up(None, "month", first, brand.monthly_budget),
        "campaign_daily_budget": is_used_up(1, "day", today, campaign.daily_budget),
        "campaign_monthly_budget": is_used_up(1, "month", first, campaign.monthly_budget),
        "campaign_lifetime_budget": is_used_up(1, "lifetime", ALWAYS, campaign.lifetime_budget),
    }
    return [reason for reason, holds in found.items() if holds]
