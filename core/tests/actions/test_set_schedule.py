"""A schedule is replaced as a whole and binds at once (C13, C16)."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from core.actions.campaigns import set_schedule
from core.enums import Cause, Reason
from core.errors import CampaignNotFoundError
from core.models import Campaign, Schedule
from core.rules.dayparts import Daypart
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
from core.tests.rules.by_the_minute import FRI, WED, window
from core.tests.rules.zones import HOUR, utc

pytestmark = pytest.mark.django_db


def schedule(campaign: Campaign, *dayparts: Daypart) -> Campaign:
    return set_schedule(campaign.pk, dayparts, caller=CALLER, now=NOON)


@pytest.mark.parametrize(
    ("dayparts", "is_active", "next_change_at"),
    [
        ([window("09:00", "17:00")], True, utc("2026-06-10T17:00")),
        ([window("09:00", "12:00")], False, utc("2026-06-11T09:00")),
        ([window("12:00", "12:01", WED)], True, utc("2026-06-10T12:01")),
        ([window("22:00", "02:00", FRI)], False, utc("2026-06-12T22:00")),
        ([window("09:00", "11:00"), window("10:00", "13:00")], True, utc("2026-06-10T13:00")),
        ([window("00:00", "24:00")], True, None),
        ([], True, None),
    ],
)
def test_a_new_schedule_opens_or_closes_at_once_c16(
    dayparts: Sequence[Daypart], is_active: bool, next_change_at: datetime | None
) -> None:
    campaign = make_campaign()
    changed = schedule(campaign, *dayparts)
    assert (changed.is_active, changed.next_change_at) == (is_active, next_change_at)
    assert [row.daypart for row in fresh(campaign).dayparts.all()] == list(dayparts)
    assert (code_of(add(campaign, "1")) is None) == is_active


def test_a_schedule_runs_in_the_brands_own_zone_c13() -> None:
    campaign = make_campaign(make_brand(time_zone="Asia/Tokyo"))
    assert schedule(campaign, window("09:00", "21:00")).reasons == (Reason.OUTSIDE_SCHEDULE,)
    assert schedule(campaign, window("21:00", "22:00")).next_change_at == NOON + HOUR


def test_the_new_schedule_takes_the_place_of_the_old_one_c13() -> None:
    campaign, other = make_campaign(schedule=[window("01:00", "02:00")] * 3), make_campaign()
    schedule(other, window("03:00", "04:00"))
    schedule(campaign, window("11:00", "13:00"))
    assert [row.daypart for row in campaign.dayparts.all()] == [window("11:00", "13:00")]
    assert Schedule.objects.count() == 2
    assert schedule(campaign).is_active
    assert Schedule.objects.count() == 1


def test_a_change_of_schedule_that_pauses_is_recorded_as_such_c17() -> None:
    campaign = make_campaign()
    schedule(campaign, window("01:00", "02:00"))
    schedule(campaign, window("03:00", "04:00"))
    _, stopped = transitions_of(campaign)
    assert (stopped.cause, stopped.reasons) == (Cause.SCHEDULE_EDITED, (Reason.OUTSIDE_SCHEDULE,))
    assert fresh(campaign).next_change_at == utc("2026-06-11T03:00")


def test_a_campaign_that_does_not_exist_is_not_found() -> None:
    before = everything_stored()
    with pytest.raises(CampaignNotFoundError):
        schedule(Campaign(pk=999_999), window("01:00", "02:00"))
    assert everything_stored() == before
