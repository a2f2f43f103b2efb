"""Creates, edits, pauses, resumes and archives campaigns (C6, C13, C15, C16).

Each deed keeps a version of the settings it changed (C17).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from django.db import transaction

from core.actions.caller import Caller
from core.actions.catch_up import catch_up
from core.actions.counts import change_counts, tally
from core.actions.verdicts import Change, judge_campaigns
from core.actions.versions import ANY_TERMS, Terms, keep_campaign_version
from core.enums import Cause
from core.errors import (
    BrandNotFoundError,
    InvalidFieldError,
    NameTakenError,
)
from core.models import Campaign, Schedule
from core.queries.campaigns import get_campaign, has_campaign_name
from core.queries.locks import lock_brand
from core.rules.dayparts import Daypart


class CampaignChanges(TypedDict, total=False):
    """What a person may set on a campaign. What is absent stays as it is.

    The three budgets are the campaign's own; `schedule` replaces all dayparts (C13).
    """

    name: str
    is_enabled: bool
    starts_at: datetime | None
    ends_at: datetime | None
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    lifetime_budget: Decimal | None
    schedule: Sequence[Daypart]


@transaction.atomic
def create_campaign(
    brand_id: int, settings: CampaignChanges, *, caller: Caller, now: datetime
) -> Campaign:
    """A new campaign, judged at once.

    Raises BrandNotFoundError, NameTakenError, InvalidFieldError.
    """
    brand = lock_brand(brand_id)
    catch_up(brand, now)
    if brand.archived_at or not caller.may_see(brand.pk):
        raise BrandNotFoundError
    campaign = Campaign(brand=brand, created_at=now)
    _save(campaign, settings)
    change_counts(brand.pk, before=tally([]), after=tally([campaign]))
    return _judge(campaign, Change(caller, now, Cause.CREATED))


def edit_campaign(
    campaign_id: int,
    changes: CampaignChanges,
    *,
    caller: Caller,
    now: datetime,
    terms: Terms = ANY_TERMS,
) -> Campaign:
    """Set what changed; it binds on the next decision (C6).

    Raises CampaignNotFoundError, ChangedMeanwhileError, NameTakenError, InvalidFieldError.
    """
    change = Change(caller, now, Cause.CAMPAIGN_EDITED)
    return _change(campaign_id, changes, change, terms=terms)


def set_schedule(
    campaign_id: int, dayparts: Sequence[Daypart], *, caller: Caller, now: datetime
) -> Campaign:
    """Replace all dayparts; none means always open (C13). Raises CampaignNotFoundError."""
    return _change(campaign_id, {"schedule": dayparts}, Change(caller, now, Cause.SCHEDULE_EDITED))


def pause_campaign(
    campaign_id: int, *, caller: Caller, now: datetime, terms: Terms = ANY_TERMS
) -> Campaign:
    """Turn the person's switch off (C15). Raises CampaignNotFoundError, ChangedMeanwhileError."""
    change = Change(caller, now, Cause.PAUSED)
    return _change(campaign_id, {"is_enabled": False}, change, terms=terms)


def resume_campaign(
    campaign_id: int, *, caller: Caller, now: datetime, terms: Terms = ANY_TERMS
) -> Campaign:
    """Turn the person's switch on; it runs if nothing else stands in the way (C15).

    Raises CampaignNotFoundError, ChangedMeanwhileError.
    """
    change = Change(caller, now, Cause.RESUMED)
    return _change(campaign_id, {"is_enabled": True}, change, terms=terms)


@transaction.atomic
def archive_campaign(
    campaign_id: int, *, caller: Caller, now: datetime, terms: Terms = ANY_TERMS
) -> None:
    """Switch the campaign off for good and out of sight; its log stays (C24).

    Raises CampaignNotFoundError, ChangedMeanwhileError.
    """
    campaign = _lock(campaign_id, caller, now)
    terms.check(campaign)
    change_counts(campaign.brand_id, before=tally([campaign]), after=tally([]))
    campaign.is_enabled = False
    campaign.archived_at = now
    campaign.save(update_fields=["is_enabled", "archived_at"])
    _judge(campaign, Change(caller, now, Cause.ARCHIVED))


@transaction.atomic
def _change(
    campaign_id: int, changes: CampaignChanges, change: Change, *, terms: Terms = ANY_TERMS
) -> Campaign:
    campaign = _lock(campaign_id, change.caller, change.at)
    terms.check(campaign)
    _save(campaign, changes)
    return _judge(campaign, change)


def _lock(campaign_id: int, caller: Caller, now: datetime) -> Campaign:
    """The campaign as it is once its brand is locked. A campaign never moves to another brand."""
    brand = lock_brand(get_campaign(campaign_id, caller.brand_ids).brand_id)
    catch_up(brand, now)
    campaign = get_campaign(campaign_id, caller.brand_ids)
    campaign.brand = brand
    return campaign


def _judge(campaign: Campaign, change: Change) -> Campaign:
    """Keep what is now set, and store what follows from it."""
    keep_campaign_version(campaign, change)
    judge_campaigns(campaign.brand, change, [campaign.pk])
    campaign.refresh_from_db(from_queryset=Campaign.objects.select_related("brand"))
    return campaign


def _save(campaign: Campaign, changes: CampaignChanges) -> None:
    """Write the named columns, and nothing that changed meanwhile in others."""
    columns = {name: value for name, value in changes.items() if name != "schedule"}
    for column, value in columns.items():
        setattr(campaign, column, value)
    if campaign.starts_at and campaign.ends_at and campaign.starts_at >= campaign.ends_at:
        raise InvalidFieldError("ends_at", "must be later than starts_at")
    if has_campaign_name(campaign.brand, campaign.name, besides=campaign.pk):
        raise NameTakenError("a campaign of this brand")
    campaign.save(update_fields=columns if campaign.pk else None)
    if "schedule" in changes:
        campaign.dayparts.all().delete()
        Schedule.objects.bulk_create(
            Schedule.of(campaign, daypart) for daypart in changes["schedule"]
        )
