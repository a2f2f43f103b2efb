"""What an admission has to know of a brand, in hand-written SQL and one round trip.

The ORM's form of the same is `get_book`, `list_campaigns_to_judge` and `map_event_answers`, which
everything else uses; the tests hold both to the same facts.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from core.enums import HoldState, PeriodKind, Reason
from core.models import Brand
from core.models.fields import ReasonsField
from core.models.schedule import daypart_of
from core.models.sql import (
    Row,
    Statement,
    is_among,
    listed,
    read_date,
    read_instant,
    run_together,
    stored_instant,
)
from core.queries.books import get_brand_facts
from core.rules.admission import BrandBook
from core.rules.counters import Counter, Counters
from core.rules.dayparts import weekly_schedule
from core.rules.money import from_micros
from core.rules.verdict import CampaignFacts, TotalKey

# Whose event it is, and its id (C21).
EventName = tuple[str, str]
_REASONS = ReasonsField()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the requests name: campaigns, days in which they count, events; `entries` to log."""

    campaign_ids: Collection[int]
    budget_days: Collection[date]
    events: Collection[EventName]
    entries: int


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """How an event was answered when it first came (C21)."""

    fingerprint: str
    is_refusal: bool
    answer: Any


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A campaign's name and its verdict as it is stored; the codes of the reasons as one text."""

    name: str
    reasons: str
    since: datetime | None
    next_change_at: datetime | None

    def is_of(self, reasons: Sequence[Reason], now: datetime) -> bool:
        """Whether it says what holds now, so that nothing of it is to be written.

        Its next change can't be another one: that is the first edge after it was judged, and it is
        still ahead.
        """
        is_known = self.since is not None and self.since <= now
        is_due = self.next_change_at is not None and self.next_change_at <= now
        return is_known and not is_due and self.reasons == _REASONS.get_prep_value(reasons)


@dataclass(frozen=True, slots=True)
class Standings:
    """A brand as an admission finds it, and numbers for the log entries that it may write.

    While `is_due` something has happened by time alone that isn't written down yet.
    """

    is_due: bool
    book: BrandBook
    verdicts: dict[int, StoredVerdict]
    answers: dict[EventName, FirstAnswer]
    spend_log_ids: Sequence[int]


def get_standings(brand: Brand, wanted: Wanted, now: datetime) -> Standings:
    """The facts about a locked brand on which requests are decided, read under its lock."""
    statements = [
        _is_due(brand, now),
        _campaigns(brand, wanted),
        _totals(brand, wanted),
        _spend_log_ids(wanted.entries),
        *([_answers(wanted.events)] if wanted.events else []),
    ]
    (due,), campaigns, totals, ids, *answers = run_together(statements)
    facts, verdicts = {}, {}
    for campaign_id, rows in groupby(campaigns, key=itemgetter(0)):
        facts[campaign_id], verdicts[campaign_id] = _campaign(list(rows), brand)
    return Standings(
        is_due=bool(due[0]),
        book=BrandBook(get_brand_facts(brand), facts, Counters(dict(map(_total, totals)))),
        verdicts=verdicts,
        answers={event: answer for rows in answers for event, answer in map(_answer, rows)},
        spend_log_ids=_numbers(ids, wanted.entries),
    )


def _is_due(brand: Brand, now: datetime) -> Statement:
    text = """
        SELECT EXISTS (
            SELECT 1 FROM core_hold WHERE brand_id = %s AND state = %s AND expires_at <= %s
        ) OR EXISTS (
            SELECT 1 FROM core_campaign WHERE brand_id = %s AND next_change_at <= %s
        )"""
    at = stored_instant(now)
    return Statement(text, (brand.pk, HoldState.OPEN.value, at, brand.pk, at))


def _campaigns(brand: Brand, wanted: Wanted) -> Statement:
    text = f"""
        SELECT c.id, c.name, c.is_enabled, c.archived_at, c.starts_at, c.ends_at,
            c.daily_budget, c.monthly_budget, c.lifetime_budget,
            c.reasons, c.status_since, c.next_change_at,
            s.weekdays, s.start_minute, s.end_minute
        FROM core_campaign c LEFT JOIN core_schedule s ON s.campaign_id = c.id
        WHERE c.brand_id = %s AND c.id {is_among("bigint")}
        ORDER BY c.id, s.id"""  # noqa: S608 (nothing in it comes from outside)
    return Statement(text, (brand.pk, listed(list(wanted.campaign_ids))))


def _campaign(rows: Sequence[Row], brand: Brand) -> tuple[CampaignFacts, StoredVerdict]:
    """One campaign from its rows, of which it has one for each daypart."""
    campaign_id, name, is_enabled, archived_at, starts_at, ends_at, *rest = rows[0]
    *budgets, reasons, since, next_change_at = rest[:-3]
    daily, monthly, lifetime = map(_money, budgets)
    facts = CampaignFacts(
        campaign_id=campaign_id,
        is_enabled=bool(is_enabled),
        is_archived=bool(archived_at or brand.archived_at),
        starts_at=read_instant(starts_at),
        ends_at=read_instant(ends_at),
        schedule=weekly_schedule(daypart_of(*row[-3:]) for row in rows if row[-1] is not None),
        daily_budget=daily,
        monthly_budget=monthly,
        lifetime_budget=lifetime,
    )
    since, next_change_at = read_instant(since), read_instant(next_change_at)
    return facts, StoredVerdict(name, reasons, since, next_change_at)


def _money(micros: int | None) -> Decimal | None:
    return None if micros is None else from_micros(micros)


def _totals(brand: Brand, wanted: Wanted) -> Statement:
    # A month is named by its days' own month (C9, C12).
    months = {day.replace(day=1) for day in wanted.budget_days}
    days = listed([str(day) for day in wanted.budget_days])
    named = (days, listed([str(month) for month in months]))
    is_then = f"""(
        period = 'day' AND starts_on {is_among("date")}
        OR period = 'month' AND starts_on {is_among("date")}"""
    text = f"""
        SELECT NULL, period, starts_on, spent, held FROM core_brandtotal
        WHERE brand_id = %s AND {is_then})
        UNION ALL
        SELECT campaign_id, period, starts_on, spent, held FROM core_campaigntotal
        WHERE campaign_id {is_among("bigint")} AND {is_then} OR period = 'lifetime')
        """  # noqa: S608 (nothing in it comes from outside)
    ids = listed(list(wanted.campaign_ids))
    return Statement(text, (brand.pk, *named, ids, *named))


def _total(row: Row) -> tuple[TotalKey, Counter]:
    owner, period, starts_on, spent, held = row
    return TotalKey(owner, PeriodKind(period), read_date(starts_on)), Counter(spent, held)


def _answers(events: Iterable[EventName]) -> Statement:
    sources, event_ids = zip(*events, strict=True)
    columns = "SELECT e.source, e.event_id, e.fingerprint, e.is_refusal, e.answer"
    if connection.vendor == "sqlite":
        text = f"""{columns} FROM json_each(%s) AS asked
            JOIN core_eventanswer e ON e.source = json_extract(asked.value, '$[0]')
            AND e.event_id = json_extract(asked.value, '$[1]')"""
        return Statement(text, (json.dumps(list(zip(sources, event_ids, strict=True))),))
    text = f"""{columns} FROM unnest(%s::text[], %s::text[]) AS asked(source, event_id)
        JOIN core_eventanswer e USING (source, event_id)"""
    return Statement(text, (listed(sources), listed(event_ids)))


def _answer(row: Row) -> tuple[EventName, FirstAnswer]:
    source, event_id, fingerprint, is_refusal, answer = row
    return (source, event_id), FirstAnswer(fingerprint, bool(is_refusal), json.loads(answer))


def _spend_log_ids(count: int) -> Statement:
    """Numbers that no other entry will have. On SQLite the lock that is held keeps them free."""
    if connection.vendor == "sqlite":
        return Statement("SELECT seq FROM sqlite_sequence WHERE name = 'core_spendlog'")
    sequence = "pg_get_serial_sequence('core_spendlog', 'id')"
    text = f"SELECT nextval({sequence}) FROM generate_series(1, %s)"  # noqa: S608 (a constant)
    return Statement(text, (count,))


def _numbers(rows: Sequence[Row], count: int) -> Sequence[int]:
    if connection.vendor == "sqlite":
        last = rows[0][0] if rows else 0
        return range(last + 1, last + 1 + count)
    return [number for (number,) in rows]
