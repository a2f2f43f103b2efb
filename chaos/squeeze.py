"""The squeeze: asks every campaign for ever less until nothing fits (C8).

`python -m chaos.squeeze FOLDER URL …`. After it, what a budget still has is less than the smallest
amount, or money got lost. Its calls are in a journal, as every client's are.
"""

import sys
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from budget_manager_client import new_event_id

from chaos.client import enumerate_hosts
from chaos.clock import SimulatedClock
from chaos.journal import Document, Intent
from chaos.scene import Scene, SceneBrand
from chaos.sending import Sender, WebHost, open_hosts

THREADS = 8
AMOUNTS = ("2.00", "0.70", "0.20", "0.07", "0.02", "0.01")
# More money than any brand may spend in a day: it has no budget that could be used up.
MOST_CALLS = 2_000


def main(words: list[str]) -> int:
    """Squeeze all campaigns."""
    folder = Path(words[0])
    scene = Scene.read(folder)
    hosts = open_hosts(enumerate_hosts(words[1:]), scene)
    todo: SimpleQueue[SceneBrand] = SimpleQueue()
    for brand in scene.brands:
        todo.put(brand)

    def work(name: str) -> None:
        squeezer = Squeezer(folder, name, scene=scene, hosts=hosts)
        while True:
            try:
                squeezer.squeeze(todo.get_nowait())
            except Empty:
                return

    workers = [
        threading.Thread(target=work, args=(f"squeeze-{number}",)) for number in range(THREADS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return 0


class Squeezer:
    """One thread's work."""

    def __init__(self, folder: Path, name: str, *, scene: Scene, hosts: Sequence[WebHost]) -> None:
        self._name = name
        self._sender = Sender(folder, name, hosts=hosts, token=scene.token)
        self._clock = SimulatedClock(folder)

    def squeeze(self, brand: SceneBrand) -> None:
        """Ask each of the brand's campaigns for an amount until it is refused, then for less."""
        for campaign_id in brand.campaign_ids:
            for amount in AMOUNTS:
                for _ in range(MOST_CALLS):
                    if self._add(brand.id, campaign_id, amount)["status"] >= 300:
                        break

    def _add(self, brand_id: int, campaign_id: int, amount: str) -> Document:
        event_id = new_event_id()
        intent = Intent(
            id=f"{self._name}/{uuid.uuid4().hex[:12]}",
            call="add",
            path="/spend/add/",
            body={"campaign_id": campaign_id, "amount": amount, "event_id": event_id},
            event_id=event_id,
            brand_id=brand_id,
            campaign_id=campaign_id,
            amount=amount,
            at=time.time(),
            simulated_at=self._clock.now().isoformat(),
        )
        self._sender.journal.mean(intent)
        return self._sender.settle(intent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
