"""Admission: what a brand's budgets let through, entry by entry in order (C18–C20, C22, C23).

There is no other path. A single spend is a sequence of one. Pure: the running totals live in
`Admission` and the action that holds the brand's lock writes them down.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from core.enums import HoldState, Reason, SpendKind
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
from core.rules.counters import Counters, Line, Share, brand_share, campaign_share
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
from core.rules.money import MICROS_PER_UNIT, format_micros
from core.rules.verdict import (
    Amounts,
    BrandFacts,
    CampaignFacts,
    Facts,
    Obstacle,
    TotalKey,
    judge,
    standing_obstacles,
)

FUTURE_TOLERANCE = timedelta(minutes=5)
# How late spend may be unless the settings say otherwise (C11).
LATE_LIMIT = timedelta(hours=72)
# Totals are 64-bit micros; below this they can't overflow however the parts are added.
LARGEST_TOTAL = 4_000_000_000_000 * MICROS_PER_UNIT


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


@dataclass(slots=True)
class Standing:
    """How a campaign stands: what stops it, and what its tightest budget leaves (micros)."""

    obstacles: tuple[Obstacle, ...]
    remaining: int | None

    @property
    def is_active(self) -> bool:
        """Nothing stands in the way."""
        return not self.obstacles

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The codes of everything that stands in the way."""
        return tuple(obstacle.reason for obstacle in self.obstacles)


@dataclass(slots=True)
class Decision:
    """What became of one entry. Its amounts are whole micros.

    `refusal` says why not. Otherwise `amount` was spent, held or taken back, in the totals of
    `budget_day`, and `freed` of a hold went back to what remains; `over_budget` of a report was
    uncovered because of `over_budget_cause` (C19); `refundable` is left of a refunded entry.
    `day_spent` and `month_spent` are the campaign's in the entry's own periods and `standing` is
    the campaign's now, all after this entry.
    """

    refusal: BudgetManagerError | None = None
    campaign_id: int = 0
    budget_day: date = date.min
    amount: int = 0
    freed: int = 0
    over_budget: int = 0
    over_budget_cause: Reason | None = None
    refundable: int = 0
    day_spent: int = 0
    month_spent: int = 0
    standing: Standing | None = None


def check_occurred_at(occurred_at: datetime, now: datetime, late_limit: timedelta) -> None:
    """Refuse an instant too far in the past or more than 5 minutes in the future (C11)."""
    if occurred_at > now + FUTURE_TOLERANCE:
        raise InvalidFieldError("occurred_at", "is more than 5 minutes in the future")
    if occurred_at < now - late_limit:
        hours = int(late_limit.total_seconds() // 3600)
        raise InvalidFieldError("occurred_at", f"is more than {hours} hours ago: too late to count")


class Admission:
    """Decides entries one after another against running totals, all at the instant `at` (C8, C23).

    `book` moves on with each decision, `changed` names the totals that have to be written.
    """

    def __init__(self, book: BrandBook, at: datetime) -> None:
        self.totals = Counters.copy(book.totals)
        self.holds: dict[int, HoldFacts] = dict(book.holds)
        self.logged: dict[int, LoggedSpend] = dict(book.logged)
        # The same facts with the running totals, which `_move` moves on.
        self.book = BrandBook(book.brand, book.campaigns, self.totals, self.holds, self.logged)
        self.at = at
        self._lines: dict[tuple[int, date], Line] = {}
        self._brand_shares: dict[date, Share] = {}
        self._days: dict[datetime, date] = {}
        self._is_clear: dict[int, bool] = {}
        self._today = self._day(at)
        self._used_up_before = self._used_up()

    @property
    def turns_brand(self) -> bool:
        """Whether a budget of the brand ran out or came back, which all its campaigns feel (C5)."""
        return self._used_up() != self._used_up_before

    @property
    def changed(self) -> set[TotalKey]:
        """The totals that aren't what they were."""
        return {key for line in self._lines.values() if line.has_moved for key in line.keys}

    def free_expired(self, expired: Iterable[HoldFacts]) -> None:
        """Give back what expired holds had set aside, before anything is decided (C8, C20)."""
        for hold in expired:
            self._move(hold.campaign_id, hold.budget_day, held=-hold.amount)

    def decide(self, entry: Entry) -> Decision:
        """Admit, record or refuse one entry; what it changes counts for the next one (C23)."""
        match entry:
            case SpendEntry():
                refusal = self._spend_refusal(entry)
                return Decision(refusal) if refusal else self._spend(entry)
            case HoldEntry():
                refusal = self._hold_refusal(entry)
                return Decision(refusal) if refusal else self._hold(entry)
            case CaptureEntry():
                refusal = self._capture_refusal(entry)
                return Decision(refusal) if refusal else self._capture(entry)
            case ReleaseEntry():
                refusal = self._ending_refusal(entry.hold_id)
                return Decision(refusal) if refusal else self._release(entry)
            case RefundEntry():
                refusal = self._refund_refusal(entry)
                return Decision(refusal) if refusal else self._refund(entry)

    # --- Spend (C18, C19) --------------------------------------------------------------------

    def _spend_refusal(self, entry: SpendEntry) -> BudgetManagerError | None:
        asks_first = entry.kind is SpendKind.ADD
        if refusal := self._amount_refusal(entry, asks_first, self._day(entry.occurred_at)):
            return refusal
        return self._budget_refusal(entry) if asks_first else None

    def _spend(self, entry: SpendEntry) -> Decision:
        amount, day = entry.amount, self._day(entry.occurred_at)
        over_budget, cause = 0, None
        # Of an add, too: the database refuses to keep one that no budget covers.
        tightest = self._line(entry.campaign_id, day).tightest()
        if tightest and amount > tightest.remaining:
            over_budget, cause = amount - tightest.remaining, tightest.reason
        self._move(entry.campaign_id, day, spent=amount)
        return self._completed(
            Decision(amount=amount, over_budget=over_budget, over_budget_cause=cause),
            entry.campaign_id,
            day,
        )

    # --- Holds (C20) -------------------------------------------------------------------------

    def _hold_refusal(self, entry: HoldEntry) -> BudgetManagerError | None:
        refusal = self._amount_refusal(entry, True, self._today)
        return refusal or self._budget_refusal(entry)

    def _hold(self, entry: HoldEntry) -> Decision:
        self._move(entry.campaign_id, self._today, held=entry.amount)
        return self._completed(Decision(amount=entry.amount), entry.campaign_id, self._today)

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
        return CaptureAboveHoldError(format_micros(held)) if amount > held else None

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
            return RefundAboveEntryError(format_micros(logged.refundable))
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
        line = self._line(entry.campaign_id, day)
        if max(line.brand_month.used, line.own_lifetime.used) + entry.amount > LARGEST_TOTAL:
            return InvalidFieldError("amount", "makes a total larger than can be counted")
        return None

    def _budget_refusal(self, entry: SpendEntry | HoldEntry) -> BudgetManagerError | None:
        tightest = self._line(entry.campaign_id, self._today).tightest()
        is_clear = self._has_no_standing_obstacle(entry.campaign_id)
        if is_clear and (tightest is None or entry.amount <= tightest.remaining):
            return None
        standing = self.standing(entry.campaign_id)
        if standing.obstacles or tightest is None:
            return CampaignNotActiveError(describe_obstacles(standing.obstacles))
        return BudgetExceededError(
            budget=tightest.reason.value, remaining=format_micros(tightest.remaining)
        )

    def _completed(self, decision: Decision, campaign_id: int, day: date) -> Decision:
        line = self._line(campaign_id, day)
        decision.campaign_id, decision.budget_day = campaign_id, day
        decision.day_spent = line.own_day.spent
        decision.month_spent = line.own_month.spent
        decision.standing = self.standing(campaign_id)
        return decision

    def standing(self, campaign_id: int) -> Standing:
        """What stops the campaign now; `judge` is asked only where something may."""
        tightest = self._line(campaign_id, self._today).tightest()
        remaining = tightest.remaining if tightest else None
        if remaining != 0 and self._has_no_standing_obstacle(campaign_id):
            return Standing((), remaining)
        return Standing(judge(self.book.facts(campaign_id), self.at).obstacles, remaining)

    def _has_no_standing_obstacle(self, campaign_id: int) -> bool:
        """Whether nothing but budgets can stop it now; that doesn't change on the way."""
        is_clear = self._is_clear.get(campaign_id)
        if is_clear is None:
            facts = self.book.facts(campaign_id)
            is_clear = not any(standing_obstacles(facts, self.at))
            self._is_clear[campaign_id] = is_clear
        return is_clear

    def _move(self, campaign_id: int, day: date, *, spent: int = 0, held: int = 0) -> None:
        """Move every total that counts this campaign on this day: the brand's and its own."""
        self._line(campaign_id, day).move(spent, held)

    def _line(self, campaign_id: int, day: date) -> Line:
        line = self._lines.get((campaign_id, day))
        if line is None:
            own = campaign_share(self.book.campaigns[campaign_id], day, self.totals)
            line = self._lines[campaign_id, day] = Line(self._brand_share(day), own)
        return line

    def _brand_share(self, day: date) -> Share:
        share = self._brand_shares.get(day)
        if share is None:
            share = self._brand_shares[day] = brand_share(self.book.brand, day, self.totals)
        return share

    def _used_up(self) -> set[Reason]:
        """The brand's budgets that stop all of its campaigns now."""
        limits = self._brand_share(self._today).limits
        return {limit.reason for limit in limits if limit.is_used_up}

    def _day(self, at: datetime) -> date:
        day = self._days.get(at)
        if day is None:
            day = self._days[at] = self.book.brand.calendar.budget_date(at)
        return day
