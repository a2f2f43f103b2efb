"""Loads demo brands and plays their last two weeks through the same actions as real spend.

What the brands are is data of the command, `core/management/demo_brands.py`. The ways in for a
person and a program are made here too.
"""

import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from core.actions import delivery
from core.actions.api_keys import create_api_key, revoke_api_key
from core.actions.brands import create_brand
from core.actions.caller import Caller
from core.actions.campaigns import CampaignChanges, create_campaign, pause_campaign
from core.actions.spend import admit_batch
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.enums import Scope, SpendKind
from core.errors import BudgetExceededError
from core.models import ApiKey, Brand, Campaign
from core.queries.books import get_book
from core.queries.brands import has_any_brand
from core.rules.traffic import DAILY_CURVE
from core.rules.verdict import ZERO, brand_ceilings

DAYS_OF_HISTORY = 14
HOUR = timedelta(hours=1)
# A tick of the beat comes this long after the hour; spend comes between it and the next one.
TICK = timedelta(seconds=20)
LATE_LIMIT = timedelta(hours=1)
# History is played every three hours, and hour by hour only lately: loading has to be quick.
HOURLY_SINCE = timedelta(days=2)
HOURS_BEFORE = 3
SATURDAY = 5
AD_SERVER, PERSON = "demo:ad-server", "admin:admin"
# How much of the daily curve is left on Saturdays and Sundays.
WEEKEND_SHARE = Decimal("0.7")

ADMIN_NAMES = ("admin", "demo-admin")
# Tells the demo's own admin from a person who happens to be called "admin".
ADMIN_EMAIL = "admin@demo.invalid"
API_KEY_NAME = "demo"


@dataclass(frozen=True, slots=True)
class DemoCampaign:
    """A campaign to create. `per_hour` is what it spends in its busiest hours.

    `reports` says that its spend is told afterwards and not asked for. Days count from today in
    the brand's zone.
    """

    settings: CampaignChanges
    per_hour: int
    reports: bool = False
    starts_in_days: int | None = None
    ends_in_days: int | None = None
    paused_in_days: int | None = None


@dataclass(frozen=True, slots=True)
class DemoBrand:
    """A brand to create. `is_spent_now`: today's budget is used up when loading ends."""

    name: str
    time_zone: str
    currency: str
    daily_budget: Decimal
    monthly_budget: Decimal
    smallest: Decimal
    campaigns: tuple[DemoCampaign, ...]
    is_spent_now: bool = False


@dataclass(frozen=True, slots=True)
class DemoAccess:
    """The ways into the demo."""

    admin_user: str
    admin_password: str
    api_key: str


@dataclass(frozen=True, slots=True)
class _Player:
    """One brand on the stage: its rows, and what each of its campaigns plays."""

    plan: DemoBrand
    brand: Brand
    parts: dict[int, DemoCampaign]

    @property
    def caller(self) -> Caller:
        return Caller(AD_SERVER, frozenset({self.brand.pk}))


@dataclass(frozen=True, slots=True)
class _Scene:
    """A moment at which a brand spends, and for how many hours it does."""

    at: datetime
    hours: int


@transaction.atomic
def load_demo(
    brands: Sequence[DemoBrand], *, now: datetime, on_day: Callable[[int], None]
) -> int | None:
    """Create the brands and play their history up to `now`; how many spends were recorded.

    `None` if one of the brands is or was there: then nothing is loaded. All or nothing in one
    transaction, which locks no brand but those that it creates. Same date, same demo.
    """
    if has_any_brand([brand.name for brand in brands]):
        return None
    starts_at = datetime.combine(now.date() - timedelta(days=DAYS_OF_HISTORY), time.min, tzinfo=UTC)
    players = [_create(plan, starts_at, now) for plan in brands]
    brand_ids = frozenset(player.brand.pk for player in players)
    count = 0
    for hour in _hours(starts_at, now):
        if hour.hour == 0:
            on_day((hour - starts_at).days)
        _tick(brand_ids, min(hour + TICK, now))
        for player in sorted(players, key=lambda player: _moment(player, hour)):
            _pause(player, hour, now)
            count += _play(player, hour, now)
    count += sum(_use_up(player, now) for player in players if player.plan.is_spent_now)
    _tick(brand_ids, now)
    return count


def _hours(starts_at: datetime, now: datetime) -> Iterator[datetime]:
    while starts_at <= now:
        yield starts_at
        starts_at += HOUR


def _create(plan: DemoBrand, at: datetime, now: datetime) -> _Player:
    caller = Caller(PERSON)
    brand = create_brand(
        {
            "name": plan.name,
            "time_zone": plan.time_zone,
            "currency": plan.currency,
            "daily_budget": plan.daily_budget,
            "monthly_budget": plan.monthly_budget,
        },
        caller=caller,
        now=at,
    )
    parts = {}
    for part in plan.campaigns:
        flight: CampaignChanges = {
            "starts_at": _day_from(brand, now, part.starts_in_days),
            "ends_at": _day_from(brand, now, part.ends_in_days),
        }
        campaign = create_campaign(brand.pk, {**part.settings, **flight}, caller=caller, now=at)
        parts[campaign.pk] = part
    return _Player(plan, brand, parts)


def _day_from(brand: Brand, now: datetime, days: int | None) -> datetime | None:
    """When the budget day begins that is this many days from today."""
    if days is None:
        return None
    today = brand.calendar.budget_day(now).starts_on
    return brand.calendar.first_instant(today + timedelta(days=days))


def _tick(brand_ids: frozenset[int], at: datetime) -> None:
    """What the unattended tasks do at that moment, for these brands."""
    for task, deed in (
        ("reset_daily_spend", delivery.reset_daily_spend),
        ("reset_monthly_spend", delivery.reset_monthly_spend),
        ("enforce_dayparting", delivery.enforce_dayparting),
    ):
        deed(caller=Caller(f"task:core.{task}", brand_ids), now=at)


def _pause(player: _Player, hour: datetime, now: datetime) -> None:
    for campaign_id, part in player.parts.items():
        if part.paused_in_days is not None and hour == _pausing_hour(part.paused_in_days, now):
            pause_campaign(campaign_id, caller=Caller(PERSON), now=hour + TICK)


def _pausing_hour(days: int, now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=days), time(hour=6), tzinfo=UTC)


def _moment(player: _Player, hour: datetime) -> datetime:
    """When in this hour the brand spends: the same whatever was played before."""
    return hour + timedelta(seconds=_chance(player.plan.name, hour).randint(60, 3_500))


def _chance(name: str, hour: datetime) -> random.Random:
    return random.Random(f"{name} {hour:%Y-%m-%dT%H}")  # noqa: S311 (a play)


def _play(player: _Player, hour: datetime, now: datetime) -> int:
    """What the campaigns that run spend since the brand played last; how many entries."""
    hours = 1 if now - hour < HOURLY_SINCE else HOURS_BEFORE
    scene = _Scene(_moment(player, hour), hours)
    if scene.at >= now or hour.hour % hours:
        return 0
    requests = [_request(player, campaign_id, scene) for campaign_id in _running(player)]
    outcomes = _admit(player, requests, scene.at)
    rest = [
        SpendRequest(request.campaign_id, left)
        for request, outcome in zip(requests, outcomes, strict=True)
        if (left := _left(outcome))
    ]
    return _count_recorded(outcomes + _admit(player, rest, scene.at))


def _running(player: _Player) -> list[int]:
    running = Campaign.objects.filter(brand=player.brand, is_active=True).order_by("id")
    return list(running.values_list("id", flat=True))


def _admit(player: _Player, requests: list[SpendRequest], at: datetime) -> list[SpendOutcome]:
    if not requests:
        return []
    return admit_batch(requests, caller=player.caller, now=at, late_limit=LATE_LIMIT)


def _request(player: _Player, campaign_id: int, scene: _Scene) -> SpendRequest:
    part, at = player.parts[campaign_id], scene.at
    amount = _amount(player, part, scene)
    if not part.reports:
        return SpendRequest(campaign_id, amount)
    return SpendRequest(
        campaign_id,
        amount,
        kind=SpendKind.REPORT,
        occurred_at=at - timedelta(seconds=30),
        event_id=f"{campaign_id}-{at:%Y%m%dT%H%M%S}",
    )


def _amount(player: _Player, part: DemoCampaign, scene: _Scene) -> Decimal:
    """By the hour of the day, the weekday, and 40 % of luck either way."""
    local = player.brand.calendar.local(scene.at)
    percent = DAILY_CURVE[local.hour] * _chance(part.settings["name"], scene.at).randint(60, 140)
    share = Decimal(percent * scene.hours) / 10_000
    if local.weekday() >= SATURDAY:
        share *= WEEKEND_SHARE
    return max((part.per_hour * share).quantize(player.plan.smallest), player.plan.smallest)


def _left(outcome: SpendOutcome) -> Decimal:
    """What a refused spend could still have had."""
    if isinstance(outcome.refusal, BudgetExceededError):
        return Decimal(outcome.refusal.details["remaining"])
    return ZERO


def _use_up(player: _Player, now: datetime) -> int:
    """Report what is left of the brand's day, and a little more that no budget covers (C19)."""
    book = get_book(player.brand, [], [now])
    left = next(brand_ceilings(book.brand, book.totals, now)).remaining
    campaign_id = next(number for number, part in player.parts.items() if part.reports)
    request = SpendRequest(campaign_id, left + player.plan.smallest * 250, kind=SpendKind.REPORT)
    return _count_recorded(_admit(player, [request], now))


def _count_recorded(outcomes: Sequence[SpendOutcome]) -> int:
    return sum(outcome.refusal is None for outcome in outcomes)


@transaction.atomic
def renew_demo_access(*, now: datetime) -> DemoAccess:
    """A superuser with a new password and a key with all scopes; the demo's old key is revoked."""
    password = secrets.token_urlsafe(12)
    admin = User.objects.filter(email=ADMIN_EMAIL).first() or _new_admin()
    admin.is_active = admin.is_staff = admin.is_superuser = True
    admin.set_password(password)
    admin.save()
    for key in ApiKey.objects.filter(name=API_KEY_NAME, revoked_at=None):
        revoke_api_key(key, now=now)
    _, token = create_api_key(API_KEY_NAME, scopes=set(Scope), now=now)
    return DemoAccess(admin.get_username(), password, token)


def _new_admin() -> User:
    taken = set(User.objects.filter(username__in=ADMIN_NAMES).values_list("username", flat=True))
    free = [name for name in ADMIN_NAMES if name not in taken]
    name = free[0] if free else f"demo-admin-{secrets.token_hex(3)}"
    return User(username=name, email=ADMIN_EMAIL)
