"""Every refusal of Budget Manager: a class, a stable code, the fields it concerns.

No HTTP here: `core/views/errors.py` says which status each code gets (C28).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any


class BudgetManagerError(Exception):
    """The parent of every refusal.

    `message` is a sentence for a person, `fields` maps input fields to what is wrong with each,
    `details` holds further facts as JSON values. `is_replay` marks a refusal that answers a
    repeated event id (C21).
    """

    code: str = "error"

    def __init__(
        self,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})
        self.details = dict(details or {})
        self.is_replay = False

    def document(self) -> dict[str, Any]:
        """The refusal as JSON values, without the request id that the door adds (C28)."""
        return {"error": self.message, "code": self.code, "fields": self.fields, **self.details}


# --- Bad input ---------------------------------------------------------------------------


class InvalidInputError(BudgetManagerError):
    """One or more fields can't be accepted; `fields` names them all."""

    code = "invalid_input"

    def __init__(self, fields: Mapping[str, str]) -> None:
        sentence = "; ".join(f"{name}: {problem}" for name, problem in fields.items())
        super().__init__(sentence, fields=fields)


class InvalidFieldError(InvalidInputError):
    """One field can't be accepted."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__({field: problem})
        self.field = field
        self.problem = problem


class MalformedBodyError(BudgetManagerError):
    """The body is not the strict JSON that the API reads."""

    code = "malformed_body"


class NameTakenError(InvalidFieldError):
    """The name is in use where it has to be unique."""

    code = "name_taken"

    def __init__(self, owner: str) -> None:
        super().__init__("name", f"{owner} with this name already exists; choose another name")


class TimeZoneChangeTooSoonError(InvalidFieldError):
    """A second change of zone while late spend of the zone before may still arrive (C11, C12)."""

    code = "time_zone_change_too_soon"


class ChangedMeanwhileError(BudgetManagerError):
    """The settings to edit are no longer the ones that the editor has read."""

    code = "changed_meanwhile"

    def __init__(self) -> None:
        super().__init__("Somebody changed this after you read it; read it again and retry")


# --- Not there, or not for this key (C29) --------------------------------------------------


class NotFoundError(BudgetManagerError):
    """Nothing here by that name, or nothing that the caller may see."""

    code = "not_found"


class BrandNotFoundError(NotFoundError):
    """No such brand for this caller."""

    code = "brand_not_found"

    def __init__(self) -> None:
        super().__init__("Brand not found", fields={"brand_id": "no brand has this id"})


class CampaignNotFoundError(NotFoundError):
    """No such campaign for this caller."""

    code = "campaign_not_found"

    def __init__(self) -> None:
        super().__init__("Campaign not found", fields={"campaign_id": "no campaign has this id"})


class NotAuthenticatedError(BudgetManagerError):
    """No API key, or one that is unknown, expired or revoked."""

    code = "not_authenticated"


class ScopeMissingError(BudgetManagerError):
    """The API key is good but lacks the scope for this call."""

    code = "scope_missing"


class KeyLimitedToBrandsError(BudgetManagerError):
    """A key limited to some brands asks for what only an unlimited one may do."""

    code = "key_limited_to_brands"

    def __init__(self) -> None:
        super().__init__(
            "This API key is limited to some brands and can't create another; use an unlimited key"
        )


class ApiKeyNotFoundError(NotFoundError):
    """No API key has this public id."""

    code = "api_key_not_found"

    def __init__(self, public_id: str) -> None:
        super().__init__(f"No API key has the public id {public_id!r}")


class ApiKeyEndedError(BudgetManagerError):
    """The key was revoked or has expired, so it gets no new secret (C29)."""

    code = "api_key_ended"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The API key is {state} and gets no new secret; create another key",
            details={"state": state},
        )


class RateLimitedError(BudgetManagerError):
    """The API key has used up its requests of this minute."""

    code = "rate_limited"

    def __init__(self, *, limit: int, seconds: int) -> None:
        super().__init__(
            f"This API key may send {limit} requests a minute; try again in {seconds} s"
        )


# --- Not now (C27) -------------------------------------------------------------------------


class DatabaseUnavailableError(BudgetManagerError):
    """The database is down, busy for too long or only a standby; nothing was done."""

    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "The database is busy or unreachable; try again, with the same event_id if any"
        )


class ClocksDisagreeError(BudgetManagerError):
    """The clocks of this host and of the database are days apart, and either may be wrong."""

    code = "clocks_disagree"

    def __init__(self, apart: timedelta) -> None:
        hours = round(apart / timedelta(hours=1))
        super().__init__(
            f"The clocks of this host and of the database are {abs(hours)} hours apart; "
            "nothing is decided before the wrong one is set"
        )


# --- Spend -------------------------------------------------------------------------------


class CampaignNotActiveError(BudgetManagerError):
    """An `add` while the campaign is not active (C18); `details["reasons"]` says why."""

    code = "campaign_not_active"

    def __init__(self, reasons: list[dict[str, Any]]) -> None:
        super().__init__("Campaign is not active", details={"reasons": reasons})


class BudgetExceededError(BudgetManagerError):
    """An `add` that a budget doesn't cover (C7, C18)."""

    code = "budget_exceeded"

    def __init__(self, *, budget: str, remaining: str) -> None:
        budget_name = budget.replace("_", " ")
        super().__init__(
            "Spend would exceed budget limits",
            fields={"amount": f"{remaining} remains of the {budget_name}; ask for at most that"},
            details={"budget": budget, "remaining": remaining},
        )


class HoldNotFoundError(NotFoundError):
    """No such hold for this caller."""

    code = "hold_not_found"

    def __init__(self) -> None:
        super().__init__("Hold not found", fields={"hold_id": "no hold has this id"})


class SpendLogNotFoundError(NotFoundError):
    """No such entry of the spend log for this caller."""

    code = "spend_log_not_found"

    def __init__(self) -> None:
        super().__init__(
            "Entry of the spend log not found",
            fields={"spend_log_id": "no entry of the spend log has this id"},
        )


class HoldEndedError(BudgetManagerError):
    """The hold was captured, released or has expired: each ends exactly once (C20)."""

    code = "hold_ended"

    def __init__(self, state: str) -> None:
        step = "report the spend instead" if state == "expired" else "nothing is left of it"
        super().__init__(f"The hold is {state}; {step}", details={"state": state})


class CaptureAboveHoldError(InvalidFieldError):
    """A capture of more than the hold set aside (C20)."""

    code = "capture_above_hold"

    def __init__(self, held: str) -> None:
        super().__init__("amount", f"the hold is {held}; capture at most that and report the rest")


class NotRefundableError(InvalidFieldError):
    """A refund takes back spend, never another refund (C22)."""

    code = "not_refundable"

    def __init__(self) -> None:
        super().__init__("spend_log_id", "is itself a refund; report the spend again instead")


class RefundAboveEntryError(BudgetManagerError):
    """A refund of more than is left of its entry (C22)."""

    code = "refund_above_entry"

    def __init__(self, refundable: str) -> None:
        super().__init__(
            "Refund would exceed what is left of the entry",
            fields={"amount": f"{refundable} is left of this entry; refund at most that"},
            details={"refundable": refundable},
        )


class EventIdReusedError(BudgetManagerError):
    """The event id already names another spend (C21)."""

    code = "event_id_reused"

    def __init__(self) -> None:
        super().__init__(
            "This event_id was already used for another spend; use a new one for new content",
            fields={"event_id": "already used with other content"},
        )


class RecordedRefusalError(BudgetManagerError):
    """The refusal that an event id got the first time, given again (C21)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        details = dict(document)
        super().__init__(details.pop("error"), fields=details.pop("fields"))
        self.code = details.pop("code")
        self.details = details
        self.is_replay = True
