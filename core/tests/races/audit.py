"""The audit that every race ends with: log, holds, totals, verdicts, transitions tell one story."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from core.enums import HoldState, PeriodKind, SpendKind
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, Hold, SpendLog
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.checks.verdicts import list_wrong_counts
from core.queries.verification import list_broken_promises
from core.rules.verdict import LIFETIME, judge
from core.tests.races.promises import Promise, demand, demand_equal

# By owner, kind of period and first day of the period.
PeriodSums = dict[tuple[int, str, date], Decimal]


def audit(at: datetime) -> None:
    """Demand that every record agrees with every other at `at`."""
    demand_captures_are_of_holds()
    demand_refunds_are_covered()
    demand_totals_are_the_log()
    demand_verdicts_are_stored(at)
    demand_transitions_alternate()
    demand_campaigns_are_counted(at)


def demand_campaigns_are_counted(at: datetime) -> None:
    """The counts of every brand are what its campaigns' stored verdicts add up to (C16)."""
    wrong = list_broken_promises(at, [list_wrong_counts])
    demand(not wrong, Promise.CAMPAIGNS_ARE_COUNTED, f"{[each.facts for each in wrong]}")


def demand_captures_are_of_holds() -> None:
    """A captured hold has one entry, of at most its amount and in its day; no other has (C20)."""
    captured = Hold.objects.filter(state=HoldState.CAPTURED).select_related("spend_log")
    entries = [hold.spend_log for hold in captured if hold.spend_log]
    logged = Counter(SpendLog.objects.filter(kind=SpendKind.CAPTURE).values_list("id", flat=True))
    demand_equal(Counter(entry.pk for entry in entries), logged, Promise.HOLDS_END_ONCE)
    others = Hold.objects.exclude(state=HoldState.CAPTURED).exclude(spend_log=None)
    demand_equal(others.count(), 0, Promise.HOLDS_END_ONCE)
    for hold, entry in zip(captured, entries, strict=True):
        demand(entry.amount <= hold.amount, Promise.HOLDS_END_ONCE, f"{entry} of {hold}")
        counts_in = (entry.campaign_id, entry.budget_day)
        demand_equal(counts_in, (hold.campaign_id, hold.budget_day), Promise.HOLDS_END_ONCE)


def demand_refunds_are_covered() -> None:
    """What was taken back of an entry is at most what it was, and in its day (C22)."""
    left: dict[int, Decimal] = {}
    for refund in SpendLog.objects.filter(kind=SpendKind.REFUND).select_related("refund_of"):
        entry = refund.refund_of
        if entry is None:
            continue  # The database refuses it: `spend_is_positive_or_a_refund`.
        left[entry.pk] = left.get(entry.pk, entry.amount) + refund.amount
        counts_in = (refund.campaign_id, refund.budget_day)
        demand_equal(counts_in, (entry.campaign_id, entry.budget_day), Promise.REFUNDS_ARE_COVERED)
    overdrawn = {entry_id: rest for entry_id, rest in left.items() if rest < 0}
    demand(not overdrawn, Promise.REFUNDS_ARE_COVERED, f"left of entries: {overdrawn}")


def demand_totals_are_the_log() -> None:
    """Every day, month and lifetime stores what the log and the open holds add up to (C10, C25)."""
    demand_equal(_stored("spent"), _sums(SpendLog.objects.all()), Promise.TOTALS_ARE_THE_LOG)
    open_holds = Hold.objects.filter(state=HoldState.OPEN)
    demand_equal(_stored("held"), _sums(open_holds), Promise.TOTALS_ARE_THE_LOG)


def _stored(column: str) -> tuple[PeriodSums, PeriodSums]:
    """What the totals say that isn't nothing: of brands, and of campaigns."""
    of_brands: PeriodSums = {
        (total.brand_id, total.period, total.starts_on): getattr(total, column)
        for total in BrandTotal.objects.exclude(**{column: 0})
    }
    of_campaigns: PeriodSums = {
        (total.campaign_id, total.period, total.starts_on): getattr(total, column)
        for total in CampaignTotal.objects.exclude(**{column: 0})
    }
    return of_brands, of_campaigns


def _sums(amounts: Iterable[SpendLog | Hold]) -> tuple[PeriodSums, PeriodSums]:
    """What entries or holds add up to, each in all periods that count it."""
    of_brands: PeriodSums = defaultdict(Decimal)
    of_campaigns: PeriodSums = defaultdict(Decimal)
    for each in amounts:
        day, month = each.budget_day, each.budget_day.replace(day=1)
        for period, starts_on in ((PeriodKind.DAY, day), (PeriodKind.MONTH, month)):
            of_brands[each.brand_id, period, starts_on] += each.amount
            of_campaigns[each.campaign_id, period, starts_on] += each.amount
        of_campaigns[each.campaign_id, PeriodKind.LIFETIME, LIFETIME.starts_on] += each.amount
    return _without_zeros(of_brands), _without_zeros(of_campaigns)


def _without_zeros(sums: PeriodSums) -> PeriodSums:
    return {key: total for key, total in sums.items() if total}


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
