"""A book holds exactly the facts that a decision rests on, in a fixed number of queries."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.brands import archive_brand
from core.actions.campaigns import archive_campaign
from core.enums import PeriodKind
from core.models import Brand, BrandTotal, Campaign, CampaignTotal
from core.queries.books import get_book, list_campaigns_to_judge
from core.rules.dayparts import weekly_schedule
from core.rules.verdict import LIFETIME, Amounts, BrandFacts, CampaignFacts, TotalKey
from core.tests.builders import CALLER, NOON, TODAY, add, make_brand, make_campaign, report
from core.tests.rules.by_the_minute import FRI, window
from core.tests.rules.zones import DAY, HOUR

pytestmark = pytest.mark.django_db


def test_the_facts_are_what_is_stored_c14() -> None:
    brand = make_brand(
        currency="EUR", time_zone="Asia/Tokyo", daily_budget=Decimal(9), is_enabled=False
    )
    dayparts = [window("22:00", "02:00", FRI), window("09:00", "10:00")]
    campaign = make_campaign(
        brand,
        starts_at=NOON,
        ends_at=NOON + HOUR,
        monthly_budget=Decimal("0.5"),
        lifetime_budget=Decimal(0),
        schedule=dayparts,
    )
    book = get_book(brand, list_campaigns_to_judge(brand), [NOON])
    assert book.brand == BrandFacts(False, brand.calendar, "EUR", Decimal(9), None)
    assert book.campaigns == {
        campaign.pk: CampaignFacts(
            campaign_id=campaign.pk,
            is_enabled=True,
            is_archived=False,
            starts_at=NOON,
            ends_at=NOON + HOUR,
            schedule=weekly_schedule(dayparts),
            daily_budget=None,
            monthly_budget=Decimal("0.5"),
            lifetime_budget=Decimal(0),
        )
    }
    assert book.totals == {}


def test_the_totals_are_those_of_the_periods_that_the_instants_are_in_c10() -> None:
    brand = make_brand()
    campaign, other, foreign = make_campaign(brand), make_campaign(brand), make_campaign()
    long_ago = NOON - 40 * DAY  # in May
    add(campaign, "16", now=long_ago)
    report(campaign, "1", occurred_at=NOON - DAY)
    add(campaign, "2")
    add(other, "4")
    add(foreign, "8")
    CampaignTotal.objects.filter(campaign=campaign, starts_on=TODAY).update(held=Decimal("0.5"))
    BrandTotal.objects.filter(brand=brand, starts_on=TODAY).update(held=Decimal("0.5"))
    book = get_book(brand, [campaign], [NOON])
    june = date(2026, 6, 1)
    half = Decimal("0.5")
    assert book.totals == {
        TotalKey(None, PeriodKind.DAY, TODAY): Amounts(Decimal(6), half),
        TotalKey(None, PeriodKind.MONTH, june): Amounts(Decimal(7)),
        TotalKey(campaign.pk, PeriodKind.DAY, TODAY): Amounts(Decimal(2), half),
        TotalKey(campaign.pk, PeriodKind.MONTH, june): Amounts(Decimal(3)),
        TotalKey(campaign.pk, PeriodKind.LIFETIME, LIFETIME.starts_on): Amounts(Decimal(19)),
    }
    with_late = get_book(brand, [campaign], [NOON, NOON - DAY, long_ago])
    yesterday = TODAY - DAY
    assert with_late.totals[TotalKey(None, PeriodKind.DAY, yesterday)] == Amounts(Decimal(1))
    may = TotalKey(campaign.pk, PeriodKind.MONTH, date(2026, 5, 1))
    assert with_late.totals[may] == Amounts(Decimal(16))


def test_campaigns_to_judge_are_those_named_or_all_that_are_not_archived_c16() -> None:
    brand = make_brand()
    first, second, gone = (make_campaign(brand) for _ in range(3))
    foreign = make_campaign()
    archive_campaign(gone.pk, caller=CALLER, now=NOON)
    assert list_campaigns_to_judge(brand) == [first, second]
    named = list_campaigns_to_judge(brand, {gone.pk, second.pk, foreign.pk})
    assert named == [second, gone], "an archived one still takes reports (C19)"
    assert list_campaigns_to_judge(brand, set()) == []


def test_what_is_archived_itself_or_by_its_brand_is_archived_to_the_rules_c24() -> None:
    campaign, of_archived_brand, live = make_campaign(), make_campaign(), make_campaign()
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    archive_brand(of_archived_brand.brand_id, caller=CALLER, now=NOON)
    for owner, expected in ((campaign, True), (of_archived_brand, True), (live, False)):
        brand = Brand.objects.get(pk=owner.brand_id)
        book = get_book(brand, list_campaigns_to_judge(brand, {owner.pk}), [NOON])
        assert book.campaigns[owner.pk].is_archived is expected


def test_a_book_costs_the_same_for_one_campaign_and_for_many() -> None:
    def cost(brand: Brand) -> int:
        with CaptureQueriesContext(connection) as queries:
            campaigns: list[Campaign] = list_campaigns_to_judge(brand)
            get_book(brand, campaigns, [NOON - days * DAY for days in range(5)])
        return len(queries)

    one, many = make_brand(), make_brand()
    for brand, count in ((one, 1), (many, 30)):
        for _ in range(count):
            make_campaign(brand, schedule=[window("01:00", "23:00")])
    assert cost(one) == cost(many) == 4
