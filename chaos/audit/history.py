"""Walks through a brand's transactions and keeps books of its own: what each period had used.

Overspend (C7): after every admission, each budget that is then in force covers what its period has
spent and holds. A report isn't an admission; it may go beyond, and has to say by how much (C19).
After that, and after a budget was lowered below what is used, nothing may be admitted until there
is room again. A capture counts in the period of its hold, which it never raises.

Only what runs may spend (C18): at the instant of an admission the switches, the flight and the
schedule then in force let the campaign run, and what a refusal names stood in the way.

Tightness (C8): a budget that turned a request down had less than that amount left at that moment,
by these books. From then on less and less is left, until a refund, the end of a hold or a raised
budget makes room; so a period is spent to within the smallest request that it turned down. The
periods that turned requests down are counted: a run without demand shows nothing.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from chaos.audit.days import Zones
from chaos.audit.findings import Question, Row
from chaos.audit.folder import micros_of, money
from chaos.audit.standing import STANDING, Switches
from chaos.audit.steps import Step, Transaction

OVERSPEND = Question(
    "overspend",
    "overspend",
    "C7",
    "list that period's entries, event answers and versions by pg_xact_commit_timestamp(xmin)",
)
ADMITTED_INACTIVE = Question(
    "admitted_inactive",
    "admitted while not active",
    "C18",
    "compare the versions of brand and campaign that were in force when it was committed",
)
UNDER_DELIVERY = Question(
    "under_delivery",
    "tightness: refused though it fitted",
    "C8",
    "compare the refusal in core_eventanswer with what the period had used when it was committed",
)
WRONG_DAYS = Question(
    "wrong_days",
    "counted in a wrong day",
    "C10",
    "compare occurred_at in the brand's zone of that time with budget_day",
)
MISLABELLED = Question(
    "mislabelled",
    "over budget, but not said so",
    "C19",
    "compare the report with what its tightest budget had left when it was committed",
)
_MICRO = 1
_NAMES = {
    "brand_daily_budget": (False, "day"),
    "brand_monthly_budget": (False, "month"),
    "campaign_daily_budget": (True, "day"),
    "campaign_monthly_budget": (True, "month"),
    "campaign_lifetime_budget": (True, "lifetime"),
}
_PERIODS = {"daily_budget": "day", "monthly_budget": "month", "lifetime_budget": "lifetime"}


class Key(NamedTuple):
    """A period of a brand (`campaign_id` of None) or of a campaign, by its first local date."""

    campaign_id: int | None
    period: str
    starts_on: date


def keys_of(campaign_id: int, day: date) -> tuple[Key, ...]:
    """Every period that counts what a campaign spends on this day."""
    month = day.replace(day=1)
    return (
        Key(None, "day", day),
        Key(None, "month", month),
        Key(campaign_id, "day", day),
        Key(campaign_id, "month", month),
        Key(campaign_id, "lifetime", date.min),
    )


class Rows:
    """The rows that a walk through history answers."""

    def __init__(self) -> None:
        self.overspend, self.under_delivery = Row(OVERSPEND), Row(UNDER_DELIVERY)
        self.wrong_days, self.mislabelled = Row(WRONG_DAYS), Row(MISLABELLED)
        self.admitted_inactive = Row(ADMITTED_INACTIVE)

    def all(self) -> list[Row]:
        """All of them, for the report."""
        return [
            *(self.overspend, self.admitted_inactive, self.under_delivery),
            *(self.wrong_days, self.mislabelled),
        ]


class History:
    """One brand as it was after each of its transactions."""

    def __init__(self, brand_id: int, rows: Rows) -> None:
        self.brand_id, self.rows = brand_id, rows
        self.zones = Zones()
        self.used: defaultdict[Key, int] = defaultdict(int)
        self._is_enabled = True
        self._switches: dict[int, Switches] = {}
        self._limits: dict[tuple[int | None, str], int | None] = {}
        # Within the running transaction: what was reported, and what was freed by a person.
        self._reported: defaultdict[Key, int] = defaultdict(int)
        self._freed: defaultdict[Key, int] = defaultdict(int)
        self._is_in_order = True
        self._tight: set[Key] = set()

    def limit(self, key: Key) -> int | None:
        """The budget in force for a period; None is no ceiling."""
        return self._limits.get((key.campaign_id, key.period))

    def play(self, transactions: Iterator[Transaction]) -> None:
        """Walk through all of them."""
        for transaction in transactions:
            self._reported.clear()
            self._freed.clear()
            # A release or a new hold tells no place among the entries of its transaction.
            self._is_in_order = not any(step.kind in ("held", "released") for step in transaction)
            for step in transaction:
                self._play(step)
        self.rows.under_delivery.checked += len(self._tight)

    def _play(self, step: Step) -> None:
        match step.kind:
            case "brand":
                self.zones.learn(step.told, step.at)
                self._is_enabled = step.told["is_enabled"]
                self._set_limits(None, step.told)
            case "campaign":
                self._switches[step.campaign_id] = Switches.of_version(step.told)
                self._set_limits(step.campaign_id, step.told)
            case "add" | "held":
                self._demand_day(step, self.zones.day(step.at))
                self._demand_active(step)
                self._move(step, step.amount)
                self._demand_covered(step)
            case "report":
                self._demand_day(step, self.zones.day(step.at))
                self._demand_label(step)
                self._move(step, step.amount)
            case "capture":
                self._demand_day(step, step.of_day)
                self._move(step, step.amount - step.freed)
                if step.amount > step.freed:
                    self._demand_covered(step)
            case "refund":
                self._demand_day(step, step.of_day)
                self._move(step, step.amount)
            case "released" | "expired":
                self._move(step, -step.amount)
            case "refused":
                self._demand_reason(step)

    def _set_limits(self, campaign_id: int | None, settings: dict[str, Any]) -> None:
        for name, period in _PERIODS.items():
            budget = settings.get(name)
            self._limits[campaign_id, period] = None if budget is None else micros_of(budget)

    def _move(self, step: Step, by: int) -> None:
        for key in keys_of(step.campaign_id, step.budget_day):
            if by < 0:
                # What ran out was given back before anything of its transaction was decided.
                self._freed[key] -= 0 if step.kind == "expired" else by
            if step.kind == "report":
                self._reported[key] += by
            self.used[key] += by

    def _demand_covered(self, step: Step) -> None:
        """Every budget covers what its period has used once this was admitted (C7)."""
        self.rows.overspend.checked += 1
        for key in keys_of(step.campaign_id, step.budget_day):
            limit = self.limit(key)
            # Reports of the same transaction may have come after a hold.
            used = self.used[key] - (self._reported[key] if step.kind == "held" else 0)
            if limit is not None and used > limit:
                self.rows.overspend.note(
                    f"{step.kind} {step.id}, event {step.event_id}, {self._named(key)}",
                    expected=f"at most {money(limit)} spent and held",
                    found=f"{money(used)} after it was admitted",
                )

    def _demand_active(self, step: Step) -> None:
        """Nothing but a budget could have stopped what was admitted (C18)."""
        self.rows.admitted_inactive.checked += 1
        if reasons := self._reasons(step):
            self.rows.admitted_inactive.note(
                f"{step.kind} {step.id} of campaign {step.campaign_id}, event {step.event_id}",
                expected=f"a refusal at {step.at.isoformat()}",
                found=f"admitted in spite of {', '.join(reasons)}",
            )

    def _reasons(self, step: Step) -> list[str]:
        """What stopped the campaign, apart from its budgets."""
        switches = self._switches[step.campaign_id]
        reasons = switches.reasons(step.at, self.zones.local(step.at))
        return [*([] if self._is_enabled else ["brand_disabled"]), *reasons]

    def _demand_day(self, step: Step, day: date | None) -> None:
        if day is None:
            return  # A capture of no hold, which is another row's affair.
        self.rows.wrong_days.checked += 1
        if step.budget_day != day:
            self.rows.wrong_days.note(
                f"{step.kind} {step.id} of brand {self.brand_id}, event {step.event_id}",
                expected=f"{day}, for {step.at.isoformat()}",
                found=step.budget_day,
            )

    def _demand_label(self, step: Step) -> None:
        """A report says what part of it no budget covered (C19)."""
        if not self._is_in_order:
            return
        self.rows.mislabelled.checked += 1
        uncovered = 0
        for key in keys_of(step.campaign_id, step.budget_day):
            limit = self.limit(key)
            if limit is not None:
                room = max(limit - self.used[key], 0)
                uncovered = max(uncovered, step.amount - room)
        if uncovered != step.over_budget:
            self.rows.mislabelled.note(
                f"report {step.id}, event {step.event_id}",
                expected=f"{money(uncovered)} of {money(step.amount)} over budget",
                found=money(step.over_budget),
            )

    def _demand_reason(self, step: Step) -> None:
        """Whatever turned a request down stood in the way at that moment (C8)."""
        told = {reason["code"] for reason in step.told.get("reasons", ())} & STANDING
        if told - set(self._reasons(step)):
            self.rows.under_delivery.note(
                f"event {step.event_id}, campaign {step.campaign_id} at {step.at.isoformat()}",
                expected=f"stopped by {', '.join(self._reasons(step)) or 'nothing'}",
                found=f"refused for {', '.join(sorted(told))}",
            )
        day = self.zones.day(step.at)
        for budget, amount in _blamed(step):
            is_own, period = _NAMES[budget]
            keys = keys_of(step.campaign_id, day)[2:] if is_own else keys_of(step.campaign_id, day)
            key = next(key for key in keys if key.period == period)
            limit = self.limit(key)
            # The most that can have been used at any moment of its transaction.
            most_used = self.used[key] + self._freed[key]
            if limit is None or limit - most_used >= amount:
                left = "no ceiling" if limit is None else f"{money(limit - most_used)} left"
                self.rows.under_delivery.note(
                    f"event {step.event_id}, {self._named(key)}",
                    expected=f"less than {money(amount)} left, or it is admitted",
                    found=f"{left}, and refused with {step.told['code']}",
                )
            else:
                self._tight.add(key)

    def _named(self, key: Key) -> str:
        owner = f"brand {self.brand_id}" if key.campaign_id is None else f"campaign {key[0]}"
        return f"{owner}, {key.period} {key.starts_on}"


def _blamed(step: Step) -> Iterator[tuple[str, int]]:
    """The budgets that a refusal names, and what each of them had no room for."""
    if step.told["code"] == "budget_exceeded":
        yield step.told["budget"], step.amount
    elif step.told["code"] == "campaign_not_active":
        for reason in step.told["reasons"]:
            if reason["code"] in _NAMES:
                yield reason["code"], _MICRO
