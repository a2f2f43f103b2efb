"""One run: bring the system up, attack it, let it settle, have it judged."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from budget_manager_client import BudgetManager

from chaos import processes
from chaos.client import FINISH_FILE
from chaos.clock import SimulatedClock
from chaos.errors import NotInTimeError
from chaos.injector import Injector
from chaos.logbook import LogBook
from chaos.midnights import count_live
from chaos.preparing import prepare_database
from chaos.processes import CLIENT_COUNT, Places
from chaos.result import Found
from chaos.scene import Scene, make_scene
from chaos.servers import Servers, running_servers
from chaos.tally import Tally
from chaos.time_machine import PERIOD_SECONDS, TimeMachine, focus_on
from chaos.timetable import timetable
from stack import valkey
from stack.errors import StepFailedError
from stack.ports import free_ports
from stack.supervisor import Supervisor

START_SECONDS = 60.0
SETTLE_SECONDS = 120.0
# Nobody attacks any more, so that all may take their time.
SILENCE_SECONDS = 15.0
TELL_SECONDS = 5.0
# Past the longest hold.
PAST_ALL_HOLDS = timedelta(hours=25)
TASKS = 5
AUDIT_STATUSES = (0, 1)


@dataclass(frozen=True)
class Wanted:
    """What the person asked for."""

    duration: float
    seed: int
    rate: float
    keep: bool
    folder: Path | None
    output: Path


class Run:
    """The course of one run."""

    def __init__(
        self, wanted: Wanted, folder: Path, log: LogBook, *, supervisor: Supervisor
    ) -> None:
        self._wanted, self._folder = wanted, folder
        self._log, self._supervisor = log, supervisor
        (folder / "journals").mkdir()
        self._clock = SimulatedClock(folder)
        self._tally = Tally(folder / "journals")

    def attack(self) -> Found:
        """All of it."""
        began_at = time.monotonic()
        with running_servers() as servers:
            try:
                return self._attack(servers, began_at)
            finally:
                self._supervisor.stop()
                self._keep_log(servers)

    def _attack(self, servers: Servers, began_at: float) -> Found:
        proxies = servers.database_proxy, servers.broker_proxy
        places = Places(
            self._folder, proxies[0].port, proxies[1].port, free_ports(processes.WEB_COUNT)
        )
        environment = processes.environment_of(places)
        scene = self._bring_up(servers, places, environment)
        machine = TimeMachine(self._folder, servers.database.url, scene)
        planned = timetable(self._wanted.seed, self._wanted.duration)
        injector = Injector(servers, self._supervisor, planned, say=self._log.tell)
        self._endure(machine, injector)
        attempts = self._tally.read().counts["attempts"]
        self._settle(servers, machine, injector, places=places, environment=environment)
        self._keep_facts(servers)
        status = self._judge(servers, environment)
        if self._wanted.keep:
            servers.database.dump(self._folder / "database.sql")
        midnights, of_brands = count_live(machine.midnights, self._answers(scene))
        return Found(
            seed=self._wanted.seed,
            duration=self._wanted.duration,
            timetable=[str(each) for each in planned],
            attempts_in_attack=attempts,
            counts=dict(self._tally.counts),
            calls=dict(self._tally.calls),
            faults={str(fault): count for fault, count in injector.done.items()},
            midnights=midnights,
            brand_midnights=of_brands,
            leaps=machine.leaps,
            postponed_leaps=machine.postponed,
            commits_cut=servers.database_proxy.commits_cut,
            seconds_in_all=round(time.monotonic() - began_at, 1),
            audit_status=status,
            rows=self._audited_rows(),
        )

    def _bring_up(self, servers: Servers, places: Places, environment: Mapping[str, str]) -> Scene:
        """Start everything in the order in which one thing needs the other."""
        self._log.tell("preparing")
        broker = valkey.spec(
            valkey.find_binary(),
            listens_at=servers.broker_socket,
            data=servers.broker_socket.parent / "data",
        )
        self._supervisor.start(broker)
        token, source = prepare_database(servers.database.url, environment, self._clock)
        for spec in processes.web_hosts(places, environment):
            self._supervisor.start(spec)
        self._await(lambda: all(map(is_ready, places.urls)), "the web hosts", START_SECONDS)
        api = BudgetManager(places.urls[0], token)
        scene = make_scene(api, seed=self._wanted.seed, token=token, source=source)
        scene.write(self._folder)
        focus_on(self._folder, [])
        for spec in processes.celery_processes(environment):
            self._supervisor.start(spec)
        for spec in processes.client_processes(places, environment, rate=self._wanted.rate):
            self._supervisor.start(spec)
        self._log.tell(f"{len(scene.brands)} brands; the attack begins")
        return scene

    def _endure(self, machine: TimeMachine, injector: Injector) -> None:
        """Attack for as long as wanted."""
        began_at = time.monotonic()
        next_leap_at = next_word_at = began_at

        def is_over() -> bool:
            nonlocal next_leap_at, next_word_at
            now = time.monotonic()
            injector.tend(now - began_at)
            if now >= next_leap_at and injector.is_calm:
                leapt = machine.leap_to_midnight()
                next_leap_at = time.monotonic() + (PERIOD_SECONDS if leapt else 0.3)
            if now >= next_word_at:
                next_word_at = now + TELL_SECONDS
                self._tell(now - began_at, machine, injector)
            return now - began_at >= self._wanted.duration

        self._supervisor.wait_for(is_over)

    def _tell(self, passed: float, machine: TimeMachine, injector: Injector) -> None:
        self._tally.read()
        faults = sum(injector.done.values())
        self._log.tell(
            f"{passed:5.0f} s: {self._tally.say()}, {faults} faults, "
            f"{len(machine.midnights)} midnights, {self._clock.now():%Y-%m-%d %H:%M}"
        )

    def _settle(
        self,
        servers: Servers,
        machine: TimeMachine,
        injector: Injector,
        *,
        places: Places,
        environment: Mapping[str, str],
    ) -> None:
        """End all faults, let clients finish and holds expire, squeeze, let tasks run once more."""
        self._log.tell("settling")
        injector.end_all()
        (self._folder / FINISH_FILE).touch()
        are_done = self._has_come(self._clients_are_done, SETTLE_SECONDS)
        self._leap(machine, self._clock.now() + PAST_ALL_HOLDS)
        if are_done:
            self._squeeze(places, environment)
        else:
            self._log.tell("some calls get no definite answer: the audit will name them")
        # Time stands still, so that no window opens between the last tick and the audit.
        self._leap(machine, self._clock.now(), speed=0.0)
        if not self._has_come(lambda: self._tasks_have_run(servers), SETTLE_SECONDS):
            self._log.tell("some task never comes to its end: the audit will show what it left")
        self._tally.read()

    def _squeeze(self, places: Places, environment: Mapping[str, str]) -> None:
        status = self._supervisor.run_to_end(processes.squeeze(places, environment))
        if status != 0:
            raise StepFailedError("squeeze", status)

    def _clients_are_done(self) -> bool:
        names = [f"client-{number + 1}" for number in range(CLIENT_COUNT)]
        return all((self._folder / f"{name}.done").exists() for name in [*names, "operator"])

    def _leap(self, machine: TimeMachine, to: datetime, *, speed: float = 1.0) -> None:
        def leap() -> bool:
            return machine.leap(to, speed=speed, patience_seconds=SILENCE_SECONDS)

        self._await(leap, "a moment of silence", SETTLE_SECONDS)

    def _tasks_have_run(self, servers: Servers) -> bool:
        """Whether each task has run since time stands still."""
        with psycopg.connect(servers.database.url) as connection:
            found = connection.execute(
                "SELECT count(*) FROM core_taskrun WHERE finished_at >= %s", [self._clock.now()]
            ).fetchone()
        return found is not None and found[0] == TASKS

    def _keep_facts(self, servers: Servers) -> None:
        """What the audit has to know and can't ask."""
        facts = {
            "settled_at": self._clock.now().isoformat(),
            "deadlocks": servers.database.log.count("deadlock detected"),
            "manage": [sys.executable, "-m", "chaos.manage"],
        }
        (self._folder / "settled.json").write_text(json.dumps(facts, indent=1))

    def _keep_log(self, servers: Servers) -> None:
        (self._folder / "logs" / "postgres.log").write_text(servers.database.log)

    def _judge(self, servers: Servers, environment: Mapping[str, str]) -> int:
        """Stop everything but the database, and have it audited."""
        self._supervisor.stop()
        self._keep_log(servers)
        self._log.tell("judging")
        spec = processes.audit(self._folder, environment, servers.database.url)
        status = self._supervisor.run_to_end(spec)
        said = self._folder / "logs" / "audit.log"
        self._log.write(said.read_text() if said.exists() else "")
        if status not in AUDIT_STATUSES:
            raise StepFailedError("audit", status)
        return status

    def _answers(self, scene: Scene) -> dict[int, list[datetime]]:
        """When each brand was answered, but for the one of which nobody here knows its zone."""
        return {
            brand_id: self._tally.answered_at[brand_id]
            for brand_id, zones in scene.zones.items()
            if len(zones) == 1
        }

    def _audited_rows(self) -> list[dict[str, object]]:
        document = json.loads((self._folder / "audit.json").read_text())
        rows: list[dict[str, object]] = document["rows"]
        return rows

    def _await(self, happened: Callable[[], bool], what: str, patience: float) -> None:
        """Tend the processes until it has happened. Raises NotInTimeError."""
        if not self._has_come(happened, patience):
            raise NotInTimeError(what, patience, self._folder / "logs")

    def _has_come(self, happened: Callable[[], bool], patience: float) -> bool:
        """Tend the processes until it has happened or patience is over; whether it has."""
        deadline = time.monotonic() + patience
        has_come = False

        def is_over() -> bool:
            nonlocal has_come
            has_come = happened()
            return has_come or time.monotonic() > deadline

        self._supervisor.wait_for(is_over)
        return has_come


def is_ready(url: str) -> bool:
    """Whether a web host can do its work."""
    try:
        with urllib.request.urlopen(f"{url}/healthz/live", timeout=2) as answer:  # noqa: S310 (ours)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
