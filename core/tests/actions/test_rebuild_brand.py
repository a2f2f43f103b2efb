"""The totals can be rebuilt from the log and the open holds alone, and come out identical (C25)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions.brands import edit_brand
from core.actions.rebuild import Rebuilt, foretell_rebuilt_brand, rebuild_brand
from core.enums import Cause, PeriodKind, Reason
from core.errors import BrandNotFoundError
from core.models import Brand, BrandTotal, Campaign, CampaignTotal
from core.queries.verification import get_verified_brand
from core.tests.actions.players import Players, Step, steps, tick
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    hold,
    make_brand,
    make_campaign,
    report,
    spent,
    story,
    transitions_of,
    undone,
)
from core.tests.depth import examples
from core.tests.rules.zones import DAY, HOUR

pytestmark = pytest.mark.django_db

LATER = NOON + 40 * DAY


def rebuild(brand: Brand, now: datetime = NOON) -> Rebuilt:
    return rebuild_brand(brand.pk, caller=CALLER, now=now)


# --- What may have happened to totals ------------------------------------------------------------


def delete_all() -> None:
    BrandTotal.objects.all().delete()
    CampaignTotal.objects.all().delete()


def delete_campaigns() -> None:
    CampaignTotal.objects.all().delete()


def empty_all() -> None:
    for totals in (BrandTotal.objects.all(), CampaignTotal.objects.all()):
        totals.update(spent=Decimal(0), held=Decimal(0))


def swap_columns() -> None:
    for totals in (BrandTotal.objects.all(), CampaignTotal.objects.all()):
        for total in totals:
            total.spent, total.held = total.held, total.spent + 1
            total.save()


def shift_bounds() -> None:
    for totals in (BrandTotal.objects.all(), CampaignTotal.objects.all()):
        for total in totals.exclude(period=PeriodKind.LIFETIME):
            total.starts_at -= HOUR
            total.ends_at += 2 * HOUR
            total.save()
    closed = BrandTotal.objects.exclude(closed_at=None)
    closed.update(closed_at=LATER)


def invent_rows() -> None:
    for total in BrandTotal.objects.all():
        total.pk, total.starts_on = None, total.starts_on - 400 * DAY
        total.save(force_insert=True)
    for of_campaign in CampaignTotal.objects.exclude(period=PeriodKind.LIFETIME):
        of_campaign.pk, of_campaign.starts_on = None, of_campaign.starts_on - 400 * DAY
        of_campaign.save(force_insert=True)


ACCIDENTS: dict[str, Callable[[], None]] = {
    accident.__name__: accident
    for accident in (
        *(delete_all, delete_campaigns, empty_all),
        *(swap_columns, shift_bounds, invent_rows),
    )
}


@pytest.mark.parametrize("accident", ACCIDENTS)
@settings(deadline=None, max_examples=examples(5, deep=200))
@given(
    sequence=st.lists(steps, min_size=1, max_size=12),
    pause=st.sampled_from([timedelta(0), 2 * DAY]),
    is_ticked=st.booleans(),
)
def test_whatever_happened_to_totals_they_come_out_identical_c25(
    accident: str, sequence: list[Step], pause: timedelta, is_ticked: bool
) -> None:
    with undone():
        brand, now = played(sequence, pause)
        if is_ticked:
            tick(now)
        sound = told_after(lambda: None, brand, now)
        assert told_after(ACCIDENTS[accident], brand, now) == sound
        if is_ticked:
            assert sound == kept(), "and what was sound is left as it was"


def played(sequence: list[Step], pause: timedelta) -> tuple[Brand, datetime]:
    players, now = Players(), NOON
    for step in sequence:
        now += timedelta(minutes=step.minutes)
        players.play(step, now)
    return players.brand, now + pause


def told_after(accident: Callable[[], None], brand: Brand, now: datetime) -> Any:
    """Every column of every row but its number, after the accident, a rebuild and a tick."""
    with undone():
        accident()
        rebuild(brand, now)
        tick(now)
        assert get_verified_brand(brand.pk, lambda: now).broken == []
        return kept()


def kept() -> Any:
    return {name: rows for name, rows in story().items() if name != "TaskRun"}


# --- By example ----------------------------------------------------------------------------------


@pytest.fixture
def campaign() -> Campaign:
    """One whose brand has used up its day, for a part by a hold."""
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    add(campaign, "7")
    hold(campaign, "3", duration=DAY)
    return campaign


def test_what_is_sound_is_left_alone(campaign: Campaign) -> None:
    before = everything_stored()
    rebuilt = rebuild(campaign.brand)
    assert not rebuilt.has_differed
    assert not rebuilt.transitions
    assert everything_stored() == before


def test_it_says_what_differed(campaign: Campaign) -> None:
    day = BrandTotal.objects.filter(period=PeriodKind.DAY)
    day.update(spent=Decimal(6), ends_at=NOON)
    (recount,) = (rebuilt := rebuild(campaign.brand)).totals
    assert recount.key == (None, PeriodKind.DAY, NOON.date())
    assert (recount.found.spent, recount.expected.spent) == (Decimal(6), Decimal(7))
    assert [stored.found.ends_at for stored in rebuilt.periods] == [NOON]
    assert day.get().ends_at == NOON.replace(hour=0) + DAY


def test_campaigns_are_judged_by_what_is_right_again_c16(campaign: Campaign) -> None:
    """Totals that were lost let campaigns run that shouldn't; one that a task had activated."""
    delete_all()
    tick(NOON)
    assert fresh(campaign).is_active
    rebuild(campaign.brand)
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
    last = transitions_of(campaign)[-1]
    assert (last.is_active, last.cause, last.actor) == (False, Cause.BUDGET_CHECK, CALLER.source)


def test_holds_whose_time_is_over_are_freed_from_totals_that_were_lost_c20(
    campaign: Campaign,
) -> None:
    delete_all()
    rebuild(campaign.brand, NOON + DAY)
    assert fresh(campaign).is_active
    assert not BrandTotal.objects.exclude(held=0).exists()
    assert spent(campaign.brand) == 7


def test_days_of_a_zone_that_was_left_get_their_own_bounds_c12(campaign: Campaign) -> None:
    moved_at = NOON + DAY
    edit_brand(campaign.brand_id, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=moved_at)
    for day in range(2, 5):
        report(campaign, "1", now=NOON + day * DAY)
    tick(NOON + 5 * DAY)
    before = kept()
    delete_all()
    rebuild(campaign.brand, NOON + 5 * DAY)
    assert kept() == before
    starts = BrandTotal.objects.filter(period=PeriodKind.DAY).values_list("starts_at", flat=True)
    assert {start.hour for start in starts} == {0, 15}


def test_another_brand_is_not_touched(campaign: Campaign) -> None:
    other = make_campaign(make_brand())
    add(other, "1")
    delete_all()
    rebuild(campaign.brand)
    assert spent(campaign.brand) == 7
    assert not CampaignTotal.objects.filter(campaign=other).exists()


def test_a_dry_run_says_the_same_and_changes_nothing(campaign: Campaign) -> None:
    delete_campaigns()
    before = everything_stored()
    foretold = foretell_rebuilt_brand(campaign.brand_id)
    assert everything_stored() == before
    assert foretold.totals == rebuild(campaign.brand).totals
    assert len(foretold.totals) == 3


def test_a_brand_that_is_none_is_refused() -> None:
    with pytest.raises(BrandNotFoundError):
        rebuild_brand(999, caller=CALLER, now=NOON)
    with pytest.raises(BrandNotFoundError):
        foretell_rebuilt_brand(999)
