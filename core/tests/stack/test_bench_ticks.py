"""The measurement of ticks still runs, on few campaigns; what it says is not judged here (C26)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stack.checkout import ROOT
from stack.postgres_binaries import has_binaries

SMALL = "--campaigns 1000 --brands 10 --due 20 --looped 10 --repetitions 2".split()


@pytest.mark.skipif(not has_binaries(), reason="there is no throw-away PostgreSQL here")
def test_every_tick_is_measured_and_every_run_is_kept(tmp_path: Path) -> None:
    output = tmp_path / "runs.json"
    done = subprocess.run(
        [sys.executable, "-m", "stack", "bench-ticks", *SMALL, "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1,000 campaigns in 10 brands, 2 runs each." in done.stdout
    kept = json.loads(output.read_text())
    assert kept["campaigns"] == 1_000
    statements = {name: [run["statements"] for run in runs] for name, runs in kept["runs"].items()}
    idle = {name: counts for name, counts in statements.items() if name.startswith("idle ")}
    assert idle.pop("idle check_budgets") == [4, 4]
    assert len(idle) == 4
    assert all(counts == [1, 1] for counts in idle.values()), "an idle task asks once"
    assert statements["loop"][0] > 2 * 10
    locks = [len(run["locks_ms"]) for run in kept["runs"]["due in many brands"]]
    assert locks == [10, 10], "each brand is locked once"
