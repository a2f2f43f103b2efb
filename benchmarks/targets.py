"""The rows of `make bench`: what is set against which yardstick, and what is to be reached."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

# The readings.
PGBENCH = "pgbench"
HOT = "one brand"
OFF = "one brand, group commit off"
OFF_BEST = "one brand, group commit off at its best"
HOT_SLOW = "one brand, flush of 1 ms"
OFF_BEST_SLOW = "one brand, flush of 1 ms, group commit off at its best"
MANY = "many brands"
NOOP_CALLS = "no-op"
FREE_CALLS = "one brand, database free"
ALONE = "one caller"
ALONE_OFF = "one caller, group commit off"
BATCHES = "batches"
SET_BASED = "set-based SQL"
BATCHES_ON_SQLITE = "batches on SQLite"
EXECUTEMANY = "executemany"
CHECKED = "campaigns checked by check_budgets"
LOOPED = "campaigns looped over"
MEMORY = "memory"
SHARE_OF_MEMORY = "share of memory"
PRICES = "price stream"
COPIED = "COPY"
MICROS_OFF = "micros off"

# Where a flush takes this long, coalescing has to give more.
SLOW_FLUSH_MICROSECONDS = 1_000


@dataclass(frozen=True)
class Row:
    """One reading over another, or a reading alone, and its bound."""

    what: str
    reading: str
    yardstick: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def is_reached(self, value: float) -> bool:
        """Say whether the value keeps the bounds, if there is one."""
        is_enough = self.at_least is None or value >= self.at_least
        return is_enough and (self.at_most is None or value <= self.at_most)

    @property
    def target(self) -> str:
        """The bound in words."""
        times = " ×" if self.yardstick else ""
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}{times}"
        return "" if self.at_most is None else f"≤ {self.at_most:,g}{times}"


@dataclass
class Readings:
    """Every single measurement by name, in the order of the rounds, and what was refused."""

    runs: dict[str, list[float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, value: float, unit: str) -> None:
        """Keep one more run."""
        self.runs.setdefault(name, []).append(value)
        self.units[name] = unit

    def latest(self, name: str) -> str:
        """The last run, with its unit."""
        return f"{_number(self.runs[name][-1])} {self.units[name]}"

    def say(self, name: str) -> str:
        """The median of the runs, with its unit."""
        return f"{_number(median(self.runs[name]))} {self.units[name]}"

    def values(self, row: Row) -> list[float]:
        """The row's value in each round."""
        if not row.yardstick:
            return self.runs[row.reading]
        pairs = zip(self.runs[row.reading], self.runs[row.yardstick], strict=True)
        return [ours / theirs for ours, theirs in pairs]


def p99_of(name: str) -> str:
    """The reading of the latency that one of a hundred answers exceeded."""
    return f"p99 of {name}"


def rows_for(flush: int) -> list[Row]:
    """The rows of the table, where a flush takes so many microseconds."""
    is_slow = flush >= SLOW_FLUSH_MICROSECONDS
    # Then there is nothing to slow down for a row of its own.
    slow = Row("the same where a flush takes 1 ms", HOT_SLOW, OFF_BEST_SLOW, at_least=5.0)
    return [
        Row("single spends, one brand, against pgbench's best", HOT, PGBENCH, at_least=2.0),
        Row(
            "against group commit off, each at its best threads",
            *(HOT, OFF_BEST),
            at_least=5.0 if is_slow else 1.8,
        ),
        *([] if is_slow else [slow]),
        Row(
            "p99 against group commit off at the same threads",
            *(p99_of(HOT), p99_of(OFF)),
            at_most=0.25,
        ),
        Row("single spends, many brands, against a no-op", MANY, NOOP_CALLS, at_least=0.35),
        # At most 30 % slower.
        Row("spend calls, database free, against a no-op", FREE_CALLS, NOOP_CALLS, at_least=0.77),
        Row("one caller's latency against group commit off", ALONE, ALONE_OFF, at_most=1.1),
        Row("batches over HTTP against set-based SQL", BATCHES, SET_BASED, at_least=0.5),
        Row(
            "SQLite, batches over HTTP against bare inserts",
            *(BATCHES_ON_SQLITE, EXECUTEMANY),
            at_least=0.15,
        ),
        Row("check_budgets against the loop of the seeds", CHECKED, LOOPED, at_least=1_000),
        Row("memory of a web worker under load", MEMORY, at_most=120),
        Row("price stream through the batch call, off by", MICROS_OFF, at_most=0),
        Row("the same against COPY of its entries into a bare table", PRICES, COPIED),
    ]


def table(rows: Sequence[Row], readings: Readings) -> str:
    """The rows as Markdown."""
    heads = ("row", "ours", "yardstick", "median (lowest to highest)", "to reach", "reached")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        values = readings.values(row)
        middle = median(values)
        refused = readings.refused[row.reading] + readings.refused[row.yardstick]
        cells = (
            row.what + (f" ({refused:,} calls refused)" if refused else ""),
            readings.say(row.reading),
            readings.say(row.yardstick) if row.yardstick else "",
            f"{_number(middle)} ({_number(min(values))} to {_number(max(values))})",
            row.target,
            ("yes" if row.is_reached(middle) else "**no**") if row.target else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def document(rows: Sequence[Row], readings: Readings, **more: object) -> str:
    """Every single run and what it comes to, as JSON."""
    judged = [
        {
            "row": row.what,
            "ours": row.reading,
            "yardstick": row.yardstick or None,
            "values": (values := readings.values(row)),
            "median": median(values),
            "to_reach": row.target,
            "is_reached": row.is_reached(median(values)),
        }
        for row in rows
    ]
    found = {"rows": judged, "runs": readings.runs, "units": readings.units}
    return json.dumps({**more, **found, "refused": readings.refused}, indent=1)


def _number(value: float) -> str:
    """As many digits as mean something."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.3g}"
