"""A small run of two days as the rig leaves it: a database, the clients' journals, `settled.json`.

Played through the API, with a clock that is moved by hand.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.actions.caller import Caller
from core.actions.delivery import (
    check_budgets,
    enforce_dayparting,
    expire_holds,
    reset_daily_spend,
    reset_monthly_spend,
)
from core.tests.views.api import Api, Clock, Json, make_token

EVENING = "2024-01-15T20:30:00Z"
NEXT_MORNING = "2024-01-16T09:00:00Z"
SOUND = {"checked": {"entries": 1}, "found": 0, "broken": [], "is_sound": True}
SETTLED = "2024-01-16T10:00:00Z"


@dataclass(frozen=True)
class Run:
    """What a run left behind: a brand whose budgets ran out and one with plenty of room."""

    folder: Path
    database_url: str
    scarce: Json
    plenty: Json
    scarce_campaign: Json
    plenty_campaign: Json


def write_line(journal: Path, line: object) -> None:
    """Add a line to a journal."""
    journal.parent.mkdir(exist_ok=True)
    with journal.open("a") as lines:
        lines.write(json.dumps(line) + "\n")


class Client:
    """Calls the API and keeps a journal, as the clients of the rig do."""

    def __init__(self, folder: Path) -> None:
        self.api, self._journal = Api(make_token()), folder / "journals" / "client.jsonl"
        self._intents: list[Json] = []

    def add(self, campaign: Json, amount: str) -> Json:
        return self._spend("add", campaign, amount)

    def report(self, campaign: Json, amount: str) -> Json:
        return self._spend("report", campaign, amount)

    def hold(self, campaign: Json, amount: str) -> Json:
        return self.call("hold", "/api/holds/create/", campaign_id=campaign["id"], amount=amount)

    def capture(self, held: Json, amount: str | None = None) -> Json:
        path = f"/api/holds/{held['hold_id']}/capture/"
        return self.call("capture", path, **({"amount": amount} if amount else {}))

    def release(self, held: Json) -> Json:
        return self.call("release", f"/api/holds/{held['hold_id']}/release/")

    def refund(self, entry: Json, amount: str) -> Json:
        spend_log_id = entry["spend_log_id"]
        return self.call("refund", "/api/spend/refund/", spend_log_id=spend_log_id, amount=amount)

    def batch(self, *entries: Json) -> Json:
        named = [{**entry, "event_id": self._new_event_id(n)} for n, entry in enumerate(entries)]
        return self._send(self._intent("batch", "/api/spend/batch/", {"entries": named}))

    def edit(self, kind: str, owner: Json, **changes: object) -> Json:
        intent = self._intent(f"edit_{kind}", f"/api/{kind}s/{owner['id']}/", changes)
        return self._send({**intent, f"{kind}_id": owner["id"]}, method="PATCH")

    def switch(self, call: str, campaign: Json) -> Json:
        intent = self._intent(call, f"/api/campaigns/{campaign['id']}/{call}/", None)
        return self._send({**intent, "campaign_id": campaign["id"]})

    def call(self, call: str, path: str, **body: object) -> Json:
        event_id = self._new_event_id()
        body["event_id"] = event_id
        return self._send({**self._intent(call, path, body), "event_id": event_id})

    def repeat_last(self, how: str, **changes: object) -> Json:
        """The last call again, with the same event id."""
        first = self._intents[-1]
        repeats = {"of": first["id"], "how": how}
        body = {**first["body"], **changes}
        again = {**first, "id": f"intent-{len(self._intents)}", "body": body, "repeats": repeats}
        return self._send(again)

    def _spend(self, kind: str, campaign: Json, amount: str) -> Json:
        path = f"/api/spend/{kind}/"
        return self.call(kind, path, campaign_id=campaign["id"], amount=amount)

    def _new_event_id(self, place: int = 0) -> str:
        return f"event-{len(self._intents)}-{place}"

    def _intent(self, call: str, path: str, body: Any) -> Json:
        intent_id = f"intent-{len(self._intents)}"
        return {"id": intent_id, "event_id": "", "call": call, "path": path, "body": body}

    def _send(self, intent: Json, method: str = "POST") -> Json:
        self._intents.append(intent)
        write_line(self._journal, {"intent": intent})
        body = b"" if intent["body"] is None else json.dumps(intent["body"]).encode()
        answer = self.api.send(method, intent["path"], body)
        is_replay = answer.headers.get("Idempotent-Replayed") == "true"
        told = {"status": answer.status, "is_replay": is_replay, "body": answer.json}
        write_line(self._journal, {"try": {"id": intent["id"], "outcome": "answered"}})
        write_line(self._journal, {"answer": {"id": intent["id"], **told}})
        return answer.json


def play(folder: Path, database_url: str, clock: Clock) -> Run:
    """Everything that clients can ask for, admitted and refused; then all comes to rest."""
    client = Client(folder)
    scarce = client.api.create_brand(
        "Scarce", daily_budget="10.00", monthly_budget="15.00", time_zone="Europe/Berlin"
    )
    plenty = client.api.create_brand("Plenty", time_zone="America/New_York")
    run = Run(
        folder,
        database_url,
        scarce,
        plenty,
        client.api.create_campaign(scarce, "Ran out", own_daily_budget="9.00"),
        client.api.create_campaign(
            plenty, "Runs", dayparting_start="04:00", dayparting_end="22:00"
        ),
    )
    clock.move_to(EVENING)
    _spend_plenty(client, run)
    _use_up(client, run)
    clock.move_to(NEXT_MORNING)
    _use_up_the_month(client, run)
    _settle(folder, clock)
    return run


def _spend_plenty(client: Client, run: Run) -> None:
    campaign = run.plenty_campaign
    spent = client.add(campaign, "3.00")
    client.repeat_last("later")
    client.repeat_last("changed", amount="4.00")
    client.report(campaign, "1.000001")
    client.refund(spent, "1.00")
    client.capture(client.hold(campaign, "2.00"), "1.50")
    client.capture(client.hold(campaign, "0.25"))
    client.release(client.hold(campaign, "1.00"))
    client.hold(campaign, "0.50")  # and forgotten
    client.batch(
        {"kind": "add", "campaign_id": campaign["id"], "amount": "0.10"},
        {"kind": "refund", "spend_log_id": spent["spend_log_id"], "amount": "0.20"},
        {"kind": "refund", "spend_log_id": spent["spend_log_id"], "amount": "20.00"},
        {"kind": "add", "campaign_id": 999, "amount": "0.10"},
        {"kind": "report", "campaign_id": campaign["id"], "amount": "0.30"},
    )
    client.switch("pause", campaign)
    client.add(campaign, "1.00")
    client.repeat_last("later")
    client.switch("resume", campaign)
    client.edit("campaign", campaign, own_lifetime_budget="500.00")


def _use_up(client: Client, run: Run) -> None:
    campaign = run.scarce_campaign
    client.add(campaign, "8.50")
    client.add(campaign, "0.60")  # refused: of the campaign's day 0.50 is left
    client.edit("campaign", campaign, own_daily_budget=None)
    client.hold(campaign, "1.60")  # refused: of the brand's day 1.50 is left
    client.repeat_last("later")
    held = client.hold(campaign, "1.50")
    client.add(campaign, "0.01")  # refused: it isn't active any more
    client.report(campaign, "0.70")  # over budget
    client.capture(held)


def _use_up_the_month(client: Client, run: Run) -> None:
    campaign = run.scarce_campaign
    client.add(campaign, "5.00")  # refused: of the brand's month 4.30 is left
    client.add(campaign, "4.30")
    client.add(campaign, "0.000001")
    client.edit("brand", run.scarce, daily_budget="4.00")


def _settle(folder: Path, clock: Clock) -> None:
    clock.move_to(SETTLED)
    for deed in (
        *(expire_holds, enforce_dayparting, reset_daily_spend, reset_monthly_spend),
        check_budgets,
    ):
        deed(caller=Caller("task:test"), now=clock.now)
    # The product's own proof reads the real clock; what the audit makes of it has its own test.
    proof = [sys.executable, "-c", f"print({json.dumps(SOUND)!r})"]
    settled = {"settled_at": SETTLED, "manage": proof}
    (folder / "settled.json").write_text(json.dumps(settled))
    logs = folder / "logs"
    logs.mkdir()
    (logs / "postgres.log").write_text("LOG:  database system is ready\n")
