"""Verifies what is stored, night after night, a minute's worth at a time (C25)."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db import InternalError, OperationalError

from core.actions.caller import Caller
from core.actions.delivery import Changes
from core.models.sql import one_snapshot
from core.queries.health import VERIFICATION, map_task_counts
from core.queries.verification import (
    Verified,
    get_verified_brand,
    get_verified_triggers,
    list_brand_ids,
    list_verified_answers,
)

logger = logging.getLogger(__name__)

# A worker's other tasks have to come in their time, and the time limit of a task is 100 s.
SECONDS = 40.0
# One brand has five statements that go through its log.
STATEMENT_SECONDS = 10
# Where it stopped, beside the counts; both are 0 once all was verified.
PLACES = ("last_brand", "last_answer")


def verify_ledgers(*, caller: Caller, now: datetime, clock: Callable[[], datetime]) -> Changes:
    """Verify brands, then answers, going on where the run before stopped; changes nothing.

    What is broken is logged, and counted since all was last begun with. At least one part is
    verified in each run.
    """
    before = map_task_counts(VERIFICATION)
    last_brand, last_answer = (before.pop(place, 0) for place in PLACES)
    is_going_on = bool(last_brand or last_answer)
    night = _Night(clock, Counter(before if is_going_on else {}))
    if not last_answer:
        night.verify_triggers()
        last_brand = night.verify_brands(last_brand, caller)
    if not last_brand:
        last_answer = night.verify_answers(last_answer)
    if last_brand or last_answer:
        logger.warning(
            "the ledger is only verified in part; the next run goes on, verify_ledger does it all"
        )
    counts = {word: night.counts[word] for word in ("verified", "broken", "failed")}
    return {**counts, "last_brand": last_brand, "last_answer": last_answer}


class _Night:
    """One run, and what was found since all was begun with."""

    def __init__(self, clock: Callable[[], datetime], counts: Counter[str]) -> None:
        self._clock, self.counts = clock, counts
        self._ends_at = time.monotonic() + SECONDS

    def verify_triggers(self) -> None:
        self._take(get_verified_triggers(self._clock))

    def verify_brands(self, after: int, caller: Caller) -> int:
        """Those after this id; the last one verified if there wasn't time for all, else 0."""
        while chunk := list_brand_ids(after):
            for after in filter(caller.may_see, chunk):
                self._verify_brand(after)
                if self._is_over():
                    return after if list_brand_ids(after) else 0
        return 0

    def verify_answers(self, after: int) -> int:
        """Those after this id; the last one verified if there wasn't time for all, else 0."""
        for until, verified in list_verified_answers(self._clock, after):
            self._take(verified)
            if self._is_over():
                return until
        return 0

    def _verify_brand(self, brand_id: int) -> None:
        try:
            with one_snapshot(STATEMENT_SECONDS):
                verified = get_verified_brand(brand_id, self._clock)
        except (OperationalError, InternalError):
            logger.exception("brand %s isn't verified; see verify_ledger --brand", brand_id)
            self.counts["failed"] += 1
        else:
            self.counts["verified"] += 1
            self._take(verified)

    def _take(self, verified: Verified) -> None:
        self.counts["broken"] += len(verified.broken)
        for broken in verified.broken:
            logger.error("broken: %s: %s", broken.promise, broken.facts)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends_at
