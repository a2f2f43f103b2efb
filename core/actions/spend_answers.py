"""How each admitted request is answered, as JSON values: the seed's fields, then ours."""

from typing import Any

from core.actions.ledger import Pending
from core.actions.spend_requests import (
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    SpendRequest,
)
from core.enums import HoldState, SpendKind
from core.rules.admission import Decision
from core.rules.explanation import describe_obstacles
from core.rules.instants import format_instant
from core.rules.money import format_micros


def answer_of(pending: Pending, decision: Decision, campaign_name: str) -> dict[str, Any]:
    """The answer to a request that was admitted."""
    answer = {"campaign_id": decision.campaign_id, "campaign_name": campaign_name}
    _add_own_fields(answer, pending, decision)
    standing = decision.standing
    if standing is not None:
        remaining = standing.remaining
        answer["is_active"] = standing.is_active
        answer["remaining"] = None if remaining is None else format_micros(remaining)
        answer["reasons"] = describe_obstacles(standing.obstacles)
    answer["event_id"] = pending.request.event_id or None
    return answer


def _add_own_fields(answer: dict[str, Any], pending: Pending, decision: Decision) -> None:
    match pending.request:
        case SpendRequest(kind=kind):
            answer["amount"] = format_micros(decision.amount)
            _add_new_spend(answer, pending, decision)
            if kind is SpendKind.REPORT:
                answer["over_budget"] = format_micros(decision.over_budget)
                answer["over_budget_cause"] = decision.over_budget_cause
        case RefundRequest(spend_log_id=refunded_id):
            answer["amount"] = format_micros(decision.amount)
            _add_new_spend(answer, pending, decision)
            answer["refund_of"] = refunded_id
            answer["refundable"] = format_micros(decision.refundable)
        case CaptureRequest():
            _add_hold(answer, pending)
            answer["amount"] = format_micros(decision.amount)
            answer["released"] = format_micros(decision.freed)
            _add_new_spend(answer, pending, decision)
        case ReleaseRequest():
            _add_hold(answer, pending)
            answer["released"] = format_micros(decision.freed)
        case HoldRequest():
            _add_hold(answer, pending)
            answer["amount"] = format_micros(decision.amount)
            answer["expires_at"] = format_instant(pending.hold.expires_at if pending.hold else None)


def _add_new_spend(answer: dict[str, Any], pending: Pending, decision: Decision) -> None:
    answer["new_daily_spend"] = format_micros(decision.day_spent)
    answer["new_monthly_spend"] = format_micros(decision.month_spent)
    answer["spend_log_id"] = pending.spend_log_id


def _add_hold(answer: dict[str, Any], pending: Pending) -> None:
    if pending.hold:
        answer["hold_id"] = pending.hold.pk
        answer["state"] = HoldState(pending.hold.state).value
