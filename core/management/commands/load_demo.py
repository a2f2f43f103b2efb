"""`load_demo`: a small, believable set of brands with two weeks of history, and a way in."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.actions.demo import DAYS_OF_HISTORY, load_demo, renew_demo_access
from core.management.arguments import unusable
from core.management.demo_brands import DEMO_BRANDS
from core.management.private_file import write_private_file
from core.queries.clock import get_now

DAYS_BETWEEN_LINES = 5


class Command(BaseCommand):
    """Running it again loads nothing twice; it renews the way in if the file with it is gone."""

    help = "Load three demo brands with history, an admin and an API key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to keep the way in, and where the site is."""
        parser.add_argument(
            "--credentials",
            metavar="PATH",
            help="write url, admin_user, admin_password and api_key here as JSON, readable by the "
            "owner only (default: print them once)",
        )
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="default: %(default)s")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Load what isn't there, then make sure that somebody can get in."""
        now = get_now()
        path = Path(options["credentials"]) if options["credentials"] else None
        count = load_demo(DEMO_BRANDS, now=now, on_day=self._say_day)
        self._say_loaded(count)
        has_way_in = count is None and (path is None or path.is_file())
        if not has_way_in:
            access = {"url": options["url"], **asdict(renew_demo_access(now=now))}
            self._hand_over(json.dumps(access, indent=2), path)

    def _say_day(self, day: int) -> None:
        if day % DAYS_BETWEEN_LINES == 0:
            self.stdout.write(f"Playing day {day} of {DAYS_OF_HISTORY} …")
            self.stdout.flush()

    def _say_loaded(self, count: int | None) -> None:
        if count is None:
            self.stdout.write("The demo brands are there already: nothing was loaded.")
            return
        for brand in DEMO_BRANDS:
            names = ", ".join(campaign.settings["name"] for campaign in brand.campaigns)
            self.stdout.write(f"{brand.name} ({brand.time_zone}, {brand.currency}): {names}")
        self.stdout.write(f"Recorded {count} spends of the last {DAYS_OF_HISTORY} days.")

    def _hand_over(self, document: str, path: Path | None) -> None:
        if path is None:
            self.stdout.write(document)
            return
        try:
            write_private_file(path, f"{document}\n")
        except OSError as error:
            sentence = f"--credentials: can't write {path}: {error.strerror}"
            raise unusable(f"{sentence}; run load_demo again with a path that works") from error
        self.stdout.write(f"The way in is in {path}.")
