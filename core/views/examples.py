"""What the OpenAPI document shows: one request and one answer of each call, one error of each code.

Each is held against its own schema by a test.
"""

from datetime import timedelta
from typing import Any

from core.enums import Reason
from core.errors import (
    BrandNotFoundError,
    BudgetExceededError,
    BudgetManagerError,
    CampaignNotActiveError,
    CampaignNotFoundError,
    CaptureAboveHoldError,
    ChangedMeanwhileError,
    ClocksDisagreeError,
    EventIdReusedError,
    HoldEndedError,
    HoldNotFoundError,
    InvalidInputError,
    KeyLimitedToBrandsError,
    MalformedBodyError,
    NameTakenError,
    NotAuthenticatedError,
    NotFoundError,
    NotRefundableError,
    RateLimitedError,
    RefundAboveEntryError,
    ScopeMissingError,
    SpendLogNotFoundError,
    TimeZoneChangeTooSoonError,
)
from core.views.errors import PLAIN_ANSWERS
from core.views.parsing import BodyTooLargeError, UnsupportedMediaTypeError

Json = dict[str, Any]

_REQUEST_ID = "0b9f4d6c1f6a4c7e9d1f8a2b3c4d5e6f"
_BRAND: Json = {
    "id": 1,
    "name": "Nordlicht",
    "daily_budget": "500.00",
    "monthly_budget": "15000.00",
    "campaigns_count": 3,
    "daily_spend": "120.50",
    "monthly_spend": "4310.00032",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "time_zone_changes_at": None,
    "is_enabled": True,
    "version": 2,
}
_CAMPAIGN: Json = {
    "id": 1,
    "name": "Summer Sale",
    "brand": "Nordlicht",
    "brand_id": 1,
    "is_active": True,
    "is_enabled": True,
    "reasons": [],
    "status_since": "2026-11-20T08:00:00Z",
    "next_change_at": "2026-11-20T17:00:00Z",
    "daily_spend": "120.50",
    "monthly_spend": "2210.00032",
    "daily_budget": "200.00",
    "monthly_budget": "15000.00",
    "own_daily_budget": "200.00",
    "own_monthly_budget": None,
    "own_lifetime_budget": None,
    "starts_at": None,
    "ends_at": "2026-12-31T23:00:00Z",
    "dayparting_start": "09:00",
    "dayparting_end": "18:00",
    "schedule": [
        {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "start": "09:00",
            "end": "18:00",
        }
    ],
    "version": 5,
}
_PAUSED: Json = {
    **_CAMPAIGN,
    "is_active": False,
    "is_enabled": False,
    "reasons": [{"code": "campaign_disabled", "message": "The campaign is switched off."}],
    "next_change_at": None,
}
_OBSTACLE: Json = {
    "code": "brand_daily_budget",
    "message": "The brand's daily budget is used up (500.00 spent and 0.00 held of 500.00); "
    "that ends at 2026-11-20T23:00:00Z.",
    "budget": "500.00",
    "spent": "500.00",
    "held": "0.00",
    "remaining": "0.00",
    "ends_at": "2026-11-20T23:00:00Z",
}
_STANDING: Json = {
    "campaign_id": 1,
    "campaign_name": "Summer Sale",
    "is_active": True,
    "remaining": "79.50",
    "reasons": [],
    "event_id": "order-4711",
}
_ADDED: Json = {
    **_STANDING,
    "spend_log_id": 7,
    "amount": "50.00",
    "new_daily_spend": "120.50",
    "new_monthly_spend": "2210.00032",
}
_HOLD: Json = {**_STANDING, "hold_id": 3, "event_id": "bid-99"}
_CAPTURED: Json = {
    **_ADDED,
    "hold_id": 3,
    "state": "captured",
    "amount": "18.20",
    "released": "1.80",
    "event_id": None,
}
_REFUNDED: Json = {
    **_ADDED,
    "spend_log_id": 8,
    "amount": "20.00",
    "new_daily_spend": "100.50",
    "new_monthly_spend": "2190.00032",
    "event_id": None,
    "refund_of": 7,
    "refundable": "30.00",
}
_NUMBERS: Json = {
    "code": "brand_daily_budget",
    "budget": "500.00",
    "spent": "500.00",
    "held": "0.00",
    "remaining": "0.00",
}
_TRANSITION: Json = {
    "id": 41,
    "at": "2026-11-20T16:12:09.118204Z",
    "is_active": False,
    "reasons": [{"code": "brand_daily_budget", "message": "The brand's daily budget is used up."}],
    "numbers": [_NUMBERS],
    "cause": "spend",
    "actor": "key:4f1c0a9be2d7",
    "recorded_at": "2026-11-20T16:12:09.118204Z",
    "caught_up": False,
}
_ENTRY: Json = {
    "id": 7,
    "campaign_id": 1,
    "campaign_name": "Summer Sale",
    "brand_id": 1,
    "brand_name": "Nordlicht",
    "date": "2026-11-20",
    "kind": "add",
    "amount": "50.00",
    "over_budget": "0.00",
    "over_budget_cause": None,
    "currency": "EUR",
    "occurred_at": "2026-11-20T08:30:00Z",
    "recorded_at": "2026-11-20T08:30:00Z",
    "event_id": "order-4711",
    "source": "key:4f1c0a9be2d7",
    "refund_of": None,
    "reason": None,
}

REQUESTS: dict[str, Json] = {
    "brand_create": {
        "name": "Nordlicht",
        "daily_budget": "500.00",
        "monthly_budget": "15000.00",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
    },
    "brand_edit": {"daily_budget": "650.00"},
    "campaign_create": {
        "name": "Summer Sale",
        "brand_id": 1,
        "own_daily_budget": "200.00",
        "ends_at": "2026-12-31T23:00:00Z",
        "dayparting_start": "09:00",
        "dayparting_end": "18:00",
    },
    "campaign_edit": {
        "own_daily_budget": None,
        "schedule": [{"days": ["fri", "sat"], "start": "22:00", "end": "02:00"}],
    },
    "spend_add": {"campaign_id": 1, "amount": "50.00", "event_id": "order-4711"},
    "spend_report": {
        "campaign_id": 1,
        "amount": "0.00032",
        "occurred_at": "2026-11-20T08:29:41Z",
        "event_id": "impression-0815",
    },
    "spend_refund": {"spend_log_id": 7, "amount": "20.00", "reason": "Clicks by robots"},
    "spend_batch": {
        "entries": [
            {"kind": "add", "campaign_id": 1, "amount": "50.00", "event_id": "order-4711"},
            {"kind": "refund", "spend_log_id": 7, "amount": "20.00"},
            {"kind": "report", "campaign_id": 999, "amount": "1.00"},
        ]
    },
    "hold_create": {"campaign_id": 1, "amount": "20.00", "seconds": 60, "event_id": "bid-99"},
    "hold_capture": {"amount": "18.20"},
    "hold_release": {"event_id": "bid-99-lost"},
}
ANSWERS: dict[str, Json] = {
    "brand_list": {"brands": [_BRAND], "next": None},
    "brand_create": {
        **_BRAND,
        "campaigns_count": 0,
        "daily_spend": "0.00",
        "monthly_spend": "0.00",
    },
    "brand_detail": _BRAND,
    "brand_edit": {**_BRAND, "daily_budget": "650.00"},
    "campaign_list": {"campaigns": [_CAMPAIGN], "next": "WyJpZCIsMV0"},
    "campaign_create": {**_CAMPAIGN, "daily_spend": "0.00", "monthly_spend": "0.00"},
    "campaign_detail": _CAMPAIGN,
    "campaign_edit": {
        **_CAMPAIGN,
        "daily_budget": "500.00",
        "own_daily_budget": None,
        "dayparting_start": None,
        "dayparting_end": None,
        "schedule": [{"days": ["fri", "sat"], "start": "22:00", "end": "02:00"}],
    },
    "campaign_explain": {
        "campaign_id": 1,
        "at": "2026-11-20T16:30:00Z",
        "is_active": False,
        "reasons": [_OBSTACLE],
        "budgets": [_NUMBERS],
        "next_change_at": "2026-11-20T23:00:00Z",
        "transition": _TRANSITION,
    },
    "campaign_preview": {
        "campaign_id": 1,
        "time_zone": "Europe/Berlin",
        "from": "2026-03-28T23:30:00Z",
        "days": [
            {
                "date": "2026-03-29",
                "starts_at": "2026-03-28T23:00:00Z",
                "ends_at": "2026-03-29T22:00:00Z",
                "hours": 23,
                "clock_changes": True,
                "windows": [
                    {
                        "starts_at": "2026-03-29T00:00:00Z",
                        "ends_at": "2026-03-29T02:00:00Z",
                        "local_start": "2026-03-29T01:00:00+01:00",
                        "local_end": "2026-03-29T04:00:00+02:00",
                    }
                ],
            }
        ],
        "warnings": [
            {
                "code": "window_changed_by_clock",
                "field": "schedule",
                "message": "On 2026-03-29 the clock cuts the window 01:00–04:00 to 2 h 00 min.",
            }
        ],
    },
    "transition_list": {"transitions": [_TRANSITION], "next": None},
    "campaign_pause": _PAUSED,
    "campaign_resume": _CAMPAIGN,
    "spend_add": _ADDED,
    "spend_report": {
        **_ADDED,
        "amount": "0.00032",
        "event_id": "impression-0815",
        "over_budget": "0.00",
        "over_budget_cause": None,
    },
    "spend_refund": _REFUNDED,
    "spend_batch": {
        "results": [
            {"index": 0, "status": "admitted", **_ADDED},
            {"index": 1, "status": "admitted", **_REFUNDED},
            {"index": 2, "status": "invalid", **CampaignNotFoundError().document()},
        ]
    },
    "hold_create": {
        **_HOLD,
        "state": "open",
        "amount": "20.00",
        "expires_at": "2026-11-20T08:31:00Z",
    },
    "hold_detail": {
        "hold_id": 3,
        "campaign_id": 1,
        "campaign_name": "Summer Sale",
        "amount": "20.00",
        "currency": "EUR",
        "state": "captured",
        "held_at": "2026-11-20T08:30:00Z",
        "expires_at": "2026-11-20T08:31:00Z",
        "ended_at": "2026-11-20T08:30:12Z",
        "captured": "18.20",
        "spend_log_id": 9,
        "event_id": "bid-99",
    },
    "hold_capture": _CAPTURED,
    "hold_release": {
        **_HOLD,
        "state": "released",
        "released": "20.00",
        "event_id": "bid-99-lost",
    },
    "spend_log_list": {"spend_logs": [_ENTRY], "next": None},
    "system_status": {
        "total_brands": 3,
        "total_campaigns": 12,
        "active_campaigns": 8,
        "paused_campaigns": 4,
        "over_daily_budget": 1,
        "over_monthly_budget": 0,
        "server_time": "2026-11-20T08:30:00Z",
    },
}

_REFUSALS: tuple[BudgetManagerError, ...] = (
    InvalidInputError({"amount": "must be more than zero"}),
    MalformedBodyError("The body is not JSON: Expecting value at line 1 column 12"),
    UnsupportedMediaTypeError("Send the body as `Content-Type: application/json`"),
    BodyTooLargeError("The body has more than 65536 bytes"),
    NameTakenError("A brand"),
    TimeZoneChangeTooSoonError(
        "time_zone", "changed less than 72 hours ago; change it again after that"
    ),
    NotFoundError("There is nothing at this path; mind the trailing slash"),
    BrandNotFoundError(),
    CampaignNotFoundError(),
    SpendLogNotFoundError(),
    HoldNotFoundError(),
    NotAuthenticatedError("Send a live API key as `Authorization: Bearer …`"),
    ScopeMissingError("This API key lacks the scope `spend`"),
    KeyLimitedToBrandsError(),
    CampaignNotActiveError([_OBSTACLE]),
    BudgetExceededError(budget=Reason.BRAND_DAILY_BUDGET.value, remaining="12.50"),
    EventIdReusedError(),
    ChangedMeanwhileError(),
    ClocksDisagreeError(timedelta(hours=744)),
    RateLimitedError(limit=600, seconds=17),
    HoldEndedError("expired"),
    CaptureAboveHoldError("20.00"),
    NotRefundableError(),
    RefundAboveEntryError("30.00"),
)
ERRORS: dict[str, Json] = {
    code: {"error": sentence, "code": code, "fields": {}, "request_id": _REQUEST_ID}
    for code, sentence in PLAIN_ANSWERS.values()
} | {refusal.code: {**refusal.document(), "request_id": _REQUEST_ID} for refusal in _REFUSALS}
