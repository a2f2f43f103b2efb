"""Brands, campaigns and spends as tests want them, made by the real actions, and what is stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Unpack
from unittest import mock

from django.db import connection, transaction
from django.db.models import Model

from core.actions.brands import BrandChanges, create_brand
from core.actions.caller import Caller
from core.actions.campaigns import CampaignChanges, create_campaign
from core.actions.holds import capture_hold, create_hold, release_hold
from core.actions.spend import add_spend, refund_spend, report_spend
from core.actions.spend_requests import (
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    SpendOutcome,
    SpendRequest,
)
from core.enums import PeriodKind, SpendKind
from core.models import (
    ApiKey,
    Brand,
    BrandTotal,
    BrandVersion,
    Campaign,
    CampaignTotal,
    CampaignVersion,
    EventAnswer,
    Hold,
    Schedule,
    SpendLog,
    TaskRun,
    Transition,
)
from core.queries.api_keys import find_api_keys

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)  # a Wednesday
TODAY = NOON.date()
CALLER = Caller("test:ann")
LATE_LIMIT = timedelta(hours=72)
KEPT_MODELS: tuple[type[Model], ...] = (
    *(Brand, Campaign, Schedule, SpendLog, Hold, BrandTotal, CampaignTotal),
    *(EventAnswer, Transition, TaskRun, BrandVersion, CampaignVersion),
)

_numbers = count(1)


def find_api_key(token: str, now: datetime) -> ApiKey | None:
    """The key that this token opens at `now`, by a clock that stands there."""
    with mock.patch("django.utils.timezone.now", return_value=now):
        opened = find_api_keys([token])[0]
    return opened.key if opened else None


def make_brand(*, now: datetime = NOON, **settings: Unpack[BrandChanges]) -> Brand:
    """A brand, by default without any budget and with a name of its own."""
    named: BrandChanges = {"name": f"Brand {next(_numbers)}", **settings}
    return create_brand(named, caller=CALLER, now=now)


def make_campaign(
    brand: Brand | None = None, *, now: datetime = NOON, **settings: Unpack[CampaignChanges]
) -> Campaign:
    """A campaign, by default of a new brand, always open, without budgets of its own."""
    named: CampaignChanges = {"name": f"Campaign {next(_numbers)}", **settings}
    owner = brand or make_brand(now=now)
    return create_campaign(owner.pk, named, caller=CALLER, now=now)


def ask(campaign: Campaign, amount: str, **others: Any) -> SpendRequest:
    """A request to spend `amount`, e.g. `ask(campaign, "1.50", event_id="a")`."""
    return SpendRequest(campaign.pk, Decimal(amount), **others)


def tell(campaign: Campaign, amount: str, **others: Any) -> SpendRequest:
    """A request to report that `amount` is gone."""
    return ask(campaign, amount, kind=SpendKind.REPORT, **others)


def add(campaign: Campaign, amount: str, *, now: datetime = NOON, **others: Any) -> SpendOutcome:
    """Ask to spend, as `CALLER`."""
    return add_spend(ask(campaign, amount, **others), caller=CALLER, now=now)


def report(campaign: Campaign, amount: str, *, now: datetime = NOON, **others: Any) -> SpendOutcome:
    """Tell of spend, as `CALLER`, at most `LATE_LIMIT` old."""
    request = ask(campaign, amount, **others)
    return report_spend(request, caller=CALLER, now=now, late_limit=LATE_LIMIT)


def hold(campaign: Campaign, amount: str, *, now: datetime = NOON, **others: Any) -> SpendOutcome:
    """Set an amount aside, as `CALLER`, for five minutes unless `duration` says otherwise."""
    request = HoldRequest(campaign.pk, Decimal(amount), **others)
    return create_hold(request, caller=CALLER, now=now)


def capture(
    held: SpendOutcome, amount: str | None = None, *, now: datetime = NOON, event_id: str = ""
) -> SpendOutcome:
    """Turn what `hold` gave into spend, as `CALLER`."""
    part = None if amount is None else Decimal(amount)
    request = CaptureRequest(held.accepted()["hold_id"], part, event_id)
    return capture_hold(request, caller=CALLER, now=now)


def release(held: SpendOutcome, *, now: datetime = NOON, event_id: str = "") -> SpendOutcome:
    """Free what `hold` gave, as `CALLER`."""
    request = ReleaseRequest(held.accepted()["hold_id"], event_id)
    return release_hold(request, caller=CALLER, now=now)


def refund(
    spend: SpendOutcome, amount: str, *, now: datetime = NOON, **others: Any
) -> SpendOutcome:
    """Take back part of what `add`, `report` or `capture` answered, as `CALLER`."""
    request = RefundRequest(spend.accepted()["spend_log_id"], Decimal(amount), **others)
    return refund_spend(request, caller=CALLER, now=now)


def code_of(outcome: SpendOutcome) -> str | None:
    """The code of the refusal, if it is one."""
    return outcome.refusal.code if outcome.refusal else None


def fresh(campaign: Campaign) -> Campaign:
    """The campaign as it is stored now."""
    return Campaign.objects.select_related("brand").get(pk=campaign.pk)


def transitions_of(campaign: Campaign) -> list[Transition]:
    """The campaign's transitions, in the order in which they were written."""
    return list(Transition.objects.filter(campaign=campaign).order_by("id"))


def held(campaign: Campaign) -> Decimal:
    """What the campaign's stored lifetime total says is set aside."""
    lifetime = CampaignTotal.objects.filter(campaign=campaign, period=PeriodKind.LIFETIME)
    return lifetime.values_list("held", flat=True).first() or Decimal(0)


def spent(
    owner: Brand | Campaign, period: PeriodKind = PeriodKind.DAY, starts_on: date = TODAY
) -> Decimal:
    """What the stored total of this period says; nothing where there is none."""
    found: Decimal | None
    if isinstance(owner, Brand):
        of_brand = BrandTotal.objects.filter(brand=owner, period=period, starts_on=starts_on)
        found = of_brand.values_list("spent", flat=True).first()
    else:
        of_campaign = CampaignTotal.objects.filter(
            campaign=owner, period=period, starts_on=starts_on
        )
        found = of_campaign.values_list("spent", flat=True).first()
    return found or Decimal(0)


def everything_stored() -> dict[str, list[dict[str, Any]]]:
    """Every column of every row, so that two moments can be compared."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in KEPT_MODELS
    }


def settled() -> dict[str, list[dict[str, Any]]]:
    """Everything stored but how often settings were edited, and what they were before."""
    stored = everything_stored()
    for kind in ("Brand", "Campaign"):
        del stored[f"{kind}Version"]
        for row in stored[kind]:
            del row["version"]
    return stored


def story() -> dict[str, list[dict[str, Any]]]:
    """Everything stored but the numbers of rows, which differ where a deed is undone and redone."""
    ids = {"id", "spend_log_id", "hold_id"}

    def told(row: dict[str, Any]) -> dict[str, Any]:
        answer = row.get("answer")
        if isinstance(answer, dict):
            row = {**row, "answer": told(answer)}
        return {name: value for name, value in row.items() if name not in ids}

    return {
        name: sorted((told(row) for row in rows), key=repr)
        for name, rows in everything_stored().items()
    }


@contextmanager
def crashing(table: str, *, names: str = "", is_written: bool = False) -> Iterator[None]:
    """Let the power go out at the first row put into a table, before or after it is there.

    With `names`, at the first statement that has this among its values.
    """

    def crash(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        is_it = sql.replace('"', "").startswith(f"INSERT INTO {table} ") and names in repr(values)
        if is_written or not is_it:
            result = execute(sql, values, many, context)
        if is_it:
            raise RuntimeError("the power went out")
        return result

    with connection.execute_wrapper(crash):
        yield


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever the block writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
