"""The product on a host whose clock is off by `CLOCK_AHEAD_SECONDS`, for the web server to serve.

With `TRUSTS_ITS_OWN_CLOCK` it is the broken version, in which each host decides by its own clock.
"""

import os
import time
from datetime import timedelta

from django.utils import timezone

from budget_manager.wsgi import application as product
from core.queries import clock

AHEAD_SECONDS = float(os.environ["CLOCK_AHEAD_SECONDS"])

true_now, true_time = timezone.now, time.time
timezone.now = lambda: true_now() + timedelta(seconds=AHEAD_SECONDS)
time.time = lambda: true_time() + AHEAD_SECONDS
if os.environ.get("TRUSTS_ITS_OWN_CLOCK"):
    clock.has_server = lambda: False

application = product
