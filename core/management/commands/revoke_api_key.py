"""`revoke_api_key`: makes an API key worthless for good (C29)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.actions.api_keys import revoke_api_key
from core.management.key_arguments import KEY_HELP, read_api_key
from core.management.output import printable
from core.queries.clock import get_now


class Command(BaseCommand):
    """Revoking a key again changes nothing and is no error."""

    help = "Make an API key worthless from its next call on; this can't be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        """The key."""
        parser.add_argument("key", help=KEY_HELP)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Revoke the key."""
        now = get_now()
        key = read_api_key(options["key"])
        revoke_api_key(key, now=now)
        self.stdout.write(f"Revoked {key.token_start} {printable(key.name, self.stdout)}")
