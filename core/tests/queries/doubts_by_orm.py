"""The ORM's form of `core/queries/doubts.py`, which has to find the same campaigns.

It asks for every fact of every campaign by itself.
"""

from collections import defaultdict
from datetime import datetime

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.db.models.lookups import Exact

from core.enums import PeriodKind, Reason
from core.models import Brand, Campaign, Schedule
from core.queries.totals import find_running_brand_total, find_running_campaign_total
from core.rules.calendar import BrandCalendar

# The weekdays and minutes that brands' clocks show, and the zones in which they do.
Clocks = dict[tuple[int, int], set[str]]


def list_doubtful_by_orm(now: datetime) -> list[tuple[int, int]]:
    """The brand and id of each campaign that has to be judged again, by brand and id."""
    facts = _facts_behind_reasons(now)
    dayparts = Schedule.objects.filter(campaign=OuterRef("pk"))
    facts[Reason.OUTSIDE_SCHEDULE] = _is_outside_schedule(dayparts, _map_clocks(now), now)
    differs = ~Exact(_says(), _should_say(facts))
    doubtful = Campaign.objects.filter(Q(next_change_at__lte=now) | differs, archived_at=None)
    return list(doubtful.order_by("brand_id", "id").values_list("brand_id", "id"))


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
