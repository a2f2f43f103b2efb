"""What unattended work looks for: brands and campaigns whose stored verdict may be out of date.

Every query here is answered from an index or is one set-based statement, so that a tick costs
what there is to change, not what exists (C26).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, Q, QuerySet

from core.enums import PeriodKind, Reason
from core.models import Brand, Campaign, names_reason
from core.queries.totals import find_running_brand_total, find_running_campaign_total


def map_due_campaigns(now: datetime) -> dict[int, list[int]]:
    """Campaigns whose verdict time may have changed by `now`, by brand (C16)."""
    return _by_brand(Campaign.objects.filter(next_change_at__lte=now))


def list_due_campaign_ids(brand: Brand, now: datetime) -> list[int]:
    """The brand's campaigns whose verdict time may have changed by `now`."""
    due = Campaign.objects.filter(brand=brand, next_change_at__lte=now)
    return list(due.values_list("id", flat=True))


def map_doubtful_campaigns(now: datetime) -> dict[int, list[int]]:
    """Campaigns whose stored reasons don't agree with switches and totals, by brand (C16).

    One statement compares every stored reason with the fact behind it.
    """
    has_ended = Q(ends_at__isnull=False, ends_at__lte=now)
    closed = names_reason(Reason.OUTSIDE_SCHEDULE)
    # A schedule that is closed always opens again.
    doubtful = Q(next_change_at__lte=now) | (closed & Q(next_change_at=None) & ~has_ended)
    for reason, fact in _facts_behind_reasons(now).items():
        says_so = names_reason(reason)
        doubtful |= (says_so & ~fact) | (~says_so & fact)
    return _by_brand(Campaign.objects.filter(doubtful, archived_at=None))


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
        Reason.CAMPAIGN_DAILY_BUDGET: ("campaign__daily_budget", of_campaign(day, now)),
        Reason.CAMPAIGN_MONTHLY_BUDGET: ("campaign__monthly_budget", of_campaign(month, now)),
        Reason.CAMPAIGN_LIFETIME_BUDGET: ("campaign__lifetime_budget", of_campaign(lifetime, now)),
    }
    for reason, (budget, totals) in budgets.items():
        is_used_up = Exists(totals.filter(**{f"{budget}__lte": F("spent") + F("held")}))
        facts[reason] = Q(**{budget.removeprefix("campaign__"): 0}) | Q(is_used_up)
    return facts


def _by_brand(campaigns: QuerySet[Campaign]) -> dict[int, list[int]]:
    grouped: defaultdict[int, list[int]] = defaultdict(list)
    rows: Iterable[tuple[int, int]] = campaigns.order_by("brand_id", "id").values_list(
        "brand_id", "id"
    )
    for brand_id, campaign_id in rows:
        grouped[brand_id].append(campaign_id)
    return dict(grouped)
