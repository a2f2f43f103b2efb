"""A web server that is told to stop, and replaced, answers every call that it has begun.

However soon it is told: some stops come while its workers are still beginning. A call that was on
its way to an idle connection that closes finds nobody, isn't in the log, and is sent again to the
next server. A worker that is killed is the broken version.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from budget_manager_client import BudgetManager, new_event_id
from django.utils import timezone

from core.models import SpendLog
from core.tests.builders import make_campaign
from core.tests.races.crowd import LOOK_SECONDS
from core.tests.races.promises import Promise, PromiseBrokenError, demand_equal
from core.tests.stories.web import WebServer, web_server
from core.tests.views.api import make_token

CALLERS = 12
# How many answers each stop waits for once the server is there: none, so that it finds the workers
# beginning, or so many that every connection is used by then.
CALLS = 100
STOPS = (CALLS, 0, 0, CALLS, 0, 0, CALLS)
# So long every call is between its commit and its answer: nearly always when something ends it.
LATE_SECONDS = "0.05"
KILLS = 5
PATIENT_CALLS = 20
LONGEST_SECONDS = 40.0


class Caller:
    """Spends under a new event id for each call, over one connection as long as that is open.

    It sends nothing twice, so that what the log holds is what the server made of one call.
    """

    def __init__(self, port: int, token: str, campaign_id: int) -> None:
        self.heard: Counter[str] = Counter()
        self.last_words = 0
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._body = {"campaign_id": campaign_id, "amount": "0.01"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, LONGEST_SECONDS)

    def call(self) -> None:
        """Spend once. An answer is noted, a closed connection isn't."""
        event_id = new_event_id()
        body = json.dumps({**self._body, "event_id": event_id})
        try:
            self._connection.request("POST", "/api/spend/add/", body, self._headers)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            time.sleep(LOOK_SECONDS)
            return
        assert response.status == http.client.OK
        self.heard[event_id] += 1
        self.last_words += response.getheader("Connection") == "close"


@contextmanager
def calling(callers: list[Caller]) -> Iterator[None]:
    """All of them call, one call after the other, until the block ends."""
    closing = threading.Event()

    def keep_calling(caller: Caller) -> None:
        while not closing.is_set():
            caller.call()

    threads = [threading.Thread(target=keep_calling, args=[caller]) for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        closing.set()
        for thread in threads:
            thread.join()


def await_answers(callers: list[Caller], count: int) -> None:
    """Wait until so many more calls have been answered."""
    enough = sum(caller.heard.total() for caller in callers) + count
    for _ in range(int(LONGEST_SECONDS / LOOK_SECONDS)):
        if sum(caller.heard.total() for caller in callers) >= enough:
            return
        time.sleep(LOOK_SECONDS)
    pytest.fail("no answers")


def demand_nothing_cut_off(callers: list[Caller]) -> None:
    """The log holds the answered calls and no other: what was begun was answered (C21)."""
    heard = sum((caller.heard for caller in callers), Counter[str]())
    logged = Counter(SpendLog.objects.values_list("event_id", flat=True))
    # What differs is told, and not the thousands that don't.
    demand_equal((logged - heard, heard - logged), (Counter(), Counter()), Promise.ONE_ANSWER)


def make_callers(server: WebServer) -> list[Caller]:
    campaign_id, token = make_campaign(now=timezone.now()).pk, make_token()
    return [Caller(server.port, token, campaign_id) for _ in range(CALLERS)]


def test_a_stopping_server_answers_every_call_that_it_took_c21(own_database: str) -> None:
    with web_server(own_database, ANSWERS_LATE_SECONDS=LATE_SECONDS) as server:
        callers = make_callers(server)
        with calling(callers):
            for count in STOPS:
                server.await_ready()
                await_answers(callers, count)
                assert server.replace() == 0
        server.await_ready()
        demand_nothing_cut_off(callers)
    # Each late stop found calls under way, and told their callers not to send another that way.
    assert sum(caller.last_words for caller in callers) >= STOPS.count(CALLS)


def test_calls_of_a_killed_worker_are_cut_off(own_database: str) -> None:
    with web_server(own_database, ANSWERS_LATE_SECONDS=LATE_SECONDS) as server:
        callers = make_callers(server)
        with calling(callers):
            for place in range(KILLS):
                await_answers(callers, CALLS)
                server.kill_worker(place)
        with pytest.raises(PromiseBrokenError) as caught:
            demand_nothing_cut_off(callers)
    assert caught.value.promise is Promise.ONE_ANSWER


def test_our_client_notices_nothing_of_a_server_that_is_replaced_c21(own_database: str) -> None:
    campaign_id, token = make_campaign(now=timezone.now()).pk, make_token()
    with web_server(own_database) as server:
        client = BudgetManager(server.url, token)
        asked = Counter(new_event_id() for _ in range(PATIENT_CALLS))
        for place, event_id in enumerate(asked):
            if place % 10 == 5:
                assert server.replace() == 0
            assert client.add(campaign_id, "0.01", event_id=event_id).event_id == event_id
    assert Counter(SpendLog.objects.values_list("event_id", flat=True)) == asked
