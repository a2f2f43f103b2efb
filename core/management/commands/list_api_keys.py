"""`list_api_keys`: shows every API key without its secret (C29)."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from core.management.output import printable
from core.models import ApiKey
from core.queries.api_keys import list_api_keys
from core.queries.clock import get_now
from core.rules.instants import format_instant

HEADINGS = (
    *("name", "token start", "scopes", "brands", "created", "expires", "last used"),
    *("requests per minute", "state"),
)
NOTHING = "-"
GAP = "  "


class Command(BaseCommand):
    """The table goes to stdout, one key on each line, by name and then the newest first."""

    help = "List every API key, without its secret."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the table."""
        now = get_now()
        rows = [self._cells(key, now) for key in list_api_keys()]
        if not rows:
            self.stderr.write("There are no API keys; `create_api_key` makes one.")
            return
        table = [HEADINGS, *rows]
        widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
        for row in table:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write(GAP.join(padded).rstrip())

    def _cells(self, key: ApiKey, now: datetime) -> tuple[str, ...]:
        return (
            printable(key.name, self.stdout),
            key.token_start,
            ",".join(key.scopes),
            printable(_brands_of(key), self.stdout),
            _to_the_second(key.created_at),
            _to_the_second(key.expires_at),
            _to_the_second(key.last_used_at),
            _limit_of(key),
            key.state_at(now),
        )


def _brands_of(key: ApiKey) -> str:
    if not key.is_limited_to_brands:
        return "all"
    return ", ".join(f"{brand.pk} {brand.name}" for brand in key.brands.all()) or "none"


def _limit_of(key: ApiKey) -> str:
    if key.requests_per_minute is None:
        return "default"
    return str(key.requests_per_minute or "no limit")


def _to_the_second(instant: datetime | None) -> str:
    return format_instant(instant and instant.replace(microsecond=0)) or NOTHING
