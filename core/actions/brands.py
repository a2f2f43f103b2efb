"""Creates, edits and archives brands. Each deed re-judges every campaign it affects (C6, C16).

Each keeps a version of the settings it changed (C17).
"""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from django.db import IntegrityError, transaction

from core.actions.caller import Caller
from core.actions.catch_up import catch_up
from core.actions.verdicts import Change, judge_campaigns
from core.actions.versions import ANY_TERMS, Terms, keep_brand_version
from core.enums import Cause, PeriodKind
from core.errors import (
    BrandNotFoundError,
    InvalidFieldError,
    KeyLimitedToBrandsError,
    NameTakenError,
    TimeZoneChangeTooSoonError,
)
from core.models import Brand
from core.queries.brands import has_brand_name, has_brand_spent, has_brand_spent_from
from core.queries.locks import lock_brand
from core.queries.totals import list_running_brand_totals, list_running_campaign_totals
from core.rules.calendar import check_zone_change, with_time_zone
from core.rules.verdict import period_of


class BrandChanges(TypedDict, total=False):
    """What a person may set on a brand. What is absent stays as it is."""

    name: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    currency: str
    time_zone: str
    is_enabled: bool


@transaction.atomic
def create_brand(settings: BrandChanges, *, caller: Caller, now: datetime) -> Brand:
    """A new brand. Raises NameTakenError, KeyLimitedToBrandsError."""
    if caller.brand_ids is not None:
        raise KeyLimitedToBrandsError
    brand = Brand(created_at=now, **settings)
    _save(brand)
    keep_brand_version(brand, Change(caller, now, Cause.CREATED))
    return brand


@transaction.atomic
def edit_brand(
    brand_id: int,
    changes: BrandChanges,
    *,
    caller: Caller,
    now: datetime,
    terms: Terms = ANY_TERMS,
) -> Brand:
    """Set what changed; binds on the next decision (C6), a new time zone at midnight (C12).

    Raises BrandNotFoundError, ChangedMeanwhileError, NameTakenError, InvalidFieldError,
    TimeZoneChangeTooSoonError.
    """
    brand = _lock_live_brand(brand_id, caller, now)
    terms.check(brand)
    remaining = dict(changes)
    if "time_zone" in changes:
        time_zone = str(remaining.pop("time_zone"))
        if time_zone != brand.time_zone:
            check_zone_change(brand.calendar, now, terms.late_limit)
            _move_to_zone(brand, time_zone, now)
    if changes.get("currency", brand.currency) != brand.currency and has_brand_spent(brand):
        raise InvalidFieldError("currency", "can't change once something was spent")
    for column, value in remaining.items():
        setattr(brand, column, value)
    _save(brand)
    change = Change(caller, now, Cause.BRAND_EDITED)
    keep_brand_version(brand, change)
    judge_campaigns(brand, change)
    return brand


@transaction.atomic
def archive_brand(
    brand_id: int, *, caller: Caller, now: datetime, terms: Terms = ANY_TERMS
) -> None:
    """Switch the brand off for good and out of sight; its log stays (C24).

    Raises BrandNotFoundError, ChangedMeanwhileError.
    """
    brand = _lock_live_brand(brand_id, caller, now)
    terms.check(brand)
    brand.is_enabled = False
    brand.archived_at = now
    brand.save(update_fields=["is_enabled", "archived_at"])
    change = Change(caller, now, Cause.ARCHIVED)
    keep_brand_version(brand, change)
    judge_campaigns(brand, change)


def _lock_live_brand(brand_id: int, caller: Caller, now: datetime) -> Brand:
    brand = lock_brand(brand_id)
    catch_up(brand, now)
    if brand.archived_at or not caller.may_see(brand.pk):
        raise BrandNotFoundError
    return brand


def _save(brand: Brand) -> None:
    if has_brand_name(brand.name, besides=brand.pk):
        raise NameTakenError("a brand")
    try:
        with transaction.atomic():
            brand.save()
    except IntegrityError as error:
        # Somebody else took the name between the look and the write.
        raise NameTakenError("a brand") from error


def _move_to_zone(brand: Brand, time_zone: str, now: datetime) -> None:
    """Take the new zone and give the periods that still run their new ends (C12)."""
    calendar = with_time_zone(brand.calendar, time_zone, now)
    # From here on days are other ones; also where a change to come is taken back.
    parts_at = calendar.changes_at or brand.time_zone_changes_at
    brand.time_zone = calendar.time_zone
    brand.previous_time_zone = calendar.previous_time_zone
    brand.time_zone_changes_at = calendar.changes_at
    if parts_at and has_brand_spent_from(brand, parts_at):
        raise TimeZoneChangeTooSoonError(
            "time_zone", "spend of the next budget day is already recorded; change it again then"
        )
    for totals in (list_running_brand_totals(brand, now), list_running_campaign_totals(brand, now)):
        for total in totals:
            # What has begun has begun: only its end moves.
            total.ends_at = period_of(calendar, PeriodKind(total.period), total.starts_on).ends_at
            total.save(update_fields=["ends_at"])
