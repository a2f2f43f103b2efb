"""Tells what was written down later than promised: after an outage, time is caught up with."""

from datetime import datetime, timedelta

# What time alone brings is stored within this by the tasks (C16).
STORED_WITHIN = timedelta(seconds=60)
# What is older than this is missing. A tick that found it in time may be at work for as long again.
OVERDUE_AFTER = 2 * STORED_WITHIN


def is_caught_up(due_at: datetime, recorded_at: datetime) -> bool:
    """Whether a change that was due then had to wait longer than for the next tick (C26)."""
    return recorded_at - due_at > STORED_WITHIN
