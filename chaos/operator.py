"""The operator: a person who never rests. Raises and lowers budgets, pauses, resumes, moves.

`python -m chaos.operator FOLDER NAME RATE URL …`. Each edit names the version that was read, and is
written into a journal as every client's calls are.
"""

import random
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from budget_manager_client import Brand, BudgetManagerError, Campaign, Daypart

from chaos.client import FINISH_FILE, enumerate_hosts, say_done
from chaos.clock import SimulatedClock
from chaos.journal import Document, Intent, read_book
from chaos.scene import MOVED_TO, MOVER_ZONE, Scene, SceneBrand
from chaos.sending import Sender, open_hosts

EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SCHEDULES: tuple[list[Daypart], ...] = (
    [Daypart(EVERY_DAY, "00:00", "24:00")],
    [Daypart(EVERY_DAY, "22:00", "21:00")],
    [Daypart(EVERY_DAY, "00:00", "12:00"), Daypart(EVERY_DAY, "11:00", "23:30")],
    [],
)
CENT = Decimal("0.01")
Read = TypeVar("Read")


class Operator:
    """Thinks of edits and carries them out."""

    def __init__(self, folder: Path, name: str, scene: Scene, *, sender: Sender) -> None:
        self._name, self._scene, self._sender = name, scene, sender
        self._clock = SimulatedClock(folder)
        self._chance = random.Random()  # noqa: S311 (no secret)
        # What has to be turned on again, soon.
        self._paused: list[tuple[SceneBrand, int]] = []
        self._disabled: list[SceneBrand] = []

    def edit(self) -> None:
        """One edit of something."""
        brand = self._chance.choice(self._scene.brands)
        deeds: list[Callable[[SceneBrand], None]] = [
            self._move_brand_budget,
            self._move_brand_budget,
            self._move_campaign_budget,
            self._pause,
            self._set_schedule,
            self._disable,
            self._move_zone,
        ]
        if self._paused and self._chance.random() < 0.5:
            self._resume()
        elif self._disabled:
            self._enable(self._disabled.pop())
        else:
            self._chance.choice(deeds)(brand)

    def _move_brand_budget(self, brand: SceneBrand) -> None:
        found = self._brand(brand)
        column = self._chance.choice(("daily_budget", "daily_budget", "monthly_budget"))
        budget: Decimal = getattr(found, column) or Decimal(10)
        self._edit_brand(found, {column: self._moved(budget, column)})

    def _move_campaign_budget(self, brand: SceneBrand) -> None:
        found = self._campaign(self._chance.choice(brand.campaign_ids))
        column = self._chance.choice(
            ("own_daily_budget", "own_monthly_budget", "own_lifetime_budget")
        )
        budget: Decimal | None = getattr(found, column)
        lifted = budget is not None and self._chance.random() < 0.2
        told = None if lifted else self._moved(budget or Decimal(5), column)
        self._edit_campaign(found, {column: told})

    def _moved(self, budget: Decimal, column: str) -> str:
        """Up or down by a third; a day's stays so small that its callers use it up."""
        factor = Decimal(self._chance.randint(70, 140)) / 100
        least, most = (4, 30) if "daily" in column else (10, 2_000)
        return str(max(Decimal(least), min(Decimal(most), budget * factor)).quantize(CENT))

    def _set_schedule(self, brand: SceneBrand) -> None:
        found = self._campaign(brand.campaign_ids[-1])
        schedule = [asdict(daypart) for daypart in self._chance.choice(SCHEDULES)]
        told = [{**each, "days": list(each["days"])} for each in schedule]
        self._edit_campaign(found, {"schedule": told})

    def _pause(self, brand: SceneBrand) -> None:
        campaign_id = self._chance.choice(brand.campaign_ids)
        self._do("pause", f"/campaigns/{campaign_id}/pause/", {}, about=(brand.id, campaign_id))
        self._paused.append((brand, campaign_id))

    def _resume(self) -> None:
        brand, campaign_id = self._paused.pop()
        path = f"/campaigns/{campaign_id}/resume/"
        found = self._campaign(campaign_id)
        about = (brand.id, campaign_id)
        answer = self._do("resume", path, {}, about=about, version=found.version)
        if answer["status"] >= 300:
            self._paused.append((brand, campaign_id))

    def _disable(self, brand: SceneBrand) -> None:
        self._edit_brand(self._brand(brand), {"is_enabled": False})
        self._disabled.append(brand)

    def _enable(self, brand: SceneBrand) -> None:
        if self._edit_brand(self._brand(brand), {"is_enabled": True})["status"] >= 300:
            self._disabled.append(brand)

    def _move_zone(self, brand: SceneBrand) -> None:
        mover = next(each for each in self._scene.brands if each.time_zone == MOVER_ZONE)
        found = self._brand(mover)
        if found.time_zone == MOVER_ZONE:
            self._edit_brand(found, {"time_zone": MOVED_TO})

    def turn_on(self) -> None:
        """Leave every switch on, so that what doesn't run at the end doesn't for its budgets."""
        for brand in self._scene.brands:
            while not (found := self._brand(brand)).is_enabled:
                self._edit_brand(found, {"is_enabled": True})
            for campaign_id in brand.campaign_ids:
                while not (campaign := self._campaign(campaign_id)).is_enabled:
                    path = f"/campaigns/{campaign_id}/resume/"
                    about = (brand.id, campaign_id)
                    self._do("resume", path, {}, about=about, version=campaign.version)

    def _brand(self, brand: SceneBrand) -> Brand:
        return self._read(lambda: self._sender.any_host().api.brand(brand.id))

    def _campaign(self, campaign_id: int) -> Campaign:
        return self._read(lambda: self._sender.any_host().api.campaign(campaign_id))

    def _read(self, ask: Callable[[], Read]) -> Read:
        while True:
            try:
                return ask()
            except BudgetManagerError:
                time.sleep(self._chance.uniform(0.05, 0.3))

    def _edit_brand(self, found: Brand, changes: Document) -> Document:
        path = f"/brands/{found.id}/"
        return self._do("edit_brand", path, changes, about=(found.id, None), version=found.version)

    def _edit_campaign(self, found: Campaign, changes: Document) -> Document:
        path, about = f"/campaigns/{found.id}/", (found.brand_id, found.id)
        return self._do("edit_campaign", path, changes, about=about, version=found.version)

    def _do(
        self,
        call: str,
        path: str,
        body: Document,
        *,
        about: tuple[int, int | None],
        version: int = 0,
    ) -> Document:
        brand_id, campaign_id = about
        intent = Intent(
            id=f"{self._name}/{uuid.uuid4().hex[:12]}",
            call=call,
            path=path,
            body=body,
            brand_id=brand_id,
            campaign_id=campaign_id,
            method="PATCH" if call.startswith("edit") else "POST",
            if_match=version,
            at=time.time(),
            simulated_at=self._clock.now().isoformat(),
        )
        self._sender.journal.mean(intent)
        return self._sender.settle(intent)


def main(words: list[str]) -> int:
    """Edit until the rig says to finish; then turn everything on and wait for the end."""
    folder, name, rate = Path(words[0]), words[1], float(words[2])
    scene = Scene.read(folder)
    hosts = open_hosts(enumerate_hosts(words[3:]), scene)
    sender = Sender(folder, name, hosts=hosts, token=scene.token)
    for intent in read_book(folder / "journals" / f"{name}.jsonl").open_intents:
        sender.settle(intent)
    operator = Operator(folder, name, scene, sender=sender)
    while not (folder / FINISH_FILE).exists():
        operator.edit()
        time.sleep(random.expovariate(rate))
    operator.turn_on()
    say_done(folder, name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
