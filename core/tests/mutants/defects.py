"""Defects that break the product in one place, whoever calls it: each a block in which it is so.

They need no luck and no second process; those that do are in `core/tests/races`. `catalogue.py`
says which test has to fail with each. `pytest --mutant NAME TEST` shows it.
"""

import inspect
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from core.actions import delivery, spend_sessions, verdicts
from core.actions.caller import Caller
from core.actions.ledger import Pending
from core.actions.spend_requests import SpendRequest
from core.actions.spend_sessions import Session
from core.enums import PeriodKind
from core.errors import BudgetManagerError, HoldNotFoundError
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, Transition
from core.rules import calendar, dayparts
from core.rules.admission import Admission, Decision
from core.rules.calendar import BrandCalendar
from core.rules.counters import Counter, Limit, Line
from core.rules.dayparts import WeeklySchedule
from core.rules.entries import CaptureEntry, RefundEntry, SpendEntry
from core.rules.money import MICROS_PER_UNIT
from core.rules.verdict import Ceiling

Block = AbstractContextManager[object]

# --- Money and totals ----------------------------------------------------------------------


def float_money() -> Block:
    """Totals are moved as floating units, and cut to micros."""

    def moved(micros: int, by: int) -> int:
        return int((micros / MICROS_PER_UNIT + by / MICROS_PER_UNIT) * MICROS_PER_UNIT)

    def move(self: Line, spent: int, held: int) -> None:
        self.has_moved = True
        for counter in self.counters:
            counter.spent, counter.held = moved(counter.spent, spent), moved(counter.held, held)

    return mock.patch.object(Line, "move", move)


def totals_zeroed_in_place() -> Block:
    """The reset zeroes the running day, as one does who keeps a single counter."""

    def zero(now: datetime) -> None:
        running = {"period": PeriodKind.DAY, "starts_at__lte": now, "ends_at__gt": now}
        BrandTotal.objects.filter(**running).update(spent=0)
        CampaignTotal.objects.filter(**running).update(spent=0)

    return _when_periods_close(zero)


def exact_budget_not_used_up() -> Block:
    """A budget stops campaigns once it is passed, not when it is reached."""
    broken = ExitStack()
    for kind in (Ceiling, Limit):
        passed = property(lambda self: _used(self) > self.budget)
        broken.enter_context(mock.patch.object(kind, "is_used_up", passed))
    return broken


def _used(limit: Ceiling | Limit) -> Any:
    return limit.amounts.used if isinstance(limit, Ceiling) else limit.counter.used


def siblings_left_active() -> Block:
    """Only the campaign that spent is judged again when the brand's budget runs out."""
    return mock.patch.object(Admission, "turns_brand", property(lambda self: False))


def late_spend_counts_today() -> Block:
    """Spend is filed under the day in which it came in."""
    day = Admission._day
    return mock.patch.object(Admission, "_day", lambda self, at: day(self, self.at))


def any_lateness_taken() -> Block:
    """Nobody asks how long ago a report says that it was."""
    return mock.patch.object(spend_sessions, "check_occurred_at", return_value=None)


def report_dropped_when_over_budget() -> Block:
    """A report is refused for the reasons for which an add is."""

    def refusal(self: Admission, entry: SpendEntry) -> BudgetManagerError | None:
        day = self._day(entry.occurred_at)
        return self._amount_refusal(entry, True, day) or self._budget_refusal(entry)

    return mock.patch.object(Admission, "_spend_refusal", refusal)


def refund_without_limit() -> Block:
    """More comes back than was spent."""

    def refusal(self: Admission, entry: RefundEntry) -> None:
        return None

    return mock.patch.object(Admission, "_refund_refusal", refusal)


def refusals_not_kept() -> Block:
    """An event id is told afresh after a refusal."""

    def is_admitted(self: Pending) -> bool:
        return self.event is not None and self.admitted is not None

    return mock.patch.object(Pending, "is_first_answer", property(is_admitted))


def content_of_an_event_id_ignored() -> Block:
    """Whatever comes under a known event id gets the first answer."""
    return mock.patch.object(SpendRequest, "fingerprint", "the same for all")


def batch_decided_backwards() -> Block:
    """The entries of a batch are decided from the last to the first."""
    decide = Session.decide

    def backwards(self: Session) -> None:
        in_order, self.pendings = self.pendings, self.pendings[::-1]
        decide(self)
        self.pendings = in_order

    return mock.patch.object(Session, "decide", backwards)


def other_brands_seen() -> Block:
    """A key that is limited to some brands may spend for all of them."""
    return mock.patch.object(Caller, "may_see", return_value=True)


# --- Holds ---------------------------------------------------------------------------------


def held_money_not_counted() -> Block:
    """What is set aside is there for the next one, too."""
    tightest = Line.tightest

    def of_spent_alone(self: Line) -> Limit | None:
        counted = Line.__new__(Line)
        counted.limits = tuple(
            replace(limit, counter=Counter(limit.counter.spent)) for limit in self.limits
        )
        return tightest(counted)

    return mock.patch.object(Line, "tightest", of_spent_alone)


def capture_frees_nothing() -> Block:
    """What was captured stays set aside as well."""
    move = Admission._move

    def move_one(
        self: Admission, campaign_id: int, day: date, *, spent: int = 0, held: int = 0
    ) -> None:
        move(self, campaign_id, day, spent=spent, held=0 if spent else held)

    return mock.patch.object(Admission, "_move", move_one)


def capture_counts_today() -> Block:
    """A capture is spend of the day in which it came, whatever day set it aside."""
    capture = Admission._capture

    def capture_today(self: Admission, entry: CaptureEntry) -> Decision:
        hold = self.holds[entry.hold_id]
        self.holds[entry.hold_id] = replace(hold, budget_day=self._today)
        return capture(self, entry)

    return mock.patch.object(Admission, "_capture", capture_today)


def capture_above_hold_taken() -> Block:
    """A hold is captured for as much as anybody asks."""

    def refusal(self: Admission, entry: CaptureEntry) -> BudgetManagerError | None:
        return self._ending_refusal(entry.hold_id)

    return mock.patch.object(Admission, "_capture_refusal", refusal)


def hold_ends_twice() -> Block:
    """Nobody asks whether the hold is still open, so what it kept is freed again."""

    def refusal(self: Admission, hold_id: int) -> BudgetManagerError | None:
        return None if hold_id in self.holds else HoldNotFoundError()

    return mock.patch.object(Admission, "_ending_refusal", refusal)


# --- Time ----------------------------------------------------------------------------------


def naive_local_midnight() -> Block:
    """Midnight is so far from that of UTC as noon is from noon, whatever clocks do between."""

    def start(day: date, zone_name: str) -> datetime:
        offset = datetime.combine(day, time(12), ZoneInfo(zone_name)).utcoffset()
        return datetime.combine(day, time.min, UTC) - (offset or timedelta())

    return mock.patch.object(calendar, "day_start", start)


def days_of_24_hours() -> Block:
    """Every budget day is as long as the other."""
    day_period = BrandCalendar.day_period

    def period(self: BrandCalendar, day: date) -> calendar.Period:
        right = day_period(self, day)
        return replace(right, ends_at=right.starts_at + timedelta(days=1))

    return mock.patch.object(BrandCalendar, "day_period", period)


def new_zone_at_once() -> Block:
    """A brand's new time zone cuts the running day."""
    return mock.patch.object(calendar, "next_zone_change_at", lambda before, at: at)


def windows_a_minute_late() -> Block:
    """A window is open from after its first minute to after its last."""
    state = dayparts._state

    def late(schedule: WeeklySchedule, local: datetime) -> tuple[bool, timedelta]:
        return state(schedule, local - timedelta(minutes=1))

    return mock.patch.object(dayparts, "_state", late)


# --- Unattended work and history -----------------------------------------------------------


def reset_resumes_campaigns() -> Block:
    """The reset brings back what a person has paused."""

    def resume(now: datetime) -> None:
        Brand.objects.update(is_enabled=True)
        Campaign.objects.update(is_enabled=True)

    return _when_periods_close(resume)


def transitions_forgotten() -> Block:
    """The new state is stored, and nothing of how it came about."""
    write = verdicts.write_verdicts

    def write_no_history(
        campaigns: Any, changed: Any, transitions: list[Transition], **told: Any
    ) -> None:
        write(campaigns, changed, [], **told)

    return mock.patch.object(verdicts, "write_verdicts", write_no_history)


def _when_periods_close(deed: Callable[[datetime], None]) -> Block:
    close = delivery._close_periods

    def close_and_do(period: PeriodKind, caller: Caller, now: datetime) -> delivery.Changes:
        deed(now)
        return close(period, caller, now)

    return mock.patch.object(delivery, "_close_periods", close_and_do)


_HERE = sys.modules[__name__]
DEFECTS: dict[str, Callable[[], Block]] = {
    name: defect
    for name, defect in inspect.getmembers(_HERE, inspect.isfunction)
    if defect.__module__ == __name__ and not name.startswith("_")
}
