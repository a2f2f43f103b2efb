"""What makes a process of the product one of the rig's: its host's clock, and the gate.

The product is imported as it is. Its host's clock is `django.utils.timezone.now`, which is
replaced; the database's is replaced in the database.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from chaos.clock import SimulatedClock
from chaos.gate import Gate

FOLDER = "CHAOS_FOLDER"
SECONDS_AHEAD = "CHAOS_SECONDS_AHEAD"


def enter_rig() -> Gate:
    """Let this process's clock follow simulated time, as far ahead of it as its host's is."""
    folder = Path(os.environ[FOLDER])
    clock = SimulatedClock(folder)
    ahead = timedelta(seconds=float(os.environ.get(SECONDS_AHEAD, "0")))

    def simulated_now() -> datetime:
        return clock.now() + ahead

    timezone.now = simulated_now
    return Gate(folder)
