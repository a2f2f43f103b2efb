"""Holds, captures, releases and refunds in any order leave what plain integers say (C20, C22)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.enums import HoldState, SpendKind
from core.errors import BudgetManagerError
from core.rules.admission import Admission, BrandBook, Decision
from core.rules.entries import (
    CaptureEntry,
    HoldEntry,
    HoldFacts,
    LoggedSpend,
    RefundEntry,
    ReleaseEntry,
    SpendEntry,
)
from core.rules.money import from_micros, to_micros
from core.rules.verdict import applying_ceilings
from core.tests.depth import examples
from core.tests.rules.facts import BRAND, CAMPAIGN, NOON, TODAY

CAMPAIGNS = (1, 2)
BUDGET, OWN_BUDGET = 10_000_000, 4_000_000
LASTS = timedelta(minutes=5)

amounts = st.sampled_from([500_000, 1_000_000, 2_500_000, 4_000_000, 5_000_001])
campaigns = st.sampled_from(CAMPAIGNS)


class HoldsAndSpends(RuleBasedStateMachine):
    """A brand of 10 a day whose second campaign has 4 of its own, beside two plain numbers each."""

    def __init__(self) -> None:
        super().__init__()
        known = {
            number: replace(
                CAMPAIGN,
                campaign_id=number,
                lifetime_budget=from_micros(OWN_BUDGET) if number == 2 else None,
            )
            for number in CAMPAIGNS
        }
        self.book = BrandBook(replace(BRAND, daily_budget=from_micros(BUDGET)), known, {})
        self.at = NOON
        self.admission = Admission(self.book, self.at)
        self.spent = dict.fromkeys(CAMPAIGNS, 0)
        self.open: dict[int, HoldFacts] = {}
        self.ended: list[int] = []
        self.reported = 0

    # What the action does between two transactions: new rows get ids, facts are read again.
    def later(self, **facts: Any) -> None:
        held, logged = dict(self.admission.holds), dict(self.admission.logged)
        held |= facts.get("holds", {})
        logged |= facts.get("logged", {})
        book = replace(self.book, totals=self.admission.totals, holds=held, logged=logged)
        self.admission = Admission(book, self.at)

    def room(self, campaign: int) -> int:
        held = {
            number: sum((h.amount for h in self.open.values() if h.campaign_id == number), 0)
            for number in CAMPAIGNS
        }
        used = {number: self.spent[number] + held[number] for number in CAMPAIGNS}
        rooms = [BUDGET - sum(used.values())]
        rooms += [OWN_BUDGET - used[2]] if campaign == 2 else []
        return min(rooms)

    def expect_room(self, decision: Decision, campaign: int, amount: int) -> bool:
        room = self.room(campaign)
        code = decision.refusal.code if decision.refusal else None
        if room <= 0:
            assert code == "campaign_not_active"
        else:
            assert code == ("budget_exceeded" if amount > room else None)
        return code is None

    @rule(campaign=campaigns, amount=amounts)
    def hold(self, campaign: int, amount: int) -> None:
        decision = self.admission.decide(HoldEntry(campaign, amount))
        if self.expect_room(decision, campaign, amount):
            number = len(self.open) + len(self.ended) + 1
            facts = HoldFacts(number, campaign, amount, HoldState.OPEN, TODAY, self.at + LASTS)
            self.open[number] = facts
            self.later(holds={number: facts})

    @rule(
        campaign=campaigns, amount=amounts, kind=st.sampled_from([SpendKind.ADD, SpendKind.REPORT])
    )
    def spend(self, campaign: int, amount: int, kind: SpendKind) -> None:
        room = max(self.room(campaign), 0)
        decision = self.admission.decide(SpendEntry(kind, campaign, amount, self.at))
        if kind is SpendKind.REPORT:
            assert decision.over_budget == max(amount - room, 0)
            self.reported += amount
        elif not self.expect_room(decision, campaign, amount):
            return
        self.log(campaign, amount, kind)

    def log(self, campaign: int, amount: int, kind: SpendKind) -> None:
        self.spent[campaign] += amount
        number = len(self.admission.logged) + 1
        self.later(logged={number: LoggedSpend(campaign, kind, TODAY, amount)})

    @precondition(lambda self: self.open)
    @rule(data=st.data(), amount=st.one_of(st.none(), amounts))
    def capture(self, data: st.DataObject, amount: int | None) -> None:
        hold = self.open[data.draw(st.sampled_from(sorted(self.open)))]
        decision = self.admission.decide(CaptureEntry(hold.hold_id, amount))
        if amount is not None and amount > hold.amount:
            assert decision.refusal is not None
            assert decision.refusal.code == "capture_above_hold"
            return
        assert (decision.amount + decision.freed, decision.refusal) == (hold.amount, None)
        self.end(hold)
        self.log(hold.campaign_id, decision.amount, SpendKind.CAPTURE)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        hold = self.open[data.draw(st.sampled_from(sorted(self.open)))]
        assert self.admission.decide(ReleaseEntry(hold.hold_id)).freed == hold.amount
        self.end(hold)
        self.later()

    def end(self, hold: HoldFacts) -> None:
        del self.open[hold.hold_id]
        self.ended.append(hold.hold_id)

    @precondition(lambda self: self.open)
    @rule(minutes=st.sampled_from([1, 3, 5]))
    def time_passes(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)
        assume(self.at.date() == TODAY)
        expired = [hold for hold in self.open.values() if hold.expires_at <= self.at]
        self.later()
        self.admission.free_expired(expired)
        for hold in expired:
            self.end(hold)

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), is_capture=st.booleans())
    def end_again(self, data: st.DataObject, *, is_capture: bool) -> None:
        number = data.draw(st.sampled_from(self.ended))
        again = CaptureEntry(number) if is_capture else ReleaseEntry(number)
        assert self.code(self.admission.decide(again).refusal) == "hold_ended"

    @precondition(lambda self: self.admission.logged)
    @rule(data=st.data(), amount=amounts)
    def refund(self, data: st.DataObject, amount: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.admission.logged)))
        entry = self.admission.logged[number]
        decision = self.admission.decide(RefundEntry(number, amount))
        if amount > entry.refundable:
            assert self.code(decision.refusal) == "refund_above_entry"
            return
        assert (decision.refusal, decision.refundable) == (None, entry.refundable - amount)
        self.spent[entry.campaign_id] -= amount
        self.later()

    @staticmethod
    def code(refusal: BudgetManagerError | None) -> str | None:
        return refusal.code if refusal else None

    @invariant()
    def totals_are_what_the_numbers_say(self) -> None:
        held = sum((hold.amount for hold in self.open.values()), 0)
        of_brand = [
            total for key, total in self.admission.totals.items() if key.campaign_id is None
        ]
        assert {(to_micros(total.spent), to_micros(total.held)) for total in of_brand} <= {
            (sum(self.spent.values(), 0), held)
        }
        assert all(min(t.spent, t.held) >= 0 for t in self.admission.totals.values())

    @invariant()
    def nothing_but_reports_passes_a_budget(self) -> None:
        book = replace(self.book, totals=self.admission.totals)
        for number in CAMPAIGNS:
            for ceiling in applying_ceilings(book.facts(number), self.at):
                assert ceiling.amounts.used <= ceiling.budget + from_micros(self.reported)


TestHoldsAndSpends = HoldsAndSpends.TestCase
TestHoldsAndSpends.settings = settings(max_examples=examples(80), stateful_step_count=25)
