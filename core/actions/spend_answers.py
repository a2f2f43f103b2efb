"""How each admitted request is answered, as JSON values: the seed's fields, then ours."""

from typing import Any

from core.actions.ledger import Pending
from core.actions.spend_requests import (
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    SpendOutcome,
    SpendRequest,
)
from core.enums import HoldState, SpendKind
from core.rules.admission import Decision
from core.rules.explanation import describe_obstacles
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money


def outcome_of(pending: Pending, names: dict[int, str]) -> SpendOutcome:
    """The refusal, or the answer; `names` has the names of the campaigns."""
    decision = pending.decision or Decision()
    if decision.refusal:
        return SpendOutcome(refusal=decision.refusal)
    answer = {
        "campaign_id": decision.campaign_id,
        "campaign_name": names[decision.campaign_id],
        **_own_fields(pending, decision),
        **_standing(decision),
        "event_id": pending.request.event_id or None,
    }
    return SpendOutcome(answer=answer)


def _own_fields(pending: Pending, decision: Decision) -> dict[str, Any]:
    amount = {"amount": format_money(decision.amount)}
    logged = {"spend_log_id": pending.log.pk if pending.log else None}
    match pending.request:
        case SpendRequest(kind=SpendKind.REPORT):
            over_budget = {
                "over_budget": format_money(decision.over_budget),
                "over_budget_cause": decision.over_budget_cause,
            }
            return {**amount, **_new_spend(decision), **logged, **over_budget}
        case SpendRequest():
            return {**amount, **_new_spend(decision), **logged}
        case RefundRequest(spend_log_id=refunded_id):
            refund = {
                "refund_of": refunded_id,
                "refundable": format_money(decision.refundable),
            }
            return {**amount, **_new_spend(decision), **logged, **refund}
        case CaptureRequest():
            released = {"released": format_money(decision.freed)}
            return {**_hold(pending), **amount, **released, **_new_spend(decision), **logged}
        case ReleaseRequest():
            return {**_hold(pending), "released": format_money(decision.freed)}
        case HoldRequest():
            expires_at = format_instant(pending.hold.expires_at if pending.hold else None)
            return {**_hold(pending), **amount, "expires_at": expires_at}


def _new_spend(decision: Decision) -> dict[str, Any]:
    return {
        "new_daily_spend": format_money(decision.day.spent),
        "new_monthly_spend": format_money(decision.month.spent),
    }


def _hold(pending: Pending) -> dict[str, Any]:
    hold = pending.hold
    return {"hold_id": hold.pk, "state": HoldState(hold.state).value} if hold else {}


def _standing(decision: Decision) -> dict[str, Any]:
    """How the campaign stands after it."""
    verdict = decision.verdict
    if verdict is None:
        return {}
    return {
        "is_active": verdict.is_active,
        "remaining": format_optional_money(verdict.remaining),
        "reasons": describe_obstacles(verdict),
    }
