"""The nightly verification says what it found, in parts if need be, and changes nothing (C25)."""

import logging
from decimal import Decimal

import pytest
from django.db import OperationalError

from core import tasks
from core.actions import nightly
from core.actions.delivery import Changes
from core.models import BrandTotal, Campaign, EventAnswer, TaskRun
from core.queries import verification
from core.queries.checks import answers
from core.queries.health import find_broken_count
from core.queries.promises import Promise
from core.tests.builders import NOON, add, everything_stored, make_brand, make_campaign

pytestmark = pytest.mark.django_db
NOTHING_LEFT = {"last_brand": 0, "last_answer": 0}


@pytest.fixture
def campaigns(monkeypatch: pytest.MonkeyPatch) -> list[Campaign]:
    """One of each of three brands, which have spent; it is noon."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)
    made = [make_campaign(make_brand(daily_budget=Decimal(100))) for _ in range(3)]
    for campaign in made:
        add(campaign, "30", event_id=f"of {campaign}")
    return made


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has time for one part; an answer is one."""
    monkeypatch.setattr(nightly, "SECONDS", 0.0)
    monkeypatch.setattr(answers, "CHUNK", 1)


def garble(campaign: Campaign) -> None:
    BrandTotal.objects.filter(brand=campaign.brand, period="day").update(spent=Decimal(1))


def counts(verified: int, broken: int = 0, failed: int = 0) -> Changes:
    return {"verified": verified, "broken": broken, "failed": failed}


@pytest.mark.usefixtures("campaigns")
def test_a_sound_ledger_is_verified_and_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    before = everything_stored()
    assert find_broken_count() is None
    with caplog.at_level(logging.WARNING):
        assert tasks.verify_ledgers() == {**counts(3), **NOTHING_LEFT}
    assert not caplog.records
    assert find_broken_count() == 0
    assert {**everything_stored(), "TaskRun": []} == before
    assert tasks.verify_ledgers() == {**counts(3), **NOTHING_LEFT}, "night after night"


def test_what_is_broken_is_logged_and_counted(
    campaigns: list[Campaign], caplog: pytest.LogCaptureFixture
) -> None:
    garble(campaigns[1])
    with caplog.at_level(logging.ERROR):
        assert tasks.verify_ledgers() == {**counts(3, broken=1), **NOTHING_LEFT}
    (record,) = caplog.records
    place = f"brand {campaigns[1].brand_id}, day 2026-06-10: spent is 1.00, should be 30.00"
    assert record.getMessage() == f"broken: {Promise.TOTALS}: {place}"
    assert record.levelno == logging.ERROR
    assert TaskRun.objects.get(task="core.verify_ledgers").finished_at == NOON
    assert find_broken_count() == 1


@pytest.mark.usefixtures("no_time")
def test_what_there_is_no_time_for_is_verified_in_the_next_nights(
    campaigns: list[Campaign], caplog: pytest.LogCaptureFixture
) -> None:
    first, second, _ = (campaign.brand_id for campaign in campaigns)
    first_answer, second_answer, last_answer = EventAnswer.objects.order_by("id").values_list(
        "id", flat=True
    )
    garble(campaigns[0])
    nights = [tasks.verify_ledgers() for _ in range(7)]
    assert nights[:6] == [
        {**counts(1, broken=1), "last_brand": first, "last_answer": 0},
        {**counts(2, broken=1), "last_brand": second, "last_answer": 0},
        {**counts(3, broken=1), "last_brand": 0, "last_answer": first_answer},
        {**counts(3, broken=1), "last_brand": 0, "last_answer": second_answer},
        {**counts(3, broken=1), "last_brand": 0, "last_answer": last_answer},
        {**counts(3, broken=1), **NOTHING_LEFT},
    ]
    assert nights[6] == nights[0], "from the beginning"
    assert "only verified in part" in caplog.text


def test_a_brand_that_takes_too_long_stops_no_other(
    campaigns: list[Campaign], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    garble(campaigns[2])

    def fail_once(brand_id: int, *rest: object) -> verification.Verified:
        if brand_id == campaigns[0].brand_id:
            raise OperationalError("canceling statement due to statement timeout")
        return verification.get_verified_brand(brand_id, *rest)  # type: ignore[arg-type]  # as told

    monkeypatch.setattr(nightly, "get_verified_brand", fail_once)
    assert tasks.verify_ledgers() == {**counts(2, broken=1, failed=1), **NOTHING_LEFT}
    assert f"brand {campaigns[0].brand_id} isn't verified" in caplog.text
