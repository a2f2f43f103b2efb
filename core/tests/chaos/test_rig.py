"""The rig itself, as its command runs it, for a quarter of a minute."""

import json
import subprocess
import sys
from pathlib import Path

from chaos.host import FOLDER
from core.tests.stack.benching import needs_postgres
from stack.checkout import ROOT

WORDS = ("--duration", "15", "--seed", "5", "--rate", "50")
# A machine that tests much else at the same time.
PATIENCE_SECONDS = 400


@needs_postgres
def test_a_short_attack_comes_out_clean_and_leaves_no_process_behind(tmp_path: Path) -> None:
    folder, output = tmp_path / "kept", tmp_path / "chaos.json"
    places = ("--folder", str(folder), "--output", str(output))
    done = subprocess.run(
        [sys.executable, "-m", "stack", "chaos", *WORDS, *places],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(output.read_text())
    assert found["is_clean"]
    assert found["rows"]
    assert [row for row in found["rows"] if row["count"]] == []
    assert found["counts"]["acknowledged"] > 0
    assert found["counts"]["answers"] == found["counts"]["attempts"]
    assert sum(found["faults"].values()) == len(found["timetable"]) > 1
    assert found["midnights"] > 0
    assert processes_of(folder) == []


def processes_of(folder: Path) -> list[str]:
    """The command lines of the processes that live in this run."""
    mark = f"{FOLDER}={folder}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = mark in (place / "environ").read_bytes().split(b"\0")
            words = (place / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # It has just ended, or is somebody else's.
        if is_ours:
            found.append(words)
    return found
