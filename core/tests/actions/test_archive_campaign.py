"""An archived campaign is switched off for good and out of sight; its log stays (C24)."""

import pytest

from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign
from core.enums import Cause, Reason
from core.errors import CampaignNotFoundError
from core.models import SpendLog
from core.rules.dayparts import Daypart
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    spent,
    transitions_of,
)
from core.tests.rules.zones import HOUR

LATER = NOON + HOUR

pytestmark = pytest.mark.django_db


def test_an_archived_campaign_stops_for_good_and_keeps_its_log_c24() -> None:
    campaign = make_campaign(schedule=[Daypart(tuple(range(7)), 0, 1200)])
    sibling = make_campaign(campaign.brand)
    add(campaign, "4")
    archive_campaign(campaign.pk, caller=CALLER, now=LATER)
    stored = fresh(campaign)
    assert (stored.is_enabled, stored.archived_at) == (False, LATER)
    assert (stored.is_active, stored.reasons) == (False, (Reason.CAMPAIGN_DISABLED,))
    assert stored.next_change_at is None, "no task looks at it again"
    stopped = transitions_of(campaign)[-1]
    assert (stopped.cause, stopped.actor) == (Cause.ARCHIVED, CALLER.source)
    assert SpendLog.objects.filter(campaign=campaign).count() == 1
    assert spent(campaign) == 4
    assert fresh(sibling).is_active


def test_it_can_be_archived_once_and_only_by_who_may_see_it_c29() -> None:
    campaign, foreign = make_campaign(), make_campaign()
    limited = Caller("test:limited", frozenset({campaign.brand_id}))
    with pytest.raises(CampaignNotFoundError):
        archive_campaign(foreign.pk, caller=limited, now=NOON)
    archive_campaign(campaign.pk, caller=limited, now=NOON)
    before = everything_stored()
    with pytest.raises(CampaignNotFoundError):
        archive_campaign(campaign.pk, caller=CALLER, now=LATER)
    assert everything_stored() == before
    assert fresh(foreign).archived_at is None


def test_a_campaign_that_was_paused_already_is_archived_without_a_transition_c17() -> None:
    campaign = make_campaign(make_brand(), is_enabled=False)
    archive_campaign(campaign.pk, caller=CALLER, now=LATER)
    assert len(transitions_of(campaign)) == 1
    assert fresh(campaign).status_since == NOON
