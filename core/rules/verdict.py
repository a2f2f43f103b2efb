"""The verdict: is a campaign active at an instant, and if not, why (C14).

One pure function, `judge`, decides it for the API, the tasks, the admin and the simulation.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from core.enums import PeriodKind, Reason
from core.rules.calendar import BrandCalendar, Period
from core.rules.dayparts import WeeklySchedule, is_open, next_edge

ZERO = Decimal(0)
# The one period that never ends: its total is filed under the first day there is.
LIFETIME = Period(
    PeriodKind.LIFETIME,
    date.min,
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
)


def period_of(calendar: BrandCalendar, kind: PeriodKind, starts_on: date) -> Period:
    """The period of this kind that `starts_on` names in the brand's calendar (C9)."""
    match kind:
        case PeriodKind.DAY:
            return calendar.day_period(starts_on)
        case PeriodKind.MONTH:
            return calendar.month_period(starts_on)
        case PeriodKind.LIFETIME:
            return LIFETIME


class TotalKey(NamedTuple):
    """Names one running total: whose it is (`None`: the whole brand's) and of which period."""

    campaign_id: int | None
    period: PeriodKind
    starts_on: date


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one period holds: money spent and money set aside by open holds."""

    spent: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def used(self) -> Decimal:
        """What counts against a budget."""
        return self.spent + self.held


NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """What a verdict needs to know of a brand. A budget of `None` is no ceiling (C3)."""

    is_enabled: bool
    calendar: BrandCalendar
    currency: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What a verdict needs to know of a campaign; the flight is `[starts_at, ends_at)`."""

    campaign_id: int
    is_enabled: bool
    is_archived: bool
    starts_at: datetime | None
    ends_at: datetime | None
    schedule: WeeklySchedule
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    lifetime_budget: Decimal | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the verdict of one campaign rests on. A total that is missing is zero."""

    brand: BrandFacts
    campaign: CampaignFacts
    totals: Mapping[TotalKey, Amounts]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One budget that applies, with what its period already holds (C4)."""

    reason: Reason
    key: TotalKey
    budget: Decimal
    amounts: Amounts
    renews_at: datetime | None

    @property
    def remaining(self) -> Decimal:
        """Budget − spent − held, never below zero."""
        return max(self.budget - self.amounts.used, ZERO)

    @property
    def is_used_up(self) -> bool:
        """Reaching a budget exactly uses it up (C5)."""
        return self.amounts.used >= self.budget


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why a campaign is not active, when time alone will lift it, and its numbers."""

    reason: Reason
    ends_at: datetime | None = None
    ceiling: Ceiling | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "is it running, and if not, why", binding reason first (C14).

    `next_change_at` is the next instant at which time alone may change this answer, its reasons
    included; `None` if time changes nothing that matters. After the flight only the budget check
    keeps reasons true.
    """

    at: datetime
    obstacles: tuple[Obstacle, ...]
    ceilings: tuple[Ceiling, ...]
    next_change_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Nothing stands in the way."""
        return not self.obstacles

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The codes of everything that stands in the way."""
        return tuple(obstacle.reason for obstacle in self.obstacles)

    @property
    def waits_for_time_alone(self) -> bool:
        """Every obstacle passes by itself: no person and no money is needed."""
        return all(obstacle.ends_at for obstacle in self.obstacles)

    @property
    def remaining(self) -> Decimal | None:
        """What the tightest budget leaves; `None` without any budget."""
        return min((ceiling.remaining for ceiling in self.ceilings), default=None)


def tightest_budget(*budgets: Decimal | None) -> Decimal | None:
    """The lowest of these budgets; `None` if none of them is a ceiling (C3, C4)."""
    return min((budget for budget in budgets if budget is not None), default=None)


def judge(facts: Facts, at: datetime) -> Verdict:
    """Decide whether a campaign is active at `at` (an aware instant) from the facts alone (C14)."""
    ceilings = tuple(applying_ceilings(facts, at))
    obstacles = (*standing_obstacles(facts, at), *_budget_obstacles(ceilings))
    return Verdict(at, obstacles, ceilings, _next_change_at(facts, at, obstacles))


def applying_ceilings(facts: Facts, at: datetime) -> Iterator[Ceiling]:
    """Every budget that counts spend which occurs at `at`, in the order in which they bind (C4)."""
    yield from brand_ceilings(facts.brand, facts.totals, at)
    campaign, calendar = facts.campaign, facts.brand.calendar
    owner = campaign.campaign_id
    day, month = calendar.budget_day(at), calendar.budget_month(at)
    budgets = (
        (Reason.CAMPAIGN_DAILY_BUDGET, owner, day, campaign.daily_budget),
        (Reason.CAMPAIGN_MONTHLY_BUDGET, owner, month, campaign.monthly_budget),
        (Reason.CAMPAIGN_LIFETIME_BUDGET, owner, LIFETIME, campaign.lifetime_budget),
    )
    yield from _ceilings(budgets, facts.totals)


def brand_ceilings(
    brand: BrandFacts, totals: Mapping[TotalKey, Amounts], at: datetime
) -> Iterator[Ceiling]:
    """The brand's own budgets, which every one of its campaigns lives under."""
    day, month = brand.calendar.budget_day(at), brand.calendar.budget_month(at)
    budgets = (
        (Reason.BRAND_DAILY_BUDGET, None, day, brand.daily_budget),
        (Reason.BRAND_MONTHLY_BUDGET, None, month, brand.monthly_budget),
    )
    yield from _ceilings(budgets, totals)


def used_up_brand_budgets(
    brand: BrandFacts, totals: Mapping[TotalKey, Amounts], at: datetime
) -> frozenset[Reason]:
    """Which of the brand's budgets stop all of its campaigns at `at` (C5)."""
    ceilings = brand_ceilings(brand, totals, at)
    return frozenset(ceiling.reason for ceiling in ceilings if ceiling.is_used_up)


def _ceilings(
    budgets: Iterable[tuple[Reason, int | None, Period, Decimal | None]],
    totals: Mapping[TotalKey, Amounts],
) -> Iterator[Ceiling]:
    for reason, owner, period, budget in budgets:
        if budget is not None:
            key = TotalKey(owner, period.kind, period.starts_on)
            renews_at = None if period is LIFETIME else period.ends_at
            yield Ceiling(reason, key, budget, totals.get(key, NOTHING), renews_at)


def standing_obstacles(facts: Facts, at: datetime) -> Iterator[Obstacle]:
    """Everything but used up budgets that stops the campaign at `at`."""
    brand, campaign = facts.brand, facts.campaign
    if not brand.is_enabled:
        yield Obstacle(Reason.BRAND_DISABLED)
    if not campaign.is_enabled:
        yield Obstacle(Reason.CAMPAIGN_DISABLED)
    if campaign.starts_at and at < campaign.starts_at:
        yield Obstacle(Reason.NOT_STARTED, campaign.starts_at)
    if campaign.ends_at and at >= campaign.ends_at:
        yield Obstacle(Reason.ENDED)
    if not is_open(campaign.schedule, at, brand.calendar):
        opens_at = next_edge(campaign.schedule, at, brand.calendar)
        yield Obstacle(Reason.OUTSIDE_SCHEDULE, opens_at)


def _budget_obstacles(ceilings: tuple[Ceiling, ...]) -> Iterator[Obstacle]:
    for ceiling in ceilings:
        if ceiling.is_used_up:
            # A budget of zero stays used up: the next period brings nothing new.
            renews_at = ceiling.renews_at if ceiling.budget else None
            yield Obstacle(ceiling.reason, renews_at, ceiling)


def _next_change_at(facts: Facts, at: datetime, obstacles: tuple[Obstacle, ...]) -> datetime | None:
    campaign = facts.campaign
    if campaign.ends_at and at >= campaign.ends_at:
        return None
    edges = [obstacle.ends_at for obstacle in obstacles]
    edges += [campaign.starts_at, campaign.ends_at]
    edges.append(next_edge(campaign.schedule, at, facts.brand.calendar))
    return min((edge for edge in edges if edge and edge > at), default=None)
