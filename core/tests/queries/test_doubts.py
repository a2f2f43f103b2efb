"""The hand-written search for wrong verdicts finds what the ORM's form finds (C16, C30)."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db.models import F

from core.actions.brands import archive_brand, edit_brand
from core.actions.campaigns import archive_campaign
from core.enums import Reason
from core.models import Brand, Campaign, CampaignTotal
from core.queries.doubts import get_clocks, list_doubtful_campaigns
from core.rules.dayparts import Daypart
from core.tests.actions.tasks import INSTANTS, corrupt, make_world
from core.tests.builders import CALLER, NOON, hold, make_brand, make_campaign, report
from core.tests.queries.doubts_by_orm import list_doubtful_by_orm
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, MINUTE

pytestmark = pytest.mark.django_db

BUDGETS = (None, None, Decimal(0), Decimal(5), Decimal(50))
ZONES = ("UTC", "Pacific/Apia", "Pacific/Niue", "America/St_Johns", "Asia/Kolkata")
SCHEDULES: tuple[list[Daypart], ...] = (
    [],
    [],
    [window("09:00", "17:00", 0, 1, 2, 3, 4)],
    [window("22:00", "03:00", 1, 2)],
)


def found(now: datetime) -> list[tuple[int, int]]:
    last = Campaign.objects.order_by("id").last()
    return list_doubtful_campaigns(range(last.pk + 1), get_clocks(now)) if last else []


def make_random_brand(random: Random) -> Brand:
    brand = make_brand(
        time_zone=random.choice(ZONES),
        daily_budget=random.choice(BUDGETS),
        monthly_budget=random.choice(BUDGETS),
        is_enabled=random.random() < 0.8,
    )
    if random.random() < 0.3:
        edit_brand(brand.pk, {"time_zone": random.choice(ZONES)}, caller=CALLER, now=NOON)
    return brand


def make_random_campaign(random: Random, brand: Brand) -> Campaign:
    starts_at = random.choice([None, None, NOON + random.randint(-9, 9) * HOUR])
    campaign = make_campaign(
        brand,
        is_enabled=random.random() < 0.8,
        starts_at=starts_at,
        ends_at=random.choice([None, None, (starts_at or NOON) + 3 * HOUR]),
        schedule=random.choice(SCHEDULES),
        daily_budget=random.choice(BUDGETS),
        monthly_budget=random.choice(BUDGETS),
        lifetime_budget=random.choice(BUDGETS),
    )
    for _ in range(random.randint(0, 3)):
        amount, ago = random.choice(["1", "5", "60"]), random.choice([0, 1, 2, 12]) * DAY
        report(campaign, amount, occurred_at=NOON - ago)
    if random.random() < 0.3:
        hold(campaign, "4")
    if random.random() < 0.1:
        archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    return campaign


@pytest.mark.parametrize("seed", range(6))
def test_in_worlds_by_chance_it_finds_what_the_orm_finds_c16_c30(seed: int) -> None:
    random = Random(seed)
    for brand in [make_random_brand(random) for _ in range(5)]:
        for _ in range(6):
            make_random_campaign(random, brand)
        if random.random() < 0.1:
            archive_brand(brand.pk, caller=CALLER, now=NOON)
    assert found(NOON) == []
    # So that no edge is awaited, and what time brings has to be seen in the facts.
    Campaign.objects.update(next_change_at=None)
    counts = set()
    for number in range(24):
        now = NOON + number * 311 * MINUTE
        assert found(now) == list_doubtful_by_orm(now)
        counts.add(len(found(now)))
    assert len(counts) > 2, "some are right at one instant and wrong at another"
    for campaign in Campaign.objects.all():
        corrupt(campaign, *random.sample(list(Reason), random.randint(0, 2)))
    assert found(NOON) == list_doubtful_by_orm(NOON)


@pytest.mark.parametrize("name", INSTANTS)
def test_whatever_has_come_by_then_it_finds_what_the_orm_finds_c16(name: str) -> None:
    make_world()
    assert found(INSTANTS[name]) == list_doubtful_by_orm(INSTANTS[name])


def test_it_keeps_to_the_ids_that_were_asked_for() -> None:
    brand = make_brand()
    ids = [make_campaign(brand, is_enabled=False).pk for _ in range(4)]
    Campaign.objects.update(is_active=True, reasons=())
    asked = list_doubtful_campaigns(range(ids[1], ids[3]), get_clocks(NOON))
    assert asked == [(brand.pk, ids[1]), (brand.pk, ids[2])]


def test_a_zone_that_nobody_had_when_the_clocks_were_read_is_a_doubt_and_no_error() -> None:
    campaign = make_campaign(schedule=[window("00:00", "24:00")])
    clocks = get_clocks(NOON)
    Brand.objects.update(time_zone="Asia/Tokyo")
    everybody = range(campaign.pk + 1)
    assert list_doubtful_campaigns(everybody, clocks) == [(campaign.brand_id, campaign.pk)]
    assert list_doubtful_campaigns(everybody, get_clocks(NOON)) == []


def test_totals_of_other_days_with_the_name_of_a_running_one_count_for_nothing_c10() -> None:
    """Where two zones are a date apart, the names of both days are looked for everywhere."""
    ahead = make_brand(time_zone="Pacific/Kiritimati")
    make_campaign(ahead)
    behind = make_campaign(make_brand(), daily_budget=Decimal(5))
    report(behind, "1")
    CampaignTotal.objects.filter(campaign=behind, period="day").update(
        starts_on=(NOON + DAY).date(),
        starts_at=F("starts_at") + timedelta(days=1),
        ends_at=F("ends_at") + timedelta(days=1),
        spent=Decimal(9),
    )
    assert found(NOON) == list_doubtful_by_orm(NOON) == []
    CampaignTotal.objects.filter(campaign=behind).update(starts_at=NOON)
    assert found(NOON) == list_doubtful_by_orm(NOON) == [(behind.brand_id, behind.pk)]
