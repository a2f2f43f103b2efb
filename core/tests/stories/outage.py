"""A web server before a database that can crash or fall silent, and callers who never stop."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count

import psycopg
from budget_manager_client import BudgetManager

from chaos.proxy import Proxy
from chaos.servers import Database
from core.tests.stories.web import web_server
from stack import commands
from stack.checkout import ROOT
from stack.postgres import create_database, throwaway_cluster

CALLERS = 8
PAUSE_SECONDS = 0.01
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.01
EVERYTHING = ("--scope", "read", "--scope", "spend", "--scope", "manage")


@dataclass(frozen=True)
class Call:
    """One `add` as its caller saw it: when, which status (0: no answer), which Retry-After."""

    event_id: str
    began_at: float
    ended_at: float
    status: int
    retry_after: str | None

    @property
    def seconds(self) -> float:
        """How long its caller waited."""
        return self.ended_at - self.began_at


@dataclass
class Site:
    """What is attacked."""

    database: Database
    proxy: Proxy
    port: int
    token: str
    campaign_id: int
    calls: list[Call] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def call(self, event_id: str | None = None) -> Call:
        """Spend once, on a connection of its own."""
        chosen = event_id or f"event-{next(self._numbers)}"
        body = {"campaign_id": self.campaign_id, "amount": "0.01", "event_id": chosen}
        began_at, status, retry_after = time.monotonic(), 0, None
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(
                "POST",
                "/api/spend/add/",
                json.dumps(body),
                {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            )
            answer = connection.getresponse()
            answer.read()
            status, retry_after = answer.status, answer.headers["Retry-After"]
        except OSError:
            pass  # No answer, which is what status 0 says.
        finally:
            connection.close()
        return Call(chosen, began_at, time.monotonic(), status, retry_after)

    @contextmanager
    def callers(self) -> Iterator[None]:
        """Let callers spend for the length of the block."""
        is_over = threading.Event()

        def spend_on() -> None:
            while not is_over.is_set():
                self.calls.append(self.call())
                time.sleep(PAUSE_SECONDS)

        threads = [threading.Thread(target=spend_on) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            is_over.set()
            for thread in threads:
                thread.join()

    def await_that(self, happened: Callable[[], bool]) -> None:
        """Look again and again until it happened."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < deadline, self.calls[-5:]
            time.sleep(LOOK_SECONDS)

    def await_good_call_since(self, instant: float) -> float:
        """Wait for a spend that came through; how many seconds after `instant` it was answered."""
        self.await_that(lambda: bool(self.good_since(instant)))
        return self.good_since(instant)[0].ended_at - instant

    def good_since(self, instant: float) -> list[Call]:
        """Spends that were asked for after the instant and came through."""
        return [call for call in list(self.calls) if call.began_at > instant and call.status == 200]

    def logged(self) -> list[str]:
        """The event ids of all entries of the log."""
        with psycopg.connect(self.database.url) as connection:
            rows = connection.execute("SELECT event_id FROM core_spendlog ORDER BY event_id")
            return [event_id for (event_id,) in rows]


@contextmanager
def outage_site(**more: str) -> Iterator[Site]:
    """The site for the length of the block; `more` are variables of the web server."""
    with ExitStack() as stack:
        database = Database(stack.enter_context(throwaway_cluster(durable=True)))
        stack.callback(database.crash)
        create_database(database.start())
        environment = {**os.environ, "DATABASE_URL": database.url}
        manage(environment, *commands.MIGRATE[2:])
        token = manage(environment, "create_api_key", "a caller", *EVERYTHING).strip()
        proxy = stack.enter_context(Proxy(database.socket).running())
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/budget_manager?sslmode=disable"
        server = stack.enter_context(web_server(url, **more))
        api = BudgetManager(server.url, token)
        budgets = {"daily_budget": "1000000.00", "monthly_budget": "10000000.00"}
        brand = api.create_brand("Acme", **budgets)
        campaign = api.create_campaign(brand.id, "Summer Sale")
        yield Site(database, proxy, server.port, token, campaign.id)


def manage(environment: dict[str, str], *words: str) -> str:
    """Run a command of the product; what it printed."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
