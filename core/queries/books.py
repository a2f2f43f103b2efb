"""Gathers the facts that the rules ask for, in a fixed number of queries however many campaigns."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db.models import Q

from core.enums import PeriodKind
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, PeriodTotal
from core.rules.admission import BrandBook
from core.rules.dayparts import weekly_schedule
from core.rules.verdict import LIFETIME, Amounts, BrandFacts, CampaignFacts, TotalKey


def list_campaigns_to_judge(
    brand: Brand, campaign_ids: Collection[int] | None = None
) -> list[Campaign]:
    """The brand's campaigns with their dayparts: those named, or all that aren't archived."""
    campaigns = Campaign.objects.filter(brand=brand).prefetch_related("dayparts").order_by("id")
    if campaign_ids is None:
        return list(campaigns.filter(archived_at=None))
    return list(campaigns.filter(id__in=campaign_ids))


def get_book(
    brand: Brand,
    campaigns: Sequence[Campaign],
    instants: Iterable[datetime],
    *,
    budget_days: Iterable[date] = (),
    since: datetime | None = None,
) -> BrandBook:
    """The facts about a brand and these campaigns, with the totals of every period touched.

    `instants` are the moments that matter: now, and when each spend occurred; `budget_days` are
    days that matter by name; `since` adds every period from that instant on. Two queries.
    """
    days = {brand.calendar.budget_day(at).starts_on for at in set(instants)} | set(budget_days)
    # A month is named by its days' own month (C9, C12).
    months = {day.replace(day=1) for day in days}
    periods = Q(period=PeriodKind.DAY, starts_on__in=days)
    periods |= Q(period=PeriodKind.MONTH, starts_on__in=months)
    if since is not None:
        first = brand.calendar.budget_day(since).starts_on
        periods |= Q(period=PeriodKind.DAY, starts_on__gte=first)
        periods |= Q(period=PeriodKind.MONTH, starts_on__gte=first.replace(day=1))
    lifetime = Q(period=PeriodKind.LIFETIME, starts_on=LIFETIME.starts_on)
    of_brand = BrandTotal.objects.filter(periods, brand=brand)
    of_campaigns = CampaignTotal.objects.filter(periods | lifetime, campaign__in=campaigns)
    totals = {_key(None, total): _amounts(total) for total in of_brand}
    totals |= {_key(total.campaign_id, total): _amounts(total) for total in of_campaigns}
    facts = {campaign.pk: _campaign_facts(campaign, brand) for campaign in campaigns}
    return BrandBook(get_brand_facts(brand), facts, totals)


def get_brand_facts(brand: Brand) -> BrandFacts:
    """What the rules know of the brand."""
    return BrandFacts(
        is_enabled=brand.is_enabled,
        calendar=brand.calendar,
        currency=brand.currency,
        daily_budget=brand.daily_budget,
        monthly_budget=brand.monthly_budget,
    )


def _campaign_facts(campaign: Campaign, brand: Brand) -> CampaignFacts:
    return CampaignFacts(
        campaign_id=campaign.pk,
        is_enabled=campaign.is_enabled,
        is_archived=bool(campaign.archived_at or brand.archived_at),
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        schedule=weekly_schedule(row.daypart for row in campaign.dayparts.all()),
        daily_budget=campaign.daily_budget,
        monthly_budget=campaign.monthly_budget,
        lifetime_budget=campaign.lifetime_budget,
    )


def _key(campaign_id: int | None, total: PeriodTotal) -> TotalKey:
    return TotalKey(campaign_id, PeriodKind(total.period), total.starts_on)


def _amounts(total: PeriodTotal) -> Amounts:
    return Amounts(total.spent, total.held)
