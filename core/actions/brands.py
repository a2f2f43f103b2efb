"""Creates, edits and archives brands. Each deed re-judges every campaign it affects (C6, C16)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from django.db import IntegrityError, transaction

from core.actions.caller import Caller
from core.actions.verdicts import Change, judge_campaigns
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
from core.rules.admission import LATE_LIMIT
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
    return brand


@transaction.atomic
def edit_brand(
    brand_id: int,
    changes: BrandChanges,
    *,
    caller: Caller,
    now: datetime,
    late_limit: timedelta = LATE_LIMIT,
) -> Brand:
    """Set what changed; binds on the next decision (C6), a new time zone at midnight (C12).

    `late_limit` is how late spend may come in, and so how long a change of zone has to settle.
    Raises BrandNotFoundError, NameTakenError, InvalidFieldError, TimeZoneChangeTooSoonError.
    """
    brand = _lock_live_brand(brand_id, caller)
    remaining = dict(changes)
    if "time_zone" in changes:
        time_zone = str(remaining.pop("time_zone"))
        if time_zone != brand.time_zone:
            check_zone_change(brand.calendar, now, late_limit)
            _move_to_zone(brand, time_zone, now)
    if changes.get("currency", brand.currency) != brand.currency and has_brand_spent(brand):
        raise InvalidFieldError("currency", "can't change once something was spent")
    for column, value in remaining.items():
        setattr(brand, column, value)
    _save(brand)
    judge_campaigns(brand, Change(caller, now, Cause.BRAND_EDITED))
    return brand


@transaction.atomic
def archive_brand(brand_id: int, *, caller: Caller, now: datetime) -> None:
    """Switch the brand off for good and out of sight; its log stays (C24)."""
    brand = _lock_live_brand(brand_id, caller)
    brand.is_enabled = False
    brand.archived_at = now
    brand.save(update_fields=["is_enabled", "archived_at"])
    judge_campaigns(brand, Change(caller, now, Cause.ARCHIVED))


def _lock_live_brand(brand_id: int, caller: Caller) -> Brand:
    brand = lock_brand(brand_id)
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
    brand.time_zone = calendar.time_zone
    brand.previous_time_zone = calendar.previous_time_zone
    brand.time_zone_changes_at = calendar.changes_at
    if calendar.changes_at and has_brand_spent_from(brand, calendar.changes_at):
        raise TimeZoneChangeTooSoonError(
            "time_zone", "spend of the next budget day is already recorded; change it again then"
        )
    for totals in (list_running_brand_totals(brand, now), list_running_campaign_totals(brand, now)):
        for total in totals:
            # What has begun has begun: only its end moves.
            total.ends_at = period_of(calendar, PeriodKind(total.period), total.starts_on).ends_at
            total.save(update_fields=["ends_at"])
