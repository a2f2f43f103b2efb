"""What unattended work looks for: campaigns whose stored verdict may be out of date.

Every statement here is answered from an index or goes through one chunk, reads, and is over soon:
none locks anything, and none loads what needs no change (C26).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db.models import Case, CharField, Exists, F, Max, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.db.models.lookups import Exact

from core.enums import PeriodKind, Reason
from core.models import Brand, Campaign, Schedule
from core.queries.totals import find_running_brand_total, find_running_campaign_total
from core.rules.calendar import BrandCalendar

# Campaigns that one statement goes through or gives.
CHUNK = 10_000
# Campaigns that one transaction should judge: its brand is locked for much less than 200 ms.
JUDGED_TOGETHER = 25

# A brand and at most `JUDGED_TOGETHER` of its campaigns.
Part = tuple[int, list[int]]
# Where a campaign stands among those that are due: its instant, brand and id.
DuePlace = tuple[datetime, int, int]
# The weekdays and minutes that brands' clocks show, and the zones in which they do.
Clocks = dict[tuple[int, int], set[str]]


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
    due = Campaign.objects.filter(brand=brand, next_change_at__lte=now)
    if among is not None:
        due = due.filter(id__in=among)
    return list(due.values_list("id", flat=True))


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

    Goes through all campaigns by id, two statements for each chunk. Read on after each part was
    judged.
    """
    clocks = _map_clocks(now)
    after = 0
    while until := find_last_of_chunk(after):
        facts = _facts_behind_reasons(now)
        dayparts = Schedule.objects.filter(
            # The bounds say nothing new; without them PostgreSQL would read all dayparts.
            campaign=OuterRef("pk"),
            campaign_id__gt=after,
            campaign_id__lte=until,
        )
        facts[Reason.OUTSIDE_SCHEDULE] = _is_outside_schedule(dayparts, clocks, now)
        chunk = Campaign.objects.filter(id__gt=after, id__lte=until, archived_at=None)
        differs = ~Exact(_says(), _should_say(facts))
        doubtful = chunk.filter(Q(next_change_at__lte=now) | differs)
        yield from _parts(doubtful.order_by("brand_id", "id").values_list("brand_id", "id"))
        after = until


def find_last_of_chunk(after: int) -> int | None:
    """The last id of the chunk of campaigns that follows this id; none if that was the last."""
    chunk = Campaign.objects.filter(id__gt=after).order_by("id")[:CHUNK]
    last: int | None = chunk.aggregate(last=Max("id"))["last"]
    return last


def _says() -> Case:
    """The stored reasons as `,code,code,` with a comma where there are none."""
    return Case(When(reasons="", then=Value(",")), default=F("reasons"), output_field=CharField())


def _should_say(facts: dict[Reason, Q]) -> Concat:
    """The reasons by the facts in the same form: one text, so that each is looked up once."""
    named = [
        Case(When(facts[reason], then=Value(f"{reason},")), default=Value("")) for reason in Reason
    ]
    return Concat(Value(","), *named, output_field=CharField())


def _facts_behind_reasons(now: datetime) -> dict[Reason, Q]:
    facts = {
        Reason.BRAND_DISABLED: Q(brand__is_enabled=False),
        Reason.CAMPAIGN_DISABLED: Q(is_enabled=False),
        Reason.NOT_STARTED: Q(starts_at__isnull=False, starts_at__gt=now),
        Reason.ENDED: Q(ends_at__isnull=False, ends_at__lte=now),
    }
    day, month, lifetime = PeriodKind
    of_brand, of_campaign = find_running_brand_total, find_running_campaign_total
    budgets = {
        Reason.BRAND_DAILY_BUDGET: ("brand__daily_budget", of_brand(day, now)),
        Reason.BRAND_MONTHLY_BUDGET: ("brand__monthly_budget", of_brand(month, now)),
        Reason.CAMPAIGN_DAILY_BUDGET: ("daily_budget", of_campaign(day, now)),
        Reason.CAMPAIGN_MONTHLY_BUDGET: ("monthly_budget", of_campaign(month, now)),
        Reason.CAMPAIGN_LIFETIME_BUDGET: ("lifetime_budget", of_campaign(lifetime, now)),
    }
    for reason, (budget, totals) in budgets.items():
        used = totals.alias(used=F("spent") + F("held"))
        is_used_up = Exists(used.filter(used__gte=OuterRef(budget)))
        # Without a budget no total is looked up.
        has_budget = Q(**{f"{budget}__isnull": False})
        facts[reason] = Q(has_budget, Q(**{budget: 0}) | Q(is_used_up))
    return facts


def _is_outside_schedule(dayparts: QuerySet[Schedule], clocks: Clocks, now: datetime) -> Q:
    """There are dayparts, and none is open by the clock of the brand (C13)."""
    is_open = Q(pk=None)
    moves_later = Q(brand__time_zone_changes_at__gt=now)
    for (weekday, minute), zones in clocks.items():
        was_there = moves_later & Q(brand__previous_time_zone__in=zones)
        is_there = ~moves_later & Q(brand__time_zone__in=zones)
        open_then = Exists(_find_open(dayparts, weekday, minute))
        is_open |= Q(was_there | is_there, open_then)
    return Q(Exists(dayparts), ~is_open)


def _map_clocks(now: datetime) -> Clocks:
    brands = Brand.objects.order_by().values_list(
        "time_zone", "previous_time_zone", "time_zone_changes_at"
    )
    clocks: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for calendar in (BrandCalendar(*row) for row in brands.distinct()):
        local = calendar.local(now)
        clocks[local.weekday(), local.hour * 60 + local.minute].add(calendar.zone_at(now))
    return dict(clocks)


def _find_open(dayparts: QuerySet[Schedule], weekday: int, minute: int) -> QuerySet[Schedule]:
    today, yesterday = 1 << weekday, 1 << (weekday - 1) % 7
    goes_past_midnight = Q(end_minute__lte=F("start_minute"))
    began_today = Q(on_today__gt=0, start_minute__lte=minute) & (
        Q(end_minute__gt=minute) | goes_past_midnight
    )
    began_yesterday = Q(on_yesterday__gt=0, end_minute__gt=minute) & goes_past_midnight
    days = {
        "on_today": F("weekdays").bitand(today),
        "on_yesterday": F("weekdays").bitand(yesterday),
    }
    return dayparts.alias(**days).filter(began_today | began_yesterday)


def _parts(rows: Iterable[tuple[int, int]]) -> Iterator[Part]:
    grouped: defaultdict[int, list[int]] = defaultdict(list)
    for brand_id, campaign_id in rows:
        grouped[brand_id].append(campaign_id)
    for brand_id, ids in grouped.items():
        for start in range(0, len(ids), JUDGED_TOGETHER):
            yield brand_id, ids[start : start + JUDGED_TOGETHER]
