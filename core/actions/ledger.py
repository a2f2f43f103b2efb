"""Writes down what admission decided: log entries, holds and totals.

Only `core/actions/spend.py` comes here, inside its transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import F

from core.actions.spend_requests import (
    Asked,
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    Request,
    SpendOutcome,
    SpendRequest,
)
from core.enums import HoldState, SpendKind
from core.errors import InvalidInputError, NotFoundError
from core.models import Brand, BrandTotal, CampaignTotal, Hold, SpendLog
from core.queries.holds import find_expired_holds
from core.rules.admission import Admission, BrandBook, Decision
from core.rules.entries import HoldFacts, LoggedSpend
from core.rules.verdict import ZERO, TotalKey, period_of


@dataclass(slots=True)
class Pending:
    """One request on its way: decided, perhaps written, finally answered."""

    asked: Asked
    decision: Decision | None = None
    log: SpendLog | None = None
    hold: Hold | None = None
    outcome: SpendOutcome | None = None
    repeats: "Pending | None" = None

    @property
    def request(self) -> Request:
        """What is asked."""
        return self.asked.request

    @property
    def is_first_answer(self) -> bool:
        """Whether its answer is to be kept for its event id: decided, and not just invalid."""
        if not self.request.event_id or self.decision is None:
            return False
        return not isinstance(self.decision.refusal, InvalidInputError | NotFoundError)

    @property
    def admitted(self) -> Decision | None:
        """The decision, if it lets the request through."""
        return None if self.decision is None or self.decision.refusal else self.decision


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where one brand's decisions are written; `holds` and `logged` are the rows they named."""

    brand: Brand
    now: datetime
    holds: Mapping[int, Hold] = field(default_factory=dict)
    logged: Mapping[int, SpendLog] = field(default_factory=dict)

    def facts(self, book: BrandBook) -> BrandBook:
        """The book with the holds and the entries that the requests name."""
        holds = {hold.pk: _hold_facts(hold) for hold in self.holds.values()}
        logged = {entry.pk: _logged_spend(entry) for entry in self.logged.values()}
        return replace(book, holds=holds, logged=logged)

    def write(self, pendings: Sequence[Pending], admission: Admission) -> None:
        """Log what was spent, begin and end holds, and store the totals that changed."""
        for pending in pendings:
            if pending.admitted:
                pending.log = self._log_entry(pending.asked, pending.admitted)
                pending.hold = self._hold(pending.asked, pending.admitted)
        SpendLog.objects.bulk_create([each.log for each in pendings if each.log])
        self._write_holds(pendings)
        self._write_totals(admission)

    def expire_holds(self) -> int:
        """End the holds whose time has run out, at the instant at which it did; how many."""
        expired = find_expired_holds(self.brand, self.now)
        return expired.update(state=HoldState.EXPIRED, ended_at=F("expires_at"))

    def _log_entry(self, asked: Asked, decision: Decision) -> SpendLog | None:
        match request := asked.request:
            case SpendRequest():
                return self._entry(
                    asked,
                    decision,
                    kind=request.kind,
                    occurred_at=occurred_at(request, self.now),
                )
            case CaptureRequest():
                return self._entry(
                    asked,
                    decision,
                    kind=SpendKind.CAPTURE,
                    occurred_at=self.holds[request.hold_id].held_at,
                )
            case RefundRequest():
                refunded = self.logged[request.spend_log_id]
                return self._entry(
                    asked,
                    decision,
                    kind=SpendKind.REFUND,
                    amount=-decision.amount,
                    occurred_at=refunded.occurred_at,
                    refund_of=refunded,
                    refund_reason=request.reason or None,
                )
            case HoldRequest() | ReleaseRequest():
                return None

    def _entry(self, asked: Asked, decision: Decision, **columns: Any) -> SpendLog:
        usual = {
            "brand": self.brand,
            "campaign_id": decision.campaign_id,
            "amount": decision.amount,
            "over_budget": decision.over_budget,
            "over_budget_cause": decision.over_budget_cause or "",
            "currency": self.brand.currency,
            "budget_day": decision.budget_day,
            "recorded_at": self.now,
            "event_id": asked.request.event_id,
            "source": asked.caller.source,
        }
        return SpendLog(**{**usual, **columns})

    def _hold(self, asked: Asked, decision: Decision) -> Hold | None:
        match request := asked.request:
            case HoldRequest():
                return Hold(
                    brand=self.brand,
                    campaign_id=decision.campaign_id,
                    amount=decision.amount,
                    currency=self.brand.currency,
                    budget_day=decision.budget_day,
                    held_at=self.now,
                    expires_at=self.now + request.duration,
                    event_id=request.event_id,
                    source=asked.caller.source,
                )
            case CaptureRequest() | ReleaseRequest():
                return self.holds[request.hold_id]
            case SpendRequest() | RefundRequest():
                return None

    def _write_holds(self, pendings: Sequence[Pending]) -> None:
        begun, ended = [], []
        for pending in pendings:
            if pending.hold is None:
                continue
            if isinstance(pending.request, HoldRequest):
                begun.append(pending.hold)
                continue
            pending.hold.state = HoldState.CAPTURED if pending.log else HoldState.RELEASED
            pending.hold.ended_at = self.now
            pending.hold.spend_log = pending.log
            ended.append(pending.hold)
        Hold.objects.bulk_create(begun)
        if ended:
            Hold.objects.bulk_update(ended, ["state", "ended_at", "spend_log"], batch_size=500)

    def _write_totals(self, admission: Admission) -> None:
        """Write the totals that changed. Absolute values are safe: the brand is locked."""
        of_brand, of_campaigns = [], []
        for key in admission.changed:
            amounts = admission.totals[key]
            columns = self._period_columns(key) | {"spent": amounts.spent, "held": amounts.held}
            if key.campaign_id is None:
                of_brand.append(BrandTotal(brand=self.brand, **columns))
            else:
                of_campaigns.append(CampaignTotal(campaign_id=key.campaign_id, **columns))
        BrandTotal.objects.bulk_create(
            of_brand,
            update_conflicts=True,
            unique_fields=["brand", "period", "starts_on"],
            update_fields=["spent", "held"],
        )
        CampaignTotal.objects.bulk_create(
            of_campaigns,
            update_conflicts=True,
            unique_fields=["campaign", "period", "starts_on"],
            update_fields=["spent", "held"],
        )

    def _period_columns(self, key: TotalKey) -> dict[str, Any]:
        period = period_of(self.brand.calendar, key.period, key.starts_on)
        return {
            "period": period.kind,
            "starts_on": period.starts_on,
            "starts_at": period.starts_at,
            "ends_at": period.ends_at,
        }


def occurred_at(request: SpendRequest, now: datetime) -> datetime:
    """When a spend counts: only what is already gone can have been gone earlier (C11)."""
    is_told = request.kind is not SpendKind.ADD
    return (is_told and request.occurred_at) or now


def _hold_facts(hold: Hold) -> HoldFacts:
    return HoldFacts(
        hold_id=hold.pk,
        campaign_id=hold.campaign_id,
        amount=hold.amount,
        state=HoldState(hold.state),
        budget_day=hold.budget_day,
        expires_at=hold.expires_at,
    )


def _logged_spend(entry: Any) -> LoggedSpend:
    # `refunded`, which is zero or less, is an annotation of `map_entries_to_refund`.
    return LoggedSpend(
        campaign_id=entry.campaign_id,
        kind=SpendKind(entry.kind),
        budget_day=entry.budget_day,
        refundable=entry.amount + (entry.refunded or ZERO),
    )
