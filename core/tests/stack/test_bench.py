"""The measurement of what is promised of speed still runs; what it says is not judged here."""

from pathlib import Path

import pytest

from benchmarks.targets import HOT, MICROS_OFF, PGBENCH, Readings, Row, rows_for, table
from core.tests.stack.benching import needs_postgres, run_bench

SMALL = (
    "--seconds 0.2 --repetitions 2 --connections 4 --clients 2 --brands 5 --batch 20 "
    "--campaigns 1000 --looped 10 --most-prices 50 --shapes 1x4 --shapes-without-grouping 1x1,1x2"
)


@needs_postgres
def test_every_row_has_its_runs_and_the_price_stream_is_exact(tmp_path: Path) -> None:
    printed, kept = run_bench("bench", SMALL, tmp_path / "runs.json")
    rows = rows_for(kept["flush_microseconds"])
    assert [row["row"] for row in kept["rows"]] == [row.what for row in rows]
    assert all(row.what in printed for row in rows)
    single_runs = {"memory", "share of memory"}
    counts = {name: len(runs) for name, runs in kept["runs"].items() if name not in single_runs}
    assert set(counts.values()) == {2}
    assert all(
        value > 0 for name, runs in kept["runs"].items() for value in runs if name != MICROS_OFF
    )
    assert kept["runs"][MICROS_OFF] == [0, 0]
    assert kept["single"] in ("1x1", "1x2")
    assert not any(kept["refused"].values())


def test_a_row_is_judged_by_the_median_of_its_ratios() -> None:
    row = Row("hot", HOT, PGBENCH, at_least=2.0)
    readings = Readings()
    for ours, theirs in ((10, 1), (4, 2), (3, 3)):
        readings.note(HOT, ours, "/s")
        readings.note(PGBENCH, theirs, "/s")
    assert "| 2 (1 to 10) | ≥ 2 × | yes |" in table([row], readings)
    stricter = Row("hot", HOT, PGBENCH, at_least=2.1)
    assert "| **no** |" in table([stricter], readings)


def test_refused_calls_are_said() -> None:
    readings = Readings()
    readings.note(HOT, 10, "/s")
    readings.refused[HOT] += 3
    assert "(3 calls refused)" in table([Row("hot", HOT, at_least=1)], readings)


@pytest.mark.parametrize(("flush", "bound"), [(999, 1.8), (1_000, 5.0)])
def test_a_slow_flush_asks_more_of_group_commit(flush: int, bound: float) -> None:
    bounds = [row.at_least for row in rows_for(flush) if row.reading == HOT]
    assert bounds == [2.0, bound, None] or bounds == [2.0, bound]
