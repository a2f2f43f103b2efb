"""Plays days of traffic at virtual instants and looks on the way whether any promise is broken.

Each spend, edit and tick is a deed of its own, as in real life, so this is many transactions. Only
on an empty database: whose it is, is for the command to know.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from random import Random

from core.actions import delivery
from core.actions.caller import Caller
from core.actions.simulated_brand import HoldDecision, SimulatedBrand
from core.models import Brand
from core.queries.brand_days import BrandDay, list_brand_days
from core.queries.promises import BrokenPromise, Promise
from core.queries.replayed import list_unlike_replay
from core.queries.verification import list_broken_after_tick, list_broken_promises
from core.rules.traffic import BrandPlan, Event, day_starts_at, outage, traffic

DAY, WEEK = timedelta(days=1), timedelta(days=7)
TICK_EVERY = timedelta(minutes=30)
# The check that looks at every campaign is dear; it has nothing to do but after an accident.
TICKS_BETWEEN_CHECKS = 24
TASKS = ("enforce_dayparting", "reset_daily_spend", "reset_monthly_spend", "expire_holds")


@dataclass(frozen=True, slots=True)
class Simulation:
    """What to play; the same one always plays the same."""

    brands: Sequence[BrandPlan]
    first_day: date
    days: int
    seed: int

    def chance(self, *about: object) -> Random:
        """Chance of its own for each matter, so that one never moves another."""
        return Random(" ".join(map(str, (self.seed, *about))))  # noqa: S311 (a play)

    @property
    def starts_at(self) -> datetime:
        """When it begins."""
        return day_starts_at(self.first_day)

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class PlayedBrand:
    """What became of one brand, day by day; `refused` counts what was asked for in vain."""

    brand: Brand
    days: list[BrandDay]
    refused: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Played:
    """What became of it all; `broken` has each broken promise once, as it was first seen."""

    brands: list[PlayedBrand]
    requests: int
    broken: list[BrokenPromise]


@dataclass(frozen=True, slots=True)
class _Tick:
    """A tick of beat with its tasks, none while it is down; `is_look`: then all is looked at."""

    at: datetime
    tasks: tuple[str, ...]
    is_look: bool


def play_simulation(simulation: Simulation, *, on_day: Callable[[int], None]) -> Played:
    """Play it on an empty database; `on_day` hears how many days are over.

    Raises RuntimeError where there is a brand already: that database is somebody's.
    """
    if Brand.objects.exists():
        raise RuntimeError("A simulation is played on an empty database only")
    stage = _Stage(simulation)
    for number in range(simulation.days):
        stage.prepare(simulation.first_day + timedelta(days=number))
        stage.play()
        on_day(number + 1)
    return stage.played()


class _Stage:
    """All brands, and everything that is still to happen, in order of time."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        first_day = simulation.first_day
        self._players = [SimulatedBrand.of(plan, first_day) for plan in simulation.brands]
        self._broken: dict[Promise, BrokenPromise] = {}
        self._outages: list[tuple[datetime, datetime]] = []
        self._prepared_until = simulation.starts_at
        self._weeks_end = simulation.starts_at + WEEK
        # The number keeps what happens at one instant in the order in which it was thought of.
        self._future: list[
            tuple[datetime, int, SimulatedBrand | None, Event | HoldDecision | _Tick]
        ] = []
        self._count = 0

    def prepare(self, day: date) -> None:
        """Think of everything that is going to happen on a day."""
        simulation = self._simulation
        for player in self._players:
            chance = simulation.chance(day, player.plan.name)
            events = traffic(player.plan, day, first_day=simulation.first_day, chance=chance)
            for event in events:
                self._expect(event, player)
        if gap := outage(day, simulation.chance(day, "beat")):
            self._outages.append(gap)
        for tick in _ticks(day, self._outages, simulation.ends_at):
            self._expect(tick)
        self._prepared_until = day_starts_at(day) + timedelta(days=1)

    def play(self) -> None:
        """Let happen what was thought of, as far as whole days are prepared."""
        while self._future and self._future[0][0] <= self._prepared_until:
            _, _, player, event = heappop(self._future)
            if isinstance(event, _Tick):
                self._tick(event)
            elif player and (later := player.play(event)):
                self._expect(later, player)
        for player in self._players:
            self._keep(player.broken)
            player.broken.clear()

    def played(self) -> Played:
        """What became of it, all of it looked at once more from its beginning."""
        simulation = self._simulation
        self._keep(list_unlike_replay(simulation.ends_at))
        brands = [
            PlayedBrand(
                player.brand,
                list_brand_days(player.brand, simulation.starts_at, simulation.ends_at),
                player.refused,
            )
            for player in self._players
        ]
        requests = sum(player.requests for player in self._players)
        return Played(brands, requests, list(self._broken.values()))

    def _expect(
        self, event: Event | HoldDecision | _Tick, player: SimulatedBrand | None = None
    ) -> None:
        self._count += 1
        heappush(self._future, (event.at, self._count, player, event))

    def _tick(self, tick: _Tick) -> None:
        """What the unattended tasks do at that moment."""
        for task in tick.tasks:
            getattr(delivery, task)(caller=Caller(f"task:core.{task}"), now=tick.at)
        if tick.is_look:
            self._look(tick)

    def _look(self, tick: _Tick) -> None:
        """Look for broken promises in what is stored; at all of the log once a week only."""
        at = tick.at
        if at in (self._weeks_end, self._simulation.ends_at):
            self._keep(list_broken_promises(at))
            self._weeks_end += WEEK
        if tick.tasks:
            self._keep(list_broken_after_tick(at))
        for player in self._players:
            self._keep(player.list_turned_switches(at))

    def _keep(self, found: Sequence[BrokenPromise]) -> None:
        for broken in found:
            self._broken.setdefault(broken.promise, broken)


def _ticks(
    day: date, outages: Sequence[tuple[datetime, datetime]], ends_at: datetime
) -> list[_Tick]:
    """The ticks of a day; a look comes after the first one that follows an outage, and the last.

    The last tick is that of the midnight at which the day ends. At the end of all, beat is up.
    """
    ticks: list[_Tick] = []
    for number in range(1, DAY // TICK_EVERY + 1):
        at = day_starts_at(day) + number * TICK_EVERY
        is_down, was_down = (
            any(down_at <= moment < up_at for down_at, up_at in outages)
            for moment in (at, at - TICK_EVERY)
        )
        is_down &= at < ends_at
        tasks = () if is_down else _tasks(number)
        is_last = number == DAY // TICK_EVERY
        ticks.append(_Tick(at, tasks, is_last or (was_down and not is_down)))
    return ticks


def _tasks(number: int) -> tuple[str, ...]:
    """The tasks of a tick, in another order each time (C26)."""
    first = number % len(TASKS)
    checks = ("check_budgets",) if number % TICKS_BETWEEN_CHECKS == 0 else ()
    return (*TASKS[first:], *checks, *TASKS[:first])
