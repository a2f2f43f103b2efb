"""The backend that `DATABASES` names; Django looks for it under this name."""

import time
from typing import Any

from django.db.backends.postgresql import base

# No server restarts as fast as this, so what was used since then needs no question.
FRESH_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks a connection whether it lives, for which a request waits, only if it was idle."""

    health_check_done: bool
    _used_at = -FRESH_SECONDS

    def make_cursor(self, cursor: Any) -> Any:
        """What every statement goes through."""
        self._used_at = time.monotonic()
        return super().make_cursor(cursor)

    def close_if_health_check_failed(self) -> None:
        """Close the connection if it is lost, before a request's first statement."""
        if not self.health_check_done:
            self.health_check_done = time.monotonic() - self._used_at < FRESH_SECONDS
        super().close_if_health_check_failed()
