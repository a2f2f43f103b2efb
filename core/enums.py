"""The stored words of Budget Manager: each value stands in the database and on the wire.

Words only; what follows from a word is decided in `core/rules`.
"""

from enum import StrEnum


class SpendKind(StrEnum):
    """How an entry came into the spend log."""

    ADD = "add"  # asked first, could be refused (C18)
    REPORT = "report"  # already spent, can't be refused (C19)
    CAPTURE = "capture"  # a hold turned into spend (C20)
    REFUND = "refund"  # takes back part or all of an earlier entry (C22)


class HoldState(StrEnum):
    """What has become of a hold (C20)."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class PeriodKind(StrEnum):
    """The span over which a budget counts spend."""

    DAY = "day"
    MONTH = "month"
    LIFETIME = "lifetime"


class Reason(StrEnum):
    """Why a campaign is not active (C14), in the order in which reasons bind."""

    BRAND_DISABLED = "brand_disabled"
    CAMPAIGN_DISABLED = "campaign_disabled"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    OUTSIDE_SCHEDULE = "outside_schedule"
    BRAND_DAILY_BUDGET = "brand_daily_budget"
    BRAND_MONTHLY_BUDGET = "brand_monthly_budget"
    CAMPAIGN_DAILY_BUDGET = "campaign_daily_budget"
    CAMPAIGN_MONTHLY_BUDGET = "campaign_monthly_budget"
    CAMPAIGN_LIFETIME_BUDGET = "campaign_lifetime_budget"


class Cause(StrEnum):
    """What brought a transition about (C17)."""

    CREATED = "created"
    SPEND = "spend"
    REFUND = "refund"
    HOLD = "hold"
    HOLD_ENDED = "hold_ended"
    BRAND_EDITED = "brand_edited"
    CAMPAIGN_EDITED = "campaign_edited"
    SCHEDULE_EDITED = "schedule_edited"
    PAUSED = "paused"
    RESUMED = "resumed"
    ARCHIVED = "archived"
    TIME = "time"
    PERIOD_TURNED = "period_turned"
    BUDGET_CHECK = "budget_check"


class Scope(StrEnum):
    """What an API key may do (C29)."""

    READ = "read"
    SPEND = "spend"
    MANAGE = "manage"
