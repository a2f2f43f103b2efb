"""Reads of holds: those that requests name, and those whose time has run out (C20)."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from core.enums import HoldState
from core.errors import HoldNotFoundError
from core.models import Brand, Hold
from core.models.sql import Statement, read_date, read_instant, run_together, stored_instant
from core.rules.entries import HoldFacts

_EXPIRED = f"""
    SELECT campaign_id, budget_day, expires_at, SUM(amount) FROM core_hold
    WHERE brand_id = %s AND state = '{HoldState.OPEN}' AND expires_at <= %s
    GROUP BY campaign_id, budget_day, expires_at
    ORDER BY expires_at, campaign_id, budget_day"""  # noqa: S608 (our own words)


def get_hold(hold_id: int, brand_ids: Collection[int] | None = None) -> Hold:
    """A hold among the brands the caller may see, with its campaign and what was captured.

    Raises HoldNotFoundError.
    """
    hold = Hold.objects.select_related("campaign", "spend_log").filter(pk=hold_id).first()
    if hold is None or (brand_ids is not None and hold.brand_id not in brand_ids):
        raise HoldNotFoundError
    return hold


def map_holds(brand_ids: Collection[int], hold_ids: Collection[int]) -> dict[int, Hold]:
    """Those of the named holds that are these brands'."""
    return Hold.objects.filter(brand__in=brand_ids).in_bulk(hold_ids) if hold_ids else {}


def sum_expired_holds(brand: Brand, now: datetime) -> list[HoldFacts]:
    """What open holds past their time still keep, first to expire first.

    Those of one campaign, budget day and instant come as one.
    """
    # By hand: whatever changes a brand asks this first, and the ORM needs longer to word it.
    (found,) = run_together([Statement(_EXPIRED, (brand.pk, stored_instant(now)))])
    return [
        HoldFacts(
            hold_id=0,
            campaign_id=campaign_id,
            amount=int(amount),
            state=HoldState.OPEN,
            budget_day=read_date(budget_day),
            expires_at=read_instant(expires_at) or now,
        )
        for campaign_id, budget_day, expires_at, amount in found
    ]


def find_expired_holds(brand: Brand, now: datetime) -> QuerySet[Hold]:
    """The brand's holds that are open although their time has run out."""
    return Hold.objects.filter(brand=brand, state=HoldState.OPEN, expires_at__lte=now)


def list_brands_with_expired_holds(now: datetime) -> list[int]:
    """The brands that have such holds."""
    expired = Hold.objects.filter(state=HoldState.OPEN, expires_at__lte=now)
    return list(expired.order_by("brand_id").values_list("brand_id", flat=True).distinct())
