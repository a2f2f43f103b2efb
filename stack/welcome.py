"""Tells the person at the terminal when the site is ready, and how to get in."""

import http.client
import threading
import time
from collections.abc import Mapping

from stack.console import Console

READY_PATH = "/healthz/ready"
ASK_SECONDS = 0.5
ANSWER_SECONDS = 5.0
# After this long, say once in a while what the site still waits for.
REMIND_SECONDS = 30.0
SHOWN_LENGTH = 200


def welcome_when_ready(
    console: Console, *, port: int, credentials: Mapping[str, str]
) -> threading.Thread:
    """Show the box as soon as the site says that it is ready, without holding anybody up."""
    thread = threading.Thread(
        target=_wait_and_welcome, args=(console, port, credentials), daemon=True
    )
    thread.start()
    return thread


def _wait_and_welcome(console: Console, port: int, credentials: Mapping[str, str]) -> None:
    remind_at = time.monotonic() + REMIND_SECONDS
    while True:
        status, answer = _ask(port)
        if status == http.client.OK:
            break
        if time.monotonic() >= remind_at:
            console.say("stack", f"not ready yet: {READY_PATH} answers {answer[:SHOWN_LENGTH]}")
            remind_at += REMIND_SECONDS
        time.sleep(ASK_SECONDS)
    url = f"http://127.0.0.1:{port}"
    console.write(boxed(way_in(url, credentials)) + one_call(url, credentials))


def _ask(port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", READY_PATH)
        response = connection.getresponse()
        return response.status, f"{response.status} {response.read().decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return 0, f"nothing ({error})"
    finally:
        connection.close()


def way_in(url: str, credentials: Mapping[str, str]) -> list[str]:
    """Return where the site is and who may enter."""
    if credentials:
        who = [
            f"User      {credentials['admin_user']}",
            f"Password  {credentials['admin_password']}",
            f"API key   {credentials['api_key']}",
        ]
    else:
        who = ["Make a user:  .venv/bin/python -m stack manage createsuperuser"]
    running = [f"Budget Manager runs at {url}", "", f"Admin     {url}/admin/"]
    return [*running, *who, "", "Ctrl-C stops everything"]


def one_call(url: str, credentials: Mapping[str, str]) -> str:
    """Return a call to try, outside of the box so that it can be copied."""
    if not credentials:
        return ""
    key = f"Authorization: Bearer {credentials['api_key']}"
    return f"Try:  curl -H '{key}' {url}/api/campaigns/\n\n"


def boxed(lines: list[str]) -> str:
    """Draw a frame around lines."""
    width = max(len(line) for line in lines)
    edge = f"+{'-' * (width + 2)}+"
    body = [f"| {line:<{width}} |" for line in lines]
    return "\n".join(["", edge, *body, edge, "", ""])
