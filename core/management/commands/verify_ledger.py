"""`verify_ledger`: proves on a live system that what is stored is what was promised (C25)."""

import json
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import InternalError, OperationalError

from core.management.arguments import read_brand_id, unusable
from core.management.every_brand import every_brand_id
from core.management.output import printable, show_progress
from core.management.simulation_report import broken_sentence
from core.management.verification_report import VerificationReport
from core.queries.clock import get_now
from core.queries.verification import (
    Verified,
    get_verified_brand,
    get_verified_triggers,
    list_verified_answers,
)

PROMISE_BROKEN = 1


class Command(BaseCommand):
    """Exit status: 0 when all is sound, 1 when a promise is broken, 2 when it couldn't look."""

    help = "Look whether the totals are what the log adds up to, and all that goes with it."

    def add_arguments(self, parser: CommandParser) -> None:
        """All brands or one, for people or for programs."""
        parser.add_argument("--brand", metavar="ID", help="look at this brand only")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Verify part by part and tell what is broken as soon as it is found."""
        brand_id = _brand_id(options["brand"])
        report, began = VerificationReport(), time.perf_counter()
        try:
            for verified in self._parts(brand_id):
                told = report.add(verified)
                if told and not options["json"]:
                    show_progress(self.stderr, "")
                    self.stderr.write(
                        "\n".join(printable(broken_sentence(each), self.stderr) for each in told)
                    )
        except (OperationalError, InternalError) as error:
            raise unusable(f"The database is busy or unreachable ({error})") from error
        show_progress(self.stderr, "")
        if options["json"]:
            self.stdout.write(json.dumps(report.document()))
        else:
            self.stdout.write("\n".join(report.table()))
            self._say_speed(report, time.perf_counter() - began)
        if not report.is_sound:
            raise SystemExit(PROMISE_BROKEN)

    def _parts(self, brand_id: int | None) -> Iterator[Verified]:
        yield get_verified_triggers(get_now)
        if brand_id is not None:
            yield get_verified_brand(brand_id, get_now)
            return
        for each in every_brand_id(self.stderr):
            yield get_verified_brand(each, get_now)
        for _, verified in list_verified_answers(get_now):
            show_progress(self.stderr, "answers to event ids …")
            yield verified

    def _say_speed(self, report: VerificationReport, seconds: float) -> None:
        entries = report.checked["entries"]
        rate = entries / seconds
        told = f"{entries} entries in {seconds:.1f} s: {rate:.0f} a second"
        self.stderr.write(told, style_func=str)


def _brand_id(text: str | None) -> int | None:
    return None if text is None else read_brand_id(text, "--brand")
