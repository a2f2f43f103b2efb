"""The unattended deeds: each brings stored state up to date with time and totals (C16, C26).

None of them makes it safe to spend; admission judges afresh. Each may run twice, at once, late
or never. A brand is one transaction, and one that is busy or broken doesn't stop the others.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from django.db import InternalError, OperationalError, transaction

from core.actions.caller import Caller
from core.actions.catch_up import catch_up
from core.actions.verdicts import LONGEST_WAIT, Change, judge_campaigns
from core.enums import Cause, PeriodKind
from core.models import Brand, BrandTotal, TaskRun, Transition
from core.queries.history import find_last_change
from core.queries.holds import find_expired_holds, list_brands_with_expired_holds
from core.queries.locks import lock_brand
from core.queries.sweeps import Part, map_doubtful_campaigns, map_due_campaigns
from core.queries.totals import list_brands_to_close, list_totals_to_close

logger = logging.getLogger(__name__)

# What a task changed, in words that its log line and its result share.
Changes = dict[str, int]


def check_budgets(*, caller: Caller, now: datetime) -> Changes:
    """Find stored verdicts that switches or totals contradict, and put them right."""
    change = Change(caller, now, Cause.BUDGET_CHECK)

    def judge_part(brand: Brand, campaign_ids: list[int]) -> list[Transition]:
        # Who came later may have had the lock first. What they changed wasn't so before.
        until = now + LONGEST_WAIT
        at = find_last_change(brand, campaign_ids, after=now, until=until) or now
        caught_up = catch_up(brand, at, campaign_ids)
        return [*caught_up, *judge_campaigns(brand, replace(change, at=at), campaign_ids)]

    return _for_each_part(map_doubtful_campaigns(now), judge_part, caller)


def enforce_dayparting(*, caller: Caller, now: datetime) -> Changes:
    """Judge the campaigns whose window, flight or period edge has come (C13)."""

    def judge_part(brand: Brand, campaign_ids: list[int]) -> list[Transition]:
        return catch_up(brand, now, campaign_ids)

    return _for_each_part(map_due_campaigns(now), judge_part, caller)


def reset_daily_spend(*, caller: Caller, now: datetime) -> Changes:
    """Close the budget days that have ended and judge their brands' campaigns (C10)."""
    return _close_periods(PeriodKind.DAY, caller, now)


def reset_monthly_spend(*, caller: Caller, now: datetime) -> Changes:
    """Close the budget months that have ended and judge their brands' campaigns (C10)."""
    return _close_periods(PeriodKind.MONTH, caller, now)


def expire_holds(*, caller: Caller, now: datetime) -> Changes:
    """Free what holds past their time still keep, and judge the campaigns that may run again."""

    def free_holds(brand: Brand) -> Changes:
        # Counted under the lock: somebody else may have ended one meanwhile.
        expired = find_expired_holds(brand, now).count()
        return {"expired": expired, **_count(catch_up(brand, now))}

    due = list_brands_with_expired_holds(now)
    return {"expired": 0, **_for_each_brand(due, free_holds, caller)}


def record_task_run(task: str, changed: Changes, *, now: datetime) -> None:
    """Remember that a task finished, for the health check."""
    TaskRun.objects.update_or_create(task=task, defaults={"finished_at": now, "changed": changed})


def _close_periods(period: PeriodKind, caller: Caller, now: datetime) -> Changes:
    def close_brand(brand: Brand) -> Changes:
        transitions = catch_up(brand, now)
        totals = list_totals_to_close(brand, period, now)
        for total in totals:
            # Whenever somebody gets round to it, it closes at its end.
            total.closed_at = total.ends_at
        BrandTotal.objects.bulk_update(totals, ["closed_at"], batch_size=500)
        return {"closed": len(totals), **_count(transitions)}

    due = list_brands_to_close(period, now)
    return {"closed": 0, **_for_each_brand(due, close_brand, caller)}


def _for_each_part(
    parts: Iterable[Part],
    deed: Callable[[Brand, list[int]], Collection[Transition]],
    caller: Caller,
) -> Changes:
    """Do the deed for each part in a transaction of its own: no brand is locked for long."""
    changes = Counter({**_count([]), "failed": 0})
    busy: set[int] = set()
    for brand_id, campaign_ids in parts:
        if brand_id in busy:
            continue

        def do_part(brand: Brand, campaign_ids: list[int] = campaign_ids) -> Changes:
            return _count(deed(brand, campaign_ids))

        done = _for_each_brand([brand_id], do_part, caller)
        # The other parts of a brand that is busy needn't wait for its lock, too.
        busy |= {brand_id} if done["failed"] else set()
        changes.update(done)
    return dict(changes)


def _count(transitions: Collection[Transition]) -> Changes:
    activated = sum(transition.is_active for transition in transitions)
    return {"activated": activated, "paused": len(transitions) - activated}


def _for_each_brand(
    brand_ids: Iterable[int], deed: Callable[[Brand], Changes], caller: Caller
) -> Changes:
    """Do the deed for each brand in a transaction of its own; the sum of what was committed."""
    changes = Counter({**_count([]), "failed": 0})
    for brand_id in filter(caller.may_see, brand_ids):
        try:
            with transaction.atomic():
                done = deed(lock_brand(brand_id))
        except (OperationalError, InternalError):
            logger.exception("brand %s is busy or unreachable; the next tick tries again", brand_id)
            done = {"failed": 1}
        changes.update(done)
    return dict(changes)
