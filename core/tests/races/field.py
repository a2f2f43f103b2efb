"""Where races are run: brands and campaigns, what the runners do, what a witness sees."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.actions import brands, campaigns, delivery, holds, rebuild, spend
from core.actions.brands import BrandChanges
from core.actions.caller import Caller
from core.actions.campaigns import CampaignChanges
from core.actions.spend_requests import Asked, Request, SpendOutcome, SpendRequest
from core.enums import PeriodKind
from core.models import BrandTotal, CampaignTotal, SpendLog
from core.queries import verification
from core.tests.arriving import arrive
from core.tests.builders import CALLER, NOON, make_brand, make_campaign
from core.tests.races.promises import Promise, demand, demand_equal

ONE = Decimal("1.00")

# An answer or a refusal as the wire shows it.
Answer = dict[str, Any]
# What a day has spent and held, and its budget, all at one moment.
DayView = tuple[Decimal, Decimal, Decimal | None]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the runners of a race call: the product's actions, or some of them broken.

    So many runners are `threads` of one process.
    """

    threads: int = 1
    add_spend: Callable[..., SpendOutcome] = spend.add_spend
    admit_batch: Callable[..., list[SpendOutcome]] = spend.admit_batch
    refund_spend: Callable[..., SpendOutcome] = spend.refund_spend
    create_hold: Callable[..., SpendOutcome] = holds.create_hold
    capture_hold: Callable[..., SpendOutcome] = holds.capture_hold
    release_hold: Callable[..., SpendOutcome] = holds.release_hold
    expire_holds: Callable[..., delivery.Changes] = delivery.expire_holds
    rebuild_brand: Callable[..., object] = rebuild.rebuild_brand
    verify_brand: Callable[..., verification.Verified] = verification.get_verified_brand
    edit_brand: Callable[..., object] = brands.edit_brand
    edit_campaign: Callable[..., object] = campaigns.edit_campaign
    check_budgets: Callable[..., delivery.Changes] = delivery.check_budgets
    enforce_dayparting: Callable[..., delivery.Changes] = delivery.enforce_dayparting
    reset_daily_spend: Callable[..., delivery.Changes] = delivery.reset_daily_spend
    reset_monthly_spend: Callable[..., delivery.Changes] = delivery.reset_monthly_spend

    def tick(self, at: datetime) -> int:
        """All unattended work at one instant; how many brands had to wait for the next tick."""
        work = (
            self.expire_holds,
            self.check_budgets,
            self.enforce_dayparting,
            self.reset_daily_spend,
            self.reset_monthly_spend,
        )
        return sum(deed(caller=CALLER, now=at)["failed"] for deed in work)


PRODUCT = Deeds()


def _grouped(request: Request, *, caller: Caller, now: datetime) -> SpendOutcome:
    return arrive(Asked(request, caller), now)


# As the API's calls do it in one web process (`GROUP_COMMIT`).
GROUPED = Deeds(
    threads=4,
    add_spend=_grouped,
    refund_spend=_grouped,
    create_hold=_grouped,
    capture_hold=_grouped,
    release_hold=_grouped,
)


@dataclass(frozen=True, slots=True)
class Field:
    """A brand and its campaigns."""

    brand_id: int
    campaign_ids: tuple[int, ...]


def make_field(
    settings: BrandChanges, campaign_settings: Sequence[CampaignChanges], at: datetime = NOON
) -> Field:
    """A new brand with these campaigns."""
    brand = make_brand(now=at, **settings)
    made = [make_campaign(brand, now=at, **chosen) for chosen in campaign_settings]
    return Field(brand.pk, tuple(campaign.pk for campaign in made))


def spender(
    deeds: Deeds,
    campaign_ids: Sequence[int],
    instants: Iterable[datetime],
    *,
    rest_seconds: float = 0.0,
) -> Callable[[], list[Answer]]:
    """A runner that asks for 1.00 at each instant, from one campaign after the other.

    It may rest a moment when it was refused, so that others get their turn.
    """

    def spend_on_and_on() -> list[Answer]:
        answers = []
        for turn, at in enumerate(instants):
            request = SpendRequest(campaign_ids[turn % len(campaign_ids)], ONE)
            answers.append(answer_of(deeds.add_spend(request, caller=CALLER, now=at)))
            if not is_admitted(answers[-1]):
                time.sleep(rest_seconds)
        return answers

    return spend_on_and_on


def answer_of(outcome: SpendOutcome) -> Answer:
    """The answer, or the refusal's document."""
    return outcome.refusal.document() if outcome.refusal else (outcome.answer or {})


def is_admitted(answer: Answer) -> bool:
    """Whether the money was given."""
    return "code" not in answer


def look_at_day(brand_id: int, day: date) -> DayView | None:
    """The brand's day as committed now. One statement, so that its numbers belong together."""
    of_day = BrandTotal.objects.filter(brand=brand_id, period=PeriodKind.DAY, starts_on=day)
    return of_day.values_list("spent", "held", "brand__daily_budget").first()


def look_at_campaign_day(campaign_id: int, day: date) -> DayView | None:
    """The campaign's day as committed now, beside its own daily budget."""
    of_day = CampaignTotal.objects.filter(
        campaign=campaign_id, period=PeriodKind.DAY, starts_on=day
    )
    return of_day.values_list("spent", "held", "campaign__daily_budget").first()


def demand_never_overspent(views: Iterable[DayView | None]) -> None:
    """At every moment that the witness saw, spent + held was within the budget (C7)."""
    over = [
        (spent, held, budget)
        for spent, held, budget in filter(None, views)
        if budget is not None and spent + held > budget
    ]
    demand(not over, Promise.ZERO_OVERSPEND, f"a witness saw {over}")


def demand_spent_exactly(budget: Decimal, answers: Iterable[Answer]) -> None:
    """As much was admitted, and logged, as the budget allows: not one more, not one less."""
    given = list(filter(is_admitted, answers))
    demand(len(given) <= budget, Promise.ZERO_OVERSPEND, f"{len(given)} of {budget} admitted")
    demand(len(given) >= budget, Promise.FULL_DELIVERY, f"{len(given)} of {budget} admitted")
    logged = sum((entry.amount for entry in SpendLog.objects.all()), Decimal(0))
    demand_equal(logged, budget, Promise.TOTALS_ARE_THE_LOG)


def demand_refused_for_budget(answers: Iterable[Answer]) -> None:
    """Whoever got nothing was told that a budget stood in the way."""
    codes = {answer["code"] for answer in answers if not is_admitted(answer)}
    demand(
        codes <= {"budget_exceeded", "campaign_not_active"},
        Promise.NO_SURPRISE,
        f"refused: {codes}",
    )
