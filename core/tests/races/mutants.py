"""Mutants: broken deeds with the signatures of the product's, the way people first write them.

Each knows the rules and keeps the books; what it gets wrong is the moment between asking and
writing. `_pause` widens that moment, so that a second of racing shows what a busy day would.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

from django.db import connections, transaction
from django.db.models import F

from core.actions import brands, delivery, spend, spend_sessions
from core.actions.brands import BrandChanges
from core.actions.caller import Caller
from core.actions.campaigns import CampaignChanges
from core.actions.ledger import EVENT_ANSWERS, LedgerRows
from core.actions.spend_requests import Asked, Request, SpendOutcome, SpendRequest
from core.actions.verdicts import Change, judge_campaigns, store_verdicts
from core.actions.versions import Terms
from core.enums import Cause, PeriodKind
from core.errors import CampaignNotActiveError, EventIdReusedError
from core.models import (
    Brand,
    BrandTotal,
    Campaign,
    CampaignTotal,
    EventAnswer,
    PeriodTotal,
    SpendLog,
)
from core.models.sql import Reading, Statement
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.locks import lock_brand
from core.queries.spend import map_event_answers
from core.queries.sweeps import map_doubtful_campaigns
from core.rules.admission import Admission
from core.rules.calendar import Period
from core.rules.entries import SpendEntry
from core.rules.money import to_micros
from core.rules.verdict import LIFETIME
from core.tests.arriving import arrive

MOMENT_SECONDS = 0.01
FORM_SECONDS = 0.05


def _pause(seconds: float = MOMENT_SECONDS) -> None:
    """Let the others run between asking and writing."""
    time.sleep(seconds)


# --- Admission -----------------------------------------------------------------------------


def read_then_save(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Read the totals, ask the rules, save the objects: two at once write the same number."""
    campaign = _get_campaign(request)
    totals = _get_totals(campaign, now)
    if refusal := _refusal(campaign, request, now):
        return refusal
    _pause()
    for total in totals:
        total.spent += request.amount
        total.save()
    return _record(campaign, request, caller, now)


def check_then_increment(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Ask the rules, then add with F(): the totals stay true, and pass the budget."""
    campaign = _get_campaign(request)
    if refusal := _refusal(campaign, request, now):
        return refusal
    _pause()
    _increment(_get_totals(campaign, now), request.amount)
    return _record(campaign, request, caller, now)


def stored_flag_trusted(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Admit while the stored `is_active` says so: until somebody has judged again."""
    campaign = _get_campaign(request)
    if not campaign.is_active:
        return SpendOutcome(refusal=CampaignNotActiveError([]))
    _pause()
    _increment(_get_totals(campaign, now), request.amount)
    return _record(campaign, request, caller, now)


def limit_through_a_join(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """One conditional UPDATE, in a transaction, whose limit is in another table.

    PostgreSQL runs the join as a subquery on the statement's snapshot and doesn't repeat it for
    a row that it had to wait for. On SQLite one statement is serial, so there this is right.
    """
    campaign = _get_campaign(request)
    day, *others = _get_totals(campaign, now)
    with transaction.atomic():
        below = BrandTotal.objects.filter(pk=day.pk, spent__lt=F("brand__daily_budget"))
        if not below.update(spent=F("spent") + request.amount):
            return SpendOutcome(refusal=CampaignNotActiveError([]))
        _pause()
        _increment(others, request.amount)
        return _record(campaign, request, caller, now)


def lock_left_out(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """The product's own admission without its lock, in a transaction all the same.

    SQLite's lock is taken by the transaction itself; `transactions_begin_deferred` leaves it out.
    """

    def read(brand_id: int, _along: Reading | None = None) -> Brand:
        return Brand.objects.get(pk=brand_id)

    with mock.patch.object(spend_sessions, "lock_brand", read):
        return spend.add_spend(request, caller=caller, now=now)


def facts_read_before_the_lock(
    request: SpendRequest, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """The product's own admission, whose reading goes out before the lock and not behind it.

    On SQLite the transaction has locked before either.
    """

    def read_then_lock(brand_id: int, along: Reading) -> Brand:
        along.rows()
        _pause()
        return lock_brand(brand_id)

    with mock.patch.object(spend_sessions, "lock_brand", read_then_lock):
        return spend.add_spend(request, caller=caller, now=now)


def _get_campaign(request: SpendRequest) -> Campaign:
    return Campaign.objects.select_related("brand").get(pk=request.campaign_id)


def _refusal(campaign: Campaign, request: SpendRequest, now: datetime) -> SpendOutcome | None:
    """What the product's own rules say to what is stored at this moment."""
    book = get_book(campaign.brand, [campaign], [now])
    entry = SpendEntry(request.kind, request.campaign_id, to_micros(request.amount), now)
    refusal = Admission(book, now).decide(entry).refusal
    return SpendOutcome(refusal=refusal) if refusal else None


def _get_totals(campaign: Campaign, now: datetime) -> list[PeriodTotal]:
    """The totals that a spend counts in, the brand's day first; made where missing."""
    calendar = campaign.brand.calendar
    day, month = calendar.budget_day(now), calendar.budget_month(now)
    of_brand = [
        BrandTotal.objects.get_or_create(brand=campaign.brand, **_columns(period))[0]
        for period in (day, month)
    ]
    of_campaign = [
        CampaignTotal.objects.get_or_create(campaign=campaign, **_columns(period))[0]
        for period in (day, month, LIFETIME)
    ]
    return [*of_brand, *of_campaign]


def _columns(period: Period) -> dict[str, Any]:
    bounds = {"starts_at": period.starts_at, "ends_at": period.ends_at}
    return {"period": period.kind, "starts_on": period.starts_on, "defaults": bounds}


def _increment(totals: Sequence[PeriodTotal], amount: Decimal) -> None:
    for total in totals:
        rows = type(total)._default_manager.filter(pk=total.pk)
        rows.update(spent=F("spent") + amount)


def _record(
    campaign: Campaign, request: SpendRequest, caller: Caller, now: datetime
) -> SpendOutcome:
    """Write the log entry and bring the verdicts of the brand up to date."""
    entry = SpendLog.objects.create(
        brand=campaign.brand,
        campaign=campaign,
        kind=request.kind,
        amount=request.amount,
        over_budget=Decimal(0),
        currency=campaign.brand.currency,
        budget_day=campaign.brand.calendar.budget_day(now).starts_on,
        occurred_at=now,
        recorded_at=now,
        event_id=request.event_id,
        source=caller.source,
    )
    judge_campaigns(campaign.brand, Change(caller, now, Cause.SPEND))
    return SpendOutcome(answer={"spend_log_id": entry.pk})


def every_brand_in_one_transaction(
    requests: Sequence[SpendRequest], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """A batch as one transaction, which locks brands in the order in which the caller names them.

    Two batches in opposite order wait for each other. SQLite has one lock, so there it is right.
    """
    with transaction.atomic():
        return [
            spend.admit_batch([request], caller=caller, now=now, late_limit=late_limit)[0]
            for request in requests
        ]


def free_brands_waited_for(
    requests: Sequence[SpendRequest], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """The product's batch without SKIP LOCKED: who holds some brands waits for the next one."""
    campaigns = Campaign.objects.in_bulk([request.campaign_id for request in requests])
    order = [campaigns[request.campaign_id].brand_id for request in requests]

    def lock_in_turn(brand_ids: Collection[int], _along: Reading | None) -> list[Brand]:
        brands = []
        for brand_id in sorted(brand_ids, key=order.index):
            brands.append(lock_brand(brand_id))
            _pause()
        return brands

    with mock.patch.object(spend_sessions, "lock_free_brands", lock_in_turn):
        return spend.admit_batch(requests, caller=caller, now=now, late_limit=late_limit)


def free_brands_not_locked(
    requests: Sequence[SpendRequest], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """The product's batch, which takes every brand for free. On SQLite the transaction locks."""
    with mock.patch.object(spend_sessions, "lock_free_brands", _read_brands):
        return spend.admit_batch(requests, caller=caller, now=now, late_limit=late_limit)


def _read_brands(brand_ids: Collection[int], _along: Reading | None) -> list[Brand]:
    return list(Brand.objects.filter(pk__in=brand_ids))


def calls_for_brands_not_locked(request: Request, *, caller: Caller, now: datetime) -> SpendOutcome:
    """The same for calls of one moment, from the first of a process to its end."""
    vars(spend_sessions)["lock_free_brands"] = _read_brands
    return arrive(Asked(request, caller), now)


def transactions_begin_deferred(
    requests: Sequence[SpendRequest], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """SQLite as Django sets it up by default: read first, and ask for the lock when it's too late.

    PostgreSQL has no such setting.
    """
    vars(connections["default"])["transaction_mode"] = "DEFERRED"
    return spend.admit_batch(requests, caller=caller, now=now, late_limit=late_limit)


# --- Event ids -----------------------------------------------------------------------------


def event_id_checked_then_inserted(
    request: Request, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """Look for the event id, spend, then remember it: all copies look before one has spent."""
    event = (caller.source, request.event_id)
    if first := map_event_answers([event]).get(event):
        if first.fingerprint != request.fingerprint:
            return SpendOutcome(refusal=EventIdReusedError())
        return SpendOutcome(answer=first.answer, is_replay=True)
    _pause()
    return _spend_and_remember(request, caller, now)


def _spend_and_remember(request: Request, caller: Caller, now: datetime) -> SpendOutcome:
    nameless = replace(request, event_id="")
    (outcome,) = spend.admit_spends([Asked(nameless, caller)], now=now)
    answer = EventAnswer(
        source=caller.source,
        event_id=request.event_id,
        fingerprint=request.fingerprint,
        is_refusal=outcome.refusal is not None,
        answer=outcome.refusal.document() if outcome.refusal else outcome.answer,
        recorded_at=now,
    )
    EventAnswer.objects.bulk_create([answer], ignore_conflicts=True)
    return outcome


def refusal_forgotten(request: SpendRequest, *, caller: Caller, now: datetime) -> SpendOutcome:
    """Keep the answers to event ids but not the refusals: a copy may get what the first didn't."""
    outcome = spend.add_spend(request, caller=caller, now=now)
    if outcome.refusal:
        EventAnswer.objects.filter(event_id=request.event_id, is_refusal=True).delete()
    return outcome


def event_id_conflict_not_retried(
    request: SpendRequest, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """Leave the loser of a conflict over an event id with the database's error.

    Two brands are two locks, so both look before one has written. On SQLite there is one lock.
    """
    with mock.patch.object(spend_sessions, "ATTEMPTS", 1):
        return spend.add_spend(request, caller=caller, now=now)


def answers_kept_in_order_of_arrival(
    requests: Sequence[SpendRequest], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """Write the answers as they were asked for: two brands wait for each other's event ids.

    Without the pauses it took batches of a thousand to see that. On SQLite there is one lock.
    """
    pause = Statement("SELECT pg_sleep(%s)", (MOMENT_SECONDS,), is_read=False)

    def keep(rows: LedgerRows) -> list[Statement]:
        return [each for row in rows.answers for each in (EVENT_ANSWERS.insert([row]), pause)]

    with mock.patch.object(LedgerRows, "_keep_answers", keep):
        return spend.admit_batch(requests, caller=caller, now=now, late_limit=late_limit)


# --- Edits ---------------------------------------------------------------------------------


def brand_saved_whole(
    brand_id: int, changes: BrandChanges, *, caller: Caller, now: datetime
) -> None:
    """Load the brand into a form, save the whole form: what others saved meanwhile is undone."""
    brand = Brand.objects.get(pk=brand_id)
    _pause(FORM_SECONDS)
    for column, value in changes.items():
        setattr(brand, column, value)
    brand.save()
    judge_campaigns(brand, Change(caller, now, Cause.BRAND_EDITED))


def version_checked_before_lock(
    brand_id: int, changes: BrandChanges, *, caller: Caller, now: datetime, terms: Terms
) -> None:
    """Compare the version, then wait for the lock: all who read the same one get through."""
    terms.check(Brand.objects.get(pk=brand_id))
    _pause()
    brands.edit_brand(brand_id, changes, caller=caller, now=now)


def brand_judged_without_lock(
    brand_id: int, changes: BrandChanges, *, caller: Caller, now: datetime
) -> None:
    """Write nothing but what changed, then store verdicts that a spend has just made untrue."""
    Brand.objects.filter(pk=brand_id).update(**changes)
    brand = Brand.objects.get(pk=brand_id)
    _judge_without_lock(brand, None, Change(caller, now, Cause.BRAND_EDITED))


def campaign_saved_whole(
    campaign_id: int, changes: CampaignChanges, *, caller: Caller, now: datetime
) -> None:
    """The same form for a campaign, which carries the stored verdict along."""
    campaign = Campaign.objects.select_related("brand").get(pk=campaign_id)
    _pause(FORM_SECONDS)
    for column, value in changes.items():
        setattr(campaign, column, value)
    campaign.save()
    judge_campaigns(campaign.brand, Change(caller, now, Cause.CAMPAIGN_EDITED), [campaign_id])


def _judge_without_lock(brand: Brand, campaign_ids: Sequence[int] | None, change: Change) -> None:
    campaigns = list_campaigns_to_judge(brand, campaign_ids)
    book = get_book(brand, campaigns, [change.at])
    _pause()
    store_verdicts(campaigns, book, change)


# --- Unattended work -----------------------------------------------------------------------


def totals_zeroed_at_midnight(*, caller: Caller, now: datetime) -> delivery.Changes:
    """Start the new day by zeroing the totals, as one does who keeps a single counter.

    Run twice, or a little late, it forgets what the new day has already spent.
    """
    new_day = {"period": PeriodKind.DAY, "starts_at__range": (now - timedelta(hours=1), now)}
    BrandTotal.objects.filter(**new_day).update(spent=Decimal(0))
    CampaignTotal.objects.filter(**new_day).update(spent=Decimal(0))
    return delivery.reset_daily_spend(caller=caller, now=now)


def doubtful_judged_without_lock(*, caller: Caller, now: datetime) -> delivery.Changes:
    """Find the doubtful campaigns and judge them, in as many workers as got the tick."""
    for brand_id, campaign_ids in map_doubtful_campaigns(now):
        brand = Brand.objects.get(pk=brand_id)
        _judge_without_lock(brand, campaign_ids, Change(caller, now, Cause.BUDGET_CHECK))
    return {"failed": 0}
