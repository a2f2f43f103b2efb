"""What a spending client wants to do next, and what it remembers of what it did."""

import json
import random
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from budget_manager_client import new_event_id

from chaos.clock import SimulatedClock
from chaos.journal import Document, Intent
from chaos.scene import Scene

FOCUS_FILE = "focus.json"
# Refusals that an event id keeps and gives again (C21).
KEPT = frozenset({"budget_exceeded", "campaign_not_active", "hold_ended", "refund_above_entry"})
CENT = Decimal("0.01")
# How often each is wished for, of those that the memory allows.
WEIGHTS = {
    "add": 44,
    "report": 10,
    "hold": 14,
    "end_hold": 12,
    "refund": 6,
    "batch": 4,
    "repeat": 5,
    "change": 3,
}
FOCUS_SHARE = 0.45
ABANDONED_SHARE, AT_ONCE_SHARE = 0.05, 0.06
LATE_LIMIT = timedelta(hours=72)


@dataclass(frozen=True)
class HeldAmount:
    """A hold that a client has taken and not ended yet."""

    hold_id: int
    campaign_id: int
    amount: Decimal


@dataclass
class Memory:
    """What a client can come back to; a restarted one reads it from its journal."""

    holds: deque[HeldAmount] = field(default_factory=lambda: deque(maxlen=40))
    entries: deque[tuple[int, Decimal]] = field(default_factory=lambda: deque(maxlen=60))
    decided: deque[Intent] = field(default_factory=lambda: deque(maxlen=80))
    # Money gone by a hold that had expired: it can only be reported (C20).
    owed: deque[HeldAmount] = field(default_factory=deque)

    def note(self, intent: Intent, answer: Document) -> None:
        """Remember what was answered."""
        body, is_good = answer["body"], answer["status"] < 300
        if intent.call in {"edit_brand", "edit_campaign", "pause", "resume"} or intent.repeats:
            return
        if intent.call == "hold" and is_good:
            amount = Decimal(body["amount"])
            self.holds.append(HeldAmount(body["hold_id"], body["campaign_id"], amount))
        if intent.call in {"add", "report", "capture"} and is_good:
            self.entries.append((body["spend_log_id"], Decimal(body["amount"])))
        if intent.call == "capture" and body.get("state") == "expired" and intent.campaign_id:
            amount = Decimal(intent.amount or "0.01")
            self.owed.append(HeldAmount(0, intent.campaign_id, amount))
        if intent.event_id and (is_good or body.get("code") in KEPT):
            self.decided.append(intent)


class Wishes:
    """Thinks of calls for one client."""

    def __init__(
        self, folder: Path, name: str, *, scene: Scene, memory: Memory, chance: random.Random
    ) -> None:
        self._folder, self._name, self._scene = folder, name, scene
        self._memory, self._chance = memory, chance
        self._clock = SimulatedClock(folder)
        self._brand_of = {
            campaign_id: brand for brand in scene.brands for campaign_id in brand.campaign_ids
        }

    def next(self) -> Intent:
        """The next call."""
        if self._memory.owed:
            return self._report_owed(self._memory.owed.popleft())
        possible: dict[str, Callable[[], Intent]] = {
            "add": self._add,
            "report": self._report,
            "hold": self._hold,
            "batch": self._batch,
            **({"end_hold": self._end_hold} if self._memory.holds else {}),
            **({"refund": self._refund} if self._memory.entries else {}),
            **({"repeat": self._repeat} if self._memory.decided else {}),
        }
        if any("amount" in intent.body for intent in self._memory.decided):
            possible["change"] = self._change
        names = list(possible)
        (chosen,) = self._chance.choices(names, [WEIGHTS[name] for name in names])
        return possible[chosen]()

    def again(self, intent: Intent, how: str) -> Intent:
        """The same call as one more intent."""
        repeats = {"of": intent.id, "how": how}
        return self._stamped(replace(intent, id=self._new_id(), repeats=repeats))

    def wants_to_abandon(self, intent: Intent) -> bool:
        """Whether to hang up on it once before it is sent in earnest."""
        return not intent.repeats and self._chance.random() < ABANDONED_SHARE

    def wants_twice(self, intent: Intent) -> bool:
        """Whether to send it to two hosts at the same moment."""
        return bool(intent.event_id and not intent.repeats) and (
            self._chance.random() < AT_ONCE_SHARE
        )

    def _add(self) -> Intent:
        return self._spend("add", self._amount(60))

    def _report(self) -> Intent:
        when: datetime | None = None
        now = self._clock.now()
        match self._chance.randrange(10):
            case 0 | 1 | 2:
                when = now - self._chance.random() * timedelta(hours=70)
            case 3:
                when = now - LATE_LIMIT - timedelta(hours=5)
            case 4:
                # Far enough that no leap of time makes it right while a try of it is in doubt.
                when = now + self._chance.choice((timedelta(minutes=2), timedelta(days=400)))
        told = {} if when is None else {"occurred_at": when.isoformat().replace("+00:00", "Z")}
        return self._spend("report", self._amount(90), **told)

    def _report_owed(self, owed: HeldAmount) -> Intent:
        body = {"campaign_id": owed.campaign_id, "amount": str(owed.amount)}
        return self._of_campaign("report", "/spend/report/", body)

    def _hold(self) -> Intent:
        campaign_id = self._campaign()
        body = {
            "campaign_id": campaign_id,
            "amount": self._amount(50),
            "seconds": self._chance.choice((1, 2, 3, 5, 300, 7200, 86400)),
        }
        return self._of_campaign("hold", "/holds/create/", body)

    def _end_hold(self) -> Intent:
        place = self._chance.randrange(len(self._memory.holds))
        held = self._memory.holds[place]
        del self._memory.holds[place]
        brand_id = self._brand_of[held.campaign_id].id
        event_id = self._event_id()
        if self._chance.random() < 0.3:
            path, body = f"/holds/{held.hold_id}/release/", {"event_id": event_id}
            return self._intent("release", path, body, brand_id, held.campaign_id)
        share = self._chance.choice((Decimal(1), Decimal(1), Decimal("0.5"), Decimal(2)))
        amount = str(max(CENT, (held.amount * share).quantize(CENT)))
        path, body = f"/holds/{held.hold_id}/capture/", {"amount": amount, "event_id": event_id}
        return self._intent("capture", path, body, brand_id, held.campaign_id)

    def _refund(self) -> Intent:
        spend_log_id, amount = self._chance.choice(self._memory.entries)
        share = self._chance.choice((Decimal(1), Decimal("0.5"), Decimal("0.25"), Decimal(3)))
        told = {
            "spend_log_id": spend_log_id,
            "amount": str(max(CENT, (amount * share).quantize(CENT))),
            "reason": "returned",
            "event_id": self._event_id(),
        }
        return self._intent("refund", "/spend/refund/", told, None, None)

    def _batch(self) -> Intent:
        entries = [self._entry() for _ in range(self._chance.randint(2, 25))]
        return self._intent("batch", "/spend/batch/", {"entries": entries}, None, None)

    def _entry(self) -> Document:
        campaign_id = self._campaign()
        kind = self._chance.choice(("add", "add", "add", "report"))
        told = {"kind": kind, "campaign_id": campaign_id, "amount": self._amount(20)}
        return {**told, "event_id": self._event_id()}

    def _repeat(self) -> Intent:
        return self.again(self._chance.choice(self._memory.decided), "later")

    def _change(self) -> Intent:
        kept = [intent for intent in self._memory.decided if "amount" in intent.body]
        intent = self._chance.choice(kept)
        amount = str(Decimal(intent.body["amount"]) + CENT)
        changed = replace(intent, body={**intent.body, "amount": amount}, amount=amount)
        return self.again(changed, "changed")

    def _spend(self, call: str, amount: str, **told: str) -> Intent:
        campaign_id = self._campaign()
        body = {"campaign_id": campaign_id, "amount": amount, **told}
        return self._of_campaign(call, f"/spend/{call}/", body)

    def _of_campaign(self, call: str, path: str, body: Document) -> Intent:
        campaign_id = body["campaign_id"]
        named = {**body, "event_id": self._event_id()}
        return self._intent(call, path, named, self._brand_of[campaign_id].id, campaign_id)

    def _intent(
        self, call: str, path: str, body: Document, brand_id: int | None, campaign_id: int | None
    ) -> Intent:
        intent = Intent(
            id=self._new_id(),
            call=call,
            path=path,
            body=body,
            event_id=body.get("event_id", ""),
            brand_id=brand_id,
            campaign_id=campaign_id,
            amount=body.get("amount"),
        )
        return self._stamped(intent)

    def _stamped(self, intent: Intent) -> Intent:
        return replace(intent, at=time.time(), simulated_at=self._clock.now().isoformat())

    def _new_id(self) -> str:
        return f"{self._name}/{uuid.uuid4().hex[:12]}"

    def _event_id(self) -> str:
        """Most grow with time, as the client makes them; some are any."""
        return new_event_id() if self._chance.random() < 0.7 else uuid.uuid4().hex

    def _amount(self, most_cents: int) -> str:
        return str(CENT * self._chance.randint(1, most_cents))

    def _campaign(self) -> int:
        brands = self._scene.brands
        if self._chance.random() < FOCUS_SHARE:
            focus = set(json.loads((self._folder / FOCUS_FILE).read_text()))
            brands = [brand for brand in brands if brand.id in focus] or brands
        return self._chance.choice(self._chance.choice(brands).campaign_ids)
