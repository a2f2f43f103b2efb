"""`rotate_api_key`: gives an API key a new secret and prints its token, once (C29)."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.actions.api_keys import ROTATION_GRACE, rotate_api_key
from core.errors import ApiKeyEndedError
from core.management.arguments import read_count
from core.management.key_arguments import KEY_HELP, read_api_key
from core.management.output import printable, refusal_sentence
from core.queries.clock import get_now
from core.rules.instants import format_instant

GRACE_OPTION = "--grace-hours"
DEFAULT_HOURS = ROTATION_GRACE // timedelta(hours=1)
MOST_HOURS = 8_760


class Command(BaseCommand):
    """Everything but the token goes to stderr, so that a script can keep what is printed."""

    help = "Give an API key a new secret and print its token, which can't be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """The key, and how long both secrets are good."""
        parser.add_argument("key", help=KEY_HELP)
        parser.add_argument(
            GRACE_OPTION,
            metavar="N",
            default=str(DEFAULT_HOURS),
            help=f"how long the old token stays good (default: {DEFAULT_HOURS}; 0: it ends now)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rotate the key and print its new token."""
        now = get_now()
        hours = read_count(str(options["grace_hours"]), GRACE_OPTION, least=0, most=MOST_HOURS)
        key = read_api_key(options["key"])
        try:
            token = rotate_api_key(key, grace=timedelta(hours=hours), now=now)
        except ApiKeyEndedError as refusal:
            raise CommandError(refusal_sentence(refusal)) from refusal
        self.stdout.write(token)
        ends_at = format_instant(key.previous_secret_ends_at)
        until = f"stays good until {ends_at}" if ends_at else "is worthless now"
        self.stderr.write(f"The token of {printable(key.name, self.stderr)} before it {until}.")
