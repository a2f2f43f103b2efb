"""A WSGI application that says what reached it: of the body, of its headers, of the process."""

import json
import os
import time
from collections.abc import Iterable
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body as Django would, take as long as `?seconds=` says, answer."""
    asked = parse_qs(environ["QUERY_STRING"])
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    time.sleep(float(asked.get("seconds", ["0"])[0]))
    told = {
        "pid": os.getpid(),
        "body": body.decode(),
        "announced": environ.get("CONTENT_LENGTH"),
        "encoding": environ.get("HTTP_TRANSFER_ENCODING"),
    }
    answer = json.dumps(told).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
