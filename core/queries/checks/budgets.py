"""Whether more was used than budgets allowed (C7)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from core.enums import PeriodKind
from core.models import (
    BrandTotal,
    BrandVersion,
    Campaign,
    CampaignTotal,
    CampaignVersion,
    PeriodTotal,
    SpendLog,
)
from core.queries.books import get_book
from core.queries.promises import MOST_TOLD, BrokenPromise, Look, Promise
from core.rules.money import format_money
from core.rules.verdict import LIFETIME, ZERO, judge

# Campaigns whose totals are gone through together.
CHUNK = 100
# Budgets by the kind of period, and since when they were in force.
Since = tuple[datetime, Mapping[PeriodKind, Decimal | None]]
# What reports went over budgets, by period.
Uncovered = Mapping[tuple[str, date], Decimal]


def list_overspent_periods(look: Look) -> list[BrokenPromise]:
    """Periods that used more than the highest budget they had, besides what was reported over it.

    Needs no order of events: budgets lowered meanwhile and late reports are allowed for (C6, C19).
    """
    return [*_overspent_of_brand(look), *_overspent_of_campaigns(look)][:MOST_TOLD]


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


def _overspent_of_brand(look: Look) -> Iterator[BrokenPromise]:
    history: list[Since] = []
    for version in BrandVersion.objects.filter(brand=look.brand).order_by("number"):
        facts = version.facts
        budgets = {PeriodKind.DAY: facts.daily_budget, PeriodKind.MONTH: facts.monthly_budget}
        history.append((version.at, budgets))
    totals = BrandTotal.objects.filter(brand=look.brand)
    entries = SpendLog.objects.filter(brand=look.brand)
    yield from _overspent(look, f"brand {look.brand.pk}", history, totals=totals, entries=entries)


def _overspent_of_campaigns(look: Look) -> Iterator[BrokenPromise]:
    ids = Campaign.objects.filter(brand=look.brand).order_by("id").values_list("id", flat=True)
    after = 0
    while chunk := list(ids.filter(id__gt=after)[:CHUNK]):
        for campaign_id, history in _histories(chunk).items():
            totals = CampaignTotal.objects.filter(campaign=campaign_id)
            entries = SpendLog.objects.filter(campaign=campaign_id)
            owner = f"campaign {campaign_id}"
            yield from _overspent(look, owner, history, totals=totals, entries=entries)
        after = chunk[-1]


def _histories(campaign_ids: Sequence[int]) -> dict[int, list[Since]]:
    """The budgets of those campaigns that ever had one, each since when, in order."""
    histories: dict[int, list[Since]] = {}
    versions = CampaignVersion.objects.filter(campaign__in=campaign_ids)
    for version in versions.order_by("campaign_id", "number"):
        own = version.facts
        budgets = {
            PeriodKind.DAY: own.daily_budget,
            PeriodKind.MONTH: own.monthly_budget,
            PeriodKind.LIFETIME: own.lifetime_budget,
        }
        histories.setdefault(version.campaign_id, []).append((version.at, budgets))
    return {
        campaign_id: history
        for campaign_id, history in histories.items()
        if any(any(budgets.values()) or ZERO in budgets.values() for _, budgets in history)
    }


def _overspent(
    look: Look,
    owner: str,
    history: Sequence[Since],
    *,
    totals: QuerySet[BrandTotal] | QuerySet[CampaignTotal],
    entries: QuerySet[SpendLog],
) -> Iterator[BrokenPromise]:
    uncovered = _uncovered(entries)
    for total in totals.order_by("id").iterator(chunk_size=2_000):
        highest = _highest(history, total)
        look.count("budgets", highest is not None)
        over = uncovered.get((total.period, total.starts_on), ZERO)
        used = total.spent + total.held - over
        if highest is not None and used > highest:
            place = f"{owner}, {total.period} {total.starts_on}"
            facts = f"{place}: {format_money(used)} used of at most {format_money(highest)}"
            yield look.broken(Promise.ZERO_OVERSPEND, facts)


def _uncovered(entries: QuerySet[SpendLog]) -> Uncovered:
    sums: dict[tuple[str, date], Decimal] = {}
    over = entries.filter(over_budget__gt=Decimal(0)).order_by().values_list("budget_day")
    for day, amount in over.annotate(Sum("over_budget")):
        for place in (
            (PeriodKind.DAY, day),
            (PeriodKind.MONTH, day.replace(day=1)),
            (PeriodKind.LIFETIME, LIFETIME.starts_on),
        ):
            sums[place] = sums.get(place, ZERO) + amount
    return sums


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
