"""`create_api_key`: makes an API key and prints its token, once (C29)."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.actions.api_keys import create_api_key
from core.enums import Scope
from core.errors import BrandNotFoundError
from core.management.arguments import read_argument, read_count, read_id, unusable
from core.models import Brand
from core.queries.brands import get_brand
from core.queries.clock import get_now
from core.rules.api_keys import MOST_REQUESTS_PER_MINUTE
from core.rules.text import parse_name

DAYS_OPTION = "--expires-in-days"
LIMIT_OPTION = "--requests-per-minute"
MOST_DAYS = 36_500


class Command(BaseCommand):
    """Everything but the token goes to stderr, so that a script can keep what is printed."""

    help = "Create an API key and print its token, which can't be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """A name, one scope or more, and what limits the key."""
        parser.add_argument("name", help="whose key it is, for the admin")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=[scope.value for scope in Scope],
            help="what the key may do; repeat for several",
        )
        parser.add_argument(
            "--brand",
            action="append",
            metavar="ID",
            help="limit the key to this brand; repeat for several (default: all brands)",
        )
        parser.add_argument(DAYS_OPTION, metavar="N", help="default: never")
        parser.add_argument(
            LIMIT_OPTION, metavar="N", help="default: what the settings say; 0: no limit"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Create the key and print its token."""
        now = get_now()
        name = read_argument(parse_name, options["name"], "name")
        _, token = create_api_key(
            name,
            scopes={Scope(scope) for scope in options["scope"]},
            brands=_brands(options["brand"]),
            expires_at=_expiry(options["expires_in_days"], now),
            requests_per_minute=_limit(options["requests_per_minute"]),
            now=now,
        )
        self.stdout.write(token)


def _brands(ids: list[Any] | None) -> list[Brand] | None:
    return None if ids is None else [_brand(str(each)) for each in ids]


def _brand(text: str) -> Brand:
    try:
        return get_brand(read_id(text, "--brand"))
    except BrandNotFoundError as refusal:
        raise unusable(f"--brand: no brand has the id {text}") from refusal


def _expiry(days: Any, now: datetime) -> datetime | None:
    if days is None:
        return None
    return now + timedelta(days=read_count(str(days), DAYS_OPTION, least=1, most=MOST_DAYS))


def _limit(number: Any) -> int | None:
    if number is None:
        return None
    return read_count(str(number), LIMIT_OPTION, least=0, most=MOST_REQUESTS_PER_MINUTE)
