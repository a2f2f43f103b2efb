"""`rebuild_totals` says what differed and leaves totals that `verify_ledger` finds sound (C25)."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, OperationalError

from core.actions.rebuild import rebuild_brand
from core.management.commands import rebuild_totals
from core.models import BrandTotal, Campaign, CampaignTotal
from core.tests.builders import add, everything_stored, make_brand, make_campaign
from core.tests.commands.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def campaigns() -> list[Campaign]:
    """One of each of two brands, which have spent."""
    made = [make_campaign(make_brand(daily_budget=Decimal(100))) for _ in range(2)]
    for campaign in made:
        add(campaign, "30")
    return made


def test_what_is_sound_is_left_as_it_is(campaigns: list[Campaign]) -> None:
    before = everything_stored()

    ran = run("rebuild_totals")

    assert ran.status == 0
    assert ran.out == "2 brands looked at, 0 were rebuilt, 0 failed\n"
    assert everything_stored() == before


def test_what_was_lost_is_rebuilt_and_said_brand_by_brand_c25(campaigns: list[Campaign]) -> None:
    first, second = campaigns
    BrandTotal.objects.filter(brand=first.brand, period="day").update(spent=Decimal(1))
    CampaignTotal.objects.filter(campaign=second, period="lifetime").delete()
    assert run("verify_ledger").status == 1

    dry = run("rebuild_totals", "--dry-run")
    still_broken = run("verify_ledger")
    ran = run("rebuild_totals")

    own, others = f"brand {first.brand_id}: ", f"brand {second.brand_id}: "
    lines = [
        f"{own}its own, day 2026-06-10: spent 1.00 held 0.00, should be spent 30.00 held 0.00",
        f"{own}1 totals, 0 periods and 0 closings differed; 0 campaigns activated, 0 paused",
        f"{others}campaign {second.pk}, lifetime 0001-01-01: no row, "
        "should be spent 30.00 held 0.00",
        f"{others}1 totals, 0 periods and 0 closings differed; 0 campaigns activated, 0 paused",
    ]
    assert dry.out.splitlines() == [*lines, "2 brands looked at, 2 would be rebuilt, 0 failed"]
    assert (dry.status, still_broken.status, ran.status) == (1, 1, 0)
    assert ran.out.splitlines() == [*lines, "2 brands looked at, 2 were rebuilt, 0 failed"]
    assert run("verify_ledger").status == 0


def test_one_brand_is_rebuilt_alone(campaigns: list[Campaign]) -> None:
    BrandTotal.objects.update(spent=Decimal(1))

    ran = run("rebuild_totals", "--brand", str(campaigns[0].brand_id))

    assert ran.status == 0
    assert "1 brands looked at, 1 were rebuilt" in ran.out
    assert BrandTotal.objects.filter(spent=Decimal(1)).count() == 2


@pytest.mark.parametrize("brand", ["999999", "x"])
def test_a_brand_that_is_none_is_refused_with_status_2(brand: str) -> None:
    ran = run("rebuild_totals", "--brand", brand)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("--brand: ")


@pytest.mark.parametrize(
    ("error", "why"),
    [(OperationalError, "run this again"), (IntegrityError, "its log gives totals that can't be")],
)
def test_a_brand_that_fails_stops_no_other(
    error: type[Exception],
    why: str,
    campaigns: list[Campaign],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    BrandTotal.objects.update(spent=Decimal(1))
    rightly = rebuild_brand

    def fail_once(brand_id: int, **told: object) -> object:
        if brand_id == campaigns[0].brand_id:
            raise error("out of reach")
        return rightly(brand_id, **told)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(rebuild_totals, "rebuild_brand", fail_once)
    ran = run("rebuild_totals")

    assert ran.status == 1
    assert f"brand {campaigns[0].brand_id}: not rebuilt: " in ran.err
    assert why in ran.err
    assert "2 brands looked at, 1 were rebuilt, 1 failed" in ran.out
