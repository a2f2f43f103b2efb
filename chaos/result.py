"""What a run came to: facts, counts, and what the audit found; printed and written as JSON."""

import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.checkout import commit, write_private

VIOLATED = 1


@dataclass(frozen=True, kw_only=True)
class Found:
    """A run that went to its end."""

    seed: int
    duration: float
    timetable: list[str]
    # Before the faults ended; the counts have those of settling, too.
    attempts_in_attack: int
    counts: dict[str, int]
    calls: dict[str, int]
    faults: dict[str, int]
    midnights: int
    brand_midnights: int
    leaps: int
    postponed_leaps: int
    commits_cut: int
    seconds_in_all: float
    audit_status: int
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def attempts_per_second(self) -> float:
        """Calls that clients meant, in a second of the attack."""
        return self.attempts_in_attack / self.duration


def write_result(found: Found, output: Path) -> int:
    """Print the summary and write the result; the exit status."""
    machine = {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "commit": commit(),
    }
    document = {**vars(found), "machine": machine, "is_clean": found.audit_status == 0}
    write_private(output, f"{json.dumps(document, indent=1)}\n")
    sys.stdout.write("\n".join([*_summary(found, machine), f"all of it: {output}", ""]))
    return VIOLATED if found.audit_status else 0


def _summary(found: Found, machine: Mapping[str, object]) -> Iterator[str]:
    yield f"seed {found.seed}, {found.duration:g} s of attack, {machine}"
    yield _counted("calls", found.calls)
    yield _counted("counts", found.counts)
    yield _counted("faults", found.faults)
    yield (
        f"{found.midnights} midnights with live traffic on both sides ({found.brand_midnights} of "
        f"brands), {found.leaps} leaps of time ({found.postponed_leaps} postponed), "
        f"{found.commits_cut} connections cut between COMMIT and its answer, "
        f"{found.attempts_per_second:.0f} attempts a second"
    )
    yield "clean" if found.audit_status == 0 else "A PROMISE WAS BROKEN: see the table above"


def _counted(what: str, counts: Mapping[str, int]) -> str:
    return f"{what}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
