"""Everything that runs by itself: the table of contents of unattended work.

Cadence: `CELERY_BEAT_SCHEDULE` in the settings. Each task reads the clock once, makes one call,
and returns and logs what it changed (C26).
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from celery import shared_task

from core.actions import delivery, nightly
from core.actions.caller import Caller
from core.queries.clock import get_clock_difference, get_now

NOTABLY_APART = timedelta(seconds=1)
logger = logging.getLogger(__name__)


class _Deed(Protocol):
    def __call__(self, *, caller: Caller, now: datetime) -> delivery.Changes: ...


@shared_task(name="core.check_budgets")
def check_budgets() -> delivery.Changes:
    """Put right every stored verdict that switches or totals contradict."""
    return _run("core.check_budgets", delivery.check_budgets)


@shared_task(name="core.enforce_dayparting")
def enforce_dayparting() -> delivery.Changes:
    """Activate and pause campaigns whose window or flight edge has come."""
    return _run("core.enforce_dayparting", delivery.enforce_dayparting)


@shared_task(name="core.reset_daily_spend")
def reset_daily_spend() -> delivery.Changes:
    """At each brand's own midnight: close its day and bring its campaigns back."""
    return _run("core.reset_daily_spend", delivery.reset_daily_spend)


@shared_task(name="core.reset_monthly_spend")
def reset_monthly_spend() -> delivery.Changes:
    """On each brand's own 1st: close its month and bring its campaigns back."""
    return _run("core.reset_monthly_spend", delivery.reset_monthly_spend)


@shared_task(name="core.expire_holds")
def expire_holds() -> delivery.Changes:
    """Free what holds past their time still keep (C20)."""
    return _run("core.expire_holds", delivery.expire_holds)


@shared_task(name="core.verify_ledgers")
def verify_ledgers() -> delivery.Changes:
    """Prove, night after night, that what is stored is what was promised (C25)."""
    return _run("core.verify_ledgers", partial(nightly.verify_ledgers, clock=get_now))


def _run(task: str, deed: _Deed) -> delivery.Changes:
    now = get_now()
    ahead = get_clock_difference(now)
    if abs(ahead) > NOTABLY_APART:
        # Nothing was decided by it; somebody should set it all the same.
        logger.warning("this host's clock is %s s ahead of the database's", ahead.total_seconds())
    changed = deed(caller=Caller(f"task:{task}"), now=now)
    delivery.record_task_run(task, changed, now=now)
    logger.info("%s changed %s", task, changed)
    return changed
