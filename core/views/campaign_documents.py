"""How a campaign stands on the wire."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from typing_extensions import TypedDict

from core.enums import Reason
from core.rules.explanation import REASON_SENTENCES
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money
from core.rules.verdict import ZERO, tightest_budget
from core.views.schedules import DaypartDocument, one_window, schedule_document
from core.views.wire import ClockText, Cursor, InstantText, MoneyText, ReasonWord, RowId


class ReasonDocument(TypedDict):
    """One stored reason; `explain` gives its numbers."""

    code: ReasonWord
    message: str


class CampaignDocument(TypedDict):
    """A campaign as callers see it.

    `daily_budget` and `monthly_budget` are the tightest that apply, the `own_…` ones its own.
    Spend is the campaign's in the running budget day and month.
    """

    id: RowId
    name: str
    brand: str
    brand_id: RowId
    is_active: bool
    is_enabled: bool
    reasons: list[ReasonDocument]
    status_since: InstantText | None
    next_change_at: InstantText | None
    daily_spend: MoneyText
    monthly_spend: MoneyText
    daily_budget: MoneyText | None
    monthly_budget: MoneyText | None
    own_daily_budget: MoneyText | None
    own_monthly_budget: MoneyText | None
    own_lifetime_budget: MoneyText | None
    starts_at: InstantText | None
    ends_at: InstantText | None
    dayparting_start: ClockText | None
    dayparting_end: ClockText | None
    schedule: list[DaypartDocument]
    version: RowId


class CampaignListDocument(TypedDict):
    """A page of campaigns, and the cursor of the next one."""

    campaigns: list[CampaignDocument]
    next: Cursor | None


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
        "reasons": reason_documents(campaign.reasons),
        "status_since": format_instant(campaign.status_since),
        "next_change_at": format_instant(campaign.awaited_change_at),
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
        "version": campaign.version,
    }


def reason_documents(reasons: Iterable[Reason]) -> list[ReasonDocument]:
    """Stored reasons, each with its sentence."""
    return [{"code": reason.value, "message": f"{REASON_SENTENCES[reason]}."} for reason in reasons]


def _tightest(*budgets: Decimal | None) -> str | None:
    return format_optional_money(tightest_budget(*budgets))
