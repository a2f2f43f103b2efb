"""An archived brand is switched off for good and out of sight; what it spent stays (C24)."""

from decimal import Decimal

import pytest

from core.actions.brands import archive_brand
from core.actions.caller import Caller
from core.actions.campaigns import create_campaign, edit_campaign
from core.enums import Cause, Reason
from core.errors import BrandNotFoundError, CampaignNotFoundError
from core.models import Brand, SpendLog
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


def test_an_archived_brand_stops_all_its_campaigns_and_keeps_its_log_c24() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaigns = [make_campaign(brand) for _ in range(2)]
    add(campaigns[0], "4")
    archive_brand(brand.pk, caller=CALLER, now=LATER)
    stored = Brand.objects.get(pk=brand.pk)
    assert (stored.is_enabled, stored.archived_at) == (False, LATER)
    for campaign in campaigns:
        assert fresh(campaign).reasons == (Reason.BRAND_DISABLED,)
        assert fresh(campaign).is_enabled, "the campaign's own switch is another fact (C15)"
        stopped = transitions_of(campaign)[-1]
        assert (stopped.cause, stopped.actor, stopped.at) == (
            Cause.ARCHIVED,
            CALLER.source,
            LATER,
        )
    assert SpendLog.objects.filter(brand=brand).count() == 1
    assert spent(brand) == 4


def test_nothing_of_an_archived_brand_can_be_changed() -> None:
    campaign = make_campaign()
    archive_brand(campaign.brand_id, caller=CALLER, now=NOON)
    before = everything_stored()
    with pytest.raises(BrandNotFoundError):
        archive_brand(campaign.brand_id, caller=CALLER, now=LATER)
    with pytest.raises(BrandNotFoundError):
        create_campaign(campaign.brand_id, {"name": "x"}, caller=CALLER, now=LATER)
    with pytest.raises(CampaignNotFoundError):
        edit_campaign(campaign.pk, {"is_enabled": False}, caller=CALLER, now=LATER)
    assert everything_stored() == before


def test_a_brand_that_is_not_the_callers_is_not_found_c29() -> None:
    mine, foreign = make_brand(), make_brand()
    limited = Caller("test:limited", frozenset({mine.pk}))
    with pytest.raises(BrandNotFoundError):
        archive_brand(foreign.pk, caller=limited, now=NOON)
    assert Brand.objects.get(pk=foreign.pk).archived_at is None
    archive_brand(mine.pk, caller=limited, now=NOON)
    assert Brand.objects.get(pk=mine.pk).archived_at == NOON
