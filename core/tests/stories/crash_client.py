"""A program that spends through the Python client and may be killed at any moment.

It writes each intent and its event id into a journal, and to the disk, before it sends it; and
what came of it after that. When it starts, it sends again whatever has no outcome yet.
"""

import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from budget_manager_client import BudgetManager, Hold, Refused, Spend, new_event_id

DEADLINE_SECONDS, TIMEOUT_SECONDS = 60.0, 5.0
# A hold that nobody ends runs out after as many seconds, the others long after the test.
SOON, LATE = 1, 3_600


@dataclass(frozen=True, slots=True)
class Intent:
    """What to do once, under one event id. `subject` is the campaign, the hold or the entry."""

    event_id: str
    kind: str
    campaign_id: int
    subject: int
    amount: str
    seconds: int = LATE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an intent: the entry or the hold that it made, or the code of a refusal."""

    event_id: str
    made: int | None = None
    code: str = ""
    replayed: bool = False


class Journal:
    """Intents and outcomes, one JSON object a line. A line that a kill cut off never was."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.intents: dict[str, Intent] = {}
        self.outcomes: dict[str, list[Outcome]] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        whole, _, cut_off = path.read_bytes().rpartition(b"\n")
        if cut_off:
            os.ftruncate(self._file, len(whole) + 1 if whole else 0)
        for line in whole.splitlines():
            self._remember(json.loads(line))

    def write(self, record: Intent | Outcome) -> None:
        """Keep it, on the disk."""
        told = asdict(record)
        os.write(self._file, json.dumps(told).encode() + b"\n")
        os.fsync(self._file)
        self._remember(told)

    def without_outcome(self) -> list[Intent]:
        """What was intended and perhaps sent, but never heard of."""
        return [i for event_id, i in self.intents.items() if event_id not in self.outcomes]

    def made(self, *kinds: str) -> Iterator[tuple[Intent, int]]:
        """The intents of these kinds that were admitted, and what each made."""
        for event_id, intent in self.intents.items():
            for outcome in self.outcomes.get(event_id, []):
                if intent.kind in kinds and outcome.made is not None:
                    yield intent, outcome.made

    def undecided_hold(self) -> tuple[Intent, int] | None:
        """A hold to capture or to release; not one that is left to run out."""
        decided = {i.subject for i in self.intents.values() if i.kind in ("capture", "release")}
        holds = (hold for hold in self.made("hold") if hold[0].seconds == LATE)
        return next((hold for hold in holds if hold[1] not in decided), None)

    def entry_to_refund(self) -> tuple[Intent, int] | None:
        """An entry without a refund."""
        refunded = {i.subject for i in self.intents.values() if i.kind == "refund"}
        return next((e for e in self.made("add", "report") if e[1] not in refunded), None)

    def _remember(self, told: Mapping[str, Any]) -> None:
        if "kind" in told:
            intent = Intent(**told)
            self.intents[intent.event_id] = intent
        else:
            outcome = Outcome(**told)
            self.outcomes.setdefault(outcome.event_id, []).append(outcome)


class ForgetfulClient(BudgetManager):
    """The broken one: it makes a new event id for each try."""

    def _try(self, request: Any, seconds: float) -> Any:
        body = {**request.body, "event_id": new_event_id()}
        return super()._try(request._replace(body=body), seconds)


@dataclass(frozen=True, slots=True)
class Job:
    """What a program works on: where the site is, which campaigns, under which kind of client."""

    url: str
    token: str
    # The first takes everything, the second has a budget that won't do.
    campaign_ids: Sequence[int]
    client: type[BudgetManager] = BudgetManager
    kinds: Sequence[str] = ("add", "add", "report", "hold", "hold", "refund")


def work(job: Job, journal_path: Path, closing: Path) -> None:
    """Spend until the file `closing` is there and nothing is left half done."""
    journal = Journal(journal_path)
    client = job.client(job.url, job.token, deadline=DEADLINE_SECONDS, timeout=TIMEOUT_SECONDS)
    for intent in journal.without_outcome():
        journal.write(_carry_out(client, intent))
    while True:
        wanted = _next_intent(journal, job, is_closing=closing.exists())
        if wanted is None:
            return
        journal.write(wanted)
        journal.write(_carry_out(client, wanted))


def _next_intent(journal: Journal, job: Job, *, is_closing: bool) -> Intent | None:
    # The same chance for the same step, however often the program was started.
    chance = random.Random(f"{journal.name} {len(journal.intents)}")
    amount = Decimal(chance.randint(1, 8)) / 4
    new = Intent(new_event_id(), "", 0, 0, str(amount))
    if hold := journal.undecided_hold():
        held, hold_id = hold
        kind = "capture" if chance.random() < 0.8 else "release"
        part = min(amount, Decimal(held.amount))
        return replace(
            new, kind=kind, campaign_id=held.campaign_id, subject=hold_id, amount=str(part)
        )
    if is_closing:
        return None
    kind = chance.choice(job.kinds)
    if kind == "refund" and (entry := journal.entry_to_refund()):
        spent, spend_log_id = entry
        part = min(amount, Decimal(spent.amount))
        return replace(
            new, kind=kind, campaign_id=spent.campaign_id, subject=spend_log_id, amount=str(part)
        )
    # A report is never refused, so that it belongs where nothing is.
    place = 0 if kind == "report" else chance.randrange(len(job.campaign_ids))
    campaign_id = job.campaign_ids[place]
    seconds = SOON if chance.random() < 0.25 else LATE
    kind = "add" if kind == "refund" else kind
    return replace(new, kind=kind, campaign_id=campaign_id, subject=campaign_id, seconds=seconds)


def _carry_out(client: BudgetManager, intent: Intent) -> Outcome:
    try:
        answer = _send(client, intent)
    except Refused as refusal:
        return Outcome(intent.event_id, code=refusal.code, replayed=refusal.replayed)
    made = answer.spend_log_id if isinstance(answer, Spend) else answer.hold_id
    return Outcome(intent.event_id, made, replayed=answer.replayed)


def _send(client: BudgetManager, intent: Intent) -> Spend | Hold:
    event_id, subject, amount = intent.event_id, intent.subject, intent.amount
    match intent.kind:
        case "add":
            return client.add(subject, amount, event_id=event_id)
        case "report":
            return client.report(subject, amount, event_id=event_id)
        case "refund":
            return client.refund(subject, amount, event_id=event_id)
        case "hold":
            return client.create_hold(subject, amount, intent.seconds, event_id=event_id)
        case "capture":
            return client.capture(subject, amount, event_id=event_id)
        case _:
            return client.release(subject, event_id=event_id)
