"""Finds where what is stored isn't what the log, the holds and the settings give, played again.

Reads everything there is of every brand: for a simulation, not for a live system.
"""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import zip_longest
from operator import attrgetter

from core.enums import HoldState, SpendKind
from core.models import (
    Brand,
    BrandVersion,
    Campaign,
    CampaignVersion,
    Hold,
    SpendLog,
    Transition,
)
from core.queries.promises import BrokenPromise, Promise
from core.rules.instants import format_instant
from core.rules.replay import Edit, Flip, Movement, Replayed, replay
from core.rules.verdict import BrandFacts


def list_unlike_replay(at: datetime) -> list[BrokenPromise]:
    """What contradicts the log, all tasks having run at `at`; every instant until then is judged.

    Whatever the tasks have done or missed meanwhile, each transition has to be there, dated as it
    was due, and no other (C16, C17, C26).
    """
    broken: list[BrokenPromise] = []
    for brand in Brand.objects.order_by("id"):
        edits = _edits(brand)
        broken += _wrong_days(brand, edits, at)
        steps: list[Edit | Movement] = [*_freed(brand, at), *edits, *_movements(brand)]
        steps.sort(key=attrgetter("at"))
        replayed = replay(steps, at)
        broken += _wrong_transitions(brand, replayed, at)
        broken += _wrong_admissions(replayed)
    return broken


def _edits(brand: Brand) -> list[Edit]:
    """All settings that were ever in force; the brand's come first where instants are equal."""
    of_brand = BrandVersion.objects.filter(brand=brand).order_by("number")
    of_campaigns = CampaignVersion.objects.filter(campaign__brand=brand).order_by("id")
    return [
        *(Edit(version.at, version.facts) for version in of_brand),
        *(Edit(version.at, version.facts) for version in of_campaigns),
    ]


def _freed(brand: Brand, until: datetime) -> Iterator[Movement]:
    """What holds gave back when their time ran out, or when they were released."""
    for hold in Hold.objects.filter(brand=brand).order_by("id"):
        is_released = hold.state == HoldState.RELEASED
        freed_at = hold.ended_at if is_released else hold.expires_at
        if hold.state != HoldState.CAPTURED and freed_at and freed_at <= until:
            yield Movement(freed_at, hold.campaign_id, hold.budget_day, held=-hold.amount)


def _movements(brand: Brand) -> Iterator[Movement]:
    """What was set aside and what was spent; a capture is both at once."""
    for hold in Hold.objects.filter(brand=brand).order_by("id"):
        yield Movement(
            hold.held_at, hold.campaign_id, hold.budget_day, held=hold.amount, is_admitted=True
        )
    entries = SpendLog.objects.filter(brand=brand).order_by("id")
    captured = dict(entries.filter(kind=SpendKind.CAPTURE).values_list("id", "hold__amount"))
    for entry in entries:
        yield Movement(
            entry.recorded_at,
            entry.campaign_id,
            entry.budget_day,
            spent=entry.amount,
            held=-captured.get(entry.pk, 0),
            is_admitted=entry.kind == SpendKind.ADD,
        )


def _wrong_days(brand: Brand, edits: list[Edit], at: datetime) -> Iterator[BrokenPromise]:
    """Entries and holds that count in another day than that in which they occurred (C9, C11)."""
    calendars = [
        (edit.at, edit.facts.calendar) for edit in edits if isinstance(edit.facts, BrandFacts)
    ]

    def day(occurred_at: datetime, recorded_at: datetime) -> date:
        known = [calendar for since, calendar in calendars if since <= recorded_at]
        return known[-1].budget_day(occurred_at).starts_on

    for hold in Hold.objects.filter(brand=brand).order_by("id"):
        if hold.budget_day != (due := day(hold.held_at, hold.held_at)):
            yield _wrong_day(f"hold {hold.pk}", hold.budget_day, due=due, at=at)
    entries = SpendLog.objects.filter(brand=brand).select_related("refund_of", "hold")
    for entry in entries.order_by("id"):
        if entry.refund_of:
            due = entry.refund_of.budget_day
        elif entry.kind == SpendKind.CAPTURE:
            due = entry.hold.budget_day
        else:
            due = day(entry.occurred_at, entry.recorded_at)
        if entry.budget_day != due:
            yield _wrong_day(f"entry {entry.pk}", entry.budget_day, due=due, at=at)


def _wrong_day(what: str, found: date, *, due: date, at: datetime) -> BrokenPromise:
    return BrokenPromise(Promise.DAYS, at, f"{what} counts in {found}, should count in {due}")


def _wrong_transitions(brand: Brand, replayed: Replayed, at: datetime) -> Iterator[BrokenPromise]:
    """The first transition of each campaign that isn't the one that was due."""
    for campaign in Campaign.objects.filter(brand=brand).order_by("id"):
        rows = Transition.objects.filter(campaign=campaign).order_by("id")
        stored = [Flip(row.at, row.is_active, row.reasons) for row in rows]
        for found, due in zip_longest(stored, replayed.flips[campaign.pk]):
            if found != due:
                facts = f"{campaign}: stored {_said(found)}, should be {_said(due)}"
                yield BrokenPromise(Promise.HISTORY, at, facts)
                break


def _wrong_admissions(replayed: Replayed) -> Iterator[BrokenPromise]:
    for wrong in replayed.wrong:
        promise = Promise.ZERO_OVERSPEND if wrong.is_overspent else Promise.ONLY_ACTIVE
        movement = wrong.movement
        amount, reasons = movement.spent + movement.held, ", ".join(wrong.reasons)
        facts = f"campaign {movement.campaign_id}: {amount} was admitted in spite of {reasons}"
        yield BrokenPromise(promise, movement.at, facts)


def _said(flip: Flip | None) -> str:
    if flip is None:
        return "nothing"
    return f"{', '.join(flip.reasons) or 'active'} at {format_instant(flip.at)}"
