"""Admission: which spends a brand's budgets let through, entry by entry in order (C18, C19, C23).

There is no other path. A single spend is a sequence of one. Pure: the running totals live in
`Admission` and the action that holds the brand's lock writes them down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.enums import PeriodKind, Reason, SpendKind
from core.errors import (
    BudgetExceededError,
    BudgetManagerError,
    CampaignNotActiveError,
    CampaignNotFoundError,
    InvalidFieldError,
)
from core.rules.explanation import describe_obstacles
from core.rules.money import format_money
from core.rules.verdict import (
    LIFETIME,
    NOTHING,
    ZERO,
    Amounts,
    BrandFacts,
    CampaignFacts,
    Ceiling,
    Facts,
    TotalKey,
    Verdict,
    applying_ceilings,
    judge,
)

FUTURE_TOLERANCE = timedelta(minutes=5)
# How late spend may be unless the settings say otherwise (C11).
LATE_LIMIT = timedelta(hours=72)
# Totals are 64-bit micros; below this they can't overflow however the parts are added.
LARGEST_TOTAL = Decimal(4_000_000_000_000)


@dataclass(frozen=True, slots=True)
class SpendEntry:
    """One spend to decide. `currency` is what the caller named, if anything (C2)."""

    kind: SpendKind
    campaign_id: int
    amount: Decimal
    occurred_at: datetime
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class BrandBook:
    """The facts about one brand that decide its spends: itself, its campaigns, its totals."""

    brand: BrandFacts
    campaigns: Mapping[int, CampaignFacts]
    totals: Mapping[TotalKey, Amounts]

    def facts(self, campaign_id: int) -> Facts:
        """The facts of one campaign in this book."""
        return Facts(self.brand, self.campaigns[campaign_id], self.totals)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one entry.

    `refusal` says why not; otherwise the entry counts, `over_budget` of it uncovered because of
    `over_budget_cause` (C19). `day` and `month` are the campaign's totals in the entry's own
    periods and `verdict` the campaign's verdict now, all after this entry.
    """

    refusal: BudgetManagerError | None = None
    over_budget: Decimal = ZERO
    over_budget_cause: Reason | None = None
    day: Amounts = NOTHING
    month: Amounts = NOTHING
    verdict: Verdict | None = None


def check_occurred_at(occurred_at: datetime, now: datetime, late_limit: timedelta) -> None:
    """Refuse an instant too far in the past or more than 5 minutes in the future (C11)."""
    if occurred_at > now + FUTURE_TOLERANCE:
        raise InvalidFieldError("occurred_at", "is more than 5 minutes in the future")
    if occurred_at < now - late_limit:
        hours = int(late_limit.total_seconds() // 3600)
        raise InvalidFieldError("occurred_at", f"is more than {hours} hours ago: too late to count")


class Admission:
    """Decides entries one after another against running totals, all at the instant `at` (C8, C23).

    `book` moves on with each decision, `before` stays as it was, `changed` names the totals that
    have to be written.
    """

    def __init__(self, book: BrandBook, at: datetime) -> None:
        self.before = book
        self.totals: dict[TotalKey, Amounts] = dict(book.totals)
        self.changed: set[TotalKey] = set()
        # The same facts with the running totals, which `_count` moves on.
        self.book = BrandBook(book.brand, book.campaigns, self.totals)
        self.at = at

    def decide(self, entry: SpendEntry) -> Decision:
        """Admit, record or refuse one entry; what it changes counts for the next one (C23)."""
        refusal = self._refusal(entry)
        if refusal:
            return Decision(refusal)
        facts = self.book.facts(entry.campaign_id)
        tightest = _tightest(facts, entry.occurred_at)
        over_budget = max(entry.amount - tightest.remaining, ZERO) if tightest else ZERO
        day, month = self._count(entry)
        return Decision(
            over_budget=over_budget,
            over_budget_cause=tightest.reason if tightest and over_budget else None,
            day=day,
            month=month,
            verdict=judge(facts, self.at),
        )

    def _refusal(self, entry: SpendEntry) -> BudgetManagerError | None:
        brand = self.book.brand
        campaign = self.book.campaigns.get(entry.campaign_id)
        if campaign is None or (campaign.is_archived and entry.kind is SpendKind.ADD):
            return CampaignNotFoundError()
        if entry.currency not in (None, brand.currency):
            return InvalidFieldError("currency", f"must be the brand's currency, {brand.currency}")
        if entry.amount <= 0:
            return InvalidFieldError("amount", "must be more than zero")
        month = self._total(None, PeriodKind.MONTH, entry)
        lifetime = self._total(entry.campaign_id, PeriodKind.LIFETIME, entry)
        if max(month.spent, lifetime.spent) + entry.amount > LARGEST_TOTAL:
            return InvalidFieldError("amount", "makes a total larger than can be counted")
        if entry.kind is SpendKind.ADD:
            return self._add_refusal(entry)
        return None

    def _add_refusal(self, entry: SpendEntry) -> BudgetManagerError | None:
        facts = self.book.facts(entry.campaign_id)
        verdict = judge(facts, self.at)
        if not verdict.is_active:
            return CampaignNotActiveError(describe_obstacles(verdict))
        tightest = _tightest(facts, entry.occurred_at)
        if tightest and entry.amount > tightest.remaining:
            return BudgetExceededError(
                budget=tightest.reason.value, remaining=format_money(tightest.remaining)
            )
        return None

    def _count(self, entry: SpendEntry) -> tuple[Amounts, Amounts]:
        """Add the entry to the brand's and the campaign's totals; the campaign's day and month."""
        for owner in (None, entry.campaign_id):
            for period in PeriodKind:
                if owner is None and period is PeriodKind.LIFETIME:
                    continue  # A brand has no lifetime budget (C3).
                key = self._key(owner, period, entry)
                before = self.totals.get(key, NOTHING)
                self.totals[key] = Amounts(before.spent + entry.amount, before.held)
                self.changed.add(key)
        return (
            self._total(entry.campaign_id, PeriodKind.DAY, entry),
            self._total(entry.campaign_id, PeriodKind.MONTH, entry),
        )

    def _total(self, owner: int | None, period: PeriodKind, entry: SpendEntry) -> Amounts:
        return self.totals.get(self._key(owner, period, entry), NOTHING)

    def _key(self, owner: int | None, period: PeriodKind, entry: SpendEntry) -> TotalKey:
        calendar = self.book.brand.calendar
        match period:
            case PeriodKind.DAY:
                starts_on = calendar.budget_day(entry.occurred_at).starts_on
            case PeriodKind.MONTH:
                starts_on = calendar.budget_month(entry.occurred_at).starts_on
            case PeriodKind.LIFETIME:
                starts_on = LIFETIME.starts_on
        return TotalKey(owner, period, starts_on)


def _tightest(facts: Facts, at: datetime) -> Ceiling | None:
    return min(applying_ceilings(facts, at), key=lambda ceiling: ceiling.remaining, default=None)
