"""Admission: what a brand's budgets let through, entry by entry in order (C18–C20, C22, C23).

There is no other path. A single spend is a sequence of one. Pure: the running totals live in
`Admission` and the action that holds the brand's lock writes them down.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.enums import HoldState, PeriodKind, Reason, SpendKind
from core.errors import (
    BudgetExceededError,
    BudgetManagerError,
    CampaignNotActiveError,
    CampaignNotFoundError,
    CaptureAboveHoldError,
    HoldEndedError,
    HoldNotFoundError,
    InvalidFieldError,
    NotRefundableError,
    RefundAboveEntryError,
    SpendLogNotFoundError,
)
from core.rules.entries import (
    CaptureEntry,
    Entry,
    HoldEntry,
    HoldFacts,
    LoggedSpend,
    RefundEntry,
    ReleaseEntry,
    SpendEntry,
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
class BrandBook:
    """The facts about one brand that decide its spends: itself, its campaigns, its totals.

    `holds` and `logged` are the holds and the entries of the log that are asked about, by id.
    """

    brand: BrandFacts
    campaigns: Mapping[int, CampaignFacts]
    totals: Mapping[TotalKey, Amounts]
    holds: Mapping[int, HoldFacts] = field(default_factory=dict)
    logged: Mapping[int, LoggedSpend] = field(default_factory=dict)

    def facts(self, campaign_id: int) -> Facts:
        """The facts of one campaign in this book."""
        return Facts(self.brand, self.campaigns[campaign_id], self.totals)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one entry.

    `refusal` says why not. Otherwise `amount` was spent, held or taken back, in the totals of
    `budget_day`, and `freed` of a hold went back to what remains; `over_budget` of a report was
    uncovered because of `over_budget_cause` (C19); `refundable` is left of a refunded entry.
    `day` and `month` are the campaign's totals in the entry's own periods and `verdict` the
    campaign's verdict now, all after this entry.
    """

    refusal: BudgetManagerError | None = None
    campaign_id: int = 0
    budget_day: date = date.min
    amount: Decimal = ZERO
    freed: Decimal = ZERO
    over_budget: Decimal = ZERO
    over_budget_cause: Reason | None = None
    refundable: Decimal = ZERO
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
        self.holds: dict[int, HoldFacts] = dict(book.holds)
        self.logged: dict[int, LoggedSpend] = dict(book.logged)
        self.changed: set[TotalKey] = set()
        # The same facts with the running totals, which `_move` moves on.
        self.book = BrandBook(book.brand, book.campaigns, self.totals, self.holds, self.logged)
        self.at = at

    def free_expired(self, expired: Iterable[HoldFacts]) -> None:
        """Give back what expired holds had set aside, before anything is decided (C8, C20)."""
        for hold in expired:
            self._move(hold.campaign_id, hold.budget_day, held=-hold.amount)

    def decide(self, entry: Entry) -> Decision:
        """Admit, record or refuse one entry; what it changes counts for the next one (C23)."""
        match entry:
            case SpendEntry():
                return self._refused(self._spend_refusal(entry)) or self._spend(entry)
            case HoldEntry():
                return self._refused(self._hold_refusal(entry)) or self._hold(entry)
            case CaptureEntry():
                return self._refused(self._capture_refusal(entry)) or self._capture(entry)
            case ReleaseEntry():
                return self._refused(self._ending_refusal(entry.hold_id)) or self._release(entry)
            case RefundEntry():
                return self._refused(self._refund_refusal(entry)) or self._refund(entry)

    def _refused(self, refusal: BudgetManagerError | None) -> Decision | None:
        return Decision(refusal) if refusal else None

    # --- Spend (C18, C19) --------------------------------------------------------------------

    def _spend_refusal(self, entry: SpendEntry) -> BudgetManagerError | None:
        asks_first = entry.kind is SpendKind.ADD
        if refusal := self._amount_refusal(entry, asks_first, self._day(entry.occurred_at)):
            return refusal
        return self._budget_refusal(entry) if asks_first else None

    def _spend(self, entry: SpendEntry) -> Decision:
        tightest = _tightest(self.book.facts(entry.campaign_id), entry.occurred_at)
        over_budget = max(entry.amount - tightest.remaining, ZERO) if tightest else ZERO
        day = self._day(entry.occurred_at)
        self._move(entry.campaign_id, day, spent=entry.amount)
        decision = Decision(
            amount=entry.amount,
            over_budget=over_budget,
            over_budget_cause=tightest.reason if tightest and over_budget else None,
        )
        return self._completed(decision, entry.campaign_id, day)

    # --- Holds (C20) -------------------------------------------------------------------------

    def _hold_refusal(self, entry: HoldEntry) -> BudgetManagerError | None:
        refusal = self._amount_refusal(entry, True, self._day(self.at))
        return refusal or self._budget_refusal(entry)

    def _hold(self, entry: HoldEntry) -> Decision:
        day = self._day(self.at)
        self._move(entry.campaign_id, day, held=entry.amount)
        return self._completed(Decision(amount=entry.amount), entry.campaign_id, day)

    def _ending_refusal(self, hold_id: int) -> BudgetManagerError | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return HoldNotFoundError()
        state = hold.state_at(self.at)
        return None if state is HoldState.OPEN else HoldEndedError(state.value)

    def _capture_refusal(self, entry: CaptureEntry) -> BudgetManagerError | None:
        if refusal := self._ending_refusal(entry.hold_id):
            return refusal
        amount, held = entry.amount, self.holds[entry.hold_id].amount
        if amount is None:
            return None
        if amount <= 0:
            return InvalidFieldError("amount", "must be more than zero; release the hold instead")
        return CaptureAboveHoldError(format_money(held)) if amount > held else None

    def _capture(self, entry: CaptureEntry) -> Decision:
        """Within the hold nothing can refuse it: the budget has been waiting for it (C7)."""
        hold = self.holds[entry.hold_id]
        amount = hold.amount if entry.amount is None else entry.amount
        self.holds[hold.hold_id] = replace(hold, state=HoldState.CAPTURED)
        self._move(hold.campaign_id, hold.budget_day, spent=amount, held=-hold.amount)
        decision = Decision(amount=amount, freed=hold.amount - amount)
        return self._completed(decision, hold.campaign_id, hold.budget_day)

    def _release(self, entry: ReleaseEntry) -> Decision:
        hold = self.holds[entry.hold_id]
        self.holds[hold.hold_id] = replace(hold, state=HoldState.RELEASED)
        self._move(hold.campaign_id, hold.budget_day, held=-hold.amount)
        return self._completed(Decision(freed=hold.amount), hold.campaign_id, hold.budget_day)

    # --- Refunds (C22) -----------------------------------------------------------------------

    def _refund_refusal(self, entry: RefundEntry) -> BudgetManagerError | None:
        logged = self.logged.get(entry.spend_log_id)
        if logged is None:
            return SpendLogNotFoundError()
        if logged.kind is SpendKind.REFUND:
            return NotRefundableError()
        if entry.amount <= 0:
            return InvalidFieldError("amount", "must be more than zero")
        if entry.amount > logged.refundable:
            return RefundAboveEntryError(format_money(logged.refundable))
        return None

    def _refund(self, entry: RefundEntry) -> Decision:
        logged = self.logged[entry.spend_log_id]
        refundable = logged.refundable - entry.amount
        self.logged[entry.spend_log_id] = replace(logged, refundable=refundable)
        self._move(logged.campaign_id, logged.budget_day, spent=-entry.amount)
        decision = Decision(amount=entry.amount, refundable=refundable)
        return self._completed(decision, logged.campaign_id, logged.budget_day)

    # --- What they share ---------------------------------------------------------------------

    def _amount_refusal(
        self, entry: SpendEntry | HoldEntry, asks_first: bool, day: date
    ) -> BudgetManagerError | None:
        brand = self.book.brand
        campaign = self.book.campaigns.get(entry.campaign_id)
        if campaign is None or (campaign.is_archived and asks_first):
            return CampaignNotFoundError()
        if entry.currency not in (None, brand.currency):
            return InvalidFieldError("currency", f"must be the brand's currency, {brand.currency}")
        if entry.amount <= 0:
            return InvalidFieldError("amount", "must be more than zero")
        month = self._total(None, PeriodKind.MONTH, day)
        lifetime = self._total(entry.campaign_id, PeriodKind.LIFETIME, day)
        if max(month.used, lifetime.used) + entry.amount > LARGEST_TOTAL:
            return InvalidFieldError("amount", "makes a total larger than can be counted")
        return None

    def _budget_refusal(self, entry: SpendEntry | HoldEntry) -> BudgetManagerError | None:
        facts = self.book.facts(entry.campaign_id)
        verdict = judge(facts, self.at)
        if not verdict.is_active:
            return CampaignNotActiveError(describe_obstacles(verdict))
        tightest = min(verdict.ceilings, key=_room, default=None)
        if tightest and entry.amount > tightest.remaining:
            return BudgetExceededError(
                budget=tightest.reason.value, remaining=format_money(tightest.remaining)
            )
        return None

    def _completed(self, decision: Decision, campaign_id: int, day: date) -> Decision:
        return replace(
            decision,
            campaign_id=campaign_id,
            budget_day=day,
            day=self._total(campaign_id, PeriodKind.DAY, day),
            month=self._total(campaign_id, PeriodKind.MONTH, day),
            verdict=judge(self.book.facts(campaign_id), self.at),
        )

    def _move(
        self, campaign_id: int, day: date, *, spent: Decimal = ZERO, held: Decimal = ZERO
    ) -> None:
        """Move every total that counts this campaign on this day: the brand's and its own."""
        for owner in (None, campaign_id):
            for period in PeriodKind:
                if owner is None and period is PeriodKind.LIFETIME:
                    continue  # A brand has no lifetime budget (C3).
                key = _key(owner, period, day)
                before = self.totals.get(key, NOTHING)
                self.totals[key] = Amounts(before.spent + spent, before.held + held)
                self.changed.add(key)

    def _total(self, owner: int | None, period: PeriodKind, day: date) -> Amounts:
        return self.totals.get(_key(owner, period, day), NOTHING)

    def _day(self, at: datetime) -> date:
        return self.book.brand.calendar.budget_day(at).starts_on


def _key(owner: int | None, period: PeriodKind, day: date) -> TotalKey:
    """Where the total is filed; a month is named by its days' own month (C9, C12)."""
    match period:
        case PeriodKind.DAY:
            return TotalKey(owner, period, day)
        case PeriodKind.MONTH:
            return TotalKey(owner, period, day.replace(day=1))
        case PeriodKind.LIFETIME:
            return TotalKey(owner, period, LIFETIME.starts_on)


def _tightest(facts: Facts, at: datetime) -> Ceiling | None:
    return min(applying_ceilings(facts, at), key=_room, default=None)


def _room(ceiling: Ceiling) -> Decimal:
    return ceiling.remaining
