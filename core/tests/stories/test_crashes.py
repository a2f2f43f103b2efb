"""A client that crashes and retries with the same event ids spends exactly what it meant to (C21).

Three clients and the web server are killed at random, 200 times. Afterwards every intent in the
clients' journals has one outcome, and the log is what was intended.
"""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.actions.delivery import expire_holds
from core.enums import HoldState
from core.models import BrandTotal, CampaignTotal, EventAnswer, Hold, SpendLog
from core.tests.builders import CALLER, make_brand, make_campaign
from core.tests.races.audit import audit
from core.tests.races.crowd import LOOK_SECONDS, witnessing
from core.tests.races.field import demand_never_overspent, look_at_day
from core.tests.races.promises import Promise, PromiseBrokenError, demand, demand_equal
from core.tests.stories.crash_client import SOON, ForgetfulClient, Job, Journal, work
from core.tests.stories.web import WebServer, web_server
from core.tests.views.api import make_token

CREW = 3
LONGEST_PAUSE_SECONDS = 0.06
PATIENCE_SECONDS = 60.0
# Far less than is asked for, so that refusals are among the answers.
SCARCE = Decimal(5)
SIGNS = {"add": 1, "report": 1, "capture": 1, "refund": -1}
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Kills:
    """How often who is killed: a client, a web worker, the web server with its workers."""

    clients: int
    workers: int
    masters: int
    seed: int

    def victims(self) -> list[str]:
        """All of them in a random order."""
        counts = {"client": self.clients, "worker": self.workers, "master": self.masters}
        named = list(Counter(counts).elements())
        random.Random(self.seed).shuffle(named)
        return named


@dataclass(frozen=True, slots=True)
class World:
    """Two brands: one where everything is admitted, one with a budget that won't do."""

    brand_ids: tuple[int, int]
    campaign_ids: tuple[int, int]
    today: date


def make_world() -> World:
    """It is about noon in its zone, so that no midnight comes during the test."""
    now = timezone.now()
    zone = f"Etc/GMT{now.hour - 12:+d}"
    plenty = make_brand(now=now, time_zone=zone)
    scarce = make_brand(now=now, time_zone=zone, daily_budget=SCARCE)
    campaign_ids = make_campaign(plenty, now=now).pk, make_campaign(scarce, now=now).pk
    today = scarce.calendar.budget_day(now).starts_on
    return World((plenty.pk, scarce.pk), campaign_ids, today)


class Crew:
    """The clients, each of which is started again when it was killed."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._closing = folder / "closing"
        self.journals = [folder / f"journal-{number}" for number in range(CREW)]
        self._runs = [partial(work, job, journal, self._closing) for journal in self.journals]
        self._processes = [self._start(place) for place in range(CREW)]

    def kill(self, place: int) -> None:
        """Kill one and start it again. It must not have ended by itself."""
        process = self._processes[place]
        demand(process.is_alive(), Promise.NO_SURPRISE, "a client ended by itself")
        process.kill()
        process.join()
        process.close()
        self._processes[place] = self._start(place)

    def await_progress(self) -> None:
        """Wait until one of them writes something down."""
        before, deadline = self._written(), time.monotonic() + PATIENCE_SECONDS
        while self._written() == before:
            demand(time.monotonic() < deadline, Promise.NO_SURPRISE, "the clients got stuck")
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """Let each finish what it has begun."""
        self._closing.touch()
        for process in self._processes:
            process.join(PATIENCE_SECONDS)
            demand_equal(process.exitcode, 0, Promise.NO_SURPRISE)

    def end(self) -> None:
        """Make sure that all are gone."""
        for process in self._processes:
            process.kill()

    def _written(self) -> int:
        return sum(path.stat().st_size for path in self.journals if path.exists())

    def _start(self, place: int) -> multiprocessing.context.ForkProcess:
        process = _FORK.Process(target=self._runs[place], daemon=True)
        process.start()
        return process


def crash(kills: Kills, server: WebServer, crew: Crew) -> None:
    """Kill one after the other, at random moments; then let everybody finish."""
    chance = random.Random(kills.seed)
    for victim in kills.victims():
        # Some die at once. Others may finish something first, so that on a busy machine, too, there
        # is work between the kills.
        if chance.random() < 0.5:
            crew.await_progress()
        time.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
        match victim:
            case "client":
                crew.kill(chance.randrange(CREW))
            case "worker":
                server.kill_worker(chance.randrange(2))
            case "master":
                server.kill_master()
                server.start()
    server.await_ready()
    crew.close()


def run_crashes(
    kills: Kills, own_database: str, folder: Path, **job: Any
) -> tuple[World, list[Journal]]:
    """Crash, finish, audit the budget; the world and what the clients have written down."""
    world = make_world()
    token = make_token()
    look = partial(look_at_day, world.brand_ids[1], world.today)
    with web_server(own_database) as server, witnessing(look) as views:
        crew = Crew(Job(server.url, token, world.campaign_ids, **job), folder)
        try:
            crash(kills, server, crew)
        finally:
            crew.end()
    demand_never_overspent(views)
    return world, [Journal(path) for path in crew.journals]


def audit_money(world: World, journals: Sequence[Journal]) -> None:
    """The log's sums are what was intended; where a budget won't do, what of that was admitted."""
    intents = [intent for journal in journals for intent in journal.intents.values()]
    admitted = [i for journal in journals for i, _ in journal.made(*SIGNS)]
    for brand_id, campaign_id, told in zip(
        world.brand_ids, world.campaign_ids, (intents, admitted), strict=True
    ):
        amounts = [
            Decimal(i.amount) * SIGNS.get(i.kind, 0) for i in told if i.campaign_id == campaign_id
        ]
        logged = SpendLog.objects.filter(brand=brand_id).values_list("amount", flat=True)
        demand_equal(sum(logged), sum(amounts), Promise.ONE_ANSWER)


def audit_intents(journals: Sequence[Journal]) -> None:
    """Every intent has one outcome, here and there, and one entry if it was admitted."""
    event_ids = Counter(event_id for journal in journals for event_id in journal.intents)
    heard = Counter(
        outcome.event_id
        for journal in journals
        for outcomes in journal.outcomes.values()
        for outcome in outcomes
    )
    demand_equal(heard, event_ids, Promise.ONE_ANSWER)
    answers = Counter(EventAnswer.objects.values_list("event_id", flat=True))
    demand_equal(answers, event_ids, Promise.ONE_ANSWER)
    entries = Counter(
        SpendLog.objects.values_list("id", "event_id", "campaign_id", "kind", "amount")
    )
    admitted = Counter(
        (made, i.event_id, i.campaign_id, i.kind, SIGNS[i.kind] * Decimal(i.amount))
        for journal in journals
        for i, made in journal.made(*SIGNS)
    )
    odd = {"only there": entries - admitted, "only here": admitted - entries}
    demand(entries == admitted, Promise.ONE_ANSWER, odd)


def audit_holds(journals: Sequence[Journal]) -> None:
    """Each hold ended as it was meant to, and nothing is held any more (C8, C20)."""
    expire_holds(caller=CALLER, now=timezone.now() + timedelta(seconds=SOON))
    states = dict(Hold.objects.values_list("id", "state"))
    intended: dict[int, str] = {}
    for journal in journals:
        intended |= {hold_id: HoldState.EXPIRED for _, hold_id in journal.made("hold")}
        for intent in journal.intents.values():
            if intent.kind in ("capture", "release"):
                intended[intent.subject] = f"{intent.kind}d"
    demand_equal(states, intended, Promise.NO_SURPRISE)
    demand(
        {HoldState.EXPIRED, HoldState.CAPTURED, HoldState.RELEASED} == set(states.values()),
        Promise.NO_SURPRISE,
        Counter(states.values()),
    )
    held = [*BrandTotal.objects.exclude(held=0), *CampaignTotal.objects.exclude(held=0)]
    demand_equal(held, [], Promise.FULL_DELIVERY)


def test_clients_and_servers_killed_200_times_spend_exactly_what_was_intended_c7_c20_c21(
    own_database: str, tmp_path: Path
) -> None:
    kills = Kills(clients=108, workers=88, masters=4, seed=2026)
    assert len(kills.victims()) == 200
    world, journals = run_crashes(kills, own_database, tmp_path)
    audit_intents(journals)
    audit_money(world, journals)
    audit_holds(journals)
    audit(timezone.now())
    outcomes = [found for journal in journals for (found,) in journal.outcomes.values()]
    refused = {outcome.code for outcome in outcomes} - {""}
    assert {"budget_exceeded"} <= refused <= {"budget_exceeded", "campaign_not_active"}
    # Kills did hit calls that were committed but not heard of.
    assert sum(outcome.replayed for outcome in outcomes) >= 10


def test_the_audit_catches_a_client_that_makes_a_new_event_id_for_each_try_c21(
    own_database: str, tmp_path: Path
) -> None:
    kills = Kills(clients=24, workers=4, masters=0, seed=7)
    broken = {"client": ForgetfulClient, "kinds": ("add", "report")}
    world, journals = run_crashes(kills, own_database, tmp_path, **broken)
    with pytest.raises(PromiseBrokenError) as caught:
        audit_money(world, journals)
    assert caught.value.promise is Promise.ONE_ANSWER
