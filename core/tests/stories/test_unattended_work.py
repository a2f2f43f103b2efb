"""Unattended work in real time: a real broker, worker and beat keep stored verdicts right.

Time alone, a turned period and a tampered row each reach the database within a tick (C16, C26).
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from core.enums import Cause, Reason
from core.models import Campaign, TaskRun
from core.tests.builders import (
    add,
    code_of,
    fresh,
    hold,
    make_brand,
    make_campaign,
    transitions_of,
)
from core.tests.stories.unattended import TASKS, Unattended, unattended_work

FLIGHT_LEFT = timedelta(seconds=3)
OUTAGE_SECONDS = 3.0


@pytest.fixture
def unattended(own_database: str) -> Iterator[Unattended]:
    with unattended_work(own_database) as work:
        yield work


def test_a_worker_and_a_beat_keep_every_campaign_up_to_date_c10_c13_c16_c17_c20(
    unattended: Unattended,
) -> None:
    campaign = paused_since_yesterday()
    with unattended.beat("reset_daily_spend"):
        unattended.await_that(lambda: fresh(campaign).is_active, "back after midnight")
    assert told(campaign) == (True, (), Cause.PERIOD_TURNED, "clock")

    campaign = make_campaign(now=timezone.now(), ends_at=timezone.now() + FLIGHT_LEFT)
    with unattended.beat("enforce_dayparting"):
        unattended.await_that(lambda: not fresh(campaign).is_active, "paused at its end")
    expected = (False, (Reason.ENDED,), Cause.TIME, "clock")
    assert told(campaign) == expected

    campaign = make_campaign(now=timezone.now())
    tampered = {"is_active": False, "reasons": (Reason.BRAND_DAILY_BUDGET,)}
    Campaign.objects.filter(pk=campaign.pk).update(**tampered)
    with unattended.beat("check_budgets"):
        unattended.await_that(lambda: fresh(campaign).is_active, "put right")
    assert told(campaign) == (True, (), Cause.BUDGET_CHECK, "task:core.check_budgets")

    campaign = held_ten_minutes_ago()
    with unattended.beat("expire_holds"):
        unattended.await_that(lambda: fresh(campaign).is_active, "back after the hold")
    assert told(campaign) == (True, (), Cause.HOLD_ENDED, "clock")

    with unattended.beat("reset_monthly_spend"):
        unattended.await_that(has_every_task_run, "a run of every task")


def test_ticks_resume_after_the_broker_was_killed_and_spend_never_waits_for_it_c26_c27(
    unattended: Unattended,
) -> None:
    campaign = make_campaign(now=timezone.now())
    with unattended.beat(*TASKS):
        unattended.await_that(has_every_task_run, "a run of every task")
        unattended.broker.kill()
        killed_at = time.monotonic()
        ending = make_campaign(now=timezone.now(), ends_at=timezone.now() + FLIGHT_LEFT / 2)
        assert code_of(add(campaign, "1.00", now=timezone.now())) is None
        while time.monotonic() < killed_at + OUTAGE_SECONDS:
            time.sleep(0.1)
        assert fresh(ending).is_active
        assert code_of(add(ending, "1.00", now=timezone.now())) == "campaign_not_active"

        unattended.broker.start()
        back_at = timezone.now()
        unattended.await_that(lambda: not fresh(ending).is_active, "caught up with the outage")
        unattended.await_that(lambda: has_every_task_run(since=back_at), "every task again")
    assert told(ending)[:2] == (False, (Reason.ENDED,))


def paused_since_yesterday() -> Campaign:
    """A campaign whose brand used up its daily budget yesterday, on its own calendar."""
    brand = make_brand(
        now=timezone.now(), time_zone="America/New_York", daily_budget=Decimal("10.00")
    )
    yesterday = brand.calendar.budget_day(timezone.now()).starts_at - timedelta(hours=1)
    campaign = make_campaign(brand, now=yesterday)
    add(campaign, "10.00", now=yesterday)
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
    return campaign


def held_ten_minutes_ago() -> Campaign:
    """A campaign that is paused for a hold whose five minutes are over."""
    before = timezone.now() - timedelta(minutes=10)
    campaign = make_campaign(now=before, daily_budget=Decimal("10.00"))
    hold(campaign, "10.00", now=before).accepted()
    assert not fresh(campaign).is_active
    return campaign


def told(campaign: Campaign) -> tuple[bool, tuple[Reason, ...], str, str]:
    """What the one transition since the campaign's setting up says."""
    setting_up = {Cause.CREATED, Cause.SPEND, Cause.HOLD}
    (change,) = [t for t in transitions_of(campaign) if t.cause not in setting_up]
    return change.is_active, change.reasons, change.cause, change.actor


def has_every_task_run(since: datetime | None = None) -> bool:
    runs = TaskRun.objects.filter(finished_at__gte=since) if since else TaskRun.objects.all()
    return {run.task for run in runs} == {f"core.{task}" for task in TASKS}
