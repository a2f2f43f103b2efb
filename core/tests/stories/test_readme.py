"""The README's examples, copied and pasted against a running site with the demo in it."""

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stack import commands
from stack.checkout import ROOT
from stack.leash import leashed
from stack.ports import free_ports

START_SECONDS = 30


@dataclass(frozen=True)
class Site:
    """A running site and the file that says how to get in."""

    port: int
    credentials: Path


@pytest.fixture
def site(own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The web server of `make run` on a database of this test's own, with the demo loaded."""
    monkeypatch.setenv("DATABASE_URL", own_database)
    credentials = tmp_path / "demo.json"
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    loading = commands.spec("demo", commands.load_demo(credentials=str(credentials), url=url), {})
    subprocess.run(loading.command, cwd=ROOT, check=True, capture_output=True)
    web = commands.spec("web", (*commands.WEB, "--bind", f"127.0.0.1:{port}"), {})
    with subprocess.Popen(leashed(web.command), cwd=ROOT, start_new_session=True) as server:
        try:
            await_ready(port)
            yield Site(port, credentials)
        finally:
            server.terminate()


def await_ready(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz/live")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    pytest.fail("the site did not come up")


def test_the_readmes_calls_work_as_they_are_pasted(site: Site) -> None:
    pasted = re.search(r"```bash\n(API=.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert pasted
    script = (
        pasted[1]
        .replace("127.0.0.1:8000", f"127.0.0.1:{site.port}")
        .replace("var/demo.json", str(site.credentials))
        .replace(".venv/bin/python", sys.executable)
    )
    said = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    brand, campaigns, added, reported, logs, status = answers(said.stdout)
    assert (brand["name"], brand["daily_budget"]) == ("New Brand", "500.00")
    # How many of the demo's campaigns run depends on the hour; the first one always does.
    assert {row["is_active"] for row in campaigns["campaigns"]} == {True}
    assert (added["amount"], added["event_id"]) == ("50.00", "order-4711")
    assert (reported["amount"], reported["over_budget"]) == ("0.00032", "0.00")
    assert [row["amount"] for row in logs["spend_logs"]] == ["0.00032", "50.00"]
    assert status["total_brands"] == 4


def answers(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines() if line.strip()]


def test_the_readme_links_to_files_that_exist_and_stays_short() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", readme)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
    assert len(readme.splitlines()) <= 200
