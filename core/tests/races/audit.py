"""The audit that every race ends with: log, totals, verdicts and transitions tell one story."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from core.enums import PeriodKind
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, SpendLog
from core.queries.books import get_book, list_campaigns_to_judge
from core.rules.verdict import LIFETIME, judge
from core.tests.races.promises import Promise, demand, demand_equal

# By owner, kind of period and first day of the period.
PeriodSums = dict[tuple[int, str, date], Decimal]


def audit(at: datetime) -> None:
    """Demand that every record agrees with every other at `at`."""
    demand_totals_are_the_log()
    demand_verdicts_are_stored(at)
    demand_transitions_alternate()


def demand_totals_are_the_log() -> None:
    """The stored totals of every day, month and lifetime are the sums of the log (C10, C25)."""
    of_brands, of_campaigns = _sums_of_the_log()
    brand_totals = BrandTotal.objects.exclude(spent=0)
    stored_of_brands = {(t.brand_id, t.period, t.starts_on): t.spent for t in brand_totals}
    demand_equal(stored_of_brands, of_brands, Promise.TOTALS_ARE_THE_LOG)
    campaign_totals = CampaignTotal.objects.exclude(spent=0)
    stored_of_campaigns = {(t.campaign_id, t.period, t.starts_on): t.spent for t in campaign_totals}
    demand_equal(stored_of_campaigns, of_campaigns, Promise.TOTALS_ARE_THE_LOG)


def _sums_of_the_log() -> tuple[PeriodSums, PeriodSums]:
    of_brands: PeriodSums = defaultdict(Decimal)
    of_campaigns: PeriodSums = defaultdict(Decimal)
    for entry in SpendLog.objects.all():
        day, month = entry.budget_day, entry.budget_day.replace(day=1)
        for period, starts_on in ((PeriodKind.DAY, day), (PeriodKind.MONTH, month)):
            of_brands[entry.brand_id, period, starts_on] += entry.amount
            of_campaigns[entry.campaign_id, period, starts_on] += entry.amount
        lifetime = (entry.campaign_id, PeriodKind.LIFETIME, LIFETIME.starts_on)
        of_campaigns[lifetime] += entry.amount
    return dict(of_brands), dict(of_campaigns)


def demand_verdicts_are_stored(at: datetime) -> None:
    """Every campaign's stored verdict is the one that the rules give at `at` (C16)."""
    for brand in Brand.objects.all():
        campaigns = list_campaigns_to_judge(brand)
        book = get_book(brand, campaigns, [at])
        for campaign in campaigns:
            verdict = judge(book.facts(campaign.pk), at)
            stored = (campaign.name, campaign.is_active, campaign.reasons)
            judged = (campaign.name, verdict.is_active, verdict.reasons)
            demand_equal(stored, judged, Promise.STORED_VERDICTS)


def demand_transitions_alternate() -> None:
    """Every change of `is_active` was written once, and the last one is what is stored (C17)."""
    for campaign in Campaign.objects.all():
        states = [t.is_active for t in campaign.transitions.order_by("id")]
        demand(
            all(before != after for before, after in pairwise(states)),
            Promise.STORED_VERDICTS,
            f"the transitions of {campaign} don't alternate: {states}",
        )
        demand_equal(states[-1:], [campaign.is_active], Promise.STORED_VERDICTS)
