"""Every task by name, on a timetable of intervals, each of which says what it changed (C26)."""

import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.schedules import crontab, maybe_schedule
from django.conf import settings
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from budget_manager.celery import app
from core.models import TaskRun
from core.tests.actions.tasks import DEEDS, INSTANTS, LOOKS, changing, make_world, registered, run
from core.tests.builders import everything_stored, story, undone

NAMES = sorted(f"core.{name}" for name in (*DEEDS, *LOOKS))
BEAT: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
NOW = INSTANTS["after the month's end in both"]
# The seeds' five minutes and one hour are the slowest acceptable.
SLOWEST_SECONDS = {
    "core.check_budgets": 300,
    "core.enforce_dayparting": 3_600,
    "core.reset_daily_spend": 60,
    "core.reset_monthly_spend": 60,
    "core.expire_holds": 60,
    "core.verify_ledgers": 86_400,
}


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


# --- The table of contents ---------------------------------------------------------------------


def test_exactly_these_tasks_are_registered_under_explicit_names_c26() -> None:
    """Another one needs its place in `DEEDS`, where it is run twice and in every order, or, if it
    changes nothing, in `LOOKS`.

    The tests of each one, and the race of each with itself, take their names from the registry.
    """
    assert registered() == NAMES


def test_each_task_stands_once_in_the_timetable_c26() -> None:
    assert sorted(entry["task"] for entry in BEAT.values()) == NAMES


@pytest.mark.parametrize("entry", BEAT.values(), ids=BEAT.keys())
def test_the_timetable_has_intervals_and_never_a_crontab_c10(entry: dict[str, Any]) -> None:
    assert isinstance(entry["schedule"], float)
    assert not isinstance(maybe_schedule(entry["schedule"]), crontab)  # type: ignore[arg-type]
    assert 0 < entry["schedule"] <= SLOWEST_SECONDS[entry["task"]]


@pytest.mark.parametrize("entry", BEAT.values(), ids=BEAT.keys())
def test_a_tick_that_nobody_took_is_dropped_when_the_next_one_comes(entry: dict[str, Any]) -> None:
    assert entry["options"] == {"expires": entry["schedule"]}, "no countdown, no ETA"


@pytest.mark.usefixtures("own_database")  # It closes connections.
def test_the_database_scheduler_takes_the_timetable_as_it_is() -> None:
    assert settings.CELERY_BEAT_SCHEDULER == "django_celery_beat.schedulers:DatabaseScheduler"
    DatabaseScheduler(app=app).setup_schedule()
    stored = {task.task: task for task in PeriodicTask.objects.all()}
    assert sorted(stored) == NAMES, "and beat adds nothing of its own"
    for entry in BEAT.values():
        task = stored[entry["task"]]
        assert task.enabled
        assert (task.crontab, task.solar, task.clocked) == (None, None, None)
        assert task.schedule.run_every == timedelta(seconds=entry["schedule"])


def test_no_task_can_outlive_the_time_after_which_it_is_given_to_another_worker() -> None:
    visible_again_after = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT
    assert visible_again_after / 2 > settings.CELERY_TASK_TIME_LIMIT
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert str(app.conf.timezone) == "UTC"
    assert app.conf.accept_content == ["json"], "no pickle"


# --- What each does ----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("name", changing())
def test_a_task_does_its_deed_at_the_clocks_time_and_says_what_it_changed(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_world()
    with undone():
        expected = run(name.removeprefix("core."), NOW)
        expected_story = story()
    set_clock(monkeypatch, NOW)
    with caplog.at_level(logging.INFO, logger="core.tasks"):
        changed = app.tasks[name]()
    assert changed == expected
    assert any(changed.values()), "there was something to do"
    assert f"{name} changed {changed}" in caplog.text
    run_row = TaskRun.objects.get()
    assert (run_row.task, run_row.finished_at, run_row.changed) == (name, NOW, changed)
    told = story()
    assert {**told, "TaskRun": []} == expected_story


@pytest.mark.django_db
@pytest.mark.parametrize("name", changing())
def test_a_task_that_is_delivered_twice_has_done_it_once_c26(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_world()
    set_clock(monkeypatch, NOW)
    app.tasks[name]()
    once = everything_stored()
    again = app.tasks[name]()
    assert not any(again.values())
    assert TaskRun.objects.get().changed == again
    assert {**everything_stored(), "TaskRun": once["TaskRun"]} == once


@pytest.mark.django_db
@pytest.mark.parametrize("name", registered())
def test_a_task_takes_no_argument_so_that_nothing_stale_is_queued(name: str) -> None:
    with pytest.raises(TypeError):
        app.tasks[name](1)
    assert not TaskRun.objects.exists()
