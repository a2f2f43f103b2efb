"""`verify_ledger` says what it looked at, names what is broken, and ends with a status (C25)."""

import json
from decimal import Decimal

import pytest
from django.db import OperationalError

from core.management.commands import verify_ledger
from core.models import BrandTotal, Campaign
from core.queries.promises import Promise
from core.tests.builders import add, make_brand, make_campaign
from core.tests.commands.running import Ran, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def campaigns() -> list[Campaign]:
    """One of each of two brands, which have spent."""
    made = [make_campaign(make_brand(daily_budget=Decimal(100))) for _ in range(2)]
    for campaign in made:
        add(campaign, "30", event_id=f"of {campaign}")
    return made


def garble(campaign: Campaign) -> None:
    of_brand = BrandTotal.objects.filter(brand=campaign.brand, period="day")
    of_brand.update(spent=Decimal("29.50"))


def row(ran: Ran, promise: Promise) -> list[str]:
    """What was looked at for this promise and how often it was broken."""
    (line,) = [line for line in ran.out.splitlines() if line.startswith(promise)]
    return line.removeprefix(promise).split()


@pytest.mark.usefixtures("campaigns")
def test_a_sound_database_has_status_0_and_a_row_for_each_promise_c25() -> None:
    ran = run("verify_ledger")

    assert ran.status == 0
    assert row(ran, Promise.TOTALS) == ["10", "totals", "0"]
    assert row(ran, Promise.DAYS) == ["2", "entries", "0"]
    assert row(ran, Promise.HOLDS_END) == ["0", "holds", "0"]
    assert "Broken" not in ran.err
    assert "\r" not in ran.err, "a bar is for a terminal only"
    assert "2 entries in" in ran.err


def test_what_is_broken_is_named_with_its_place_and_status_1_c25(campaigns: list[Campaign]) -> None:
    garble(campaigns[1])

    ran = run("verify_ledger")

    assert ran.status == 1
    assert row(ran, Promise.TOTALS) == ["10", "totals", "1"]
    place = f"brand {campaigns[1].brand_id}, day 2026-06-10: spent is 29.50, should be 30.00"
    assert f"Broken at 2026-06-10T12:00:00Z: {Promise.TOTALS}: {place}" in ran.err


def test_one_brand_is_looked_at_alone(campaigns: list[Campaign]) -> None:
    garble(campaigns[1])

    sound, broken = (run("verify_ledger", "--brand", str(each.brand_id)) for each in campaigns)

    assert (sound.status, broken.status) == (0, 1)
    assert row(sound, Promise.DAYS) == ["1", "entries", "0"]


def test_json_is_one_document_with_everything_in_it(campaigns: list[Campaign]) -> None:
    sound = run("verify_ledger", "--json")
    garble(campaigns[0])
    broken = run("verify_ledger", "--json")

    assert (sound.status, broken.status) == (0, 1)
    document = json.loads(sound.out)
    assert document["is_sound"] is True
    assert document["broken"] == []
    assert document["checked"]["brands"] == 2
    assert document["checked"]["event_ids"] == 2
    assert document["checked"]["refunds"] == 0
    facts = f"brand {campaigns[0].brand_id}, day 2026-06-10: spent is 29.50, should be 30.00"
    found = [{"promise": str(Promise.TOTALS), "facts": facts}]
    assert json.loads(broken.out) == {**document, "is_sound": False, "found": 1, "broken": found}
    assert broken.err == ""


@pytest.mark.parametrize("brand", ["999999", "x", "0", ""])
def test_a_brand_that_is_none_is_refused_with_status_2(brand: str) -> None:
    ran = run("verify_ledger", "--brand", brand)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("--brand: ")


def test_a_database_that_is_busy_has_status_2_since_nobody_knows(
    campaigns: list[Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("out of reach")

    monkeypatch.setattr(verify_ledger, "get_verified_brand", fail)
    ran = run("verify_ledger")

    assert (ran.status, ran.out) == (2, "")
    assert "out of reach" in ran.err
