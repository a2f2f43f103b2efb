"""Which stored verdicts the facts contradict: hand-written SQL, one statement for many campaigns.

The ORM's form of the same asks for every fact of every campaign by itself and takes far longer. It
stands in `core/tests/queries/doubts_by_orm.py`, and the tests hold both to the same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from core.enums import PeriodKind, Reason
from core.models import Brand
from core.models.sql import ranges_of_ids, stored_instant
from core.rules.calendar import BrandCalendar
from core.rules.verdict import LIFETIME

_BUDGETS = {
    PeriodKind.DAY: "daily_budget",
    PeriodKind.MONTH: "monthly_budget",
    PeriodKind.LIFETIME: "lifetime_budget",
}


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the clocks and calendars of all brands show: once for each zone, whoever lives by it.

    `shown` has for each zone the bits of the weekday and of the one before, and the minute;
    `starts_on` the names of all periods that run.
    """

    now: datetime
    shown: dict[str, tuple[int, int, int]]
    starts_on: list[str]


def get_clocks(now: datetime) -> Clocks:
    """Read them off; one query."""
    brands = Brand.objects.order_by().values_list(
        "time_zone", "previous_time_zone", "time_zone_changes_at"
    )
    shown, days = {}, set()
    for calendar in (BrandCalendar(*row) for row in brands.distinct()):
        local, weekday = calendar.local(now), calendar.local(now).weekday()
        minute = local.hour * 60 + local.minute
        shown[calendar.zone_at(now)] = (1 << weekday, 1 << (weekday - 1) % 7, minute)
        days.add(calendar.budget_day(now).starts_on)
    # A month is named by its days' own month (C9, C12).
    days |= {day.replace(day=1) for day in days} | {LIFETIME.starts_on}
    return Clocks(now, shown, sorted(map(str, days)))


def list_doubtful_campaigns(ids: range, clocks: Clocks) -> list[tuple[int, int]]:
    """The brand and id of each campaign with one of these ids that has to be judged again.

    It is due, or its reasons aren't those that the facts give. By brand and id.
    """
    values: dict[str, Any] = {"now": stored_instant(clocks.now)}
    values |= {"first": ids.start, "stop": ids.stop}
    for number, (zone, shown) in enumerate(clocks.shown.items()):
        names = ("zone", "today", "yesterday", "minute")
        values |= {f"{name}_{number}": v for name, v in zip(names, (zone, *shown), strict=True)}
    values |= {f"day_{number}": day for number, day in enumerate(clocks.starts_on)}
    # By Django's cursor, which writes the values into the text: PostgreSQL plans for these ids.
    with ranges_of_ids(), connection.cursor() as cursor:
        cursor.execute(_text(clocks), values)
        return list(cursor.fetchall())


def _text(clocks: Clocks) -> str:
    """The statement. Whatever brands and totals stop is found for many at a time, then compared."""
    facts = _facts()
    stops = " OR ".join(facts[reason] for reason in Reason)
    named = " || ".join(
        f"CASE WHEN {facts[reason]} THEN '{reason},' ELSE '' END" for reason in Reason
    )
    return f"""
        WITH clock(zone, today, yesterday, minute) AS ({_shown(clocks)}),
        brand AS MATERIALIZED (
            SELECT b.id, b.is_enabled, clock.today, clock.yesterday, clock.minute,
                {_is_used_up(PeriodKind.DAY, clocks)} AS day_is_used_up,
                {_is_used_up(PeriodKind.MONTH, clocks)} AS month_is_used_up
            FROM core_brand b LEFT JOIN clock ON clock.zone = CASE
                WHEN b.time_zone_changes_at > %(now)s THEN b.previous_time_zone
                ELSE b.time_zone END
            WHERE b.id IN (SELECT c.brand_id FROM core_campaign c WHERE {_is_asked("c.id")})
        ),
        used AS MATERIALIZED (
            SELECT campaign_id, {", ".join(_flags())}
            FROM ({_used_up(clocks)}) AS total GROUP BY campaign_id
        ),
        closed AS MATERIALIZED (
            SELECT s.campaign_id
            FROM core_schedule s JOIN core_campaign c ON c.id = s.campaign_id
            JOIN brand b ON b.id = c.brand_id
            WHERE {_is_asked("s.campaign_id")} AND {_is_asked("c.id")}
            GROUP BY s.campaign_id HAVING max(CASE WHEN {_IS_OPEN} THEN 1 ELSE 0 END) = 0
        )
        SELECT c.brand_id, c.id
        FROM core_campaign c JOIN brand b ON b.id = c.brand_id
        LEFT JOIN used ON used.campaign_id = c.id LEFT JOIN closed ON closed.campaign_id = c.id
        WHERE {_is_asked("c.id")} AND c.archived_at IS NULL AND (
            c.next_change_at <= %(now)s
            OR c.reasons <> CASE WHEN {stops} THEN ',' || {named} ELSE '' END
        )
        ORDER BY c.brand_id, c.id"""  # noqa: S608 (our own words)


def _facts() -> dict[Reason, str]:
    """The condition that each reason names; what is unknown doesn't hold."""
    return {
        Reason.BRAND_DISABLED: "NOT b.is_enabled",
        Reason.CAMPAIGN_DISABLED: "NOT c.is_enabled",
        Reason.NOT_STARTED: "c.starts_at > %(now)s",
        Reason.ENDED: "c.ends_at <= %(now)s",
        Reason.OUTSIDE_SCHEDULE: "closed.campaign_id IS NOT NULL",
        Reason.BRAND_DAILY_BUDGET: "b.day_is_used_up",
        Reason.BRAND_MONTHLY_BUDGET: "b.month_is_used_up",
        # A budget of zero is used up before there is a total.
        Reason.CAMPAIGN_DAILY_BUDGET: "(c.daily_budget = 0 OR used.day = 1)",
        Reason.CAMPAIGN_MONTHLY_BUDGET: "(c.monthly_budget = 0 OR used.month = 1)",
        Reason.CAMPAIGN_LIFETIME_BUDGET: "(c.lifetime_budget = 0 OR used.lifetime = 1)",
    }


# A window that ends at or before its start goes past midnight (C13).
_IS_OPEN = """
    s.weekdays & b.today > 0 AND s.start_minute <= b.minute
        AND (s.end_minute > b.minute OR s.end_minute <= s.start_minute)
    OR s.weekdays & b.yesterday > 0 AND s.end_minute > b.minute
        AND s.end_minute <= s.start_minute"""


def _shown(clocks: Clocks) -> str:
    rows = (
        f"(%(zone_{number})s, %(today_{number})s, %(yesterday_{number})s, %(minute_{number})s)"
        for number in range(len(clocks.shown))
    )
    return "VALUES " + ", ".join(rows) if clocks.shown else "SELECT '', 0, 0, 0"


def _is_used_up(kind: PeriodKind, clocks: Clocks) -> str:
    """Whether the brand `b` has a budget for this period, and it is used up."""
    budget = f"b.{_BUDGETS[kind]}"
    return f"""({budget} = 0 OR {budget} > 0 AND EXISTS (
        SELECT 1 FROM core_brandtotal t
        WHERE t.brand_id = b.id AND t.period = '{kind}' AND {_is_running(clocks)}
        AND t.spent + t.held >= {budget}
    ))"""  # noqa: S608 (our own words)


def _used_up(clocks: Clocks) -> str:
    """Each budget of a campaign that is used up; all kinds are read at once."""
    kinds = ", ".join(f"'{kind}'" for kind in PeriodKind)
    budget = " ".join(f"WHEN '{kind}' THEN c.{name}" for kind, name in _BUDGETS.items())
    has_budgets = " OR ".join(f"c.{name} IS NOT NULL" for name in _BUDGETS.values())
    return f"""
        SELECT t.campaign_id, t.period
        FROM core_campaign c JOIN core_campaigntotal t ON t.campaign_id = c.id
        WHERE {_is_asked("c.id")} AND ({has_budgets}) AND {_is_asked("t.campaign_id")}
        AND t.period IN ({kinds}) AND {_is_running(clocks)}
        AND t.spent + t.held >= CASE t.period {budget} END"""  # noqa: S608 (our own words)


def _flags() -> Iterator[str]:
    for kind in PeriodKind:
        yield f"max(CASE period WHEN '{kind}' THEN 1 ELSE 0 END) AS {kind}"


def _is_running(clocks: Clocks) -> str:
    """Whether the total `t` is of a period that runs now; the days are what an index can follow."""
    days = ", ".join(f"%(day_{number})s" for number in range(len(clocks.starts_on)))
    return f"t.starts_on IN ({days}) AND t.starts_at <= %(now)s AND t.ends_at > %(now)s"


def _is_asked(campaign_id: str) -> str:
    # Said of each table, although once would be enough: PostgreSQL would read the others whole.
    return f"{campaign_id} >= %(first)s AND {campaign_id} < %(stop)s"
