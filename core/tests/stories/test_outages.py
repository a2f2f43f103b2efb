"""While the database is away nothing is admitted and nobody waits long; then spend goes on (C27).

A real web server under load, before a PostgreSQL that crashes or falls silent, and a broker that
does.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from django.db import connection

from chaos.proxy import Proxy
from core.tests.stories.outage import Call, Site, outage_site
from core.tests.stories.unattended import Broker
from stack import valkey
from stack.throwaway import throwaway_folder

OUTAGE_SECONDS = 3.0
SOON_SECONDS = 1.0
# Promised: the first good spend this long after the database is back.
BACK_SECONDS = 5.0
SILENCE_SECONDS = 11.0
# A statement has two seconds, its answer two more, a transaction five.
LIMITS = {
    "DATABASE_STATEMENT_TIMEOUT_MS": "2000",
    "DATABASE_CONNECT_SECONDS": "2",
    "DATABASE_TRANSACTION_TIMEOUT_MS": "5000",
}
# One such wait of one's own, after that of another for whom one waited.
LONGEST_SECONDS = 2 * (2.0 + 2.0) + SOON_SECONDS

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="the database of this story is a PostgreSQL of its own"
)


@dataclass(frozen=True)
class Outage:
    """When it began and ended, how soon spend came through again, and the calls begun in it."""

    began_at: float
    ended_at: float
    back_after: float
    begun_calls: list[Call]


def outlive(
    site: Site, begin: Callable[[], object], end: Callable[[], object], *, seconds: float
) -> Outage:
    """Let callers spend before, through and after an outage."""
    with site.callers():
        site.await_good_call_since(0.0)
        begin()
        began_at = time.monotonic()
        time.sleep(seconds)
        ended_at = time.monotonic()
        end()
        back_after = site.await_good_call_since(ended_at)
    begun = [call for call in site.calls if began_at < call.began_at < ended_at]
    return Outage(began_at, ended_at, back_after, begun)


def assert_refused(calls: list[Call], *, within: float) -> None:
    """Each was told to come back later, and soon enough."""
    assert calls
    assert {call.status for call in calls} == {503}
    assert all(call.retry_after and int(call.retry_after) >= 1 for call in calls)
    assert max(call.seconds for call in calls) < within


def assert_nothing_lost_or_doubled(site: Site) -> None:
    """What came through is in the log, and what is in doubt is decided by asking again (C21)."""
    assert {call.event_id for call in site.calls if call.status == 200} <= set(site.logged())
    in_doubt = [call.event_id for call in site.calls if call.status != 200]
    assert {site.call(event_id).status for event_id in in_doubt} <= {200}
    assert site.logged() == sorted(call.event_id for call in site.calls)


@pytest.mark.parametrize("grouping", ["1", "0"])
def test_while_the_database_is_down_each_call_is_refused_at_once(grouping: str) -> None:
    with outage_site(GROUP_COMMIT=grouping) as site:
        outage = outlive(site, site.database.crash, site.database.start, seconds=OUTAGE_SECONDS)
        assert outage.back_after < BACK_SECONDS
        meanwhile = [call for call in outage.begun_calls if call.ended_at < outage.ended_at]
        assert len(meanwhile) > OUTAGE_SECONDS / SOON_SECONDS
        assert_refused(meanwhile, within=SOON_SECONDS)
        assert_nothing_lost_or_doubled(site)


@pytest.mark.parametrize("grouping", ["1", "0"])
def test_a_database_that_falls_silent_keeps_nobody_for_long(grouping: str) -> None:
    with outage_site(GROUP_COMMIT=grouping, **LIMITS) as site:
        outage = outlive(site, site.proxy.swallow, site.proxy.pass_on, seconds=SILENCE_SECONDS)
        assert outage.back_after < BACK_SECONDS
        latest = outage.ended_at - LONGEST_SECONDS
        meanwhile = [call for call in outage.begun_calls if call.began_at < latest]
        assert_refused(meanwhile, within=LONGEST_SECONDS)
        assert_nothing_lost_or_doubled(site)


def test_without_a_limit_a_silent_database_would_keep_everybody() -> None:
    """What the test before has to find, if nobody gave up."""
    with outage_site(DATABASE_STATEMENT_TIMEOUT_MS="0") as site:
        outage = outlive(site, site.proxy.swallow, site.proxy.pass_on, seconds=SILENCE_SECONDS)
        early = [call for call in site.calls if call.began_at < outage.began_at + SOON_SECONDS]
        assert max(call.ended_at for call in early) > outage.ended_at


def test_no_call_fails_or_waits_while_the_broker_is_gone_or_silent() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(throwaway_folder("broker"))
        broker = Broker(folder)
        broker.start()
        stack.callback(broker.kill)
        proxy = stack.enter_context(Proxy(folder / valkey.SOCKET_NAME).running())
        url = f"redis://127.0.0.1:{proxy.port}/0"
        site = stack.enter_context(outage_site(RATE_LIMIT_REDIS_URL=url, CELERY_BROKER_URL=url))
        with site.callers():
            site.await_good_call_since(0.0)
            for begin, end in ((broker.kill, broker.start), (proxy.swallow, proxy.pass_on)):
                begin()
                time.sleep(OUTAGE_SECONDS)
                assert site.good_since(time.monotonic() - SOON_SECONDS)
                end()
                site.await_good_call_since(time.monotonic())
        assert {call.status for call in site.calls} == {200}
        assert max(call.seconds for call in site.calls) < OUTAGE_SECONDS
