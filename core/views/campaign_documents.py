"""How a campaign stands on the wire."""

from decimal import Decimal
from typing import Any, TypedDict

from core.rules.explanation import REASON_SENTENCES
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money
from core.rules.verdict import ZERO
from core.views.schedules import DaypartDocument, one_window, schedule_document


class ReasonDocument(TypedDict):
    """One stored reason; `explain` gives its numbers."""

    code: str
    message: str


class CampaignDocument(TypedDict):
    """A campaign as callers see it.

    `daily_budget` and `monthly_budget` are the tightest that apply, the `own_…` ones its own.
    Spend is the campaign's in the running budget day and month.
    """

    id: int
    name: str
    brand: str
    brand_id: int
    is_active: bool
    is_enabled: bool
    reasons: list[ReasonDocument]
    status_since: str | None
    next_change_at: str | None
    daily_spend: str
    monthly_spend: str
    daily_budget: str | None
    monthly_budget: str | None
    own_daily_budget: str | None
    own_monthly_budget: str | None
    own_lifetime_budget: str | None
    starts_at: str | None
    ends_at: str | None
    dayparting_start: str | None
    dayparting_end: str | None
    schedule: list[DaypartDocument]


def campaign_document(campaign: Any) -> CampaignDocument:
    """The document of a campaign that `list_campaigns` annotated."""
    brand = campaign.brand
    dayparts = [row.daypart for row in campaign.dayparts.all()]
    starts, ends = one_window(dayparts)
    return {
        "id": campaign.pk,
        "name": campaign.name,
        "brand": brand.name,
        "brand_id": brand.pk,
        "is_active": campaign.is_active,
        "is_enabled": campaign.is_enabled,
        "reasons": [
            {"code": reason.value, "message": f"{REASON_SENTENCES[reason]}."}
            for reason in campaign.reasons
        ],
        "status_since": format_instant(campaign.status_since),
        "next_change_at": format_instant(campaign.next_change_at),
        "daily_spend": format_money(campaign.daily_spend or ZERO),
        "monthly_spend": format_money(campaign.monthly_spend or ZERO),
        "daily_budget": _tightest(campaign.daily_budget, brand.daily_budget),
        "monthly_budget": _tightest(campaign.monthly_budget, brand.monthly_budget),
        "own_daily_budget": format_optional_money(campaign.daily_budget),
        "own_monthly_budget": format_optional_money(campaign.monthly_budget),
        "own_lifetime_budget": format_optional_money(campaign.lifetime_budget),
        "starts_at": format_instant(campaign.starts_at),
        "ends_at": format_instant(campaign.ends_at),
        "dayparting_start": starts,
        "dayparting_end": ends,
        "schedule": schedule_document(dayparts),
    }


def _tightest(*budgets: Decimal | None) -> str | None:
    return format_optional_money(
        min((budget for budget in budgets if budget is not None), default=None)
    )
