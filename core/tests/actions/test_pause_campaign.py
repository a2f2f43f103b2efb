"""Pause and resume turn a person's switch, which nothing else ever turns (C15)."""

from decimal import Decimal

import pytest

from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign, pause_campaign, resume_campaign
from core.enums import Cause, Reason
from core.errors import CampaignNotFoundError
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    code_of,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    transitions_of,
)
from core.tests.rules.zones import HOUR

LATER = NOON + HOUR

pytestmark = pytest.mark.django_db


def test_a_paused_campaign_stops_and_a_resumed_one_runs_c15() -> None:
    campaign = make_campaign()
    paused = pause_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert (paused.is_enabled, paused.reasons) == (False, (Reason.CAMPAIGN_DISABLED,))
    assert code_of(add(campaign, "1")) == "campaign_not_active"
    resumed = resume_campaign(campaign.pk, caller=CALLER, now=LATER)
    assert (resumed.is_enabled, resumed.is_active) == (True, True)
    assert code_of(add(campaign, "1", now=LATER)) is None
    _, stopped, started = transitions_of(campaign)
    assert (stopped.cause, stopped.actor, stopped.at) == (Cause.PAUSED, CALLER.source, NOON)
    assert (started.cause, started.actor, started.at) == (Cause.RESUMED, CALLER.source, LATER)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_turning_the_switch_where_it_is_already_changes_nothing_c17(is_enabled: bool) -> None:
    campaign = make_campaign(is_enabled=is_enabled)
    before = everything_stored()
    turn = resume_campaign if is_enabled else pause_campaign
    turn(campaign.pk, caller=CALLER, now=LATER)
    assert everything_stored() == before


def test_a_resumed_campaign_waits_for_what_else_stands_in_the_way_c15() -> None:
    brand = make_brand(daily_budget=Decimal(5))
    campaign = make_campaign(brand)
    add(campaign, "5")
    pause_campaign(campaign.pk, caller=CALLER, now=LATER)
    both = (Reason.CAMPAIGN_DISABLED, Reason.BRAND_DAILY_BUDGET)
    assert fresh(campaign).reasons == both
    resumed = resume_campaign(campaign.pk, caller=CALLER, now=LATER)
    assert resumed.reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert len(transitions_of(campaign)) == 2, "it was not active before, during and after"


def test_spend_and_budgets_never_turn_the_switch_c15() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(5)))
    add(campaign, "5")
    assert fresh(campaign).is_enabled
    assert not fresh(campaign).is_active


def test_what_is_archived_or_not_the_callers_is_not_found_c29() -> None:
    archived, foreign = make_campaign(), make_campaign()
    archive_campaign(archived.pk, caller=CALLER, now=NOON)
    limited = Caller("test:limited", frozenset({make_brand().pk}))
    before = everything_stored()
    for turn in (pause_campaign, resume_campaign):
        for campaign, caller in ((archived, CALLER), (foreign, limited)):
            with pytest.raises(CampaignNotFoundError):
                turn(campaign.pk, caller=caller, now=LATER)
    assert everything_stored() == before
