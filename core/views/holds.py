"""The API's calls about holds: set aside, turn into spend, free again (C20)."""

from datetime import datetime, timedelta
from typing import Annotated

from django.http import JsonResponse
from pydantic import Field
from typing_extensions import TypedDict

from core.actions.spend_requests import CaptureRequest, HoldRequest, ReleaseRequest
from core.enums import HoldState
from core.errors import (
    BudgetExceededError,
    CampaignNotActiveError,
    CampaignNotFoundError,
    CaptureAboveHoldError,
    EventIdReusedError,
    HoldEndedError,
    HoldNotFoundError,
)
from core.models import Hold
from core.queries.holds import get_hold
from core.rules.entries import DEFAULT_HOLD, LONGEST_HOLD
from core.rules.instants import format_instant
from core.rules.money import format_money, format_optional_money
from core.views.admission import admit
from core.views.authentication import ApiRequest
from core.views.documentation import answers
from core.views.idempotency import HEADER, REPLAYED, answer, event_id_of
from core.views.parsing import Body, Currency, EventId, Identifier, PositiveMoney
from core.views.spend_documents import (
    HoldCaptureDocument,
    HoldCreateDocument,
    HoldReleaseDocument,
)
from core.views.wire import CurrencyText, HoldStateWord, InstantText, MoneyText, RowId

_DEFAULT_SECONDS = int(DEFAULT_HOLD.total_seconds())
_MOST_SECONDS = int(LONGEST_HOLD.total_seconds())


class HoldCreateBody(Body):
    """An amount to set aside for `seconds`. `currency`, if named, must be the brand's (C2)."""

    campaign_id: Identifier
    amount: PositiveMoney
    seconds: Annotated[int, Field(strict=True, ge=1, le=_MOST_SECONDS)] = _DEFAULT_SECONDS
    currency: Currency | None = None
    event_id: EventId | None = None


class HoldCaptureBody(Body):
    """How much of the hold was spent; without an amount all of it, and the rest is freed."""

    amount: PositiveMoney | None = None
    event_id: EventId | None = None


class HoldReleaseBody(Body):
    """Nothing but a name for the call."""

    event_id: EventId | None = None


class HoldDocument(TypedDict):
    """A hold as it stands now; `captured` is what became spend, as entry `spend_log_id`."""

    hold_id: RowId
    campaign_id: RowId
    campaign_name: str
    amount: MoneyText
    currency: CurrencyText
    state: HoldStateWord
    held_at: InstantText | None
    expires_at: InstantText | None
    ended_at: InstantText | None
    captured: MoneyText | None
    spend_log_id: RowId | None
    event_id: str | None


@answers(
    HoldCreateDocument,
    201,
    refusals=(
        CampaignNotFoundError,
        CampaignNotActiveError,
        BudgetExceededError,
        EventIdReusedError,
    ),
    asks=(HEADER,),
    tells=(REPLAYED,),
)
def hold_create(request: ApiRequest, body: HoldCreateBody) -> JsonResponse:
    """Set an amount aside; it counts against every budget until it ends."""
    asked = HoldRequest(
        campaign_id=body.campaign_id,
        amount=body.amount,
        duration=timedelta(seconds=body.seconds),
        currency=body.currency,
        event_id=event_id_of(request, body),
    )
    return answer(admit(request, asked), status=201)


@answers(HoldDocument, refusals=(HoldNotFoundError,))
def hold_detail(request: ApiRequest, hold_id: int) -> JsonResponse:
    """Show one hold."""
    hold = get_hold(hold_id, request.auth.brand_ids)
    return JsonResponse(hold_document(hold, request.now))


@answers(
    HoldCaptureDocument,
    refusals=(HoldNotFoundError, HoldEndedError, CaptureAboveHoldError, EventIdReusedError),
    asks=(HEADER,),
    tells=(REPLAYED,),
)
def hold_capture(
    request: ApiRequest, hold_id: int, body: HoldCaptureBody | None = None
) -> JsonResponse:
    """Turn a hold into spend, in whole or in part; the rest is freed."""
    amount = body.amount if body else None
    asked = CaptureRequest(hold_id, amount, event_id_of(request, body))
    return answer(admit(request, asked))


@answers(
    HoldReleaseDocument,
    refusals=(HoldNotFoundError, HoldEndedError, EventIdReusedError),
    asks=(HEADER,),
    tells=(REPLAYED,),
)
def hold_release(
    request: ApiRequest, hold_id: int, body: HoldReleaseBody | None = None
) -> JsonResponse:
    """Free a hold."""
    asked = ReleaseRequest(hold_id, event_id_of(request, body))
    return answer(admit(request, asked))


def hold_document(hold: Hold, now: datetime) -> HoldDocument:
    """The document of a hold that `get_hold` gave, as it stands at `now`."""
    has_run_out = hold.state == HoldState.OPEN and now >= hold.expires_at
    entry = hold.spend_log
    return {
        "hold_id": hold.pk,
        "campaign_id": hold.campaign_id,
        "campaign_name": hold.campaign.name,
        "amount": format_money(hold.amount),
        "currency": hold.currency,
        "state": HoldState.EXPIRED if has_run_out else hold.state,
        "held_at": format_instant(hold.held_at),
        "expires_at": format_instant(hold.expires_at),
        "ended_at": format_instant(hold.expires_at if has_run_out else hold.ended_at),
        "captured": format_optional_money(entry.amount if entry else None),
        "spend_log_id": entry.pk if entry else None,
        "event_id": hold.event_id or None,
    }
