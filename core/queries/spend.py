"""Reads of spend: whose it is, first answers to event ids, and the log in pages."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BigIntegerField, Q, QuerySet, Sum

from core.enums import SpendKind
from core.models import Campaign, EventAnswer, Hold, SpendLog
from core.models.sql import Reading, Statement, in_index_order, is_among, listed
from core.queries.orderings import (
    Page,
    Stretch,
    get_merged_page,
    get_page,
    list_brands_apart,
    list_in_order,
    list_sifted,
)
from core.rules.ordering import KeyKind, Ordering, Place, orderings

# Not oldest first by id: entries of two brands may be committed in another order than they were
# numbered, and whoever read ahead would never see the late one.
SPEND_LOG_ORDERINGS = {
    "-id": Ordering("-id", KeyKind.ID),
    **orderings(occurred_at=KeyKind.INSTANT),
}
# A budget day begins or ends at most so far from midnight UTC of its date, zone changes included.
FARTHEST_FROM_UTC = timedelta(days=2)
# What a request may name that belongs to a brand.
Named = Campaign | Hold | SpendLog


class BrandsOf:
    """Whose brand campaigns, holds and entries of the log are: one query for each table named."""

    def __init__(self, row_ids: Mapping[type[Named], Collection[int]]) -> None:
        self._models = [model for model, ids in row_ids.items() if ids]
        self.reading = Reading([_to_brands(model, row_ids[model]) for model in self._models])

    def mapped(self) -> dict[type[Named], dict[int, int]]:
        """The brand of each row that exists, by table and id."""
        pairs = zip(self._models, self.reading.rows(), strict=True)
        return {model: dict(rows) for model, rows in pairs}


def _to_brands(model: type[Named], row_ids: Collection[int]) -> Statement:
    # A path may name any number; a list of them must be one of 64-bit numbers.
    possible = [row_id for row_id in row_ids if row_id <= BigIntegerField.MAX_BIGINT]
    text = f"SELECT id, brand_id FROM {model._meta.db_table} WHERE id {is_among('bigint')}"  # noqa: S608 (our own words)
    return Statement(text, (listed(possible),))


def map_entries_to_refund(
    brand_ids: Collection[int], spend_log_ids: Collection[int]
) -> dict[int, SpendLog]:
    """Those of the named entries that are these brands', with `refunded`: their refunds' sum."""
    if not spend_log_ids:
        return {}
    entries = SpendLog.objects.filter(brand__in=brand_ids)
    return dict(entries.annotate(refunded=Sum("refunds__amount")).in_bulk(spend_log_ids))


def map_event_answers(events: Iterable[tuple[str, str]]) -> dict[tuple[str, str], EventAnswer]:
    """The first answers to these events, each named by its source and id, if there are (C21)."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for source, event_id in events:
        ids[source].add(event_id)
    if not ids:
        return {}
    named = [Q(source=source, event_id__in=event_ids) for source, event_ids in ids.items()]
    found = EventAnswer.objects.filter(reduce(or_, named))
    return {(answer.source, answer.event_id): answer for answer in found}


@dataclass(frozen=True, slots=True)
class SpendLogFilter:
    """Which entries a page of the log shows and in which order; `None` means any.

    `occurred_from` is included and `occurred_until` is not. `is_over_budget` asks for entries of
    which no budget covered a part, or for the others. `after` is where the page before ended.
    """

    brand_ids: Collection[int] | None = None
    campaign_id: int | None = None
    brand_id: int | None = None
    budget_day: date | None = None
    occurred_from: datetime | None = None
    occurred_until: datetime | None = None
    kind: SpendKind | None = None
    event_id: str | None = None
    is_over_budget: bool | None = None
    ordering: Ordering = SPEND_LOG_ORDERINGS["-id"]
    after: Place | None = None


def list_spend_logs(chosen: SpendLogFilter) -> QuerySet[SpendLog]:
    """Entries of the log with the names of brand and campaign.

    Newest first, inserts never move a page that was read.
    """
    rows, _ = _sift(chosen)
    return list_in_order(rows, chosen.ordering, chosen.after)


def get_spend_log_page(chosen: SpendLogFilter, count: int) -> Page[SpendLog]:
    """Up to `count` entries of the log, and the place from which to read on, if there are more.

    A campaign, a brand, a day and, in the order of `occurred_at`, a span are a range of an index;
    everything else sifts what such a range gives, so that a page may be short before the end.
    """
    stretch = Stretch(chosen.ordering, chosen.after, count)
    owners = _by_owner(chosen)
    # The few entries of an event id have no order to be read in.
    with in_index_order() if chosen.event_id is None else nullcontext():
        pages = [get_page(*_sift(each), stretch) for each in owners]
    return get_merged_page(pages, stretch)


def _by_owner(chosen: SpendLogFilter) -> list[SpendLogFilter]:
    """The same for the one campaign, or for each of the brands, if there is anything to see.

    Nothing else is read: a cursor tells where the reading ended (C29).
    """
    brand_ids = chosen.brand_ids
    if chosen.brand_id is not None:
        brand_ids = {chosen.brand_id} if brand_ids is None else {chosen.brand_id} & set(brand_ids)
    if brand_ids is None:
        return [chosen]
    if chosen.campaign_id is not None:
        is_seen = Campaign.objects.filter(pk=chosen.campaign_id, brand_id__in=brand_ids).exists()
        return [replace(chosen, brand_id=None, brand_ids=None)] if is_seen else []
    return [
        replace(chosen, brand_id=brand_id, brand_ids=several)
        for brand_id, several in list_brands_apart(brand_ids)
    ]


def _sift(chosen: SpendLogFilter) -> tuple[QuerySet[SpendLog], QuerySet[SpendLog] | None]:
    """The chosen entries, and the range of an index that they are sifted out of, if they are."""
    limits: dict[str, Any] = {
        "brand_id__in": chosen.brand_ids,
        "brand_id": chosen.brand_id,
        "campaign_id": chosen.campaign_id,
    }
    span = {"occurred_at__gte": chosen.occurred_from, "occurred_at__lt": chosen.occurred_until}
    sifting: dict[str, Any] = {"budget_day": chosen.budget_day, "kind": chosen.kind}
    if chosen.is_over_budget is not None:
        sifting["over_budget__gt" if chosen.is_over_budget else "over_budget"] = 0
    if chosen.event_id is not None:
        sifting |= span | limits
        limits = {"pk__in": _list_entries_of_event(chosen.event_id)}
    elif chosen.ordering.kind is KeyKind.INSTANT:
        limits |= span
    else:
        sifting |= span
        limits |= {} if _named(limits) else _take_what_is_indexed(sifting)
    entries = SpendLog.objects.select_related("brand", "campaign")
    among = entries.filter(*_within_day(chosen), **_named(limits))
    rows = list_sifted(among, _named(sifting))
    return rows, among if _named(sifting) and chosen.event_id is None else None


def _list_entries_of_event(event_id: str) -> list[int]:
    """The entries of this event id: each source may have one (C21).

    The first answers have an index of event ids, and no entry pays for another one.
    """
    answers = EventAnswer.objects.filter(event_id=event_id, is_refusal=False)
    found = answers.values_list("answer__spend_log_id", flat=True)
    return [row_id for row_id in found if row_id is not None]


def _take_what_is_indexed(sifting: dict[str, Any]) -> dict[str, Any]:
    """The one of these conditions that an index serves in the order of ids, taken out of them."""
    is_indexed = {
        "budget_day": sifting["budget_day"] is not None,
        "over_budget__gt": "over_budget__gt" in sifting,
        "kind": sifting["kind"] is SpendKind.REFUND,
    }
    return next(({name: sifting.pop(name)} for name, is_so in is_indexed.items() if is_so), {})


def _within_day(chosen: SpendLogFilter) -> Iterator[Q]:
    """What follows from a day and says nothing new, but what the index of the order can follow."""
    day = chosen.budget_day
    if day is None or chosen.event_id is not None:
        return
    if chosen.ordering.kind is KeyKind.INSTANT:
        midnight = datetime.combine(day, time.min, UTC)
        yield Q(occurred_at__gte=midnight - FARTHEST_FROM_UTC)
        yield Q(occurred_at__lt=midnight + timedelta(days=1) + FARTHEST_FROM_UTC)
    elif (chosen.campaign_id, chosen.brand_id, chosen.brand_ids) != (None, None, None):
        ids = SpendLog.objects.filter(budget_day=day).order_by("id").values_list("id", flat=True)
        yield Q(id__gte=ids.first() or 0, id__lte=ids.last() or 0)


def _named(conditions: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value is not None}
