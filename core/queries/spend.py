"""Reads of spend: whose it is, first answers to event ids, and the log in pages."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_

from django.db.models import BigIntegerField, Q, QuerySet, Sum

from core.enums import SpendKind
from core.models import Brand, Campaign, EventAnswer, Hold, SpendLog
from core.models.sql import Statement, is_among, listed, run_together
from core.queries.orderings import list_in_order
from core.rules.ordering import KeyKind, Ordering, Place, orderings

# Not oldest first by id: entries of two brands may be committed in another order than they were
# numbered, and whoever read ahead would never see the late one.
SPEND_LOG_ORDERINGS = {
    "-id": Ordering("-id", KeyKind.ID),
    **orderings(occurred_at=KeyKind.INSTANT),
}


def map_to_brands(
    model: type[Campaign] | type[Hold] | type[SpendLog],
    row_ids: Collection[int],
) -> dict[int, int]:
    """The brand of each of these rows that exists."""
    if not row_ids:
        return {}
    # A path may name any number; a list of them must be one of 64-bit numbers.
    possible = [row_id for row_id in row_ids if row_id <= BigIntegerField.MAX_BIGINT]
    table = model._meta.db_table
    text = f"SELECT id, brand_id FROM {table} WHERE id {is_among('bigint')}"  # noqa: S608 (our own words)
    (rows,) = run_together([Statement(text, (listed(possible),))])
    return dict(rows)


def map_entries_to_refund(brand: Brand, spend_log_ids: Collection[int]) -> dict[int, SpendLog]:
    """Those of the named entries that are the brand's, with `refunded`: their refunds' sum."""
    if not spend_log_ids:
        return {}
    entries = SpendLog.objects.filter(brand=brand).annotate(refunded=Sum("refunds__amount"))
    return dict(entries.in_bulk(spend_log_ids))


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

    Newest first, inserts never move a page that was read. Each order is that of an index; a
    campaign, a brand or a day narrows it to a range of one, everything else sifts what is read.
    """
    conditions = {
        "brand_id__in": chosen.brand_ids,
        "campaign_id": chosen.campaign_id,
        "brand_id": chosen.brand_id,
        "budget_day": chosen.budget_day,
        "occurred_at__gte": chosen.occurred_from,
        "occurred_at__lt": chosen.occurred_until,
        "kind": chosen.kind,
        "event_id": chosen.event_id,
    }
    named = {name: value for name, value in conditions.items() if value is not None}
    entries = SpendLog.objects.filter(**named)
    if chosen.is_over_budget is not None:
        is_covered = Q(over_budget=0)
        entries = entries.filter(~is_covered if chosen.is_over_budget else is_covered)
    in_order = list_in_order(entries, chosen.ordering, chosen.after)
    return in_order.select_related("brand", "campaign")
