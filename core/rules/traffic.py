"""What happens to a brand on a day that one can believe: who spends when, and who steps in.

Pure: a plan, a day and chance in, events out. The same chance gives the same events; playing them
is `core/actions/simulation.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Protocol, TypeVar

from core.rules.calendar import BrandCalendar, with_time_zone
from core.rules.dayparts import Daypart, WeeklySchedule, is_open, weekly_schedule

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SATURDAY = 5
# How busy each local hour is, most of all in the evening; and how much of it weekends have.
DAILY_CURVE = (
    *(12, 8, 6, 5, 6, 10, 22, 40, 60, 74, 82, 86),
    *(90, 84, 78, 76, 80, 88, 96, 100, 92, 70, 44, 24),
)
WHOLE_DAY = sum(DAILY_CURVE)
WEEKEND_SHARE = 0.7
# Most callers see that a campaign is closed; these ask nevertheless.
BLIND_SHARE = 0.04
BURST_SHARE, BURST = 1 / 50, 4.0
# Of a hundred requests; the others ask to spend.
REPORTS, HOLDS, REFUNDS = 5, 13, 3
LATE_SHARE, REPEATED_SHARE = 0.3, 0.05
LATEST = timedelta(hours=60)
# How often in a day a person does it to a brand, and how often beat goes down.
PAUSES, NEW_BUDGETS, OUTAGES = 0.15, 0.2, 0.15
LONGEST_PAUSE = timedelta(days=4)
# A cut to the first of them is below what is spent on most days, and is taken back later.
BUDGET_PERCENTS = (20, 60, 80, 100, 125, 150)
LONGEST_CUT = timedelta(days=2)
# Few outages are long: over midnights, ends of months, sometimes more than a week.
LONG_OUTAGE_SHARE = 0.15
USUAL_OUTAGE, LONGEST_OUTAGE = timedelta(hours=8), timedelta(days=9)


class Chance(Protocol):
    """What is used of `random.Random`: the one method whose numbers no release changes."""

    def random(self) -> float:
        """A number of [0, 1)."""


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """A campaign, how often it asks on a weekday, and for about how many of the smallest units.

    `is_reported`: its spend is told afterwards and not asked for. Days count from the first one.
    """

    name: str
    asks_per_day: int
    typical: int
    is_reported: bool = False
    schedule: tuple[Daypart, ...] = ()
    daily_budget: Decimal | None = None
    monthly_budget: Decimal | None = None
    lifetime_budget: Decimal | None = None
    starts_in_days: int | None = None
    ends_in_days: int | None = None

    @property
    def budgets(self) -> dict[str, Decimal]:
        """Its own budgets by name."""
        named = {
            "daily_budget": self.daily_budget,
            "monthly_budget": self.monthly_budget,
            "lifetime_budget": self.lifetime_budget,
        }
        return {name: budget for name, budget in named.items() if budget is not None}


@dataclass(frozen=True, slots=True)
class BrandPlan:
    """A brand and its campaigns; `smallest` is the smallest amount that it pays.

    `moves`: after so many days a person sets another time zone.
    """

    name: str
    time_zone: str
    currency: str
    daily_budget: Decimal
    monthly_budget: Decimal
    smallest: Decimal
    campaigns: tuple[CampaignPlan, ...]
    moves: tuple[int, str] | None = None

    @property
    def budgets(self) -> dict[str, Decimal]:
        """Its budgets by name."""
        return {"daily_budget": self.daily_budget, "monthly_budget": self.monthly_budget}

    def move(self, first_day: date) -> "Move | None":
        """When a person sets which other zone: in the middle of a UTC day."""
        if self.moves is None:
            return None
        days, time_zone = self.moves
        return Move(day_starts_at(first_day + timedelta(days=days)) + 12 * HOUR, time_zone)

    def calendar(self, first_day: date) -> BrandCalendar:
        """When its days begin and end, as is known afterwards."""
        calendar, move = BrandCalendar(self.time_zone), self.move(first_day)
        return with_time_zone(calendar, move.time_zone, move.at) if move else calendar


class Fate(Enum):
    """What a caller does about a hold."""

    CAPTURED = "captured"
    CAPTURED_IN_PART = "captured in part"
    RELEASED = "released"
    FORGOTTEN = "forgotten"


# Each as likely as any other; half of all holds are captured whole.
FATES = (*[Fate.CAPTURED] * 4, *[Fate.CAPTURED_IN_PART] * 2, Fate.RELEASED, Fate.FORGOTTEN)


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asks to spend; `is_repeated`: and sends it again, as if no answer had come."""

    at: datetime
    campaign: int
    amount: Decimal
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class Tell:
    """Somebody reports what was spent at `occurred_at`."""

    at: datetime
    campaign: int
    amount: Decimal
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """Somebody takes a hold for a time, and after a part of it decides what becomes of it."""

    at: datetime
    campaign: int
    amount: Decimal
    duration: timedelta
    decides_after: timedelta
    fate: Fate


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Somebody refunds that many percent of one of the campaign's latest entries."""

    at: datetime
    campaign: int
    percent: int


@dataclass(frozen=True, slots=True)
class Switch:
    """A person pauses or resumes a campaign."""

    at: datetime
    campaign: int
    is_on: bool


@dataclass(frozen=True, slots=True)
class NewBudget:
    """A person sets a budget of the brand, or of a campaign, to so many percent of what it was."""

    at: datetime
    campaign: int | None
    name: str
    percent: int


@dataclass(frozen=True, slots=True)
class Move:
    """A person sets the brand's time zone."""

    at: datetime
    time_zone: str


Event = Ask | Tell | SetAside | TakeBack | Switch | NewBudget | Move
Choice = TypeVar("Choice")


def day_starts_at(day: date) -> datetime:
    """When a day of the simulation begins: in UTC, since its brands share no midnight."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def flight(
    plan: CampaignPlan, calendar: BrandCalendar, first_day: date
) -> tuple[datetime | None, datetime | None]:
    """When the campaign's flight starts and ends: at midnights of the brand (C9)."""

    def midnight(days: int | None) -> datetime | None:
        return None if days is None else calendar.first_instant(first_day + timedelta(days=days))

    return midnight(plan.starts_in_days), midnight(plan.ends_in_days)


def traffic(brand: BrandPlan, day: date, *, first_day: date, chance: Chance) -> list[Event]:
    """Everything that callers and persons do to the brand on a UTC day, in order of time."""
    events: list[Event] = []
    for place, campaign in enumerate(brand.campaigns):
        schedule = weekly_schedule(campaign.schedule)
        crowd = _Crowd(brand, place, schedule, brand.calendar(first_day), first_day, chance)
        for hour in range(24):
            events += crowd.events(day_starts_at(day) + hour * HOUR)
    events += _person(brand, day_starts_at(day), chance)
    move = brand.move(first_day)
    events += [move] if move and move.at.date() == day else []
    return sorted(events, key=lambda event: event.at)


def outage(day: date, chance: Chance) -> tuple[datetime, datetime] | None:
    """From when to when no task runs, if beat goes down on that day; on most days it doesn't."""
    if chance.random() >= OUTAGES:
        return None
    starts_at = day_starts_at(day) + _within(24 * HOUR, chance)
    is_long = chance.random() < LONG_OUTAGE_SHARE
    longest = LONGEST_OUTAGE if is_long else USUAL_OUTAGE
    return starts_at, starts_at + timedelta(minutes=20) + _within(longest, chance)


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Those who spend for one campaign."""

    brand: BrandPlan
    place: int
    schedule: WeeklySchedule
    calendar: BrandCalendar
    first_day: date
    chance: Chance

    @property
    def plan(self) -> CampaignPlan:
        return self.brand.campaigns[self.place]

    def events(self, hour: datetime) -> Iterator[Event]:
        """What they do in this hour; all of a burst comes within its first minutes."""
        is_burst = self.chance.random() < BURST_SHARE
        expected = self._expected(hour) * (BURST if is_burst else 1)
        # Whole requests that come to the expected number on the average.
        for _ in range(int(expected * (0.6 + 0.8 * self.chance.random()) + self.chance.random())):
            longest = 4 * MINUTE if is_burst else HOUR
            yield self._event(hour + _within(longest, self.chance))

    def _expected(self, hour: datetime) -> float:
        local = self.calendar.local(hour)
        expected = self.plan.asks_per_day * DAILY_CURVE[local.hour] / WHOLE_DAY
        if local.weekday() >= SATURDAY:
            expected *= WEEKEND_SHARE
        return expected if self._seems_open(hour) else expected * BLIND_SHARE

    def _seems_open(self, at: datetime) -> bool:
        starts_at, ends_at = flight(self.plan, self.calendar, self.first_day)
        is_in_flight = (not starts_at or starts_at <= at) and (not ends_at or at < ends_at)
        return is_in_flight and is_open(self.schedule, at, self.calendar)

    def _event(self, at: datetime) -> Event:
        kind = _below(100, self.chance)
        amount = self._amount()
        if kind < REFUNDS:
            return TakeBack(at, self.place, 10 + _below(91, self.chance))
        if self.plan.is_reported or kind < REFUNDS + REPORTS:
            return Tell(at, self.place, amount, self._occurred_at(at))
        if kind < REFUNDS + REPORTS + HOLDS:
            return self._hold(at, amount)
        return Ask(at, self.place, amount, self.chance.random() < REPEATED_SHARE)

    def _amount(self) -> Decimal:
        """Mostly less than the typical amount, seldom several times as much."""
        percent = 20 + int(280 * self.chance.random() ** 3)
        return max(self.plan.typical * percent // 100, 1) * self.brand.smallest

    def _occurred_at(self, at: datetime) -> datetime:
        if self.chance.random() >= LATE_SHARE:
            return at - _within(timedelta(seconds=90), self.chance)
        late = _within(LATEST, self.chance)
        return max(at - late, min(at, day_starts_at(self.first_day)))

    def _hold(self, at: datetime, amount: Decimal) -> SetAside:
        duration = MINUTE + _within(30 * MINUTE, self.chance)
        return SetAside(
            at,
            self.place,
            amount,
            duration=duration,
            decides_after=_within(duration, self.chance),
            fate=_one_of(FATES, self.chance),
        )


def _person(brand: BrandPlan, day: datetime, chance: Chance) -> Iterator[Event]:
    """What a person does to the brand that day, if anything, and takes back some time later."""
    if chance.random() < PAUSES:
        at, place = day + _below(24, chance) * HOUR, _below(len(brand.campaigns), chance)
        yield Switch(at, place, is_on=False)
        # Mostly for hours, seldom for days.
        pause = 30 * MINUTE + LONGEST_PAUSE * chance.random() ** 4
        yield Switch(at + pause, place, is_on=True)
    if chance.random() < NEW_BUDGETS:
        at, percent = day + _below(24 * 60, chance) * MINUTE, _one_of(BUDGET_PERCENTS, chance)
        campaign, name = _one_of(_budgets(brand), chance)
        yield NewBudget(at, campaign, name, percent)
        if percent == BUDGET_PERCENTS[0]:
            yield NewBudget(at + _within(LONGEST_CUT, chance), campaign, name, 100)


def _budgets(brand: BrandPlan) -> list[tuple[int | None, str]]:
    """What a person may edit, of the brand or a campaign; most often the brand's daily budget."""
    own = [(place, name) for place, each in enumerate(brand.campaigns) for name in each.budgets]
    return [*[(None, "daily_budget")] * 3, *((None, name) for name in brand.budgets), *own]


def _below(limit: int, chance: Chance) -> int:
    return int(limit * chance.random())


def _within(longest: timedelta, chance: Chance) -> timedelta:
    """Some part of it, in microseconds: hardly any two things happen at one instant."""
    return timedelta(microseconds=_below(longest // timedelta(microseconds=1), chance))


def _one_of(choices: Sequence[Choice], chance: Chance) -> Choice:
    return choices[_below(len(choices), chance)]
