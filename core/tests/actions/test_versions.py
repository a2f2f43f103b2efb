"""Every change of settings keeps a version of them, and a stale edit is refused (C6, C17)."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actions import brands, campaigns
from core.actions.caller import Caller
from core.actions.verdicts import LONGEST_WAIT
from core.actions.versions import Terms
from core.errors import ChangedMeanwhileError
from core.models import Brand, BrandVersion, Campaign, CampaignVersion
from core.rules.calendar import BrandCalendar
from core.rules.dayparts import Daypart, weekly_schedule
from core.rules.verdict import BrandFacts, CampaignFacts
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
)
from core.tests.rules.zones import HOUR

LATER = NOON + HOUR
NIGHTS = Daypart((4, 5), 1320, 120)
BOSS = Caller("admin:boss")
Deed = Callable[..., Any]

pytestmark = pytest.mark.django_db


def versions_of(row: Brand | Campaign) -> list[Any]:
    if isinstance(row, Brand):
        return list(BrandVersion.objects.filter(brand=row).order_by("number"))
    return list(CampaignVersion.objects.filter(campaign=row).order_by("number"))


def deeds() -> dict[str, Callable[[Brand, Campaign, Any], object]]:
    """One call to each action on settings, by name, that changes something."""
    return {
        "create_brand": lambda _b, _c, on: brands.create_brand({"name": "New"}, **on),
        "edit_brand": lambda b, _c, on: brands.edit_brand(b.pk, {"time_zone": "Asia/Tokyo"}, **on),
        "archive_brand": lambda b, _c, on: brands.archive_brand(b.pk, **on),
        "create_campaign": lambda b, _c, on: campaigns.create_campaign(b.pk, {"name": "New"}, **on),
        "edit_campaign": lambda _b, c, on: campaigns.edit_campaign(c.pk, {"ends_at": NOON}, **on),
        "set_schedule": lambda _b, c, on: campaigns.set_schedule(c.pk, [NIGHTS], **on),
        "pause_campaign": lambda _b, c, on: campaigns.pause_campaign(c.pk, **on),
        "resume_campaign": lambda _b, c, on: campaigns.resume_campaign(c.pk, **on),
        "archive_campaign": lambda _b, c, on: campaigns.archive_campaign(c.pk, **on),
    }


def test_every_action_on_settings_is_tried_below() -> None:
    written = {
        name
        for module in (brands, campaigns)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if inspect.unwrap(function).__module__ == module.__name__ and not name.startswith("_")
    }
    assert set(deeds()) == written


@pytest.mark.parametrize("name", deeds())
def test_every_action_on_settings_keeps_one_version_of_them_c17(name: str) -> None:
    brand = make_brand()
    campaign = make_campaign(brand, is_enabled=name != "resume_campaign")
    known = {(type(row), row.pk) for row in _all_versions()}
    deeds()[name](brand, campaign, {"caller": BOSS, "now": LATER})
    (kept,) = [row for row in _all_versions() if (type(row), row.pk) not in known]
    is_of_brand = name.endswith("brand")
    assert isinstance(kept, BrandVersion if is_of_brand else CampaignVersion)
    assert (kept.at, kept.actor) == (LATER, BOSS.source)
    owner: Any = (
        Brand.objects.get(pk=kept.brand_id)
        if isinstance(kept, BrandVersion)
        else fresh(Campaign(pk=kept.campaign_id))
    )
    assert kept.number == owner.version == (1 if name.startswith("create") else 2)


def _all_versions() -> list[BrandVersion | CampaignVersion]:
    return [*BrandVersion.objects.all(), *CampaignVersion.objects.all()]


@pytest.mark.parametrize(
    "deed",
    [
        lambda b, _c, on: brands.edit_brand(b.pk, {"name": b.name, "daily_budget": None}, **on),
        lambda b, _c, on: brands.edit_brand(b.pk, {}, **on),
        lambda _b, c, on: campaigns.edit_campaign(c.pk, {"name": c.name, "ends_at": None}, **on),
        lambda _b, c, on: campaigns.set_schedule(c.pk, [NIGHTS], **on),
        lambda _b, c, on: campaigns.resume_campaign(c.pk, **on),
        lambda _b, c, _on: add(c, "1"),
    ],
)
def test_what_leaves_settings_as_they_are_keeps_no_version(deed: Deed) -> None:
    campaign = make_campaign(schedule=[NIGHTS])
    before = _all_versions()
    deed(campaign.brand, campaign, {"caller": BOSS, "now": LATER})
    assert _all_versions() == before
    assert (fresh(campaign).version, fresh(campaign).brand.version) == (1, 1)


def test_a_version_gives_back_the_facts_that_it_was_made_from() -> None:
    brand = make_brand(currency="EUR", daily_budget=Decimal("0.000001"), is_enabled=False)
    campaign = make_campaign(
        brand,
        starts_at=NOON,
        ends_at=NOON + timedelta(microseconds=1),
        monthly_budget=Decimal("999999999999.999999"),
        lifetime_budget=Decimal(0),
        schedule=[NIGHTS, Daypart((0,), 0, 1440)],
    )
    brands.edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON)
    midnight = NOON + 12 * HOUR
    calendar = BrandCalendar("Asia/Tokyo", "UTC", midnight)
    assert versions_of(brand)[-1].facts == BrandFacts(
        False, calendar, "EUR", Decimal("0.000001"), None
    )
    assert versions_of(campaign)[-1].facts == CampaignFacts(
        campaign_id=campaign.pk,
        is_enabled=True,
        is_archived=False,
        starts_at=NOON,
        ends_at=NOON + timedelta(microseconds=1),
        schedule=weekly_schedule([NIGHTS, Daypart((0,), 0, 1440)]),
        daily_budget=None,
        monthly_budget=Decimal("999999999999.999999"),
        lifetime_budget=Decimal(0),
    )


def test_who_waited_for_the_lock_keeps_a_version_after_the_one_it_found() -> None:
    brand = make_brand()
    second = timedelta(seconds=1)
    for budget, at in ((1, LATER), (2, LATER - second), (3, LATER - second)):
        brands.edit_brand(brand.pk, {"daily_budget": Decimal(budget)}, caller=CALLER, now=at)
    assert [row.at for row in versions_of(brand)] == [NOON, LATER, LATER, LATER]


def test_a_host_with_a_wrong_clock_does_not_set_everybody_elses() -> None:
    brand = make_brand()
    ahead = LATER + LONGEST_WAIT + timedelta(microseconds=1)
    for budget, at in ((1, ahead), (2, LATER)):
        brands.edit_brand(brand.pk, {"daily_budget": Decimal(budget)}, caller=CALLER, now=at)
    assert [row.at for row in versions_of(brand)] == [NOON, ahead, LATER]


# --- Stale edits -------------------------------------------------------------------------------


STALE: dict[str, Deed] = {
    "edit_brand": lambda c, on: brands.edit_brand(c.brand_id, {"name": "Mine"}, **on),
    "archive_brand": lambda c, on: brands.archive_brand(c.brand_id, **on),
    "edit_campaign": lambda c, on: campaigns.edit_campaign(c.pk, {"name": "Mine"}, **on),
    "pause_campaign": lambda c, on: campaigns.pause_campaign(c.pk, **on),
    "resume_campaign": lambda c, on: campaigns.resume_campaign(c.pk, **on),
    "archive_campaign": lambda c, on: campaigns.archive_campaign(c.pk, **on),
}


@pytest.mark.parametrize("name", STALE)
def test_an_edit_of_what_somebody_changed_meanwhile_is_refused_whole(name: str) -> None:
    campaign = make_campaign()
    brands.edit_brand(campaign.brand_id, {"name": "Theirs"}, caller=BOSS, now=NOON)
    campaigns.edit_campaign(campaign.pk, {"name": "Theirs"}, caller=BOSS, now=NOON)
    before = everything_stored()
    for seen in ({1}, {1, 3}, set[int]()):
        terms = {"caller": CALLER, "now": LATER, "terms": Terms(frozenset(seen))}
        with pytest.raises(ChangedMeanwhileError, match="read it again and retry"):
            STALE[name](campaign, terms)
    assert everything_stored() == before
    STALE[name](campaign, {"caller": CALLER, "now": LATER, "terms": Terms(frozenset({1, 2}))})
    assert name == "resume_campaign" or everything_stored() != before
