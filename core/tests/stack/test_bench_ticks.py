"""The measurement of ticks still runs, on few campaigns; what it says is not judged here (C26)."""

from pathlib import Path

from core.tests.stack.benching import needs_postgres, run_bench

SMALL = "--campaigns 1000 --brands 10 --due 20 --looped 10 --repetitions 2"


@needs_postgres
def test_every_tick_is_measured_and_every_run_is_kept(tmp_path: Path) -> None:
    printed, kept = run_bench("bench-ticks", SMALL, tmp_path / "runs.json", patience_seconds=120)
    assert "1,000 campaigns in 10 brands, 2 runs each." in printed
    assert kept["campaigns"] == 1_000
    statements = {name: [run["statements"] for run in runs] for name, runs in kept["runs"].items()}
    idle = {name: counts for name, counts in statements.items() if name.startswith("idle ")}
    # The clocks, the one range, and that no range is left; reasons are read on other connections.
    assert idle.pop("idle check_budgets") == [3, 3]
    assert len(idle) == 4
    assert all(counts == [1, 1] for counts in idle.values()), "an idle task asks once"
    assert statements["loop"][0] > 2 * 10
    locks = [len(run["locks_ms"]) for run in kept["runs"]["due in many brands"]]
    assert locks == [10, 10], "each brand is locked once"
