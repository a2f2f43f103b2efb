"""Campaigns in the admin: one call each for settings and schedule, and nothing written back."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from core.actions.brands import archive_brand
from core.actions.campaigns import (
    archive_campaign,
    edit_campaign,
    pause_campaign,
    set_schedule,
)
from core.enums import Cause, Reason
from core.models import Brand, Campaign, Schedule
from core.queries.locks import lock_brand
from core.rules.dayparts import Daypart
from core.tests.admin.browser import (
    add_page,
    errors_of,
    list_page,
    messages_of,
    open_form,
    page,
    rows_of,
    send,
    text_of,
    type_row,
)
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    settled,
    transitions_of,
)

OFFICE_HOURS = Daypart((0, 1, 2, 3, 4), 540, 1020)
NIGHTS = Daypart((4, 5), 1320, 120)


def schedule_of(campaign: Campaign) -> list[Daypart]:
    return [row.daypart for row in Schedule.objects.filter(campaign=campaign)]


def test_a_campaign_is_made_with_its_schedule_in_one_call(ann: Client) -> None:
    brand = make_brand()
    shown = open_form(ann, add_page("campaign"))

    response = send(
        ann,
        add_page("campaign"),
        shown,
        brand=brand.pk,
        name="Night",
        lifetime_budget="99.5",
        ends_at="2026-12-31T23:30",
        **type_row(shown, 0, days=["4", "5"], start="22:00", end="02:00"),
    )

    assert response.status_code == 302
    campaign = Campaign.objects.get()
    assert schedule_of(campaign) == [NIGHTS]
    assert (campaign.lifetime_budget, campaign.daily_budget) == (Decimal("99.5"), None)
    assert campaign.ends_at == datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert [(one.cause, one.actor) for one in transitions_of(campaign)] == [
        (Cause.CREATED, "admin:ann")
    ]
    assert campaign.reasons == (Reason.OUTSIDE_SCHEDULE,), "Wednesday noon isn't a weekend night"


def test_settings_and_schedule_change_in_one_call(ann: Client) -> None:
    campaign = make_campaign(name="Old", schedule=[OFFICE_HOURS])
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)

    send(ann, address, shown, name="New", **type_row(shown, 1, start="18:00", end="24:00"))

    assert fresh(campaign).name == "New"
    assert schedule_of(campaign) == [OFFICE_HOURS, Daypart(tuple(range(7)), 1080, 1440)]
    assert LogEntry.objects.get().get_change_message() == "Changed Name and Schedule."


def test_a_refused_edit_leaves_the_schedule_too(ann: Client) -> None:
    campaign = make_campaign(schedule=[OFFICE_HOURS])
    make_campaign(campaign.brand, name="Taken")
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)
    before = everything_stored()

    response = send(ann, address, shown, name="Taken", **{"dayparts-0-DELETE": "on"})

    assert "already exists" in errors_of(response)["name"][0]
    assert everything_stored() == before


def test_a_row_is_edited_and_another_deleted(ann: Client) -> None:
    campaign = make_campaign(schedule=[OFFICE_HOURS, NIGHTS])
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)
    assert shown["dayparts-1-days"] == ["4", "5"]
    assert (shown["dayparts-1-start"], shown["dayparts-1-end"]) == (["22:00"], ["02:00"])

    send(ann, address, shown, **{"dayparts-0-DELETE": "on", "dayparts-1-end": "22:00"})

    assert schedule_of(campaign) == [Daypart((4, 5), 1320, 1320)]


def test_deleting_every_row_means_always_open(ann: Client) -> None:
    campaign = make_campaign(schedule=[NIGHTS])
    address = page("campaign", campaign.pk)

    send(ann, address, open_form(ann, address), **{"dayparts-0-DELETE": "on"})

    assert schedule_of(campaign) == []
    assert fresh(campaign).is_active


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"start": "9"}, "Is not a time of day"),
        ({"start": "24:00"}, "Is out of range; send 00:00 to 23:59"),
        ({"end": "24:01"}, "Is not a time of day"),
        ({"end": ""}, "This field is required."),
        ({"days": []}, "This field is required."),
        ({"days": ["7"]}, "Select a valid choice"),
    ],
)
def test_a_row_that_the_api_refuses_is_refused(
    ann: Client, row: dict[str, object], problem: str
) -> None:
    campaign = make_campaign(schedule=[OFFICE_HOURS])
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)
    before = everything_stored()

    response = send(ann, address, shown, name="New", **type_row(shown, 1, **row))

    assert response.status_code == 200
    assert problem in text_of(response)
    assert everything_stored() == before


def test_a_flight_that_ends_before_it_starts_is_refused(ann: Client) -> None:
    campaign = make_campaign(starts_at=NOON)
    address = page("campaign", campaign.pk)

    response = send(ann, address, open_form(ann, address), ends_at="2026-06-10T11:59")

    assert "The flight must end after it starts." in text_of(response)
    assert fresh(campaign).ends_at is None


def test_a_year_beyond_the_calendars_is_refused(ann: Client) -> None:
    campaign = make_campaign()
    address = page("campaign", campaign.pk)

    response = send(ann, address, open_form(ann, address), ends_at="9999-12-31T00:00")

    assert errors_of(response)["ends_at"] == ["The year must be from 1970 to 2200."]


def test_an_instant_finer_than_the_form_survives_an_edit(ann: Client) -> None:
    starts_at = datetime(2026, 6, 1, 8, 30, 15, 123456, tzinfo=UTC)
    campaign = make_campaign(starts_at=starts_at)
    address = page("campaign", campaign.pk)

    send(ann, address, open_form(ann, address), name="New")

    assert (fresh(campaign).name, fresh(campaign).starts_at) == ("New", starts_at)


def test_saving_a_form_keeps_the_verdict_of_a_spend_that_came_between(ann: Client) -> None:
    """E3: the form was opened before the spend that filled the budget."""
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)), schedule=[OFFICE_HOURS])
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)
    add(campaign, "10")
    assert fresh(campaign).is_active is False
    before = settled()

    assert send(ann, address, shown, name="New name").status_code == 302

    before["Campaign"][0]["name"] = "New name"
    assert settled() == before


def test_saving_a_form_keeps_what_another_person_did_meanwhile(ann: Client) -> None:
    """E3: paused, rescheduled and given another budget while the form was open."""
    campaign = make_campaign(daily_budget=Decimal(10), schedule=[OFFICE_HOURS])
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)
    pause_campaign(campaign.pk, caller=CALLER, now=NOON)
    edit_campaign(campaign.pk, {"daily_budget": None, "ends_at": NOON}, caller=CALLER, now=NOON)
    set_schedule(campaign.pk, [NIGHTS], caller=CALLER, now=NOON)
    before = settled()

    assert send(ann, address, shown, monthly_budget="70").status_code == 302

    before["Campaign"][0]["monthly_budget"] = Decimal(70)
    assert settled() == before


def test_a_schedule_that_somebody_replaced_meanwhile_is_not_overwritten(ann: Client) -> None:
    campaign = make_campaign(schedule=[OFFICE_HOURS])
    address = page("campaign", campaign.pk)
    shown = open_form(ann, address)
    set_schedule(campaign.pk, [NIGHTS], caller=CALLER, now=NOON)

    response = send(ann, address, shown, name="New", **{"dayparts-0-start": "10:00"})

    assert "Open it again" in text_of(response)
    assert schedule_of(campaign) == [NIGHTS]
    assert fresh(campaign).name != "New"


def test_an_untouched_schedule_is_not_written_again(ann: Client) -> None:
    campaign = make_campaign(schedule=[OFFICE_HOURS, NIGHTS])
    rows = set(Schedule.objects.values_list("pk", flat=True))
    address = page("campaign", campaign.pk)

    send(ann, address, open_form(ann, address), name="New")

    assert set(Schedule.objects.values_list("pk", flat=True)) == rows


def test_only_live_brands_are_offered_and_a_brand_archived_meanwhile_is_refused(
    ann: Client,
) -> None:
    brand, gone = make_brand(name="Kept brand"), make_brand(name="Gone brand")
    archive_brand(gone.pk, caller=CALLER, now=NOON)
    shown = open_form(ann, add_page("campaign"))
    offered = text_of(ann.get(add_page("campaign")))
    archive_brand(brand.pk, caller=CALLER, now=NOON)

    response = send(ann, add_page("campaign"), shown, brand=brand.pk, name="Late")

    assert "Kept brand" in offered
    assert "Gone brand" not in offered
    assert list(errors_of(response)) == ["brand"]
    assert not Campaign.objects.exists()


def test_a_campaign_never_moves_to_another_brand(ann: Client) -> None:
    campaign, other = make_campaign(), make_brand()
    address = page("campaign", campaign.pk)

    shown = open_form(ann, address)

    send(ann, address, shown, name="New", brand=other.pk)

    assert "brand" not in shown
    assert (fresh(campaign).name, fresh(campaign).brand_id) == ("New", campaign.brand_id)


def test_pausing_many_counts_those_that_ran_and_names_the_person(ann: Client) -> None:
    """C15: the person's switch, one call each."""
    running, paused = make_campaign(name="Running"), make_campaign(is_enabled=False)

    response = ann.post(
        list_page("campaign"),
        {"action": "pause_selected", "_selected_action": [running.pk, paused.pk]},
        follow=True,
    )

    assert messages_of(response) == ["1 of 2 campaigns paused."]
    assert fresh(running).is_enabled is False
    last = transitions_of(running)[-1]
    assert (last.actor, last.cause) == ("admin:ann", Cause.PAUSED)


def test_resuming_says_which_could_not_be(ann: Client) -> None:
    paused, gone = make_campaign(is_enabled=False), make_campaign(name="Gone")
    archive_campaign(gone.pk, caller=CALLER, now=NOON)

    response = ann.post(
        f"{list_page('campaign')}?archived=all",
        {"action": "resume_selected", "_selected_action": [paused.pk, gone.pk]},
        follow=True,
    )

    assert messages_of(response) == ["Gone: Campaign not found", "1 of 2 campaigns resumed."]
    assert fresh(paused).is_active
    assert fresh(gone).is_enabled is False


def test_archiving_a_campaign_stops_it_and_hides_it(ann: Client) -> None:
    campaign = make_campaign(name="Over")
    add(campaign, "1")

    response = ann.post(page("campaign", campaign.pk, view="delete"), {"post": "yes"}, follow=True)

    assert messages_of(response) == ["The campaign “Over” was archived."]
    assert rows_of(response) == []
    assert fresh(campaign).archived_at == NOON
    assert ann.post(page("campaign", campaign.pk), {"name": "Back"}).status_code == 403


def test_the_campaigns_of_an_archived_brand_can_only_be_looked_at(ann: Client) -> None:
    campaign = make_campaign(name="Orphan", daily_budget=Decimal("2.5"), schedule=[NIGHTS])
    archive_brand(campaign.brand_id, caller=CALLER, now=NOON)

    viewed = text_of(ann.get(page("campaign", campaign.pk)))

    assert rows_of(ann.get(list_page("campaign"))) == []
    assert rows_of(ann.get(list_page("campaign"), {"archived": "yes"})) == ["Orphan"]
    assert "View campaign" in viewed
    assert "its brand is archived since 2026-06-10 12:00:00 UTC" in viewed
    assert "2.50" in viewed
    assert "Fri, Sat" in viewed
    assert ann.post(page("campaign", campaign.pk), {"name": "Back"}).status_code == 403


def test_who_may_only_look_cannot_edit_pause_or_archive(bob: Client) -> None:
    campaign = make_campaign(schedule=[NIGHTS])
    selected = {"action": "pause_selected", "_selected_action": [campaign.pk]}

    assert "Fri, Sat" in text_of(bob.get(page("campaign", campaign.pk)))
    assert "Pause selected" not in text_of(bob.get(list_page("campaign")))
    bob.post(list_page("campaign"), selected)
    assert bob.post(page("campaign", campaign.pk), {"name": "Mine"}).status_code == 403
    assert bob.post(page("campaign", campaign.pk, view="delete")).status_code == 403
    assert fresh(campaign).is_enabled


def test_what_changes_between_the_forms_check_and_the_lock_is_refused(
    ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E3: for a moment of which the form knows nothing, the version decides."""
    row = make_campaign()
    address = page("campaign", row.pk)
    shown = open_form(ann, address)
    before = everything_stored()

    def lock_after_somebody_else(brand_id: int) -> Brand:
        Campaign.objects.filter(pk=row.pk).update(name="Theirs", version=2)
        return lock_brand(brand_id)

    monkeypatch.setattr("core.actions.campaigns.lock_brand", lock_after_somebody_else)
    response = send(ann, address, shown, name="Mine")
    assert response.status_code == 200
    assert "Somebody changed this after you read it" in text_of(response)
    assert everything_stored() == before
