"""Tells from stored reasons whether a campaign waits for time alone, as a verdict would (C14)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from core.enums import Reason

_PASSING = frozenset({Reason.NOT_STARTED, Reason.OUTSIDE_SCHEDULE})
# The next period lifts these, unless their budget is zero then too.
_RENEWED = frozenset(
    {
        Reason.BRAND_DAILY_BUDGET,
        Reason.BRAND_MONTHLY_BUDGET,
        Reason.CAMPAIGN_DAILY_BUDGET,
        Reason.CAMPAIGN_MONTHLY_BUDGET,
    }
)


def waits_for_time_alone(
    reasons: Iterable[Reason], budgets: Mapping[Reason, Decimal | None]
) -> bool:
    """Whether every reason passes by itself; a campaign that runs has none and only waits, too."""
    return all(
        reason in _PASSING or (reason in _RENEWED and bool(budgets.get(reason)))
        for reason in reasons
    )
