"""Runs a measurement at a tiny size, as its command does at full size."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stack.checkout import ROOT
from stack.postgres_binaries import has_binaries

needs_postgres = pytest.mark.skipif(
    not has_binaries(), reason="there is no throw-away PostgreSQL here"
)


def run_bench(
    command: str, words: str, output: Path, *, patience_seconds: float = 300
) -> tuple[str, Any]:
    """What it printed, and the document of all its runs that it wrote to `output`."""
    done = subprocess.run(
        [sys.executable, "-m", "stack", command, *words.split(), "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience_seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(output.read_text())
