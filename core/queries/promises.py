"""Finds stored facts that contradict the contract; in a sound database there are none.

Nothing here repairs. Each list names the promise with its number and the facts that break it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Lag

from core.enums import HoldState, PeriodKind, Reason
from core.models import (
    Brand,
    BrandTotal,
    BrandVersion,
    Campaign,
    CampaignTotal,
    CampaignVersion,
    Hold,
    PeriodTotal,
    SpendLog,
    Transition,
)
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.campaigns import NO_CAMPAIGNS, map_campaign_counts, map_counted_campaigns
from core.queries.holds import find_expired_holds
from core.rules.verdict import LIFETIME, ZERO, judge


class Promise(StrEnum):
    """What the contract promises, as far as traffic and time can break it."""

    DAYS = "spend counts in the budget day in which it occurred (C9, C11)"
    FULL_DELIVERY = "what fits is admitted, what doesn't is refused with what remains (C8, C18)"
    HISTORY = "the transitions are those that the log and the settings give (C16, C17, C26)"
    HOLDS_CAPTURED = "an open hold can be captured or released (C20)"
    HOLDS_END = "every hold ends when its time is over (C8, C20)"
    NO_SURPRISE = "the rules let nothing through that the database refuses (C7, C18)"
    ONE_ANSWER = "the same event id gets the first answer again (C21)"
    ONLY_ACTIVE = "spend and holds are admitted only while the campaign is active (C18)"
    REFUNDS = "a refund within its entry is taken (C22)"
    REPORTS = "a report is never refused (C19)"
    STATUS_COUNTS = "the status counts what the stored verdicts say (C16)"
    STORED_VERDICTS = "the stored verdict is the judged one (C16)"
    SWITCHES = "only a person changes a person's switch (C15)"
    TOTALS = "the totals are what the log and the open holds add up to (C10, C20)"
    TRANSITIONS = "each change of is_active writes one transition (C17)"
    ZERO_OVERSPEND = "no budget is overspent (C7)"


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """A promise, and the facts that contradict it at `at`."""

    promise: Promise
    at: datetime
    facts: str


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """One total: of a brand or a campaign, in one period."""

    is_of_brand: bool
    owner: int
    period: str
    starts_on: date

    def __str__(self) -> str:
        owner = "brand" if self.is_of_brand else "campaign"
        return f"{owner} {self.owner}, {self.period} {self.starts_on}"


Sums = dict[_Place, Decimal]
# Budgets by the kind of period, and since when they were in force.
Since = tuple[datetime, dict[PeriodKind, Decimal | None]]
# By whether it is a brand's, and by the owner's id.
History = defaultdict[tuple[bool, int], list[Since]]


def list_broken_promises(at: datetime) -> list[BrokenPromise]:
    """Every contradiction among the stored facts; holds whatever the tasks have done till `at`."""
    return [
        *list_wrong_totals(at),
        *list_overspent_periods(at),
        *list_lost_transitions(at),
        *list_wrong_counts(at),
    ]


def list_broken_after_tick(at: datetime) -> list[BrokenPromise]:
    """What all tasks together, having run at `at`, should have left behind and have not."""
    return [*list_wrong_verdicts(at), *list_overdue_holds(at)]


def list_wrong_totals(at: datetime) -> list[BrokenPromise]:
    """Totals that differ from the sums of the log and of open holds (C10)."""
    open_holds = Hold.objects.filter(state=HoldState.OPEN)
    pairs = (
        ("spent", _stored("spent"), _sums(SpendLog.objects.all())),
        ("held", _stored("held"), _sums(open_holds)),
    )
    return [
        BrokenPromise(Promise.TOTALS, at, f"{place}: {column} is {found}, should be {expected}")
        for column, stored, summed in pairs
        for place in sorted(stored.keys() | summed.keys())
        if (found := stored.get(place, ZERO)) != (expected := summed.get(place, ZERO))
    ]


def list_overspent_periods(at: datetime) -> list[BrokenPromise]:
    """Periods that used more than the highest budget they had, besides what was reported over it.

    Needs no order of events: budgets lowered meanwhile and late reports are allowed for (C6, C19).
    """
    uncovered = _sums(SpendLog.objects.exclude(over_budget=0), "over_budget")
    history = _budget_history()
    broken = []
    for place, total in _totals():
        used = total.spent + total.held - uncovered.get(place, ZERO)
        highest = _highest(history[place.is_of_brand, place.owner], total)
        if highest is not None and used > highest:
            facts = f"{place}: {used} used of at most {highest}"
            broken.append(BrokenPromise(Promise.ZERO_OVERSPEND, at, facts))
    return broken


def list_wrong_admissions(campaign_id: int, at: datetime) -> list[BrokenPromise]:
    """What should have refused an `add` or a hold of this campaign that was admitted at `at`.

    To be asked right after it (C7, C18); later, a report or a lower budget may be found, too.
    """
    campaign = Campaign.objects.select_related("brand").get(pk=campaign_id)
    verdict = judge(get_book(campaign.brand, [campaign], [at]).facts(campaign_id), at)
    exceeded = [
        f"{ceiling.amounts.used} used of {ceiling.reason} {ceiling.budget}"
        for ceiling in verdict.ceilings
        if ceiling.amounts.used > ceiling.budget
    ]
    standing = [obstacle.reason for obstacle in verdict.obstacles if not obstacle.ceiling]
    return [
        *(BrokenPromise(Promise.ZERO_OVERSPEND, at, f"{campaign}: {each}") for each in exceeded),
        *(BrokenPromise(Promise.ONLY_ACTIVE, at, f"{campaign}: {each}") for each in standing),
    ]


def list_wrong_verdicts(at: datetime) -> list[BrokenPromise]:
    """Campaigns whose stored verdict isn't the one that the rules give at `at` (C16)."""
    broken = []
    for brand in Brand.objects.filter(archived_at=None).order_by("id"):
        campaigns = list_campaigns_to_judge(brand)
        book = get_book(brand, campaigns, [at])
        for campaign in campaigns:
            judged = judge(book.facts(campaign.pk), at).reasons
            # Beside the end of a flight, other reasons may go stale: time changes nothing more.
            is_over = Reason.ENDED in judged and Reason.ENDED in campaign.reasons
            if campaign.is_active == bool(judged) or (campaign.reasons != judged and not is_over):
                facts = f"{campaign}: stored {_said(campaign.reasons)}, judged {_said(judged)}"
                broken.append(BrokenPromise(Promise.STORED_VERDICTS, at, facts))
    return broken


def list_overdue_holds(at: datetime) -> list[BrokenPromise]:
    """Holds that are open although their time is over (C20)."""
    return [
        BrokenPromise(Promise.HOLDS_END, at, f"hold {hold.pk} is open past {hold.expires_at}")
        for brand in Brand.objects.order_by("id")
        for hold in find_expired_holds(brand, at).order_by("id")
    ]


def list_lost_transitions(at: datetime) -> list[BrokenPromise]:
    """Campaigns of which a change of state was written twice or not at all (C17)."""
    before = Window(Lag("is_active"), partition_by="campaign_id", order_by="id")
    repeated = Transition.objects.annotate(before=before).filter(before=F("is_active"))
    ids = set(repeated.values_list("campaign_id", flat=True))
    latest = Transition.objects.filter(campaign=OuterRef("pk")).order_by("-id")
    campaigns = Campaign.objects.annotate(told=Subquery(latest.values("is_active")[:1]))
    return [
        BrokenPromise(Promise.TRANSITIONS, at, f"{campaign}: the transitions don't alternate")
        for campaign in campaigns.order_by("id")
        if campaign.pk in ids or campaign.told != campaign.is_active
    ]


def list_wrong_counts(at: datetime) -> list[BrokenPromise]:
    """Brands whose counts of campaigns aren't what counting the stored verdicts gives (C16)."""
    counted, stored = map_counted_campaigns(), map_campaign_counts()
    return [
        BrokenPromise(Promise.STATUS_COUNTS, at, f"brand {brand_id}: {found}, should be {expected}")
        for brand_id in sorted(counted.keys() | stored.keys())
        if (found := stored.get(brand_id, NO_CAMPAIGNS))
        != (expected := counted.get(brand_id, NO_CAMPAIGNS))
    ]


def _said(reasons: Sequence[Reason]) -> str:
    return ", ".join(reasons) or "active"


def _totals() -> Iterator[tuple[_Place, PeriodTotal]]:
    for of_brand in BrandTotal.objects.order_by("id"):
        yield _Place(True, of_brand.brand_id, of_brand.period, of_brand.starts_on), of_brand
    for total in CampaignTotal.objects.order_by("id"):
        yield _Place(False, total.campaign_id, total.period, total.starts_on), total


def _stored(column: str) -> Sums:
    return {place: amount for place, total in _totals() if (amount := getattr(total, column))}


def _sums(amounts: QuerySet[SpendLog] | QuerySet[Hold], column: str = "amount") -> Sums:
    """What entries or holds add up to, each in all periods that count it."""
    sums: Sums = defaultdict(Decimal)
    keys = ("brand_id", "campaign_id", "budget_day")
    grouped = amounts.order_by().values_list(*keys).annotate(Sum(column))
    for brand_id, campaign_id, day, amount in grouped:
        for period, starts_on in ((PeriodKind.DAY, day), (PeriodKind.MONTH, day.replace(day=1))):
            sums[_Place(True, brand_id, period, starts_on)] += amount
            sums[_Place(False, campaign_id, period, starts_on)] += amount
        sums[_Place(False, campaign_id, PeriodKind.LIFETIME, LIFETIME.starts_on)] += amount
    return {place: total for place, total in sums.items() if total}


def _budget_history() -> History:
    """The budgets by which brands and campaigns were ever judged, each since when, in order."""
    history: History = defaultdict(list)
    for of_brand in BrandVersion.objects.order_by("brand_id", "number"):
        facts = of_brand.facts
        budgets = {PeriodKind.DAY: facts.daily_budget, PeriodKind.MONTH: facts.monthly_budget}
        history[True, of_brand.brand_id].append((of_brand.at, budgets))
    for version in CampaignVersion.objects.order_by("campaign_id", "number"):
        own = version.facts
        budgets = {
            PeriodKind.DAY: own.daily_budget,
            PeriodKind.MONTH: own.monthly_budget,
            PeriodKind.LIFETIME: own.lifetime_budget,
        }
        history[False, version.campaign_id].append((version.at, budgets))
    return history


def _highest(history: Sequence[Since], total: PeriodTotal) -> Decimal | None:
    """The highest budget since the period began, later ones too (C11); `None` without a ceiling."""
    ends = [*(at for at, _ in history[1:]), datetime.max.replace(tzinfo=UTC)]
    budgets = [
        in_force.get(PeriodKind(total.period))
        for (_, in_force), until in zip(history, ends, strict=False)
        if until > total.starts_at
    ]
    ceilings = [budget for budget in budgets if budget is not None]
    return max(ceilings, default=None) if len(ceilings) == len(budgets) else None
