"""Races over several brands at once: batches, edits, unattended work and calls of one moment."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain

from django.db import connection
from django.db.backends.utils import CursorWrapper

from core.actions.spend_requests import SpendRequest
from core.models import SpendLog
from core.tests.builders import CALLER, NOON
from core.tests.races.audit import audit
from core.tests.races.crowd import CROWD, PATIENCE_SECONDS, run_together
from core.tests.races.field import (
    ONE,
    Answer,
    Deeds,
    Field,
    answer_of,
    demand_refused_for_budget,
    look_at_day,
    make_field,
    spender,
)
from core.tests.races.promises import Promise, demand, demand_equal

BRANDS = 4
BATCHES = 12
ROUNDS = 12
CALLS = 32
LOWER, HIGHER = Decimal(40), Decimal(80)
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def race_over_many_brands(deeds: Deeds) -> None:
    """Four processes send batches over all brands, each in an order of its own."""
    fields = [make_field({"daily_budget": LOWER}, [{}, {}]) for _ in range(BRANDS)]
    before = _count_deadlocks()
    runners = [_batcher(deeds, fields, first) for first in range(BRANDS)]
    runners += [_editor(deeds, fields), _editor(deeds, fields[::-1])]
    runners += [_ticker(deeds)] * (CROWD - len(runners))
    answers = list(chain.from_iterable(run_together(runners, threads=deeds.threads)))
    demand_refused_for_budget(answers)
    demand_equal(_count_deadlocks(), before, Promise.NO_SURPRISE)
    for field in fields:
        view = look_at_day(field.brand_id, NOON.date())
        demand(view is not None and view[0] <= HIGHER, Promise.ZERO_OVERSPEND, view)
    audit(NOON)


def race_of_calls_for_many_brands(deeds: Deeds) -> None:
    """Everybody asks one brand after the other for 1.00; each brand is spent to the unit.

    Calls that are committed together find brands that the other process holds.
    """
    fields = [make_field({"daily_budget": LOWER}, [{}]) for _ in range(BRANDS)]
    chosen = [field.campaign_ids[0] for field in fields]
    runners = [
        spender(deeds, chosen[place:] + chosen[:place], [NOON] * CALLS)
        for place in (number % BRANDS for number in range(CROWD))
    ]
    answers = list(chain.from_iterable(run_together(runners, threads=deeds.threads)))
    demand_refused_for_budget(answers)
    for field in fields:
        logged = SpendLog.objects.filter(brand=field.brand_id).count()
        demand(logged <= LOWER, Promise.ZERO_OVERSPEND, f"{logged} of {LOWER} admitted")
        demand(logged >= LOWER, Promise.FULL_DELIVERY, f"{logged} of {LOWER} admitted")
    audit(NOON)


def _batcher(deeds: Deeds, fields: Sequence[Field], place: int) -> Callable[[], list[Answer]]:
    """Starts each batch at another brand than the others do, and half go the other way round."""
    order = [*fields[place:], *fields[:place]][:: -1 if place % 2 else 1]
    requests = [SpendRequest(chosen, ONE) for field in order for chosen in field.campaign_ids]

    def send_batches() -> list[Answer]:
        outcomes = [
            deeds.admit_batch(requests, caller=CALLER, now=NOON, late_limit=timedelta(0))
            for _ in range(BATCHES)
        ]
        return [answer_of(outcome) for outcome in chain.from_iterable(outcomes)]

    return send_batches


def _editor(deeds: Deeds, fields: Sequence[Field]) -> Callable[[], list[Answer]]:
    def edit_on_and_on() -> list[Answer]:
        for budget in (HIGHER, LOWER) * ROUNDS:
            for field in fields:
                deeds.edit_brand(field.brand_id, {"daily_budget": budget}, caller=CALLER, now=NOON)
        return []

    return edit_on_and_on


def _ticker(deeds: Deeds) -> Callable[[], list[Answer]]:
    def tick_on_and_on() -> list[Answer]:
        for _ in range(ROUNDS):
            demand_equal(deeds.tick(NOON), 0, Promise.NO_SURPRISE)
        return []

    return tick_on_and_on


def _count_deadlocks() -> int:
    """How many PostgreSQL has counted in this database; SQLite has none to count."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        # A process tells its count when it ends, which is a moment after its last word to us.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _asked(cursor, OTHERS) and time.monotonic() < deadline:
            time.sleep(0.01)
        return _asked(cursor, DEADLOCKS)


def _asked(cursor: CursorWrapper, question: str) -> int:
    cursor.execute(question)
    return int(cursor.fetchone()[0])
