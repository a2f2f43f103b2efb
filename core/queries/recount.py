"""Counts a brand's totals again from its log and its holds, in one hand-written statement (C25).

What comes back are the totals that differ, never the log: the database adds up, however long the
log is. `verify_ledger` says what differs, `rebuild_totals` stores what should be there.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from core.enums import HoldState, PeriodKind
from core.models import Brand, BrandTotal, CampaignTotal
from core.models.sql import Statement, read_date, run_together
from core.queries.history import get_whole_calendar
from core.rules.calendar import Period
from core.rules.money import from_micros
from core.rules.verdict import LIFETIME, NOTHING, Amounts, TotalKey, period_of

# In place of a campaign's id: the total is the whole brand's. Ids begin at 1.
_OF_BRAND = 0
_NO_LIMIT = 9_000_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Recount:
    """One total: what the log and the open holds give, and what is stored; `None` for no row.

    A row is due for every period in which the log has an entry or somebody ever held something.
    """

    key: TotalKey
    due: Amounts | None
    stored: Amounts | None

    @property
    def expected(self) -> Amounts:
        """What the total should be."""
        return self.due or NOTHING

    @property
    def found(self) -> Amounts:
        """What it is; a missing total is zero."""
        return self.stored or NOTHING


@dataclass(frozen=True, slots=True)
class StoredPeriod:
    """A period as totals of the brand, or of its campaigns, store it, and as it is; `rows` do.

    A brand has no lifetime: nothing is `due` there.
    """

    is_of_brand: bool
    found: Period
    due: Period | None
    rows: QuerySet[Any]

    @property
    def is_right(self) -> bool:
        """The calendar has this very period."""
        return self.found == self.due


def list_wrong_amounts(brand: Brand, limit: int) -> list[Recount]:
    """Up to `limit` totals whose amounts aren't what the log and the open holds add up to."""
    return _list_recounted(brand, _AMOUNTS_DIFFER, limit)


def list_wrong_rows(brand: Brand) -> list[Recount]:
    """All of these, and the rows of nothing that are missing or that nothing gives."""
    return _list_recounted(brand, f"{_AMOUNTS_DIFFER} OR SUM(due) = 0 OR SUM(found) = 0", _NO_LIMIT)


def list_stored_periods(brand: Brand) -> list[StoredPeriod]:
    """Each period that totals name beside the one that the brand's whole calendar has (C9, C12)."""
    calendar = get_whole_calendar(brand)
    columns = ("period", "starts_on", "starts_at", "ends_at")
    of_brand = BrandTotal.objects.filter(brand=brand)
    of_campaigns = CampaignTotal.objects.filter(campaign__brand=brand)
    stored = []
    for totals in (of_brand, of_campaigns):
        is_of_brand = totals is of_brand
        for row in totals.order_by(*columns[:2]).values_list(*columns).distinct():
            found = Period(PeriodKind(row[0]), *row[1:])
            has_none = is_of_brand and found.kind is PeriodKind.LIFETIME
            due = None if has_none else period_of(calendar, found.kind, found.starts_on)
            rows = totals.filter(**dict(zip(columns, row, strict=True)))
            stored.append(StoredPeriod(is_of_brand, found, due, rows))
    return stored


def find_closed_elsewhere(brand: Brand) -> QuerySet[BrandTotal]:
    """Days and months that say they were closed at another instant than their end (C10)."""
    closed = BrandTotal.objects.filter(brand=brand).exclude(closed_at=None)
    return closed.exclude(closed_at=F("ends_at"))


_AMOUNTS_DIFFER = "SUM(spent) <> SUM(stored_spent) OR SUM(held) <> SUM(stored_held)"
# The log is gone through once; all periods are added up from its sums by campaign and day.
_RECOUNT = """
    WITH moved AS (
        SELECT campaign_id, budget_day, amount AS spent, 0 AS held
        FROM core_spendlog WHERE brand_id = %s
        UNION ALL
        SELECT campaign_id, budget_day, 0, CASE WHEN state = '{open}' THEN amount ELSE 0 END
        FROM core_hold WHERE brand_id = %s
    ), of_days AS MATERIALIZED (
        SELECT campaign_id, budget_day, SUM(spent) AS spent, SUM(held) AS held
        FROM moved GROUP BY campaign_id, budget_day
    ), counted AS (
        {periods}
        UNION ALL
        SELECT {of_brand}, period, starts_on, 0, 0, 0, spent, held, 1
        FROM core_brandtotal WHERE brand_id = %s
        UNION ALL
        SELECT campaign_id, period, starts_on, 0, 0, 0, spent, held, 1
        FROM core_campaigntotal
        WHERE campaign_id IN (SELECT id FROM core_campaign WHERE brand_id = %s)
    )
    SELECT campaign_id, period, starts_on, SUM(due), SUM(spent), SUM(held),
        SUM(found), SUM(stored_spent), SUM(stored_held)
    FROM counted GROUP BY campaign_id, period, starts_on
    HAVING {having}
    ORDER BY campaign_id, period, starts_on LIMIT %s"""


def _list_recounted(brand: Brand, having: str, limit: int) -> list[Recount]:
    text = _RECOUNT.format(
        open=HoldState.OPEN, of_brand=_OF_BRAND, periods=_periods(), having=having
    )
    values = [brand.pk] * 4 + [limit]
    (rows,) = run_together([Statement(text, values, is_prepared=False)])
    return [_recount(*row) for row in rows]


def _periods() -> str:
    """What each day's sums count in: day and month of the brand, and of the campaign its life."""
    if connection.vendor == "sqlite":
        month, ever = "date(budget_day, 'start of month')", f"'{LIFETIME.starts_on}'"
    else:
        month = "date_trunc('month', budget_day)::date"
        ever = f"DATE '{LIFETIME.starts_on}'"
    counts_in = (
        (_OF_BRAND, PeriodKind.DAY, "budget_day"),
        (_OF_BRAND, PeriodKind.MONTH, month),
        ("campaign_id", PeriodKind.DAY, "budget_day"),
        ("campaign_id", PeriodKind.MONTH, month),
        ("campaign_id", PeriodKind.LIFETIME, ever),
    )
    columns = "{} AS campaign_id, '{}' AS period, {} AS starts_on, 1 AS due, spent, held"
    stored = "0 AS stored_spent, 0 AS stored_held, 0 AS found"
    return " UNION ALL ".join(
        f"SELECT {columns.format(*each)}, {stored} FROM of_days"  # noqa: S608 (our own words)
        for each in counts_in
    )


def _recount(owner: int, period: str, starts_on: Any, *sums: Any) -> Recount:
    due, spent, held, found, stored_spent, stored_held = map(int, sums)
    key = TotalKey(None if owner == _OF_BRAND else owner, PeriodKind(period), read_date(starts_on))
    return Recount(
        key,
        Amounts(from_micros(spent), from_micros(held)) if due else None,
        Amounts(from_micros(stored_spent), from_micros(stored_held)) if found else None,
    )
