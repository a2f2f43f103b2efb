"""How the answers about spend and holds stand on the wire; `core/actions` words them."""

from typing import Literal

from typing_extensions import TypedDict

from core.views.error_documents import RefusalDocument
from core.views.wire import (
    Count,
    HoldStateWord,
    InstantText,
    MoneyText,
    ObstacleDocument,
    ReasonWord,
    RowId,
)


class StandingDocument(TypedDict):
    """How a campaign stands after money moved; `remaining` is null without any budget."""

    campaign_id: RowId
    campaign_name: str
    is_active: bool
    remaining: MoneyText | None
    reasons: list[ObstacleDocument]
    event_id: str | None


class SpendAddDocument(StandingDocument):
    """An admitted spend; the new spend is the campaign's in its budget day and month."""

    spend_log_id: RowId
    amount: MoneyText
    new_daily_spend: MoneyText
    new_monthly_spend: MoneyText


class SpendReportDocument(SpendAddDocument):
    """A recorded spend, and the part of it that no budget covered (C19)."""

    over_budget: MoneyText
    over_budget_cause: ReasonWord | None


class SpendRefundDocument(SpendAddDocument):
    """What was taken back; `refundable` is what is left of the entry (C22)."""

    refund_of: RowId
    refundable: MoneyText


class HoldCreateDocument(StandingDocument):
    """A hold that was taken (C20)."""

    hold_id: RowId
    state: HoldStateWord
    amount: MoneyText
    expires_at: InstantText


class HoldCaptureDocument(SpendAddDocument):
    """A hold that became spend; `released` is the rest of it (C20)."""

    hold_id: RowId
    state: HoldStateWord
    released: MoneyText


class HoldReleaseDocument(StandingDocument):
    """A hold that was freed (C20)."""

    hold_id: RowId
    state: HoldStateWord
    released: MoneyText


class _BatchResult(TypedDict):
    index: Count


class _BatchAdmitted(_BatchResult):
    status: Literal["admitted", "replayed"]


class BatchAddDocument(SpendAddDocument, _BatchAdmitted):
    """What the single call answers to an `add`."""


class BatchReportDocument(SpendReportDocument, _BatchAdmitted):
    """What the single call answers to a `report`."""


class BatchRefundDocument(SpendRefundDocument, _BatchAdmitted):
    """What the single call answers to a `refund`."""


class BatchRefusalDocument(RefusalDocument, _BatchResult):
    """How the single call refuses."""

    status: Literal["refused", "replayed", "invalid", "failed"]


class SpendBatchDocument(TypedDict):
    """The result of each entry, in the order of the entries (C23)."""

    results: list[
        BatchAddDocument | BatchReportDocument | BatchRefundDocument | BatchRefusalDocument
    ]
