"""The measurement of lists beside a long log still runs; its times aren't judged here."""

from pathlib import Path

from core.tests.stack.benching import needs_postgres, run_bench

SMALL = (
    "--entries 4000 --few-entries 400 --campaigns 200 --few-campaigns 20 --brands 10 "
    "--repetitions 1"
)


@needs_postgres
def test_every_list_is_read_in_a_small_and_in_a_big_database(tmp_path: Path) -> None:
    printed, kept = run_bench("bench-lists", SMALL, tmp_path / "runs.json")
    assert {len(runs) for both in kept["runs"].values() for runs in both.values()} == {1}
    assert all(what in printed for what in kept["runs"])
    blocks = kept["blocks"]
    status = blocks["status"]
    assert status["big"] == status["small"], "ten times the campaigns in as many brands"
    assert blocks["log: event_id, -id"]["big"] < 40
