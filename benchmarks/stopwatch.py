"""What a deed costs: time in the database, time in all, statements, and how long it kept locks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db import connection, transaction

_MILLISECOND = 1_000_000


@dataclass
class Cost:
    """One run. All times are in milliseconds."""

    total: float = 0.0
    statements: list[float] = field(default_factory=list)
    locks: list[float] = field(default_factory=list)

    @property
    def database(self) -> float:
        """The time between sending statements and having their answers."""
        return sum(self.statements)


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of several runs."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, runs: list[float]) -> "Spread":
        """Summarize the runs."""
        return cls(median(runs), min(runs), max(runs))

    def __str__(self) -> str:
        return f"{self.median:.2f} ms ({self.lowest:.2f} to {self.highest:.2f})"


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the block; the cost is complete at its end."""
    cost = Cost()

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started_at = time.perf_counter_ns()
        try:
            return execute(sql, params, many, context)
        finally:
            ended_at = time.perf_counter_ns()
            cost.statements.append((ended_at - started_at) / _MILLISECOND)
            if "FOR NO KEY UPDATE" in sql:
                _watch_lock(cost, ended_at)

    started_at = time.perf_counter_ns()
    with connection.execute_wrapper(watch):
        yield cost
    cost.total = (time.perf_counter_ns() - started_at) / _MILLISECOND


def _watch_lock(cost: Cost, locked_at: int) -> None:
    def note() -> None:
        cost.locks.append((time.perf_counter_ns() - locked_at) / _MILLISECOND)

    transaction.on_commit(note)
