"""Plays what was logged of a brand again: which verdicts there must have been, and when (C16, C17).

Pure, and without anything that admits spend or catches up: what happened, in order, and `judge`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from core.enums import PeriodKind, Reason
from core.rules.verdict import (
    LIFETIME,
    NOTHING,
    ZERO,
    Amounts,
    BrandFacts,
    CampaignFacts,
    Facts,
    TotalKey,
    Verdict,
    judge,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """From `at` on these settings are in force, of the brand or of one campaign."""

    at: datetime
    facts: BrandFacts | CampaignFacts


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that was spent or held at `at`, or freed or taken back, where it is below zero.

    `is_admitted`: it was asked for, so the campaign had to be active and every budget to cover it.
    """

    at: datetime
    campaign_id: int
    budget_day: date
    spent: Decimal = ZERO
    held: Decimal = ZERO
    is_admitted: bool = False


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of `is_active`, or a campaign's first verdict."""

    at: datetime
    is_active: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class WrongAdmission:
    """A movement that should have been refused, for these reasons."""

    movement: Movement
    reasons: tuple[Reason, ...]
    is_overspent: bool


@dataclass(slots=True)
class Replayed:
    """What a brand's log and settings give: changes by campaign, and what was wrongly admitted."""

    flips: defaultdict[int, list[Flip]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[WrongAdmission] = field(default_factory=list)


def replay(steps: Iterable[Edit | Movement], until: datetime) -> Replayed:
    """Play these steps, which are in order and begin with the brand's settings, and time between.

    After each one every campaign of the brand is judged, and each at each edge of its own.
    """
    play = _Play()
    for step in steps:
        play.let_time_pass(step.at)
        if isinstance(step, Edit):
            play.edit(step)
        else:
            play.move(step)
    play.let_time_pass(until)
    return play.replayed


class _Play:
    """A brand as it is at one instant after the other."""

    brand: BrandFacts

    def __init__(self) -> None:
        self.replayed = Replayed()
        self._campaigns: dict[int, CampaignFacts] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._totals: dict[TotalKey, Amounts] = {}

    def let_time_pass(self, until: datetime) -> None:
        """Judge each campaign at each of its edges up to and including `until`, in order."""
        while due := self._next_edges(until):
            at, campaign_id = min(due)
            self._judge(campaign_id, at)

    def edit(self, edit: Edit) -> None:
        if isinstance(edit.facts, BrandFacts):
            self.brand = edit.facts
            self._judge_all(edit.at)
        else:
            self._campaigns[edit.facts.campaign_id] = edit.facts
            self._judge(edit.facts.campaign_id, edit.at)

    def move(self, movement: Movement) -> None:
        at, campaign_id = movement.at, movement.campaign_id
        reasons = self._verdict(campaign_id, at).reasons if movement.is_admitted else ()
        self._add_up(movement)
        self._judge_all(at)
        exceeded = [
            ceiling.reason
            for ceiling in self._verdicts[campaign_id].ceilings
            if movement.is_admitted and ceiling.amounts.used > ceiling.budget
        ]
        if reasons or exceeded:
            wrong = WrongAdmission(movement, (*reasons, *exceeded), bool(exceeded))
            self.replayed.wrong.append(wrong)

    def _next_edges(self, until: datetime) -> Sequence[tuple[datetime, int]]:
        return [
            (verdict.next_change_at, campaign_id)
            for campaign_id, verdict in self._verdicts.items()
            if verdict.next_change_at and verdict.next_change_at <= until
        ]

    def _add_up(self, movement: Movement) -> None:
        """Count it in every period that it is in, of the brand and of the campaign."""
        day, owner = movement.budget_day, movement.campaign_id
        month = day.replace(day=1)
        for key in (
            TotalKey(None, PeriodKind.DAY, day),
            TotalKey(None, PeriodKind.MONTH, month),
            TotalKey(owner, PeriodKind.DAY, day),
            TotalKey(owner, PeriodKind.MONTH, month),
            TotalKey(owner, PeriodKind.LIFETIME, LIFETIME.starts_on),
        ):
            before = self._totals.get(key, NOTHING)
            self._totals[key] = Amounts(before.spent + movement.spent, before.held + movement.held)

    def _verdict(self, campaign_id: int, at: datetime) -> Verdict:
        return judge(Facts(self.brand, self._campaigns[campaign_id], self._totals), at)

    def _judge_all(self, at: datetime) -> None:
        for campaign_id in self._campaigns:
            self._judge(campaign_id, at)

    def _judge(self, campaign_id: int, at: datetime) -> None:
        before, verdict = self._verdicts.get(campaign_id), self._verdict(campaign_id, at)
        self._verdicts[campaign_id] = verdict
        if before is None or before.is_active != verdict.is_active:
            flip = Flip(at, verdict.is_active, verdict.reasons)
            self.replayed.flips[campaign_id].append(flip)
