"""Whether stored verdicts are the judged ones, and their changes and counts were written down."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import Lag

from core.enums import Reason
from core.models import Campaign, Transition
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.campaigns import NO_CAMPAIGNS, map_campaign_counts, map_counted_campaigns
from core.queries.promises import MOST_TOLD, BrokenPromise, Look, Promise
from core.rules.instants import format_instant
from core.rules.verdict import Verdict, judge

# Campaigns that are judged together.
CHUNK = 1_000
MOMENT = timedelta(microseconds=1)


def list_wrong_verdicts(look: Look) -> list[BrokenPromise]:
    """Campaigns whose stored verdict isn't the one that the rules give (C16).

    What time has made due since isn't missing before it had to be settled; until somebody writes it
    down, nothing of the brand changes, and what is stored is what was right just before it.
    """
    if look.brand.archived_at:
        return []
    return [
        look.broken(Promise.STORED_VERDICTS, f"campaign {campaign.pk} ({campaign}): {wrong}")
        for campaigns in _chunks(look)
        for campaign, wrong in _wrong(look, campaigns)
    ][:MOST_TOLD]


def list_lost_transitions(look: Look) -> list[BrokenPromise]:
    """Campaigns of which a change of state was written twice or not at all (C17)."""
    transitions = Transition.objects.filter(campaign__brand=look.brand)
    look.count("transitions", transitions.count())
    before = Window(Lag("is_active"), partition_by="campaign_id", order_by="id")
    repeated = transitions.annotate(before=before).filter(before=F("is_active"))
    ids = set(repeated.order_by().values_list("campaign_id", flat=True)[:MOST_TOLD])
    latest = Transition.objects.filter(campaign=OuterRef("pk")).order_by("-id")
    campaigns = Campaign.objects.filter(brand=look.brand).order_by("id")
    told = campaigns.annotate(told=Subquery(latest.values("is_active")[:1]))
    # Neither is one that never had any.
    unlike = told.exclude(told__isnull=False, told=F("is_active"))
    ids |= set(unlike.values_list("id", flat=True)[:MOST_TOLD])
    return [
        look.broken(Promise.TRANSITIONS, f"campaign {campaign_id}: the transitions don't alternate")
        for campaign_id in sorted(ids)[:MOST_TOLD]
    ]


def list_wrong_counts(look: Look) -> list[BrokenPromise]:
    """Whether the brand's counts of campaigns are what counting the stored verdicts gives (C16)."""
    found = map_campaign_counts([look.brand.pk]).get(look.brand.pk, NO_CAMPAIGNS)
    expected = map_counted_campaigns([look.brand.pk]).get(look.brand.pk, NO_CAMPAIGNS)
    look.count("campaigns", expected.total)
    if found == expected:
        return []
    facts = f"brand {look.brand.pk}: {found}, should be {expected}"
    return [look.broken(Promise.STATUS_COUNTS, facts)]


def _chunks(look: Look) -> Iterator[list[Campaign]]:
    campaigns: QuerySet[Campaign] = Campaign.objects.filter(brand=look.brand, archived_at=None)
    ids = campaigns.order_by("id").values_list("id", flat=True)
    after = 0
    while chunk := list(ids.filter(id__gt=after)[:CHUNK]):
        yield list_campaigns_to_judge(look.brand, chunk)
        after = chunk[-1]


def _wrong(look: Look, campaigns: Sequence[Campaign]) -> Iterator[tuple[Campaign, str]]:
    instants = {campaign.pk: _judged_at(campaign, look.at) for campaign in campaigns}
    book = get_book(look.brand, campaigns, instants.values())
    look.count("verdicts", len(campaigns))
    for campaign in campaigns:
        verdict = judge(book.facts(campaign.pk), instants[campaign.pk])
        if not _is_of(campaign, verdict):
            yield campaign, f"stored {_stored(campaign)}, judged {_judged(verdict)}"
        elif campaign.next_change_at and campaign.next_change_at <= look.settled_at:
            yield campaign, f"is due to be judged since {format_instant(campaign.next_change_at)}"


def _judged_at(campaign: Campaign, at: datetime) -> datetime:
    due_at = campaign.next_change_at
    return due_at - MOMENT if due_at and due_at <= at else at


def _is_of(campaign: Campaign, verdict: Verdict) -> bool:
    if campaign.is_active != verdict.is_active:
        return False
    # Beside the end of a flight, other reasons may go stale: time changes nothing more.
    is_over = Reason.ENDED in verdict.reasons and Reason.ENDED in campaign.reasons
    is_alike = campaign.reasons == verdict.reasons or is_over
    return is_alike and campaign.next_change_at == verdict.next_change_at


def _stored(campaign: Campaign) -> str:
    return _said(campaign.is_active, campaign.reasons, campaign.next_change_at)


def _judged(verdict: Verdict) -> str:
    return _said(verdict.is_active, verdict.reasons, verdict.next_change_at)


def _said(is_active: bool, reasons: Sequence[Reason], until: datetime | None) -> str:
    standing = ", ".join(reasons) or ("active" if is_active else "paused")
    return f"{standing} until {format_instant(until)}" if until else standing
