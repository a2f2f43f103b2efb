"""One try of one intent on one host, through the typed client, and what came of it."""

import http.client
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from budget_manager_client import (
    BudgetManager,
    BudgetManagerError,
    ChangedMeanwhile,
    Daypart,
    Entry,
    Hold,
    OutcomeUnknown,
    Refused,
    Spend,
)

from chaos.journal import Document, Intent

TIMEOUT_SECONDS = 4.0
# Some clients leave it to the typed client to try again, and so write down fewer tries.
PATIENT_SECONDS = 3.0
SERVER_FAULT = 500


@dataclass(frozen=True)
class Outcome:
    """What came of a try: how it ended, and the answer that counts or the server's fault."""

    ending: str
    status: int | None = None
    answer: Document | None = None
    fault: Document | None = None


def open_host(url: str, token: str, *, is_patient: bool) -> BudgetManager:
    """A client of one host that tries once, or for a while if it is patient."""
    if is_patient:
        return BudgetManager(url, token, timeout=TIMEOUT_SECONDS, deadline=PATIENT_SECONDS)
    # A pause without end is past every deadline: one try, and the next is ours, on another host.
    return BudgetManager(url, token, timeout=TIMEOUT_SECONDS, chance=lambda: math.inf)


def attempt(api: BudgetManager, intent: Intent) -> Outcome:
    """Try once what the intent says."""
    try:
        result = CALLS[intent.call](api, intent)
    except BudgetManagerError as error:
        return _of_error(error)
    if isinstance(result, list):
        return _of_batch(result)
    status = HTTPStatus.CREATED if intent.call == "hold" else HTTPStatus.OK
    return _answered(status, _document(result), is_replay=getattr(result, "replayed", False))


def abandon(url: str, token: str, intent: Intent, *, seconds: float) -> None:
    """Send it, hang up in the middle of it and never hear what came of it."""
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request(intent.method, f"/api{intent.path}", json.dumps(intent.body), headers)
        time.sleep(seconds)
    except OSError:
        return
    finally:
        connection.close()


def _of_error(error: BudgetManagerError) -> Outcome:
    cause = error.__cause__ if isinstance(error, OutcomeUnknown) else error
    if not isinstance(cause, Refused):
        return Outcome(_ending_without_answer(cause))
    document = _refusal(cause)
    if cause.status >= SERVER_FAULT:
        is_promised = cause.status == HTTPStatus.SERVICE_UNAVAILABLE
        fault = None if is_promised else {"status": cause.status, "body": document}
        return Outcome("answered", cause.status, fault=fault)
    if cause.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome("answered", cause.status)
    outcome = _answered(cause.status, document, is_replay=cause.replayed)
    if isinstance(error, ChangedMeanwhile) and error.maybe_ours and outcome.answer:
        outcome.answer["maybe_ours"] = True
    return outcome


def _ending_without_answer(cause: BaseException | None) -> str:
    """How a try ended of which the client says that there was no answer."""
    why = None if cause is None else cause.__cause__
    if isinstance(why, ConnectionRefusedError):
        return "refused_connection"
    return "timeout" if isinstance(why, TimeoutError) else "cut"


def _of_batch(results: list[Spend | Refused]) -> Outcome:
    if any(isinstance(each, Refused) and each.is_passing for each in results):
        return Outcome("answered", HTTPStatus.OK)  # Some entries failed: all are sent again.
    return _answered(HTTPStatus.OK, {"results": [_batch_line(each) for each in results]})


def _batch_line(result: Spend | Refused) -> Document:
    if isinstance(result, Refused):
        return {"status": "replayed" if result.replayed else "refused", **_refusal(result)}
    return {"status": "replayed" if result.replayed else "admitted", **_document(result)}


def _answered(status: int, body: Document, *, is_replay: bool = False) -> Outcome:
    answer = {"status": int(status), "is_replay": is_replay, "body": body}
    return Outcome("answered", int(status), answer)


def _refusal(refused: Refused) -> Document:
    own = {"error": refused.message, "code": refused.code, "fields": refused.fields}
    return {**own, **refused.details}


def _document(result: Any) -> Document:
    """The typed answer as JSON values, without what says how it came."""
    told = {name: value for name, value in asdict(result).items() if name != "replayed"}
    document: Document = json.loads(json.dumps(told, default=_wire))
    return document


def _wire(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _row(intent: Intent) -> int:
    """The id that the path names."""
    return int(intent.path.strip("/").split("/")[1])


def _report(api: BudgetManager, intent: Intent) -> Spend:
    told = dict(intent.body)
    if "occurred_at" in told:
        told["occurred_at"] = _instant(told["occurred_at"])
    return api.report(told.pop("campaign_id"), told.pop("amount"), **told)


def _batch(api: BudgetManager, intent: Intent) -> list[Spend | Refused]:
    return api.batch(map(_entry, intent.body["entries"]))


def _entry(told: Mapping[str, Any]) -> Entry:
    at = told.get("occurred_at")
    return Entry(**{**told, **({"occurred_at": _instant(at)} if at else {})})


def _edit_campaign(api: BudgetManager, intent: Intent) -> Any:
    changes = dict(intent.body)
    if "schedule" in changes:
        changes["schedule"] = [
            Daypart(tuple(each["days"]), each["start"], each["end"]) for each in changes["schedule"]
        ]
    return api.edit_campaign(_row(intent), if_match=intent.if_match, **changes)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _hold(api: BudgetManager, intent: Intent) -> Hold:
    told = intent.body
    return api.create_hold(
        told["campaign_id"], told["amount"], told["seconds"], event_id=told["event_id"]
    )


# The `_wire` form of the body is what the client sends: it makes the body from these arguments.
CALLS: dict[str, Callable[[BudgetManager, Intent], Any]] = {
    "add": lambda api, intent: api.add(**intent.body),
    "report": _report,
    "hold": _hold,
    "capture": lambda api, intent: api.capture(_row(intent), **intent.body),
    "release": lambda api, intent: api.release(_row(intent), **intent.body),
    "refund": lambda api, intent: api.refund(**intent.body),
    "batch": _batch,
    "edit_brand": lambda api, intent: api.edit_brand(
        _row(intent), if_match=intent.if_match, **intent.body
    ),
    "edit_campaign": _edit_campaign,
    "pause": lambda api, intent: api.pause(_row(intent)),
    "resume": lambda api, intent: api.resume(_row(intent), if_match=intent.if_match),
}
