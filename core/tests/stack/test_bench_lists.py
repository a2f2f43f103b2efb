"""The measurement of lists beside a long log still runs; its times aren't judged here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stack.checkout import ROOT
from stack.postgres_binaries import has_binaries

SMALL = (
    "--entries 4000 --few-entries 400 --campaigns 200 --few-campaigns 20 --brands 10 "
    "--repetitions 1"
)


@pytest.mark.skipif(not has_binaries(), reason="there is no throw-away PostgreSQL here")
def test_every_list_is_read_in_a_small_and_in_a_big_database(tmp_path: Path) -> None:
    output = tmp_path / "runs.json"
    done = subprocess.run(
        [sys.executable, "-m", "stack", "bench-lists", *SMALL.split(), "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept = json.loads(output.read_text())
    assert {len(runs) for both in kept["runs"].values() for runs in both.values()} == {1}
    assert all(what in done.stdout for what in kept["runs"])
    blocks = kept["blocks"]
    status = blocks["status"]
    assert status["big"] == status["small"], "ten times the campaigns in as many brands"
    assert blocks["log: event_id, -id"]["big"] < 40
