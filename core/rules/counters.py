"""Running totals in whole micros: what an admission moves on, entry by entry.

Outside of the loop over a batch's entries money is `Decimal`; inside, plain integers are ten times
as fast and just as exact.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.enums import PeriodKind, Reason
from core.rules.money import from_micros, to_micros
from core.rules.verdict import LIFETIME, Amounts, BrandFacts, CampaignFacts, TotalKey

# A budget that may apply, and the total that uses it up.
Budget = tuple[Reason, TotalKey, Decimal | None]


@dataclass(slots=True)
class Counter:
    """One total: `Amounts` that can move."""

    spent: int = 0
    held: int = 0

    @property
    def used(self) -> int:
        """What counts against a budget."""
        return self.spent + self.held


class Counters(Mapping[TotalKey, Amounts]):
    """Counters by their keys; read as a mapping, they are `Amounts`."""

    def __init__(self, by_key: dict[TotalKey, Counter]) -> None:
        self.by_key = by_key

    @classmethod
    def copy(cls, totals: Mapping[TotalKey, Amounts]) -> "Counters":
        """Counters of one's own that stand where these totals do."""
        if isinstance(totals, Counters):
            items = totals.by_key.items()
            return cls({key: Counter(counter.spent, counter.held) for key, counter in items})
        return cls(
            {key: Counter(to_micros(of.spent), to_micros(of.held)) for key, of in totals.items()}
        )

    def counter(self, key: TotalKey) -> Counter:
        """The counter of this total, which begins at zero if it is missing."""
        counter = self.by_key.get(key)
        if counter is None:
            counter = self.by_key[key] = Counter()
        return counter

    def __getitem__(self, key: TotalKey) -> Amounts:
        counter = self.by_key[key]
        return Amounts(from_micros(counter.spent), from_micros(counter.held))

    def __iter__(self) -> Iterator[TotalKey]:
        return iter(self.by_key)

    def __len__(self) -> int:
        return len(self.by_key)


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget over the counter that uses it up (C4)."""

    reason: Reason
    budget: int
    counter: Counter

    @property
    def remaining(self) -> int:
        """Budget − spent − held, never below zero."""
        return max(self.budget - self.counter.spent - self.counter.held, 0)

    @property
    def is_used_up(self) -> bool:
        """Reaching a budget exactly uses it up (C5)."""
        return self.counter.used >= self.budget


@dataclass(frozen=True, slots=True)
class Share:
    """An owner's part in what spend of one budget day counts in."""

    keys: tuple[TotalKey, ...]
    counters: tuple[Counter, ...]
    limits: tuple[Limit, ...]

    @classmethod
    def of(cls, budgets: Iterable[Budget], totals: Counters) -> "Share":
        """The counters of these budgets' periods, and limits where there is a budget (C3)."""
        keys, counters, limits = [], [], []
        for reason, key, budget in budgets:
            counter = totals.counter(key)
            keys.append(key)
            counters.append(counter)
            if budget is not None:
                limits.append(Limit(reason, to_micros(budget), counter))
        return cls(tuple(keys), tuple(counters), tuple(limits))


class Line:
    """All that one campaign's spend of one budget day counts in: the brand's share and its own."""

    __slots__ = (
        *("counters", "has_moved", "keys", "limits"),
        *("brand_month", "own_day", "own_lifetime", "own_month"),
    )

    def __init__(self, of_brand: Share, own: Share) -> None:
        self.brand_month = of_brand.counters[1]
        self.own_day, self.own_month, self.own_lifetime = own.counters
        self.keys = of_brand.keys + own.keys
        self.counters = of_brand.counters + own.counters
        self.limits = of_brand.limits + own.limits
        self.has_moved = False

    def tightest(self) -> Limit | None:
        """The budget that leaves the least, of equals the one that binds first (C4)."""
        tightest, least = None, 0
        for limit in self.limits:
            remaining = limit.budget - limit.counter.spent - limit.counter.held
            if remaining <= 0:
                return limit  # None leaves less than nothing.
            if tightest is None or remaining < least:
                tightest, least = limit, remaining
        return tightest

    def move(self, spent: int, held: int) -> None:
        """Move every counter (C10)."""
        self.has_moved = True
        for counter in self.counters:
            counter.spent += spent
            counter.held += held


def brand_share(brand: BrandFacts, day: date, totals: Counters) -> Share:
    """The brand's day and month. A brand has no lifetime budget (C3)."""
    month = day.replace(day=1)
    budgets = (
        (Reason.BRAND_DAILY_BUDGET, TotalKey(None, PeriodKind.DAY, day), brand.daily_budget),
        (
            Reason.BRAND_MONTHLY_BUDGET,
            TotalKey(None, PeriodKind.MONTH, month),
            brand.monthly_budget,
        ),
    )
    return Share.of(budgets, totals)


def campaign_share(campaign: CampaignFacts, day: date, totals: Counters) -> Share:
    """The campaign's day, month and lifetime; a month is named by its days' own month (C9, C12)."""
    owner = campaign.campaign_id
    lifetime = TotalKey(owner, PeriodKind.LIFETIME, LIFETIME.starts_on)
    month = TotalKey(owner, PeriodKind.MONTH, day.replace(day=1))
    budgets = (
        (Reason.CAMPAIGN_DAILY_BUDGET, TotalKey(owner, PeriodKind.DAY, day), campaign.daily_budget),
        (Reason.CAMPAIGN_MONTHLY_BUDGET, month, campaign.monthly_budget),
        (Reason.CAMPAIGN_LIFETIME_BUDGET, lifetime, campaign.lifetime_budget),
    )
    return Share.of(budgets, totals)
