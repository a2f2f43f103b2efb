"""The ledger as the ORM writes it: slow, and in nothing else than Django's own words.

What the product writes in hand-written SQL has to be the same, row for row.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from core.actions.ledger import Ledger, LedgerRows, Pending
from core.actions.spend_requests import CaptureRequest, RefundRequest, SpendRequest
from core.enums import SpendKind
from core.models import BrandTotal, CampaignTotal, EventAnswer, Hold, SpendLog
from core.models.sql import Row
from core.rules.admission import Admission, Decision
from core.rules.money import from_micros
from core.rules.verdict import period_of


class LedgerByOrm(Ledger):
    """Writes at once what `Ledger` collects."""

    __slots__ = ()

    def collect(
        self,
        rows: LedgerRows,
        pendings: Sequence[Pending],
        admission: Admission,
        *,
        answers: Sequence[Row] = (),
    ) -> None:
        entries = [self._log_entry(each, each.admitted) for each in pendings if each.admitted]
        SpendLog.objects.bulk_create([entry for entry in entries if entry])
        self._save_holds([pending.hold for pending in pendings if pending.hold])
        self._save_totals(admission)
        EventAnswer.objects.bulk_create(self._event_answers(answers))

    def _save_holds(self, holds: Sequence[Hold]) -> None:
        Hold.objects.bulk_create([hold for hold in holds if not hold.ended_at])
        ended = [hold for hold in holds if hold.ended_at]
        Hold.objects.bulk_update(ended, ["state", "ended_at", "spend_log"])

    def _log_entry(self, pending: Pending, decision: Decision) -> SpendLog | None:
        request, occurred_at = pending.request, pending.occurred_at
        refund_of_id, reason, sign = None, None, 1
        match request:
            case SpendRequest():
                kind = request.kind
            case CaptureRequest():
                kind, occurred_at = SpendKind.CAPTURE, self.holds[request.hold_id].held_at
            case RefundRequest():
                kind, sign, reason = SpendKind.REFUND, -1, request.reason or None
                refund_of_id = request.spend_log_id
                occurred_at = self.logged[request.spend_log_id].occurred_at
            case _:
                return None
        return SpendLog(
            pk=pending.spend_log_id,
            brand=self.brand,
            campaign_id=decision.campaign_id,
            kind=kind,
            amount=sign * from_micros(decision.amount),
            over_budget=from_micros(decision.over_budget),
            over_budget_cause=decision.over_budget_cause or "",
            currency=self.brand.currency,
            budget_day=decision.budget_day,
            occurred_at=occurred_at,
            recorded_at=self.now,
            event_id=request.event_id,
            source=pending.caller.source,
            refund_of_id=refund_of_id,
            refund_reason=reason,
        )

    def _save_totals(self, admission: Admission) -> None:
        for key in admission.changed:
            period = period_of(self.brand.calendar, key.period, key.starts_on)
            named: dict[str, Any] = {"period": period.kind, "starts_on": period.starts_on}
            bounds = {"starts_at": period.starts_at, "ends_at": period.ends_at}
            amounts = admission.totals[key]
            columns = {**bounds, "spent": amounts.spent, "held": amounts.held}
            if key.campaign_id is None:
                BrandTotal.objects.update_or_create(brand=self.brand, **named, defaults=columns)
            else:
                CampaignTotal.objects.update_or_create(
                    campaign_id=key.campaign_id, **named, defaults=columns
                )

    def _event_answers(self, answers: Iterable[Row]) -> list[EventAnswer]:
        return [
            EventAnswer(
                source=source,
                event_id=event_id,
                fingerprint=fingerprint,
                is_refusal=is_refusal,
                answer=json.loads(answer),
                recorded_at=self.now,
            )
            for source, event_id, fingerprint, is_refusal, answer, _ in answers
        ]
