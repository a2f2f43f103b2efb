"""Whether totals are what the log and the holds give, in periods of the brand's calendar."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from core.enums import PeriodKind
from core.models import BrandTotal, CampaignTotal, Hold, SpendLog
from core.queries.history import get_whole_calendar
from core.queries.promises import MOST_TOLD, BrokenPromise, Look, Promise
from core.queries.recount import (
    Recount,
    StoredPeriod,
    find_closed_elsewhere,
    list_stored_periods,
    list_wrong_amounts,
)
from core.rules.calendar import BrandCalendar
from core.rules.instants import format_instant
from core.rules.money import format_money
from core.rules.verdict import TotalKey


def list_wrong_totals(look: Look) -> list[BrokenPromise]:
    """Totals that differ from the sums of the log and of open holds (C10, C25)."""
    look.count("totals", sum(totals.count() for totals in _totals(look)))
    return [
        look.broken(Promise.TOTALS, f"{_place(look, recount.key)}: {wrong}")
        for recount in list_wrong_amounts(look.brand, MOST_TOLD)
        for wrong in _differences(recount)
    ]


def list_wrong_periods(look: Look) -> list[BrokenPromise]:
    """Totals of periods that aren't in the brand's calendar, whose periods tile time (C9, C12).

    So what is stored has no gaps and no overlaps either, across all changes of zone.
    """
    spans = list_stored_periods(look.brand)
    look.count("periods", len(spans))
    broken = [
        look.broken(Promise.CALENDAR, facts)
        for span in spans
        if not span.is_right
        for facts in _wrong_bounds(look, span)
    ]
    for total in find_closed_elsewhere(look.brand).order_by("id")[:MOST_TOLD]:
        key = TotalKey(None, PeriodKind(total.period), total.starts_on)
        facts = f"{_place(look, key)}: closed at {format_instant(total.closed_at)}, not at its end"
        broken.append(look.broken(Promise.CALENDAR, facts))
    return broken[:MOST_TOLD]


def list_wrong_days(look: Look) -> list[BrokenPromise]:
    """Entries and holds that count in another day than that in which they occurred (C9, C11)."""
    calendar = get_whole_calendar(look.brand)
    entries = SpendLog.objects.filter(brand=look.brand)
    holds = Hold.objects.filter(brand=look.brand)
    return [
        *_wrong_days(look, entries, calendar),
        *_wrong_days(look, holds, calendar),
    ]


def list_wrong_currencies(look: Look) -> list[BrokenPromise]:
    """Entries in another currency than their brand's (C2)."""
    wrong = SpendLog.objects.filter(brand=look.brand).exclude(currency=look.brand.currency)
    return [
        look.broken(
            Promise.CURRENCY, f"entry {entry_id} is in {currency}, not {look.brand.currency}"
        )
        for entry_id, currency in wrong.order_by().values_list("id", "currency")[:MOST_TOLD]
    ]


def _totals(look: Look) -> tuple[QuerySet[BrandTotal], QuerySet[CampaignTotal]]:
    return (
        BrandTotal.objects.filter(brand=look.brand),
        CampaignTotal.objects.filter(campaign__brand=look.brand),
    )


def _place(look: Look, key: TotalKey) -> str:
    owner = f"brand {look.brand.pk}"
    if key.campaign_id is not None:
        owner = f"campaign {key.campaign_id}"
    return f"{owner}, {key.period} {key.starts_on}"


def _differences(recount: Recount) -> Iterator[str]:
    found, expected = recount.found, recount.expected
    for column, is_, should in (
        ("spent", found.spent, expected.spent),
        ("held", found.held, expected.held),
    ):
        if is_ != should:
            yield f"{column} is {format_money(is_)}, should be {format_money(should)}"


def _wrong_bounds(look: Look, span: StoredPeriod) -> Iterator[str]:
    found = span.found
    owner = "brand_id" if span.is_of_brand else "campaign_id"
    for owner_id in span.rows.order_by(owner).values_list(owner, flat=True)[:MOST_TOLD]:
        key = TotalKey(None if span.is_of_brand else owner_id, found.kind, found.starts_on)
        instants = f"{format_instant(found.starts_at)} to {format_instant(found.ends_at)}"
        yield f"{_place(look, key)}: {instants} is no {found.kind} of the brand's calendar"


def _wrong_days(
    look: Look, rows: QuerySet[Any], calendar: BrandCalendar
) -> Iterator[BrokenPromise]:
    """A day is a span: nothing is outside of it if neither its first nor its last row is."""
    names = {SpendLog: ("entry", "entries", "occurred_at"), Hold: ("hold", "holds", "held_at")}
    name, plural, at = names[rows.model]
    by_day = rows.order_by("budget_day").values_list("budget_day")
    for day, count, first, last in by_day.annotate(Count("id"), Min(at), Max(at)):
        look.count(plural, count)
        period = calendar.day_period(day)
        if period.starts_at <= first and last < period.ends_at:
            continue
        outside = Q(**{f"{at}__lt": period.starts_at}) | Q(**{f"{at}__gte": period.ends_at})
        wrong = rows.filter(outside, budget_day=day).order_by("id")
        for row_id, occurred_at in wrong.values_list("id", at)[:MOST_TOLD]:
            facts = f"{name} {row_id} counts in {day}, {_should(calendar, occurred_at)}"
            yield look.broken(Promise.DAYS, facts)


def _should(calendar: BrandCalendar, at: datetime) -> str:
    due: date = calendar.budget_day(at).starts_on
    return f"should count in {due}"
