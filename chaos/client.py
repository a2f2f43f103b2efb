"""A client process: threads that spend, each with a journal of its own.

`python -m chaos.client FOLDER NAME THREADS RATE URL …`. Killed and started again, it first finishes
what its journals left open. When the rig says so it begins nothing new, finishes, and says that it
has.
"""

import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.journal import Intent, read_book
from chaos.scene import Scene
from chaos.sending import Sender, WebHost, open_hosts
from chaos.wishes import Memory, Wishes

FINISH_FILE = "finish"
MOST_BEHIND_SECONDS = 1.0


@dataclass(frozen=True)
class Part:
    """One thread's part in a client process."""

    folder: Path
    name: str
    scene: Scene
    hosts: Sequence[WebHost]
    # Calls in a second.
    rate: float


def main(words: list[str]) -> int:
    """Spend until the rig says to finish; then wait for the end."""
    folder, name = Path(words[0]), words[1]
    threads, rate = int(words[2]), float(words[3])
    scene = Scene.read(folder)
    # Every other process leaves trying again to the typed client.
    is_patient = int(name.rpartition("-")[2]) % 2 == 0
    hosts = open_hosts(list(enumerate_hosts(words[4:])), scene, is_patient=is_patient)
    parts = [
        Part(folder, f"{name}-{number}", scene, hosts, rate / threads)
        for number in range(1, threads + 1)
    ]
    spending = [threading.Thread(target=spend, args=(part,)) for part in parts]
    for thread in spending:
        thread.start()
    for thread in spending:
        thread.join()
    say_done(folder, name)
    return 0


def enumerate_hosts(urls: Sequence[str]) -> list[tuple[str, str]]:
    """The names of the hosts, by their order."""
    return [(f"web-{number}", url) for number, url in enumerate(urls, start=1)]


def say_done(folder: Path, name: str) -> None:
    """Tell the rig that nothing is open, and wait for the end: who ends is started again."""
    (folder / f"{name}.done").touch()
    while True:
        time.sleep(1)


def spend(part: Part) -> None:
    """One thread's life."""
    sender = Sender(part.folder, part.name, hosts=part.hosts, token=part.scene.token)
    memory = Memory()
    chance = random.Random()  # noqa: S311 (no secret)
    wishes = Wishes(part.folder, part.name, scene=part.scene, memory=memory, chance=chance)
    remember(part, sender, memory)
    finish = part.folder / FINISH_FILE
    due_at = time.monotonic()
    while not finish.exists():
        carry_out(wishes.next(), sender=sender, wishes=wishes, memory=memory)
        # Slow answers don't slow the attack down, but what an outage took isn't made up for.
        now = time.monotonic()
        due_at = max(due_at + chance.expovariate(part.rate), now - MOST_BEHIND_SECONDS)
        time.sleep(max(0.0, due_at - now))


def remember(part: Part, sender: Sender, memory: Memory) -> None:
    """Finish what a killed predecessor left open, and remember what it knew."""
    book = read_book(part.folder / "journals" / f"{part.name}.jsonl")
    for intent in book.open_intents:
        book.answers[intent.id] = sender.settle(intent)
    for name, intent in book.intents.items():
        memory.note(intent, book.answers[name])


def carry_out(intent: Intent, *, sender: Sender, wishes: Wishes, memory: Memory) -> None:
    """Write it down, send it, sometimes twice or half at first, and hear what comes of it."""
    sender.journal.mean(intent)
    if wishes.wants_to_abandon(intent):
        sender.abandon(intent)
    host = sender.any_host()
    twin: threading.Thread | None = None
    if wishes.wants_twice(intent):
        again = wishes.again(intent, "at_once")
        sender.journal.mean(again)
        other = sender.other_host(host)
        twin = threading.Thread(target=sender.settle, args=(again, other))
        twin.start()
    memory.note(intent, sender.settle(intent, host))
    if twin is not None:
        twin.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
