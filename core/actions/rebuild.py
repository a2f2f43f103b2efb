"""Rebuilds a brand's totals from its log and its open holds alone (C25)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from core.actions.caller import Caller
from core.actions.catch_up import catch_up
from core.actions.verdicts import LONGEST_WAIT, Change, judge_campaigns
from core.enums import Cause
from core.models import Brand, BrandTotal, CampaignTotal, Transition
from core.models.sql import long_statements, one_snapshot
from core.queries.books import list_campaigns_to_judge
from core.queries.brands import get_any_brand
from core.queries.history import find_last_change, get_whole_calendar
from core.queries.locks import lock_brand
from core.queries.recount import (
    Recount,
    StoredPeriod,
    find_closed_elsewhere,
    list_stored_periods,
    list_wrong_rows,
)
from core.rules.calendar import BrandCalendar
from core.rules.verdict import TotalKey, period_of

# Rows that one statement writes or deletes.
TOGETHER = 1_000
_AMOUNTS = ["spent", "held"]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What differed in a brand, and the changes of `is_active` that putting it right brought."""

    totals: Sequence[Recount]
    periods: Sequence[StoredPeriod]
    closed: int
    transitions: Sequence[Transition] = ()

    @property
    def has_differed(self) -> bool:
        """Whether anything stored wasn't what it should have been."""
        return bool(self.totals or self.periods or self.closed)


@transaction.atomic
def rebuild_brand(brand_id: int, *, caller: Caller, now: datetime) -> Rebuilt:
    """Make the brand's totals what its log gives, and its verdicts what these give (C16, C25).

    The log is read under the brand's lock, so spend waits meanwhile, and none is forgotten. Raises
    BrandNotFoundError.
    """
    brand = lock_brand(brand_id)
    with long_statements():
        rebuilt = _find_wrong(brand)

        _store(brand, rebuilt, now)
        # Only now: to free what holds kept, and to judge, the totals have to be right.
        transitions = _judge_again(brand, Change(caller, now, Cause.BUDGET_CHECK))
    return Rebuilt(rebuilt.totals, rebuilt.periods, rebuilt.closed, transitions)


def foretell_rebuilt_brand(brand_id: int) -> Rebuilt:
    """What `rebuild_brand` would find wrong now; locks nothing. Raises BrandNotFoundError."""
    with one_snapshot():
        return _find_wrong(get_any_brand(brand_id))


def _find_wrong(brand: Brand) -> Rebuilt:
    periods = [stored for stored in list_stored_periods(brand) if not stored.is_right]
    return Rebuilt(list_wrong_rows(brand), periods, find_closed_elsewhere(brand).count())


def _store(brand: Brand, wrong: Rebuilt, now: datetime) -> None:
    _delete(brand, [recount.key for recount in wrong.totals if recount.due is None])
    for stored in wrong.periods:
        if stored.due:
            bounds = {"starts_at": stored.due.starts_at, "ends_at": stored.due.ends_at}
            stored.rows.update(**bounds)
    find_closed_elsewhere(brand).update(closed_at=F("ends_at"))
    due = [recount for recount in wrong.totals if recount.due]
    calendar = get_whole_calendar(brand)
    _store_of_brand(brand, due, calendar, now=now)
    _store_of_campaigns(due, calendar)


def _delete(brand: Brand, keys: Sequence[TotalKey]) -> None:
    """Totals of periods in which nothing was ever spent or held."""
    for start in range(0, len(keys), TOGETHER):
        of_brand, of_campaigns = Q(pk__in=[]), Q(pk__in=[])
        for owner, period, starts_on in keys[start : start + TOGETHER]:
            place = Q(period=period, starts_on=starts_on)
            if owner is None:
                of_brand |= place
            else:
                of_campaigns |= place & Q(campaign=owner)
        BrandTotal.objects.filter(of_brand, brand=brand).delete()
        CampaignTotal.objects.filter(of_campaigns).delete()


def _store_of_brand(
    brand: Brand, wrong: Iterable[Recount], calendar: BrandCalendar, *, now: datetime
) -> None:
    totals = [
        BrandTotal(brand=brand, **_columns(recount, calendar))
        for recount in wrong
        if recount.key.campaign_id is None
    ]
    for total in totals:
        # Of those that exist, this is kept; a new one that is over was closed at its end.
        total.closed_at = total.ends_at if total.ends_at <= now else None
    BrandTotal.objects.bulk_create(
        totals,
        batch_size=TOGETHER,
        update_conflicts=True,
        unique_fields=["brand", "period", "starts_on"],
        update_fields=_AMOUNTS,
    )


def _store_of_campaigns(wrong: Iterable[Recount], calendar: BrandCalendar) -> None:
    CampaignTotal.objects.bulk_create(
        [
            CampaignTotal(campaign_id=recount.key.campaign_id, **_columns(recount, calendar))
            for recount in wrong
            if recount.key.campaign_id
        ],
        batch_size=TOGETHER,
        update_conflicts=True,
        unique_fields=["campaign", "period", "starts_on"],
        update_fields=_AMOUNTS,
    )


def _columns(recount: Recount, calendar: BrandCalendar) -> dict[str, Any]:
    period = period_of(calendar, recount.key.period, recount.key.starts_on)
    return {
        "period": period.kind,
        "starts_on": period.starts_on,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
        "spent": recount.expected.spent,
        "held": recount.expected.held,
    }


def _judge_again(brand: Brand, change: Change) -> list[Transition]:
    """Let happen what is due, then judge every campaign by totals that are right again."""
    campaign_ids = [campaign.pk for campaign in list_campaigns_to_judge(brand)]
    # Who came later may have had the lock first. What they changed wasn't so before.
    until = change.at + LONGEST_WAIT
    at = find_last_change(brand, campaign_ids, after=change.at, until=until) or change.at
    return [*catch_up(brand, at), *judge_campaigns(brand, Change(change.caller, at, change.cause))]
