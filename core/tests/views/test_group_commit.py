"""Calls of one moment are admitted together; each gets the answer that it would have got alone."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError, connections
from pytest_django import Settings

from core.actions.coalescing import PutOff
from core.actions.spend import admit_free_spends, find_brands
from core.actions.spend_requests import Asked, SpendOutcome
from core.enums import Scope
from core.models import BrandTotal, SpendLog
from core.queries.spend import BrandsOf
from core.tests.views.api import Answer, Api, Json, make_token
from core.views import admission

pytestmark = pytest.mark.usefixtures("own_database", "clock")

CROWD = 12
PATIENCE_SECONDS = 20.0


class Door:
    """The admission path; the first who comes waits in it until a crowd stands in line."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.crowd = 0
        self.is_entered = threading.Event()
        self.fault: Callable[[Sequence[Asked]], None] | None = None

    def __call__(
        self, asked: Sequence[Asked], brands: BrandsOf | None = None, *, now: datetime
    ) -> list[SpendOutcome | PutOff]:
        self.groups.append(len(asked))
        self.is_entered.set()
        if len(self.groups) == 1:
            self._await_crowd()
        if self.fault:
            self.fault(asked)
        brands = brands or find_brands(each.request for each in asked)
        return admit_free_spends(asked, brands, now=now)

    def _await_crowd(self) -> None:
        turn = threading.Event()
        for _ in range(int(PATIENCE_SECONDS / 0.001)):
            if len(admission._GROUPS._waiting) >= self.crowd:
                return
            turn.wait(0.001)
        raise AssertionError("nobody came")


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    for name in ("admit_free_spends", "admit_spends"):
        monkeypatch.setattr(admission, name, door)
    return door


@pytest.fixture
def campaign(clock: object) -> Json:
    api = Api(make_token())
    return api.create_campaign(api.create_brand(daily_budget="10.00"))


Calls = Sequence[Callable[[], Answer]]


@pytest.fixture
def send_at_once(door: Door) -> Callable[[Calls], list[Answer]]:
    """Has each call made by a thread of its own; all but the first call stand in line together."""

    def make(call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        finally:
            connections.close_all()

    def send(calls: Calls) -> list[Answer]:
        door.crowd = len(calls) - 1
        with ThreadPoolExecutor(len(calls)) as pool:
            first = pool.submit(make, calls[0])
            assert door.is_entered.wait(PATIENCE_SECONDS)
            rest = [pool.submit(make, call) for call in calls[1:]]
            return [each.result() for each in (first, *rest)]

    return send


def test_calls_of_one_moment_are_one_commit_and_the_budget_holds_c7(
    door: Door, campaign: Json, send_at_once: Callable[[Calls], list[Answer]]
) -> None:
    keys = [Api(make_token(Scope.SPEND)) for _ in range(CROWD)]
    answers = send_at_once([partial(key.add, campaign, "1.00") for key in keys])
    assert door.groups == [1, CROWD - 1]
    given = [answer.value() for answer in answers if answer.status == 200]
    refused = [
        answer.error(400, "campaign_not_active") for answer in answers if answer.status != 200
    ]
    assert (len(given), len(refused)) == (10, CROWD - 10)
    # As if they had come one after the other: no two saw the same money.
    assert sorted(Decimal(answer["remaining"]) for answer in given) == list(range(10))
    assert len({answer["spend_log_id"] for answer in given}) == 10
    assert len(set(SpendLog.objects.values_list("source", flat=True))) == 10
    assert BrandTotal.objects.get(period="day").spent == 10


def test_each_call_has_its_own_event_ids_and_brands_c21_c29(
    door: Door, campaign: Json, send_at_once: Callable[[Calls], list[Answer]]
) -> None:
    api = Api(make_token())
    stranger = Api(make_token(brand=api.create_brand("Brand Y")))
    known, other = Api(make_token()), Api(make_token())
    answers = send_at_once(
        [
            lambda: api.report(campaign, "1.00", event_id="e-0"),
            lambda: known.add(campaign, "1.00", event_id="e-1"),
            lambda: other.add(campaign, "2.00", event_id="e-1"),
            lambda: known.add(campaign, "1.00", event_id="e-1"),
            lambda: known.add(campaign, "3.00", event_id="e-1"),
            lambda: stranger.add(campaign, "1.00"),
        ]
    )
    assert door.groups == [1, 5]
    statuses = [answer.status for answer in answers]
    # Of three with one id of one key, the first wins, whichever that was.
    assert statuses[:1] + statuses[2:3] + statuses[5:] == [200, 200, 404]
    assert sorted([statuses[1], statuses[3], statuses[4]]) in ([200, 200, 409], [200, 409, 409])
    assert SpendLog.objects.count() == 3


def test_a_bug_in_one_is_nobody_elses_fault(
    door: Door, campaign: Json, send_at_once: Callable[[Calls], list[Answer]]
) -> None:
    api = Api(make_token())

    def choke(asked: Sequence[Asked]) -> None:
        if any(each.request.event_id == "poison" for each in asked):
            raise RuntimeError("nobody expected this")

    door.fault = choke
    names = ["e-0", "e-1", "poison", "e-2"]
    answers = send_at_once([partial(api.add, campaign, "1.00", event_id=name) for name in names])
    assert [answer.status for answer in answers] == [200, 200, 500, 200]
    assert door.groups == [1, 3, 1, 1, 1]
    assert SpendLog.objects.count() == 3


def test_an_outage_is_503_for_all_of_them_and_happens_to_nobody_c27(
    door: Door, campaign: Json, send_at_once: Callable[[Calls], list[Answer]]
) -> None:
    api = Api(make_token())

    def go_away(asked: Sequence[Asked]) -> None:
        raise OperationalError("gone")

    door.fault = go_away
    answers = send_at_once([lambda: api.add(campaign, "1.00")] * 4)
    for answer in answers:
        answer.error(503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert door.groups == [1, 3]
    assert not SpendLog.objects.exists()


def test_switched_off_each_is_admitted_by_itself(
    door: Door, campaign: Json, settings: Settings
) -> None:
    settings.GROUP_COMMIT = False
    api = Api(make_token())
    door.crowd = 0
    answers = [api.add(campaign, "1.00") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert door.groups == [1, 1, 1]
    assert not admission._GROUPS._waiting
