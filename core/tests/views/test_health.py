"""Health: the process lives, and it is ready while spend can be admitted (C27). No key needed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import InterfaceError, OperationalError
from kombu import Connection

from budget_manager.celery import app
from core import tasks
from core.models import CampaignCounts
from core.tests.views.api import Api, Clock, Json
from core.tests.views.outages import SECRET, broken_connection, failing_statements

READY = "/healthz/ready"
# Nothing listens on port 1.
DEAD_BROKER = "redis://127.0.0.1:1/0"


@contextmanager
def broker(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(app, "connection_for_write", lambda **more: Connection(url, **more))
        yield


def test_the_process_lives_whatever_the_database_does(db: None) -> None:
    with failing_statements():
        assert Api().get("/healthz/live").value() == {"status": "live"}


def test_ready_tells_of_database_broker_and_last_tick(
    db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broker(monkeypatch, "memory://"):
        fresh = Api().get(READY).value()
        tasks.check_budgets()
        clock.advance(seconds=90)
        later = Api().get(READY).value()
    expected = {
        **{"status": "ready", "database": "ok", "broker": "ok"},
        **{"last_tick_age": None, "clock_ahead": 0.0, "broken_promises": None},
    }
    assert fresh == expected
    assert later == {**expected, "last_tick_age": 90.0}


def test_ready_tells_what_the_nightly_verification_found_c25(
    campaign: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    CampaignCounts.objects.update(campaign_count=7)
    with broker(monkeypatch, "memory://"):
        tasks.verify_ledgers()
        document = Api().get(READY).value()
    assert (document["status"], document["broken_promises"]) == ("ready", 1)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_fails_is_503_and_says_when_to_try_again(
    db: None, error: type[Exception]
) -> None:
    with failing_statements(error):
        answer = Api().get(READY)
    answer.error(503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_database_that_can_not_be_reached_is_503(db: None) -> None:
    with broken_connection():
        answer = Api().get(READY)
    answer.error(503, "database_unavailable")
    assert SECRET.encode() not in answer.content


def test_without_a_broker_it_is_ready_within_two_seconds_and_spend_works(
    api: Api, campaign: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broker(monkeypatch, DEAD_BROKER):
        started = time.monotonic()
        document = api.get(READY).value()
        assert time.monotonic() - started < 2
        assert (document["status"], document["broker"]) == ("ready", "unreachable")
        api.add(campaign, "1.00").value()
        api.report(campaign, "1.00").value()
        api.edit("brands", {"id": campaign["brand_id"]}, daily_budget="5.00")
        assert api.read("campaigns", campaign)["is_active"] is True


@pytest.mark.parametrize("path", ["/healthz/live", READY])
def test_health_is_read_only(db: None, path: str) -> None:
    answer = Api().post(path)
    answer.error(405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}
