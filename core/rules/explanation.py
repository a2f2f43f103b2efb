"""Says a verdict in words and numbers, the same everywhere: API, admin, commands, transitions."""

from collections.abc import Iterable
from typing import Any

from core.enums import Reason
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.rules.verdict import Ceiling, Obstacle, Verdict

REASON_SENTENCES = {
    Reason.BRAND_DISABLED: "The brand is switched off",
    Reason.CAMPAIGN_DISABLED: "The campaign is switched off",
    Reason.NOT_STARTED: "The flight has not started",
    Reason.ENDED: "The flight has ended",
    Reason.OUTSIDE_SCHEDULE: "It is outside the campaign's schedule",
    Reason.BRAND_DAILY_BUDGET: "The brand's daily budget is used up",
    Reason.BRAND_MONTHLY_BUDGET: "The brand's monthly budget is used up",
    Reason.CAMPAIGN_DAILY_BUDGET: "The campaign's daily budget is used up",
    Reason.CAMPAIGN_MONTHLY_BUDGET: "The campaign's monthly budget is used up",
    Reason.CAMPAIGN_LIFETIME_BUDGET: "The campaign's lifetime budget is used up",
}
# What a person can do about it when time alone does not help.
NEXT_STEPS = {
    Reason.BRAND_DISABLED: "enable the brand",
    Reason.CAMPAIGN_DISABLED: "resume the campaign",
    Reason.ENDED: "move the end of the flight",
}


def describe_obstacles(obstacles: Iterable[Obstacle]) -> list[dict[str, Any]]:
    """Each reason as `{"code", "message"}` plus its numbers, binding one first (C14, C17)."""
    return [_describe_obstacle(obstacle) for obstacle in obstacles]


def _describe_obstacle(obstacle: Obstacle) -> dict[str, Any]:
    numbers = describe_ceiling(obstacle.ceiling) if obstacle.ceiling else {}
    return {
        "code": obstacle.reason.value,
        "message": f"{REASON_SENTENCES[obstacle.reason]}{_what_follows(obstacle)}.",
        **numbers,
        "ends_at": format_instant(obstacle.ends_at),
    }


def _what_follows(obstacle: Obstacle) -> str:
    used = ""
    if obstacle.ceiling:
        amounts = obstacle.ceiling.amounts
        used = (
            f" ({format_money(amounts.spent)} spent and {format_money(amounts.held)} held"
            f" of {format_money(obstacle.ceiling.budget)})"
        )
    if obstacle.ends_at:
        return f"{used}; that ends at {format_instant(obstacle.ends_at)}"
    return f"{used}; {NEXT_STEPS.get(obstacle.reason, 'raise the budget')} to run it"


def describe_ceiling(ceiling: Ceiling) -> dict[str, Any]:
    """One budget with its numbers as JSON values."""
    return {
        "budget": format_money(ceiling.budget),
        "spent": format_money(ceiling.amounts.spent),
        "held": format_money(ceiling.amounts.held),
        "remaining": format_money(ceiling.remaining),
    }


def describe_numbers(verdict: Verdict) -> list[dict[str, Any]]:
    """Every budget that applied at the moment of the verdict, for the record (C17)."""
    return [
        {"code": ceiling.reason.value, **describe_ceiling(ceiling)} for ceiling in verdict.ceilings
    ]
