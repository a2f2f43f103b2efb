"""One try of one intent on one host, through the typed client, and what came of it."""

import http.client
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from budget_manager_client import (
    BudgetManager,
    BudgetManagerError,
    Daypart,
    Entry,
    Hold,
    Refused,
    Spend,
    Unreachable,
    _Answer,
    _Request,
)

from chaos.journal import Document, Intent

TIMEOUT_SECONDS = 4.0
# Some clients leave it to the typed client to try again for so long.
PATIENT_SECONDS = 3.0
SERVER_FAULT = 500


@dataclass(frozen=True)
class Try:
    """One request on the wire: how it ended, and what was answered, if anything was."""

    ending: str
    status: int | None = None
    document: Document | None = None
    is_replay: bool = False

    @property
    def is_definite(self) -> bool:
        """Whether the call has its answer; of a batch, all its entries."""
        if self.status is None or self.document is None:
            return False
        is_passing = self.status >= SERVER_FAULT or self.status == HTTPStatus.TOO_MANY_REQUESTS
        results = self.document.get("results", ())
        return not is_passing and all(each["status"] != "failed" for each in results)

    @property
    def is_fault(self) -> bool:
        """Whether the server failed in a way that it never may."""
        is_promised = self.status == HTTPStatus.SERVICE_UNAVAILABLE
        return self.status is not None and self.status >= SERVER_FAULT and not is_promised


class Witness(BudgetManager):
    """The typed client, and in each thread the tries of its last call as they were on the wire.

    A journal is evidence: it has what the server said, not what a client made of it.
    """

    def __init__(self, url: str, api_key: str, **terms: Any) -> None:
        super().__init__(url, api_key, **terms)
        self._seen = threading.local()

    @property
    def tries(self) -> list[Try]:
        """Those of this thread."""
        if not hasattr(self._seen, "tries"):
            self._seen.tries = []
        tries: list[Try] = self._seen.tries
        return tries

    def _try(self, request: _Request, seconds: float) -> _Answer:
        try:
            answer = super()._try(request, seconds)
        except Unreachable as problem:
            self.tries.append(Try(_ending(problem.__cause__)))
            raise
        document = {name: told for name, told in answer.document.items() if name != "request_id"}
        self.tries.append(Try("answered", answer.status, document, answer.replayed))
        return answer


def open_host(url: str, token: str, *, is_patient: bool) -> Witness:
    """A client of one host that tries once, or for a while if it is patient."""
    if is_patient:
        return Witness(url, token, timeout=TIMEOUT_SECONDS, deadline=PATIENT_SECONDS)
    # A pause without end is past every deadline: one try, and the next is ours, on another host.
    return Witness(url, token, timeout=TIMEOUT_SECONDS, chance=lambda: math.inf)


def attempt(api: Witness, intent: Intent) -> list[Try]:
    """Try what the intent says; each try that the client made of it."""
    api.tries.clear()
    with suppress(BudgetManagerError):
        CALLS[intent.call](api, intent)
    return list(api.tries)


def _ending(cause: BaseException | None) -> str:
    """How a try without an answer ended."""
    if isinstance(cause, ConnectionRefusedError):
        return "refused_connection"
    return "timeout" if isinstance(cause, TimeoutError) else "cut"


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


# The client makes each body anew, from its arguments; it is the one that the intent has.
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
