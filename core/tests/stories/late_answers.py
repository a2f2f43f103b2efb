"""The product whose answers leave `ANSWERS_LATE_SECONDS` after they are final, to be served."""

import os
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from budget_manager.wsgi import application as product

LATE_SECONDS = float(os.environ["ANSWERS_LATE_SECONDS"])


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as the product does, but let calls wait between their commit and their answer."""
    answer = product(environ, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        time.sleep(LATE_SECONDS)
    return answer
