"""A sound world with something of everything, and ways round what protects it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from core.actions.brands import edit_brand
from core.actions.campaigns import archive_campaign, pause_campaign
from core.models import Brand, Campaign, Hold, SpendLog
from core.queries.promises import BrokenPromise
from core.queries.verification import (
    get_verified_brand,
    get_verified_triggers,
    list_brand_ids,
    list_verified_answers,
)
from core.tests.actions.players import tick
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    capture,
    hold,
    make_brand,
    make_campaign,
    refund,
    release,
    report,
)
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, MINUTE

# When the world is looked at.
NOW = NOON + 3 * DAY


@dataclass(frozen=True)
class World:
    """A brand that moved to Tokyo, its campaigns, and entries and holds of every kind by name."""

    brand: Brand
    spender: Campaign
    windowed: Campaign
    paused: Campaign
    entries: dict[str, SpendLog]
    holds: dict[str, Hold]


def make_world() -> World:
    """Make it, with another brand beside it, and let the tasks have run."""
    brand = make_brand(
        daily_budget=Decimal(100), monthly_budget=Decimal(900), time_zone="America/New_York"
    )
    spender = make_campaign(brand, lifetime_budget=Decimal(800))
    windowed = make_campaign(brand, schedule=[window("09:00", "18:00")])
    paused = make_campaign(brand)
    archive_campaign(make_campaign(brand).pk, caller=CALLER, now=NOON)
    pause_campaign(paused.pk, caller=CALLER, now=NOON)
    outcomes = {
        "add": add(spender, "30", event_id="add"),
        "small": add(spender, "5", event_id="small"),
        "plain": add(spender, "2"),
        "report": report(spender, "80", event_id="report"),
        "late": report(spender, "7", now=NOON + HOUR, occurred_at=NOON - DAY, event_id="late"),
    }
    outcomes["refund"] = refund(outcomes["add"], "20", now=NOON + HOUR, event_id="refund")
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON + 2 * HOUR)
    add(make_campaign(make_brand(), now=NOON), "1", event_id="of another brand")
    before = NOW - HOUR
    held = {
        name: hold(spender, amount, now=before, event_id=f"hold {name}", duration=duration)
        for name, amount, duration in (
            ("captured", "10", 5 * MINUTE),
            ("released", "3", 5 * MINUTE),
            ("expired", "4", 5 * MINUTE),
            ("open", "6", 2 * HOUR),
        )
    }
    outcomes["capture"] = capture(held["captured"], "8", now=before, event_id="capture")
    release(held["released"], now=before, event_id="release")
    tick(NOW)
    return World(
        *(brand, spender, windowed, paused),
        entries={
            name: SpendLog.objects.get(pk=outcome.accepted()["spend_log_id"])
            for name, outcome in outcomes.items()
        },
        holds={
            name: Hold.objects.get(pk=outcome.accepted()["hold_id"])
            for name, outcome in held.items()
        },
    )


def verify(now: datetime = NOW) -> list[BrokenPromise]:
    """What `verify_ledger` finds, in everything."""

    def clock() -> datetime:
        return now

    parts = [
        get_verified_triggers(clock),
        *(get_verified_brand(brand_id, clock) for brand_id in list_brand_ids()),
        *(verified for _, verified in list_verified_answers(clock)),
    ]
    return [broken for part in parts for broken in part.broken]


def sql(text: str, *values: Any) -> None:
    """Run a statement."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)


@contextmanager
def unguarded(*constraints: tuple[str, str]) -> Iterator[None]:
    """Let the log be changed, and rows break these constraints (table and name)."""
    # PostgreSQL changes no table for which deferred checks are still to be made.
    connection.check_constraints()
    if connection.vendor == "sqlite":
        triggers = _stored_triggers()
        sql("PRAGMA ignore_check_constraints = ON")
        for name in triggers:
            sql(f"DROP TRIGGER {name}")
        yield
        for text in triggers.values():
            sql(text)
        sql("PRAGMA ignore_check_constraints = OFF")
        return
    for table, name in constraints:
        sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    sql("ALTER TABLE core_spendlog DISABLE TRIGGER USER")
    yield
    connection.check_constraints()
    sql("ALTER TABLE core_spendlog ENABLE TRIGGER USER")


def _stored_triggers() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'trigger' AND tbl_name = 'core_spendlog'"
        )
        return dict(cursor.fetchall())


Plant = Callable[[World], str]
