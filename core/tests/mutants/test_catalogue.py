"""The catalogue of mutants is complete: each names tests that are there, and none is left out."""

import ast
from functools import cache

import pytest

from core.tests.mutants.__main__ import ABSENT, KILLED, LIVES, try_installed, try_shown
from core.tests.mutants.catalogue import CATALOGUE, TESTS, Entry
from core.tests.mutants.defects import DEFECTS
from core.tests.races.test_mutants import MUTANTS

ROOT = TESTS.parents[1]
# The seeded defects that the project has promised to have.
FEWEST = 15


@cache
def functions_in(path: str) -> set[str]:
    module = ast.parse((ROOT / path).read_text())
    return {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_tests_of_a_mutant_are_there(name: str) -> None:
    entry = CATALOGUE[name]
    for test in filter(None, (entry.killed_by, entry.shown_by)):
        path, _, function = test.partition("[")[0].partition("::")
        assert function in functions_in(path), f"{name}: {test}"
    assert entry.breaks


def test_every_seeded_defect_is_in_the_catalogue() -> None:
    assert set(DEFECTS) | set(MUTANTS) <= set(CATALOGUE)
    assert not set(DEFECTS) & set(MUTANTS)
    assert len(CATALOGUE) >= FEWEST


NEVER_ZEROED = "core/tests/actions/test_reset_daily_spend.py::test_no_total_is_ever_zeroed_c10"
NOBODY_WROTE_IT = "core/tests/test_house.py::test_that_nobody_wrote"


@pytest.mark.parametrize(
    ("mutant", "killed_by", "outcome"),
    [
        ("totals_zeroed_in_place", NEVER_ZEROED, KILLED),
        ("naive_local_midnight", NEVER_ZEROED, LIVES),
        ("totals_zeroed_in_place", NOBODY_WROTE_IT, ABSENT),
    ],
)
def test_a_mutant_is_killed_by_the_failure_of_its_test(
    mutant: str, killed_by: str, outcome: str
) -> None:
    assert try_installed(mutant, Entry("", killed_by)) == {mutant: outcome}


def test_a_mutant_whose_test_is_gone_is_not_killed() -> None:
    shown = {"one": NOBODY_WROTE_IT}
    assert try_shown(shown, is_on_postgresql=False) == {"one": ABSENT}
