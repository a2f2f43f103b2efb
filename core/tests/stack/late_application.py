"""The application that says what reached it, in workers that take their time before they begin."""

import os
import time
from functools import partial

from core.tests.stack.echo_application import application

__all__ = ["application"]

BEGIN_SECONDS = 0.5

os.register_at_fork(after_in_child=partial(time.sleep, BEGIN_SECONDS))
