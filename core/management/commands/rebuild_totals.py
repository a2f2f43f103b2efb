"""`rebuild_totals`: makes totals what the log and the open holds give, on a live system (C25)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import IntegrityError, InternalError, OperationalError

from core.actions.caller import Caller
from core.actions.rebuild import Rebuilt, foretell_rebuilt_brand, rebuild_brand
from core.management.arguments import read_brand_id
from core.management.every_brand import every_brand_id
from core.management.output import printable, show_progress
from core.queries.clock import get_now
from core.queries.recount import Recount, StoredPeriod
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.rules.verdict import Amounts

CALLER = Caller("command:rebuild_totals")
SOMETHING_WRONG = 1
# Of each brand, so many differences are told one by one; all are counted.
MOST_TOLD = 100


class Command(BaseCommand):
    """Exit status: 0 when all totals are right now, 1 when a brand's aren't, 2 for bad arguments.

    With `--dry-run`: 1 when something differs.
    """

    help = "Rebuild the totals from the log and the open holds, brand by brand under its lock."

    def add_arguments(self, parser: CommandParser) -> None:
        """All brands or one, in earnest or not."""
        parser.add_argument("--brand", metavar="ID", help="rebuild this brand's only")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what differs, write nothing, lock nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """A transaction for each brand; one that fails stops no other."""
        chosen = options["brand"]
        only = None if chosen is None else read_brand_id(str(chosen), "--brand")
        brands, differed, failed = 0, 0, 0
        for brand_id in [only] if only else every_brand_id(self.stderr):
            brands += 1
            rebuilt = self._rebuild(brand_id, is_dry_run=options["dry_run"])
            if rebuilt is None:
                failed += 1
            elif rebuilt.has_differed or rebuilt.transitions:
                differed += rebuilt.has_differed
                self._say(brand_id, rebuilt)
        show_progress(self.stderr, "")
        deed = "would be rebuilt" if options["dry_run"] else "were rebuilt"
        self.stdout.write(f"{brands} brands looked at, {differed} {deed}, {failed} failed")
        if failed or (differed and options["dry_run"]):
            raise SystemExit(SOMETHING_WRONG)

    def _rebuild(self, brand_id: int, *, is_dry_run: bool) -> Rebuilt | None:
        try:
            if is_dry_run:
                return foretell_rebuilt_brand(brand_id)
            return rebuild_brand(brand_id, caller=CALLER, now=get_now())
        except (OperationalError, InternalError) as error:
            why = f"it is busy or the database unreachable ({error}); run this again"
        except IntegrityError as error:
            why = f"its log gives totals that can't be ({error}); see verify_ledger"
        show_progress(self.stderr, "")
        self.stderr.write(printable(f"brand {brand_id}: not rebuilt: {why}", self.stderr))
        return None

    def _say(self, brand_id: int, rebuilt: Rebuilt) -> None:
        show_progress(self.stderr, "")
        lines = [*map(_total_line, rebuilt.totals), *map(_period_line, rebuilt.periods)]
        for line in lines[:MOST_TOLD]:
            self.stdout.write(f"brand {brand_id}: {line}")
        activated = sum(transition.is_active for transition in rebuilt.transitions)
        self.stdout.write(
            f"brand {brand_id}: {len(rebuilt.totals)} totals, {len(rebuilt.periods)} periods and "
            f"{rebuilt.closed} closings differed; {activated} campaigns activated, "
            f"{len(rebuilt.transitions) - activated} paused"
        )


def _total_line(recount: Recount) -> str:
    owner, period, starts_on = recount.key
    place = "its own" if owner is None else f"campaign {owner}"
    return f"{place}, {period} {starts_on}: {_told(recount.stored)}, should be {_told(recount.due)}"


def _told(amounts: Amounts | None) -> str:
    if amounts is None:
        return "no row"
    return f"spent {format_money(amounts.spent)} held {format_money(amounts.held)}"


def _period_line(stored: StoredPeriod) -> str:
    found, due = stored.found, stored.due
    whose = "its own" if stored.is_of_brand else "its campaigns'"
    span = f"{format_instant(found.starts_at)} to {format_instant(found.ends_at)}"
    if due is None:
        return f"{whose} {found.kind} {found.starts_on} is no period of a brand"
    right = f"{format_instant(due.starts_at)} to {format_instant(due.ends_at)}"
    return f"{whose} {found.kind} {found.starts_on}: {span}, should be {right}"
