"""What unattended work looks for: campaigns whose stored verdict may be out of date.

Every statement here is answered from an index or goes through one chunk, reads, and is over soon:
none locks anything, and none loads what needs no change (C26).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from core.models import Brand, Campaign
from core.models.sql import Statement, is_among, listed, run_together, stored_instant
from core.queries.doubts import get_clocks, list_doubtful_campaigns
from core.queries.two_readers import map_two_at_a_time

# Campaigns that one statement gives.
CHUNK = 25_000
# Ids that one statement goes through.
RANGE = 50_000
# Campaigns that one transaction should judge: its brand is locked for much less than 200 ms.
JUDGED_TOGETHER = 25

# A brand and at most `JUDGED_TOGETHER` of its campaigns.
Part = tuple[int, list[int]]
# Where a campaign stands among those that are due: its instant, brand and id.
DuePlace = tuple[datetime, int, int]


def map_due_campaigns(now: datetime) -> Iterator[Part]:
    """Campaigns whose verdict time may have changed by `now`, by brand, in parts (C16).

    One statement for each chunk, and one when nothing is due. Read on after each part was judged.
    """
    after = None
    while chunk := list(find_due_campaigns(now, after)[:CHUNK]):
        yield from _parts((brand_id, campaign_id) for _, brand_id, campaign_id in chunk)
        if len(chunk) < CHUNK:
            return
        after = chunk[-1]


def list_due_campaign_ids(
    brand: Brand, now: datetime, among: Collection[int] | None = None
) -> list[int]:
    """The brand's campaigns, of all or among these, whose verdict time may have changed."""
    # By hand, like the holds that have run out: both are asked before anything is changed.
    text = "SELECT id FROM core_campaign WHERE brand_id = %s AND next_change_at <= %s"
    values = [brand.pk, stored_instant(now)]
    if among is not None:
        text += f" AND id {is_among('bigint')}"
        values.append(listed(list(among)))
    (found,) = run_together([Statement(text, values)])
    return [campaign_id for (campaign_id,) in found]


def find_due_campaigns(
    now: datetime, after: DuePlace | None = None
) -> QuerySet[Campaign, DuePlace]:
    """The places of all campaigns that are due, or of those after one, in their order."""
    due = Campaign.objects.filter(next_change_at__lte=now)
    if after is not None:
        instant, brand_id, campaign_id = after
        rest_of_brand = Q(brand_id=brand_id, id__gt=campaign_id)
        rest_of_instant = Q(next_change_at=instant) & (Q(brand_id__gt=brand_id) | rest_of_brand)
        # The first bound says nothing new; it is the one that an index can follow.
        due = due.filter(
            Q(next_change_at__gt=instant) | rest_of_instant, next_change_at__gte=instant
        )
    place = ("next_change_at", "brand_id", "id")
    return due.order_by(*place).values_list(*place)


def map_doubtful_campaigns(now: datetime) -> Iterator[Part]:
    """Campaigns whose stored reasons aren't those that the facts give, by brand, in parts (C16).

    Goes through all campaigns by id, two statements for each range. Read on after each part was
    judged.
    """
    clocks = get_clocks(now)

    def list_doubtful(ids: range) -> list[tuple[int, int]]:
        return list_doubtful_campaigns(ids, clocks)

    for found in map_two_at_a_time(list_doubtful, list_ranges()):
        yield from _parts(found)


def list_ranges() -> Iterator[range]:
    """Ranges in which all campaigns have their ids, at least one in each."""
    ids = Campaign.objects.order_by("id").values_list("id", flat=True)
    stop = 0
    while (first := ids.filter(id__gte=stop).first()) is not None:
        stop = first + RANGE
        yield range(first, stop)


def _parts(rows: Iterable[tuple[int, int]]) -> Iterator[Part]:
    grouped: defaultdict[int, list[int]] = defaultdict(list)
    for brand_id, campaign_id in rows:
        grouped[brand_id].append(campaign_id)
    for brand_id, ids in grouped.items():
        for start in range(0, len(ids), JUDGED_TOGETHER):
            yield brand_id, ids[start : start + JUDGED_TOGETHER]
