"""Counts what became of the lines of an imported file, and says it."""

from collections.abc import Sequence
from decimal import Decimal

from core.actions.imports import SpendImport
from core.actions.spend_requests import SpendOutcome
from core.errors import BudgetManagerError, EventIdReusedError
from core.rules.spend_import import EXACT, RefusedLine, SpendLine

ZERO = Decimal(0)


class ImportReport:
    """Every line is in exactly one of recorded, already there, spent nothing and refused.

    The sums are exact: in file + by rounding = recorded + already there + refused.
    """

    def __init__(self, into: SpendImport, *, is_dry_run: bool) -> None:
        self._into = into
        self._is_dry_run = is_dry_run
        self.lines = self.recorded = self.already_there = self.spent_nothing = self.refused = 0
        self.rounded = self.unreadable = 0
        self.in_file = self.by_rounding = self.over_budget = ZERO
        self.sum_recorded = self.sum_already_there = self.sum_refused = ZERO

    def count(
        self,
        lines: Sequence[SpendLine | RefusedLine],
        spends: Sequence[SpendLine],
        outcomes: Sequence[SpendOutcome],
    ) -> list[str]:
        """Count these lines, of which `spends` came to `outcomes`; why some were refused."""
        outcome_of = {
            spend.number: outcome for spend, outcome in zip(spends, outcomes, strict=True)
        }
        sentences = []
        for line in lines:
            self.lines += 1
            if isinstance(line, RefusedLine):
                sentences.append(self._count_refused(line))
            else:
                self._count_amount(line)
                sentences += self._count_outcome(line, outcome_of.get(line.number))
        return sentences

    def _count_refused(self, line: RefusedLine) -> str:
        self.refused += 1
        self.unreadable += line.listed is None
        self.in_file = EXACT.add(self.in_file, line.listed or ZERO)
        self.sum_refused = EXACT.add(self.sum_refused, line.listed or ZERO)
        return f"line {line.number}: {line.problem}"

    def _count_amount(self, line: SpendLine) -> None:
        self.in_file = EXACT.add(self.in_file, line.listed)
        difference = EXACT.subtract(line.amount, line.listed)
        self.by_rounding = EXACT.add(self.by_rounding, difference)
        self.rounded += difference != 0

    def _count_outcome(self, line: SpendLine, outcome: SpendOutcome | None) -> list[str]:
        if outcome is None:
            self.spent_nothing += 1
        elif outcome.refusal:
            self.refused += 1
            self.sum_refused = EXACT.add(self.sum_refused, line.amount)
            return [f"line {line.number}: {self._why(line, outcome.refusal)}"]
        else:
            self._count_accepted(line.amount, outcome)
        return []

    def _count_accepted(self, amount: Decimal, outcome: SpendOutcome) -> None:
        if outcome.is_replay:
            self.already_there += 1
            self.sum_already_there = EXACT.add(self.sum_already_there, amount)
        else:
            self.recorded += 1
            self.sum_recorded = EXACT.add(self.sum_recorded, amount)
        over_budget = Decimal((outcome.answer or {}).get("over_budget", ZERO))
        self.over_budget = EXACT.add(self.over_budget, over_budget)

    def _why(self, line: SpendLine, refusal: BudgetManagerError) -> str:
        """The refusal, and what the operator can do about it here."""
        if isinstance(refusal, EventIdReusedError):
            return f'event_id: "{line.event_id}" was imported before with other content'
        age = self._into.now - line.occurred_at
        if "occurred_at" in refusal.fields and age > self._into.late_limit:
            hours = int(age.total_seconds() // 3600) + 1
            limit = int(self._into.late_limit.total_seconds() // 3600)
            return f"spent more than {limit} hours ago; pass --late-hours {hours} to import it"
        return refusal.message

    def summary(self) -> list[str]:
        """The counts and the sums, one a line."""
        would = "would be " if self._is_dry_run else ""
        all_recorded = EXACT.add(self.sum_recorded, self.sum_already_there)
        parts = f"{_sum(self.sum_recorded)} this run, {_sum(self.sum_already_there)} earlier"
        sign = "" if self.by_rounding < 0 else "+"
        facts = {
            "lines read": f"{self.lines}",
            f"{would}recorded": f"{self.recorded}",
            "already there": f"{self.already_there}",
            "spent nothing": f"{self.spent_nothing}",
            f"{would}refused": f"{self.refused}",
            "rounded": f"{self.rounded} ({sign}{_sum(self.by_rounding)} in all)",
            "sum in file": _sum(self.in_file),
            f"sum {would}recorded": f"{_sum(all_recorded)} ({parts})",
            f"sum {would}refused": _sum(self.sum_refused),
        }
        if self.unreadable:
            facts["sum in file"] += f" (without {self.unreadable} lines whose amount is unreadable)"
        if not self._is_dry_run:
            facts["over budget"] = _sum(self.over_budget)
        width = max(len(name) for name in facts)
        return [f"{name:<{width}}  {fact}" for name, fact in facts.items()]


def _sum(amount: Decimal) -> str:
    """An exact sum with all its decimals, at least two."""
    units, _, decimals = f"{amount:f}".partition(".")
    return f"{units}.{decimals.rstrip('0').ljust(2, '0')}"
