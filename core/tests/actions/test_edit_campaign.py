"""An edited campaign binds on the next decision, and only what is named changes (C6)."""

from decimal import Decimal
from typing import Any

import pytest

from core.actions.caller import Caller
from core.actions.campaigns import (
    CampaignChanges,
    archive_campaign,
    edit_campaign,
    pause_campaign,
)
from core.enums import Cause, Reason
from core.errors import CampaignNotFoundError, InvalidFieldError, NameTakenError
from core.models import Campaign
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
from core.tests.rules.zones import HOUR

LATER = NOON + HOUR

pytestmark = pytest.mark.django_db


def edit(campaign: Campaign, changes: CampaignChanges, caller: Caller = CALLER) -> Campaign:
    return edit_campaign(campaign.pk, changes, caller=caller, now=LATER)


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ("daily_budget", Reason.CAMPAIGN_DAILY_BUDGET),
        ("monthly_budget", Reason.CAMPAIGN_MONTHLY_BUDGET),
        ("lifetime_budget", Reason.CAMPAIGN_LIFETIME_BUDGET),
    ],
)
def test_a_lowered_budget_pauses_and_a_raised_one_reactivates_at_once_c6(
    budget: Any, reason: Reason
) -> None:
    campaign = make_campaign()
    add(campaign, "6")
    lowered: Any = {budget: Decimal(5)}
    assert edit(campaign, lowered).reasons == (reason,)
    stopped = transitions_of(campaign)[-1]
    assert (stopped.cause, stopped.at) == (Cause.CAMPAIGN_EDITED, LATER)
    assert stopped.numbers[0]["spent"] == "6.00"
    for enough in (Decimal(7), None):
        raised: Any = {budget: enough}
        assert edit(campaign, raised).is_active
        edit(campaign, lowered)
    assert [t.is_active for t in transitions_of(campaign)] == [True, False] * 3


def test_a_moved_flight_binds_at_once() -> None:
    campaign = make_campaign()
    assert edit(campaign, {"ends_at": NOON}).reasons == (Reason.ENDED,)
    assert code_of(add(campaign, "1", now=LATER)) == "campaign_not_active"
    moved = edit(campaign, {"starts_at": LATER + HOUR, "ends_at": LATER + 2 * HOUR})
    assert (moved.reasons, moved.next_change_at) == ((Reason.NOT_STARTED,), LATER + HOUR)
    assert edit(campaign, {"starts_at": None, "ends_at": None}).is_active
    assert fresh(campaign).next_change_at is None


def test_only_named_columns_are_written_so_that_nothing_stale_comes_back_e3() -> None:
    campaign = make_campaign(daily_budget=Decimal(10), name="Old")
    seen_by_somebody = fresh(campaign)
    pause_campaign(campaign.pk, caller=CALLER, now=NOON)
    edit(campaign, {"monthly_budget": Decimal(99)})
    edit(seen_by_somebody, {"name": "New"})
    stored = fresh(campaign)
    assert (stored.name, stored.is_enabled) == ("New", False)
    assert (stored.daily_budget, stored.monthly_budget) == (Decimal(10), Decimal(99))
    assert stored.reasons == (Reason.CAMPAIGN_DISABLED,)


def test_an_edit_never_writes_back_what_was_spent_meanwhile_e3() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    seen_by_somebody = fresh(campaign)
    add(campaign, "10")
    assert edit(seen_by_somebody, {"name": "New"}).reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert len(transitions_of(campaign)) == 2


def test_what_changes_between_the_look_and_the_write_is_kept_e3(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = make_campaign()
    rows = Campaign.objects.filter(pk=campaign.pk)

    def has_campaign_name(*_args: Any, **_options: Any) -> bool:
        rows.update(daily_budget=Decimal(7), is_enabled=False)
        return False

    monkeypatch.setattr("core.actions.campaigns.has_campaign_name", has_campaign_name)
    edit(campaign, {"name": "New"})
    stored = fresh(campaign)
    assert (stored.name, stored.daily_budget, stored.is_enabled) == ("New", Decimal(7), False)
    assert stored.reasons == (Reason.CAMPAIGN_DISABLED,)


@pytest.mark.parametrize(
    "changes",
    [{}, {"name": "Same"}, {"is_enabled": True}, {"daily_budget": Decimal(5)}, {"ends_at": None}],
)
def test_an_edit_that_changes_nothing_writes_nothing_c17(changes: CampaignChanges) -> None:
    campaign = make_campaign(name="Same", daily_budget=Decimal(5))
    add(campaign, "5")
    before = everything_stored()
    edit(campaign, changes)
    assert everything_stored() == before


def test_the_schedule_is_replaced_only_when_it_is_named_c13() -> None:
    daypart = Daypart((0, 1), 0, 60)
    campaign = make_campaign(schedule=[daypart])
    edit(campaign, {"name": "New"})
    assert [row.daypart for row in campaign.dayparts.all()] == [daypart]
    assert edit(campaign, {"schedule": []}).is_active


@pytest.mark.parametrize(
    "changes", [{"ends_at": NOON}, {"starts_at": NOON + 9 * HOUR}, {"ends_at": NOON - HOUR}]
)
def test_a_flight_that_would_end_before_it_starts_is_refused(changes: CampaignChanges) -> None:
    campaign = make_campaign(starts_at=NOON, ends_at=NOON + 9 * HOUR)
    before = everything_stored()
    with pytest.raises(InvalidFieldError, match="ends_at: must be later than starts_at"):
        edit(campaign, changes)
    assert everything_stored() == before


def test_a_name_that_the_brand_has_already_is_refused() -> None:
    campaign = make_campaign(name="Summer Sale")
    other = make_campaign(campaign.brand, name="Winter Sale")
    before = everything_stored()
    with pytest.raises(NameTakenError, match="a campaign of this brand"):
        edit(other, {"name": "Summer Sale", "is_enabled": False})
    assert everything_stored() == before


def test_what_is_archived_or_not_the_callers_is_not_found_c29() -> None:
    archived, foreign = make_campaign(), make_campaign()
    archive_campaign(archived.pk, caller=CALLER, now=NOON)
    limited = Caller("test:limited", frozenset({make_brand().pk}))
    before = everything_stored()
    for campaign, caller in ((archived, CALLER), (foreign, limited), (Campaign(pk=0), CALLER)):
        with pytest.raises(CampaignNotFoundError):
            edit(campaign, {"is_enabled": False}, caller)
    assert everything_stored() == before
