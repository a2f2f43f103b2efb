"""The one clock by which everything is decided: the database's, which all hosts share (C7).

A host whose own clock is hours off neither spends yesterday's remainder nor tomorrow's budget.
Doors read it once and pass it down as `now`. SQLite is a file of this host's, so there the host's
clock is that clock.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from core.errors import ClocksDisagreeError

# Beyond any time zone that somebody mistook for UTC: then the clock that is wrong by months may
# as well be the database's, and a new day or month must not be opened on its word.
FARTHEST_APART = timedelta(hours=36)


def get_now() -> datetime:
    """Now, in UTC. Raises ClocksDisagreeError."""
    if not has_server():
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (instant,) = cursor.fetchone()
    return get_trusted(instant)


def get_now_column() -> str:
    """The same as a column of hand-written SQL; `get_trusted` has to see its value."""
    return "clock_timestamp()" if has_server() else "NULL"


def has_server() -> bool:
    """Whether the database has a clock of its own, which isn't this host's."""
    return connection.vendor == "postgresql"


def get_trusted(instant: datetime | None) -> datetime:
    """What the database's clock showed a moment ago; where it has none, what this host's shows.

    Raises ClocksDisagreeError.
    """
    instant = instant or timezone.now()
    apart = get_clock_difference(instant)
    if abs(apart) > FARTHEST_APART:
        raise ClocksDisagreeError(apart)
    return instant


def get_clock_difference(instant: datetime) -> timedelta:
    """How far this host's clock is ahead of the clock that showed this a moment ago."""
    return timezone.now() - instant
