"""How much is measured and how long, and what short trials find best before the rounds begin."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.hand_written import WAYS, HandWritten
from benchmarks.load import press
from benchmarks.scene import Scene
from benchmarks.web import Shape, serving

GROUPED, SINGLE = {"GROUP_COMMIT": "1"}, {"GROUP_COMMIT": "0"}
# Threads start, connections are made, statements are prepared.
WARM_UP_SECONDS = 0.5
TRIAL_SHARE = 0.5

Choice = TypeVar("Choice")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much and how long; the defaults are the real measurement."""

    seconds: float = 3.0
    repetitions: int = 3
    connections: int = 64
    clients: int = 32
    brands: int = 1_000
    batch: int = 1_000
    campaigns: int = 1_000_000
    looped: int = 1_000
    most_prices: int = 1_000_000
    shapes: str = "2x8,2x16,2x32"
    shapes_without_grouping: str = "2x1,2x2,2x4,2x8"


@dataclass(frozen=True)
class Choices:
    """The fastest script of pgbench, and the threads that suit group commit and its absence."""

    way: str
    grouped: Shape
    single: Shape


@dataclass(frozen=True)
class Trials:
    """Tries everything out for half as long as it is measured afterwards."""

    plan: Plan
    by_hand: HandWritten
    scene: Scene
    environment: Mapping[str, str]
    say: Say

    def choose(self) -> Choices:
        """What is best of each."""
        return Choices(
            way=self._best(WAYS, self._try_way),
            grouped=self._best_shape(self.plan.shapes, GROUPED),
            single=self._best_shape(self.plan.shapes_without_grouping, SINGLE),
        )

    def _best_shape(self, shapes: str, setting: Mapping[str, str]) -> Shape:
        environment = {**self.environment, **setting}
        return self._best(
            [Shape.parse(text) for text in shapes.split(",")],
            lambda shape: self._try_shape(shape, environment),
        )

    def _best(self, choices: Iterable[Choice], trial: Callable[[Choice], float]) -> Choice:
        candidates = list(choices)
        if len(candidates) == 1:
            return candidates[0]
        rates = {}
        for candidate in candidates:
            rates[candidate] = trial(candidate)
            self.say(f"trial: {candidate}: {rates[candidate]:,.0f}/s")
        return max(rates, key=rates.__getitem__)

    def _try_way(self, way: str) -> float:
        seconds = self.plan.seconds * TRIAL_SHARE
        return self.by_hand.transactions(way, clients=self.plan.clients, seconds=seconds)

    def _try_shape(self, shape: Shape, environment: Mapping[str, str]) -> float:
        spends, callers = self.scene.spends(self.scene.hot), self.plan.connections
        with serving(shape, environment) as server:
            press(server.port, spends, callers=callers, seconds=WARM_UP_SECONDS)
            seconds = self.plan.seconds * TRIAL_SHARE
            return press(server.port, spends, callers=callers, seconds=seconds).rate
