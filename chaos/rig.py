"""Attacks the whole system with a timetable of faults, and judges it by its clients' journals.

`make chaos` runs it: a real PostgreSQL with fsync, a real broker, three web hosts of which one has
a wrong clock, two Celery workers, two beats, clients that keep books, and midnights. Exit status 1:
a promise was broken. 2: the rig itself failed.
"""

import argparse
import shutil
import sys
from pathlib import Path

from chaos.errors import RigFailedError
from chaos.logbook import LogBook
from chaos.result import write_result
from chaos.run import Run, Wanted
from stack.checkout import VAR, make_var
from stack.errors import CannotStartError
from stack.supervisor import Backoff, StopRequestedError, Supervisor

RIG_FAILED = 2
INTERRUPTED = 130
# Who was killed comes back soon, or there would be more absence than attack.
QUICK = Backoff(first_seconds=0.3, longest_seconds=2.0, calm_seconds=3.0)


def parse(words: list[str]) -> Wanted:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m stack chaos", description=__doc__)
    parser.add_argument("--duration", type=float, default=120.0, help="seconds (%(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of the timetable (%(default)s)")
    parser.add_argument("--rate", type=float, default=110.0, help="calls a second (%(default)g)")
    parser.add_argument("--keep", action="store_true", help="keep the database as database.sql")
    parser.add_argument("--folder", type=Path, help="for all that is kept (var/chaos/SEED)")
    parser.add_argument("--output", type=Path, default=VAR / "chaos.json", help="(var/chaos.json)")
    return Wanted(**vars(parser.parse_args(words)))


def main(words: list[str]) -> int:
    """Attack, settle, judge."""
    wanted = parse(words)
    make_var()
    folder = wanted.folder or VAR / "chaos" / str(wanted.seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = LogBook(folder / "logs")
    try:
        with Supervisor(log, backoff=QUICK) as supervisor:
            run = Run(wanted, folder, log, supervisor=supervisor)
            found = run.attack()
    except (CannotStartError, RigFailedError) as error:
        log.tell(str(error))
        return RIG_FAILED
    except StopRequestedError:
        log.tell("stopped before the end")
        return INTERRUPTED
    return write_result(found, wanted.output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
