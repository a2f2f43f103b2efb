"""Races for a budget: eight processes ask for far more than there is, 1.00 at a time (C5, C7, C8).

Each race takes the deeds to run, so that the same race that the product wins can be shown to
catch a broken one (`mutants.py`): then it raises PromiseBrokenError.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain, repeat

from core.enums import Cause, Reason
from core.models import Campaign
from core.tests.builders import NOON
from core.tests.races.audit import audit
from core.tests.races.crowd import CROWD, run_together, witnessing
from core.tests.races.field import (
    Answer,
    Deeds,
    Field,
    demand_never_overspent,
    demand_refused_for_budget,
    demand_spent_exactly,
    look_at_day,
    make_field,
    spender,
)
from core.tests.races.promises import Promise, demand, demand_equal

# A witness that saw less than this of a race proves nothing.
AWAKE = 3


@dataclass(frozen=True, slots=True)
class Heat:
    """How many processes run, how often each asks for 1.00, and what the brand may spend."""

    crowd: int = CROWD
    requests_each: int = 100
    budget: Decimal = Decimal(100)


def race_on_one_campaign(deeds: Deeds, heat: Heat = Heat()) -> None:
    """All spend on one campaign; another one of the brand only stands by."""
    _race_for_the_brand_budget(deeds, heat, spending=1, standing_by=1)


def race_on_eight_campaigns(deeds: Deeds, heat: Heat = Heat()) -> None:
    """The same demand, spread over eight campaigns of the brand."""
    _race_for_the_brand_budget(deeds, heat, spending=8, standing_by=0)


def _race_for_the_brand_budget(
    deeds: Deeds, heat: Heat, *, spending: int, standing_by: int
) -> None:
    field = make_field({"daily_budget": heat.budget}, [{}] * (spending + standing_by))
    answers = _run(deeds, heat, field, field.campaign_ids[:spending])
    demand_spent_exactly(heat.budget, answers)
    demand_refused_for_budget(answers)
    for campaign_id in field.campaign_ids:
        _demand_paused_once(campaign_id, Reason.BRAND_DAILY_BUDGET)
    audit(NOON)


def race_for_a_campaign_budget(deeds: Deeds, heat: Heat = Heat(requests_each=50)) -> None:
    """All spend on a campaign with a lower budget of its own; its sibling goes on running."""
    own_budget = heat.budget * Decimal("0.60")
    field = make_field({"daily_budget": heat.budget}, [{"daily_budget": own_budget}, {}])
    limited, sibling = field.campaign_ids
    answers = _run(deeds, heat, field, [limited])
    demand_spent_exactly(own_budget, answers)
    demand_refused_for_budget(answers)
    _demand_paused_once(limited, Reason.CAMPAIGN_DAILY_BUDGET)
    demand_equal(_changes(sibling), [(True, Cause.CREATED)], Promise.STORED_VERDICTS)
    audit(NOON)


def _run(deeds: Deeds, heat: Heat, field: Field, campaign_ids: Sequence[int]) -> list[Answer]:
    runner = spender(deeds, campaign_ids, repeat(NOON, heat.requests_each))
    with witnessing(partial(look_at_day, field.brand_id, NOON.date())) as views:
        answers = run_together([runner] * heat.crowd, threads=deeds.threads)
    demand_never_overspent(views)
    demand(len(views) > AWAKE, Promise.NO_SURPRISE, f"the witness slept: {views}")
    return list(chain.from_iterable(answers))


def _demand_paused_once(campaign_id: int, reason: Reason) -> None:
    campaign = Campaign.objects.get(pk=campaign_id)
    demand_equal(campaign.reasons, (reason,), Promise.STORED_VERDICTS)
    expected = [(True, Cause.CREATED), (False, Cause.SPEND)]
    demand_equal(_changes(campaign_id), expected, Promise.STORED_VERDICTS)


def _changes(campaign_id: int) -> list[tuple[bool, str]]:
    campaign = Campaign.objects.get(pk=campaign_id)
    return [(t.is_active, t.cause) for t in campaign.transitions.order_by("id")]
