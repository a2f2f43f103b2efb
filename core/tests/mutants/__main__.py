"""`make mutants`: puts each defect of the catalogue into the product and sees that a test kills it.

Needs a PostgreSQL as DATABASE_URL, for the defects that only it has. After it: the names of
mutants, or none for all. The exit status is 1 when one lives, or its test isn't there.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from subprocess import DEVNULL, run
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from core.tests.mutants.catalogue import CATALOGUE, Entry
from stack.checkout import ROOT
from stack.leash import leashed

KILLED, LIVES, ABSENT, BROKEN = "killed", "LIVES", "ITS TEST ISN'T THERE", "CAN'T BE PUT IN"
# Outcomes by mutant.
Outcomes = dict[str, str]
# What befell each test that ran: "passed", or the element that says otherwise.
Befell = dict[str, str]


def main(names: Sequence[str]) -> int:
    """Try these mutants or all, print the table, and return 0 if every one was killed."""
    if unknown := set(names) - set(CATALOGUE):
        sys.stderr.write(f"No mutant is called {', '.join(sorted(unknown))}\n")
        return 2
    chosen = {name: entry for name, entry in CATALOGUE.items() if not names or name in names}
    outcomes = try_all(chosen)
    print_table(chosen, outcomes)
    return 0 if set(outcomes.values()) == {KILLED} else 1


def try_all(chosen: Mapping[str, Entry]) -> Outcomes:
    """What becomes of each, two sessions at a time; those that are shown share one of each kind."""
    trials = []
    for is_on_postgresql in (True, False):
        shown = {
            name: entry.shown_by
            for name, entry in chosen.items()
            if entry.shown_by and entry.is_on_postgresql is is_on_postgresql
        }
        if shown:
            trials.append(partial(try_shown, shown, is_on_postgresql))
    trials += [
        partial(try_installed, name, chosen[name]) for name in chosen if not chosen[name].shown_by
    ]
    with ThreadPoolExecutor(2) as pool:
        return dict(chain.from_iterable(pool.map(lambda trial: trial().items(), trials)))


def try_installed(name: str, entry: Entry) -> Outcomes:
    """Run its test with the defect in the product: that has to fail."""
    befell = run_tests([entry.killed_by], is_on_postgresql=False, mutant=name)
    ends = set(befell.values())
    outcome = KILLED if "failure" in ends else BROKEN if "error" in ends else LIVES
    return told({name: outcome if befell else ABSENT})


def try_shown(shown: Mapping[str, str], is_on_postgresql: bool) -> Outcomes:
    """Run the tests that show how others fail: those have to pass."""
    befell = run_tests(list(shown.values()), is_on_postgresql=is_on_postgresql)
    outcomes = {}
    for name, test in shown.items():
        ends = {end for ran, end in befell.items() if ran == test or ran.startswith(f"{test}[")}
        outcomes[name] = KILLED if ends == {"passed"} else LIVES if ends else ABSENT
    return told(outcomes)


def run_tests(tests: Sequence[str], *, is_on_postgresql: bool, mutant: str = "") -> Befell:
    """Run these tests, each by its name, in a session of their own."""
    environment = dict(os.environ)
    if not is_on_postgresql:
        environment.pop("DATABASE_URL", None)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        options += [f"--mutant={mutant}"] if mutant else []
        command = (sys.executable, "-m", "pytest", *options, *tests)
        run(leashed(command), cwd=ROOT, env=environment, stdout=DEVNULL, check=False)
        return read_report(report) if report.exists() else {}


def read_report(report: Path) -> Befell:
    """What befell each test of a session."""
    befell = {}
    for case in ElementTree.parse(report).iter("testcase"):
        path = case.attrib["classname"].replace(".", "/")
        ends = [each.tag for each in case if each.tag in ("failure", "error", "skipped")]
        befell[f"{path}.py::{case.attrib['name']}"] = ends[0] if ends else "passed"
    return befell


def told(outcomes: Outcomes) -> Outcomes:
    """The same, after a line for each on the way: it takes minutes."""
    for name, outcome in outcomes.items():
        sys.stderr.write(f"{name}: {outcome}\n")
    return outcomes


def print_table(chosen: Mapping[str, Entry], outcomes: Outcomes) -> None:
    """One line for each: the mutant, what it breaks, the test that kills it, what came of it."""
    rows = [("mutant", "what it breaks", "killed by", "")]
    rows += [
        (name, entry.breaks, entry.killed_by.removeprefix("core/tests/"), outcomes[name])
        for name, entry in chosen.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")
    count = sum(outcome == KILLED for outcome in outcomes.values())
    sys.stdout.write(f"{count} of {len(outcomes)} mutants were killed\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
