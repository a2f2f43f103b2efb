"""Sends what a client means until there is an answer that counts, and writes all of it down."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.calls import Try, Witness, abandon, attempt, open_host
from chaos.journal import Document, Intent, Journal
from chaos.scene import Scene

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.4
# Within a request's usual time, so that some have come to the server and some have not.
LONGEST_ABANDONED = 0.03
EDITS = frozenset({"edit_brand", "edit_campaign", "pause", "resume"})


@dataclass(frozen=True)
class WebHost:
    """A web server as clients know it."""

    name: str
    url: str
    api: Witness


def open_hosts(
    urls: Sequence[tuple[str, str]], scene: Scene, *, is_patient: bool = False
) -> list[WebHost]:
    """The hosts of these names and URLs, for all threads of a process."""
    return [
        WebHost(name, url, open_host(url, scene.token, is_patient=is_patient)) for name, url in urls
    ]


class Sender:
    """One client's way to the hosts, with its journal."""

    def __init__(self, folder: Path, name: str, *, hosts: Sequence[WebHost], token: str) -> None:
        self.journal = Journal(folder / "journals" / f"{name}.jsonl")
        self._hosts, self._token = hosts, token
        self._chance = random.Random()  # noqa: S311 (which host; interleavings don't repeat anyway)

    def other_host(self, host: WebHost) -> WebHost:
        """Another host than this one."""
        return self._chance.choice([each for each in self._hosts if each is not host])

    def any_host(self) -> WebHost:
        """A host."""
        return self._chance.choice(self._hosts)

    def abandon(self, intent: Intent) -> None:
        """Send it and hang up on purpose before the answer."""
        host = self.any_host()
        seconds = self._chance.uniform(0, LONGEST_ABANDONED)
        abandon(host.url, self._token, intent, seconds=seconds)
        self.journal.tried(intent, host.name, "abandoned")

    def settle(self, intent: Intent, host: WebHost | None = None) -> Document:
        """Try one host after another until there is an answer that counts."""
        is_in_doubt = False
        while True:
            host = host or self.any_host()
            tries = attempt(host.api, intent)
            for each in tries:
                self._note(intent, host, each)
            if tries and tries[-1].is_definite:
                return self._keep(intent, tries[-1], is_in_doubt=is_in_doubt or len(tries) > 1)
            is_in_doubt = True
            host = None
            time.sleep(self._chance.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))

    def _note(self, intent: Intent, host: WebHost, each: Try) -> None:
        self.journal.tried(intent, host.name, each.ending, each.status)
        if each.is_fault:
            fault = {"status": each.status, "body": each.document}
            self.journal.failed(intent, host.name, fault)

    def _keep(self, intent: Intent, told: Try, *, is_in_doubt: bool) -> Document:
        body = told.document or {}
        answer = {"status": told.status, "is_replay": told.is_replay, "body": body}
        if intent.call in EDITS and body.get("code") == "changed_meanwhile" and is_in_doubt:
            # It may have been a try of ours that changed it.
            answer["maybe_ours"] = True
        self.journal.answered(intent, answer)
        return answer
