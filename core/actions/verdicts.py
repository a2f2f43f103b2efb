"""Brings stored verdicts up to date: the only writer of `is_active` and of transitions.

Every action that changes spend, budgets, switches, flights or schedules ends here, inside its
own transaction and under the brand's lock (C16, C17).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actions.caller import Caller
from core.actions.counts import Tally, change_counts, tally
from core.enums import Cause
from core.models import Brand, Campaign, Transition
from core.queries.books import get_book, list_campaigns_to_judge
from core.rules.admission import BrandBook
from core.rules.explanation import describe_numbers
from core.rules.verdict import Verdict, judge

# Above the longest wait for a lock and the longest tick.
LONGEST_WAIT = timedelta(minutes=2)
STORED_VERDICT = ("is_active", "reasons", "status_since", "next_change_at")


@dataclass(frozen=True, slots=True)
class Change:
    """Why verdicts are judged again: by whom, when and what for."""

    caller: Caller
    at: datetime
    cause: Cause


def judge_campaigns(
    brand: Brand, change: Change, campaign_ids: Collection[int] | None = None
) -> list[Transition]:
    """Judge these campaigns of a locked brand, or all of them, and store what changed."""
    campaigns = list_campaigns_to_judge(brand, campaign_ids)
    instants = [change.at, *(judging_instant(campaign, change.at) for campaign in campaigns)]
    return store_verdicts(campaigns, get_book(brand, campaigns, instants), change)


def judging_instant(campaign: Campaign, at: datetime) -> datetime:
    """When to judge a campaign for somebody who came at `at` and then waited for the lock.

    Never before the campaign's last change, or its history would go back. A change that lies
    further ahead was made by a host with a wrong clock and isn't followed.
    """
    since = campaign.status_since
    return since if since and at < since <= at + LONGEST_WAIT else at


def store_verdicts(
    campaigns: Sequence[Campaign], book: BrandBook, change: Change
) -> list[Transition]:
    """Write the verdicts that differ from the stored ones; the transitions written.

    The book has to hold the totals of each campaign's `judging_instant`.
    """
    before = tally(campaigns)
    changed, transitions = [], []
    for campaign in campaigns:
        verdict = judge(book.facts(campaign.pk), judging_instant(campaign, change.at))
        is_changed, transition = take_over(campaign, verdict, change)
        changed += [campaign] if is_changed else []
        transitions += [transition] if transition else []
    write_verdicts(campaigns, changed, transitions, before=before)
    return transitions


def take_over(
    campaign: Campaign, verdict: Verdict, change: Change
) -> tuple[bool, Transition | None]:
    """Put the verdict on the campaign; whether anything differs, and the transition if it flips."""
    next_change_at = None if campaign.archived_at else verdict.next_change_at
    before = (campaign.is_active, campaign.reasons, campaign.next_change_at)
    after = (verdict.is_active, verdict.reasons, next_change_at)
    is_new, was_active = campaign.status_since is None, campaign.is_active
    campaign.is_active, campaign.reasons, campaign.next_change_at = after
    if is_new or was_active != verdict.is_active:
        campaign.status_since = verdict.at
        return True, _transition(campaign, verdict, change)
    return before != after, None


def write_verdicts(
    campaigns: Sequence[Campaign],
    changed: Collection[Campaign],
    transitions: Collection[Transition],
    *,
    before: Tally,
) -> None:
    """Store the verdicts that campaigns took over, their changes of `is_active`, and the counts.

    `before` is what all these campaigns of one brand counted for as they were read.
    """
    if changed:
        Campaign.objects.bulk_update(changed, STORED_VERDICT, batch_size=500)
        change_counts(campaigns[0].brand_id, before=before, after=tally(campaigns))
    Transition.objects.bulk_create(transitions, batch_size=500)


def _transition(campaign: Campaign, verdict: Verdict, change: Change) -> Transition:
    return Transition(
        campaign=campaign,
        at=verdict.at,
        is_active=verdict.is_active,
        reasons=verdict.reasons,
        numbers=describe_numbers(verdict),
        cause=change.cause,
        actor=change.caller.source,
        recorded_at=change.at,
    )
