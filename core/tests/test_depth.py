"""One switch makes the tests look deeper, for all of them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ASKED = """
from hypothesis import settings
from core.tests.depth import examples, load_profile, sampled
load_profile()
print(settings().max_examples, examples(30), examples(30, deep=90), *sampled("abcd", one_in=3))
"""


@pytest.mark.parametrize(
    ("switch", "depth"),
    [
        ({}, "100 30 30 a d"),
        ({"DEEP": ""}, "100 30 30 a d"),
        ({"DEEP": "0"}, "100 30 30 a d"),
        ({"DEEP": "1"}, "2000 2000 90 a b c d"),
    ],
)
def test_the_switch_sets_how_many_examples_are_tried(switch: dict[str, str], depth: str) -> None:
    others = {name: value for name, value in os.environ.items() if name != "DEEP"}
    command = (sys.executable, "-c", ASKED)
    told = subprocess.run(
        command, env={**others, **switch}, cwd=TESTS.parents[1], capture_output=True, check=True
    )
    assert told.stdout.decode().strip() == depth


def test_the_switch_is_read_in_one_place() -> None:
    reads = re.compile(r'environ(\.get\(|\[)"DEEP"')
    readers = [path.name for path in TESTS.rglob("*.py") if reads.search(path.read_text())]
    assert readers == ["depth.py"]


def test_make_test_deep_sets_the_switch() -> None:
    recipes = (TESTS.parents[1] / "Makefile").read_text()
    _, _, recipe = recipes.partition("\ntest-deep: ")
    assert "env DEEP=1 .venv/bin/python -m stack test $(ARGS)" in recipe.partition("\n\n")[0]
