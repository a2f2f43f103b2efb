"""What an admission has to know of brands, in hand-written SQL and one round trip for all of them.

The ORM's form of the same is `get_book`, `list_campaigns_to_judge` and `map_event_answers`, which
everything else uses; the tests hold both to the same facts.
"""

import json
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from core.enums import PeriodKind, Reason
from core.models import Brand
from core.models.fields import ReasonsField
from core.models.schedule import daypart_of
from core.models.sql import (
    Reading,
    Row,
    Statement,
    is_among,
    listed,
    read_date,
    read_instant,
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
_PERIODS = {kind.value: kind for kind in PeriodKind}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the requests for a brand name: campaigns, days in which they count, events.

    At most `entries` of them are going to be logged and `holds` begun.
    """

    campaign_ids: Set[int]
    budget_days: Set[date]
    events: Collection[EventName]
    entries: int
    holds: int


@dataclass(frozen=True, slots=True)
class FreeIds:
    """Numbers that no other entry of the log and no other hold will have, enough for everybody."""

    spend_logs: Sequence[int]
    holds: Sequence[int]


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
    """A brand as an admission finds it, and numbers for what it may write.

    While `is_due` something has happened by time alone that isn't written down yet.
    """

    is_due: bool
    book: BrandBook
    verdicts: dict[int, StoredVerdict]
    answers: dict[EventName, FirstAnswer]
    free_ids: FreeIds


class AskedStandings:
    """The facts about locked brands on which requests are decided, from the same few statements.

    They may be sent along with the lock, but no sooner: what is read before it may have changed.
    Totals of a day that only another brand's requests name may be among them.
    """

    def __init__(self, wanted: Mapping[int, Wanted], now: datetime) -> None:
        self._wanted = wanted
        self.reading = Reading(_statements(wanted, now))

    def cover(self, brand_id: int, wanted: Wanted) -> bool:
        """Whether all of this is read of the brand."""
        asked = self._wanted[brand_id]
        is_named = asked.campaign_ids >= wanted.campaign_ids
        return is_named and asked.budget_days >= wanted.budget_days

    def of(self, locked: Sequence[Brand]) -> list[Standings]:
        """Of each of these brands, in their order."""
        brands = {brand.pk: brand for brand in locked}
        (beginning,), campaigns, totals, *answers = self.reading.rows()
        is_due = frozenset(_listed_ids(beginning[0]))
        spend_logs = iter(_numbers(beginning[1], sum(w.entries for w in self._wanted.values())))
        holds = iter(_numbers(beginning[2], sum(w.holds for w in self._wanted.values())))
        known = {event: answer for rows in answers for event, answer in map(_answer, rows)}
        found = _found(brands, campaigns, totals)
        return [
            Standings(
                is_due=brand.pk in is_due,
                book=found[brand.pk].book(brand),
                verdicts=found[brand.pk].verdicts,
                answers=known,
                free_ids=FreeIds(
                    tuple(islice(spend_logs, self._wanted[brand.pk].entries)),
                    tuple(islice(holds, self._wanted[brand.pk].holds)),
                ),
            )
            for brand in locked
        ]


class _Found:
    """What the rows say of one brand."""

    __slots__ = ("campaigns", "totals", "verdicts")

    def __init__(self) -> None:
        self.campaigns: dict[int, CampaignFacts] = {}
        self.verdicts: dict[int, StoredVerdict] = {}
        self.totals: dict[TotalKey, Counter] = {}

    def take(self, facts: CampaignFacts, verdict: StoredVerdict) -> None:
        self.campaigns[facts.campaign_id] = facts
        self.verdicts[facts.campaign_id] = verdict

    def book(self, brand: Brand) -> BrandBook:
        return BrandBook(get_brand_facts(brand), self.campaigns, Counters(self.totals))


def _found(
    brands: Mapping[int, Brand], campaigns: Sequence[Row], totals: Sequence[Row]
) -> dict[int, _Found]:
    """What the rows say of each of these brands; there may be rows of others."""
    found = {brand_id: _Found() for brand_id in brands}
    brand_of = {}
    for campaign_id, rows in groupby(campaigns, key=itemgetter(1)):
        of_campaign = tuple(rows)
        brand_id = of_campaign[0][0]
        if brand_id in brands:
            brand_of[campaign_id] = brand_id
            found[brand_id].take(*_campaign(of_campaign, brands[brand_id].archived_at is not None))
    for row in totals:
        brand_id, campaign_id, *_ = row
        owner = brand_id or brand_of.get(campaign_id)
        if owner in found:
            key, counter = _total(row)
            found[owner].totals[key] = counter
    return found


def _statements(wanted: Mapping[int, Wanted], now: datetime) -> list[Statement]:
    """What is sent in one round trip. The first gives one row, the last is there if it has to."""
    vendor = connection.vendor
    texts = _texts(vendor)
    every = wanted.values()
    entries, holds = sum(each.entries for each in every), sum(each.holds for each in every)
    counts = () if vendor == "sqlite" else (entries, holds)
    at, brand_ids = stored_instant(now), listed(list(wanted))
    ids = listed([campaign_id for each in every for campaign_id in each.campaign_ids])
    budget_days = {day for each in every for day in each.budget_days}
    # A month is named by its days' own month (C9, C12).
    months = {day.replace(day=1) for day in budget_days}
    days = (listed([*map(str, budget_days)]), listed([*map(str, months)]))
    events = [event for each in every for event in each.events]
    return [
        # The first to come of each brand is looked at, however many are due: what is prepared is
        # planned for any instant, and would look through all campaigns for those before it.
        Statement(texts.beginning, (brand_ids, at, at, *counts)),
        Statement(texts.campaigns, (brand_ids, ids)),
        Statement(texts.totals, (brand_ids, *days, ids, *days)),
        *([Statement(texts.answers, _named(events))] if events else []),
    ]


class _Texts(NamedTuple):
    """The statements, in the order in which they are sent."""

    beginning: str
    campaigns: str
    totals: str
    answers: str


@cache
def _texts(vendor: str) -> _Texts:
    """The statements as this database words them. Nothing in them comes from outside."""
    free_ids = ", ".join(_free_ids(table, vendor) for table in ("core_spendlog", "core_hold"))
    is_then = f"""(
        period = 'day' AND starts_on {is_among("date")}
        OR period = 'month' AND starts_on {is_among("date")}"""
    asked, named, gathered = _lists(vendor)
    return _Texts(
        beginning=f"""
            SELECT {gathered} FROM {asked} WHERE (
                SELECT expires_at FROM core_hold
                WHERE brand_id = asked.id AND state = 'open'
                ORDER BY expires_at LIMIT 1
            ) <= %s OR (
                SELECT next_change_at FROM core_campaign
                WHERE brand_id = asked.id AND next_change_at IS NOT NULL
                ORDER BY next_change_at LIMIT 1
            ) <= %s), {free_ids}""",  # noqa: S608 (our own words)
        campaigns=f"""
            SELECT c.brand_id, c.id, c.name, c.is_enabled, c.archived_at, c.starts_at, c.ends_at,
                c.daily_budget, c.monthly_budget, c.lifetime_budget,
                c.reasons, c.status_since, c.next_change_at,
                s.weekdays, s.start_minute, s.end_minute
            FROM core_campaign c LEFT JOIN core_schedule s ON s.campaign_id = c.id
            WHERE c.brand_id {is_among("bigint")} AND c.id {is_among("bigint")}
            ORDER BY c.id, s.id""",  # noqa: S608 (our own words)
        totals=f"""
            SELECT brand_id, NULL, period, starts_on, spent, held FROM core_brandtotal
            WHERE brand_id {is_among("bigint")} AND {is_then})
            UNION ALL
            SELECT NULL, campaign_id, period, starts_on, spent, held FROM core_campaigntotal
            WHERE campaign_id {is_among("bigint")} AND {is_then} OR period = 'lifetime')""",  # noqa: S608 (our own words)
        answers=f"""
            SELECT e.source, e.event_id, e.fingerprint, e.is_refusal, e.answer
            FROM {named} JOIN core_eventanswer e
            ON e.source = asked.source AND e.event_id = asked.event_id""",  # noqa: S608 (our own words)
    )


def _lists(vendor: str) -> tuple[str, str, str]:
    """Ids that are asked about, names of events that are, and the beginning of an array of ids."""
    if vendor == "sqlite":
        return (
            "(SELECT value AS id FROM json_each(%s)) AS asked",
            """(
            SELECT json_extract(value, '$[0]') AS source, json_extract(value, '$[1]') AS event_id
            FROM json_each(%s)) AS asked""",
            "(SELECT json_group_array(asked.id)",
        )
    return (
        "unnest(%s::bigint[]) AS asked(id)",
        "unnest(%s::text[], %s::text[]) AS asked(source, event_id)",
        "ARRAY(SELECT asked.id",
    )


def _named(events: Collection[EventName]) -> Sequence[str]:
    if connection.vendor == "sqlite":
        return (json.dumps(list(events)),)
    sources, event_ids = zip(*events, strict=True)
    return listed(sources), listed(event_ids)


def _free_ids(table: str, vendor: str) -> str:
    """What gives free numbers of a table: so many, or on SQLite the last one taken."""
    if vendor == "sqlite":
        # The lock that is held keeps all above it free.
        return f"(SELECT seq FROM sqlite_sequence WHERE name = '{table}')"  # noqa: S608 (our own)
    return f"ARRAY(SELECT nextval('{table}_id_seq') FROM generate_series(1, %s))"  # noqa: S608 (our own)


def _listed_ids(found: Any) -> list[int]:
    """The ids in an array, which on SQLite is a JSON text."""
    ids: list[int] = json.loads(found) if isinstance(found, str) else found
    return ids


def _numbers(found: Any, count: int) -> Sequence[int]:
    if connection.vendor == "sqlite":
        last = found or 0
        return range(last + 1, last + 1 + count)
    numbers: list[int] = found
    return numbers


@lru_cache(maxsize=2_048)
def _campaign(
    rows: tuple[Row, ...], is_brand_archived: bool
) -> tuple[CampaignFacts, StoredVerdict]:
    """One campaign from its rows, of which it has one for each daypart.

    Read under every lock, the rows are mostly those of the time before.
    """
    _, campaign_id, name, is_enabled, archived_at, starts_at, ends_at, *rest = rows[0]
    *budgets, reasons, since, next_change_at = rest[:-3]
    daily, monthly, lifetime = map(_money, budgets)
    facts = CampaignFacts(
        campaign_id=campaign_id,
        is_enabled=bool(is_enabled),
        is_archived=bool(archived_at) or is_brand_archived,
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


def _total(row: Row) -> tuple[TotalKey, Counter]:
    _, owner, period, starts_on, spent, held = row
    return TotalKey(owner, _PERIODS[period], read_date(starts_on)), Counter(spent, held)


def _answer(row: Row) -> tuple[EventName, FirstAnswer]:
    source, event_id, fingerprint, is_refusal, answer = row
    return (source, event_id), FirstAnswer(fingerprint, bool(is_refusal), json.loads(answer))
