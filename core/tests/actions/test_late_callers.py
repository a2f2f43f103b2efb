"""Callers that come with an old instant, having waited, or with a clock of their own (C16, C17)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.actions.campaigns import edit_campaign
from core.enums import Reason
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    fresh,
    make_brand,
    make_campaign,
    report,
    transitions_of,
)

MIDNIGHT = NOON + timedelta(hours=12)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def test_who_waited_for_the_lock_over_a_later_change_does_not_turn_history_back_c16_c17() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    just_after, just_before = MIDNIGHT + 10 * SECOND, MIDNIGHT - SECOND
    add(campaign, "10", now=just_after)
    edit_campaign(campaign.pk, {"name": "renamed"}, caller=CALLER, now=just_before)
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
    report(campaign, "1", now=just_before)
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
    instants = [transition.at for transition in transitions_of(campaign)]
    assert instants == [NOON, just_after]


def test_a_host_whose_clock_runs_far_ahead_is_not_followed_c17() -> None:
    campaign = make_campaign(ends_at=NOON + timedelta(hours=3))
    report(campaign, "1", now=NOON + timedelta(days=1))
    assert fresh(campaign).reasons == (Reason.ENDED,)
    edit_campaign(campaign.pk, {"name": "renamed"}, caller=CALLER, now=NOON)
    assert fresh(campaign).is_active
    assert fresh(campaign).status_since == NOON
