"""Brands in the admin: made, edited and archived through actions only."""

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from core.actions.brands import archive_brand, edit_brand
from core.models import Brand, SpendLog
from core.queries.locks import lock_brand
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
)
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    report,
    settled,
    transitions_of,
)


def test_a_brand_is_made_with_exact_budgets(ann: Client) -> None:
    shown = open_form(ann, add_page("brand"))

    response = send(
        ann,
        add_page("brand"),
        shown,
        name="  Acme ",
        currency="EUR",
        time_zone="Europe/Berlin",
        daily_budget="0.00032",
        monthly_budget="",
    )

    assert response.status_code == 302
    brand = Brand.objects.get()
    assert (brand.name, brand.currency, brand.time_zone) == ("Acme", "EUR", "Europe/Berlin")
    assert (brand.daily_budget, brand.monthly_budget) == (Decimal("0.00032"), None)
    assert (brand.is_enabled, brand.created_at) == (True, NOON)


def test_a_brand_can_be_made_switched_off(ann: Client) -> None:
    shown = open_form(ann, add_page("brand"))

    send(ann, add_page("brand"), shown, name="Acme", is_enabled=None)

    assert Brand.objects.get().is_enabled is False


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("name", "  ", "This field is required."),
        ("name", "A\x07cme", "Must not contain control characters"),
        ("name", "A" * 201, "at most 200 characters"),
        ("currency", "XYZ", "Select a valid choice"),
        ("time_zone", "Mars/Base", "Select a valid choice"),
        ("daily_budget", "-5", "Has a sign"),
        ("daily_budget", "1,000", "Is not an amount"),
        ("daily_budget", "1e3", "Has an exponent"),
        ("monthly_budget", "0.0000001", "at most six"),
        ("monthly_budget", "1234567890123", "Is too large"),
    ],
)
def test_what_the_api_refuses_the_form_refuses(
    ann: Client, field: str, typed: str, problem: str
) -> None:
    shown = open_form(ann, add_page("brand"))

    response = send(ann, add_page("brand"), shown, **{"name": "Acme", field: typed})

    assert response.status_code == 200
    assert problem in errors_of(response)[field][0]
    assert not Brand.objects.exists()


def test_a_taken_name_is_an_error_on_the_name_and_nothing_is_written(ann: Client) -> None:
    make_brand(name="Acme")
    other = make_brand(name="Other", daily_budget=Decimal(5))
    before = everything_stored()
    shown = open_form(ann, page("brand", other.pk))

    response = send(ann, page("brand", other.pk), shown, name="Acme", daily_budget="7")

    assert response.status_code == 200
    assert "already exists" in errors_of(response)["name"][0]
    assert everything_stored() == before
    assert not LogEntry.objects.exists()


def test_a_refusal_of_the_action_undoes_the_whole_edit(ann: Client) -> None:
    campaign = make_campaign(make_brand(name="Acme"))
    add(campaign, "1")
    before = everything_stored()
    address = page("brand", campaign.brand_id)

    response = send(ann, address, open_form(ann, address), name="Acme 2", currency="EUR")

    assert "once something was spent" in errors_of(response)["currency"][0]
    assert 'value="Acme 2"' in text_of(response), "what was typed stays typed"
    assert everything_stored() == before


def test_a_lowered_budget_pauses_at_once_and_names_the_person(ann: Client) -> None:
    """C6, C16, C17."""
    campaign = make_campaign(make_brand(daily_budget=Decimal(100)))
    add(campaign, "40")
    address = page("brand", campaign.brand_id)

    send(ann, address, open_form(ann, address), daily_budget="40")

    assert fresh(campaign).is_active is False
    assert transitions_of(campaign)[-1].actor == "admin:ann"


def test_saving_a_form_writes_back_nothing_that_changed_meanwhile(ann: Client) -> None:
    """E3: the form was opened before a person and a spend changed the brand."""
    campaign = make_campaign(make_brand(daily_budget=Decimal(100), monthly_budget=Decimal(900)))
    address = page("brand", campaign.brand_id)
    shown = open_form(ann, address)
    report(campaign, "60")
    edit_brand(
        campaign.brand_id,
        {"is_enabled": False, "daily_budget": Decimal(55), "time_zone": "Asia/Tokyo"},
        caller=CALLER,
        now=NOON,
    )
    before = settled()

    assert send(ann, address, shown, name="New name").status_code == 302

    before["Brand"][0]["name"] = "New name"
    assert settled() == before


def test_the_same_field_changed_by_two_people_is_refused_to_the_second(ann: Client) -> None:
    brand = make_brand(daily_budget=Decimal(100))
    address = page("brand", brand.pk)
    shown = open_form(ann, address)
    edit_brand(brand.pk, {"daily_budget": Decimal(50)}, caller=CALLER, now=NOON)

    response = send(ann, address, shown, daily_budget="200")
    again = send(ann, address, shown, daily_budget="50")

    assert "Open it again" in errors_of(response)["daily_budget"][0]
    assert again.status_code == 302, "both want the same: nothing to refuse"
    assert Brand.objects.get().daily_budget == Decimal(50)


def test_a_form_sent_without_the_values_it_was_shown_with_counts_as_typed_in_full(
    ann: Client,
) -> None:
    brand = make_brand(name="Acme", daily_budget=Decimal(100))

    ann.post(
        page("brand", brand.pk),
        {"name": "Acme", "currency": "USD", "time_zone": "UTC", "daily_budget": ""},
    )

    brand.refresh_from_db()
    assert (brand.is_enabled, brand.daily_budget) == (False, None)


def test_archiving_asks_first_and_keeps_the_log(ann: Client) -> None:
    campaign = make_campaign(make_brand(name="Acme"))
    add(campaign, "3")
    address = page("brand", campaign.brand_id, view="delete")

    asked = text_of(ann.get(address))
    response = ann.post(address, {"post": "yes"}, follow=True)

    assert "Archive the brand" in asked
    assert "Nothing is deleted" in asked
    assert messages_of(response) == ["The brand “Acme” was archived."]
    assert rows_of(response) == []
    assert Brand.objects.get().archived_at == NOON
    assert SpendLog.objects.count() == 1
    assert transitions_of(campaign)[-1].actor == "admin:ann"
    assert LogEntry.objects.get().get_change_message() == "Archived."


def test_what_is_archived_is_shown_when_asked_for_and_cannot_change(ann: Client) -> None:
    gone, kept = make_brand(name="Gone", daily_budget=Decimal("1.5")), make_brand(name="Kept")
    archive_brand(gone.pk, caller=CALLER, now=NOON)
    address = page("brand", gone.pk)

    viewed = text_of(ann.get(address))

    assert rows_of(ann.get(list_page("brand"))) == ["Kept"]
    assert rows_of(ann.get(list_page("brand"), {"archived": "yes"})) == ["Gone"]
    assert rows_of(ann.get(list_page("brand"), {"archived": "all"})) == ["Gone", "Kept"]
    assert "View brand" in viewed
    assert "1.50" in viewed
    assert ann.post(address, {"name": "Back"}).status_code == 403
    assert ann.post(page("brand", gone.pk, view="delete"), {"post": "yes"}).status_code == 403
    assert kept.archived_at is None


def test_there_is_no_way_to_delete_or_archive_many_at_once(ann: Client) -> None:
    brand = make_brand()

    response = ann.get(list_page("brand"))
    ann.post(
        list_page("brand"),
        {"action": "delete_selected", "_selected_action": brand.pk, "post": "yes"},
    )

    assert "delete_selected" not in text_of(response)
    assert Brand.objects.filter(archived_at=None).exists()


def test_a_page_that_can_only_be_looked_at_changes_nothing(bob: Client) -> None:
    brand = make_brand(name="Acme", daily_budget=Decimal("12.5"))

    viewed = text_of(bob.get(page("brand", brand.pk)))

    assert "12.50" in viewed
    assert 'name="_save"' not in viewed
    assert bob.post(page("brand", brand.pk), {"name": "Mine"}).status_code == 403
    assert bob.post(page("brand", brand.pk, view="delete"), {"post": "yes"}).status_code == 403
    assert bob.get(add_page("brand")).status_code == 403


def test_what_changes_between_the_forms_check_and_the_lock_is_refused(
    ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E3: for a moment of which the form knows nothing, the version decides."""
    row = make_brand()
    address = page("brand", row.pk)
    shown = open_form(ann, address)
    before = everything_stored()

    def lock_after_somebody_else(brand_id: int) -> Brand:
        Brand.objects.filter(pk=row.pk).update(name="Theirs", version=2)
        return lock_brand(brand_id)

    monkeypatch.setattr("core.actions.brands.lock_brand", lock_after_somebody_else)
    response = send(ann, address, shown, name="Mine")
    assert response.status_code == 200
    assert "Somebody changed this after you read it" in text_of(response)
    assert everything_stored() == before
