"""The facts of a past instant are those of that instant, in a fixed number of queries (C17)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.brands import edit_brand
from core.actions.campaigns import archive_campaign, edit_campaign, pause_campaign
from core.enums import PeriodKind, Reason
from core.errors import InvalidFieldError
from core.models import BrandVersion, Campaign, CampaignVersion, Transition
from core.queries.history import find_facts, get_moment, list_transitions
from core.rules.verdict import Amounts, TotalKey, Verdict, judge
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    capture,
    fresh,
    hold,
    make_brand,
    make_campaign,
    refund,
    report,
)
from core.tests.rules.zones import DAY, HOUR, utc

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
LATER = NOON + 3 * DAY

pytestmark = pytest.mark.django_db


def verdict_at(campaign: Campaign, at: datetime) -> Verdict:
    facts = find_facts(fresh(campaign), at)
    assert facts is not None
    return judge(facts, at)


def numbers(verdict: Verdict) -> list[tuple[Any, ...]]:
    return [(one.budget, one.amounts.spent, one.amounts.held) for one in verdict.ceilings]


def test_settings_are_those_in_force_at_that_instant() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign = make_campaign(brand, daily_budget=Decimal(6))
    edit_brand(brand.pk, {"daily_budget": Decimal(20)}, caller=CALLER, now=NOON + HOUR)
    edit_campaign(campaign.pk, {"daily_budget": None}, caller=CALLER, now=NOON + 2 * HOUR)
    budgets = [
        [one.budget for one in verdict_at(campaign, at).ceilings]
        for at in (NOON, NOON + HOUR - SECOND, NOON + HOUR, NOON + 2 * HOUR, LATER)
    ]
    assert budgets == [[10, 6], [10, 6], [20, 6], [20], [20]]


def test_spend_counts_from_when_it_was_recorded_and_not_from_when_it_occurred_c11() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    add(campaign, "4", now=NOON)
    report(campaign, "9", now=NOON + HOUR, occurred_at=NOON - HOUR)
    assert numbers(verdict_at(campaign, NOON + HOUR - SECOND)) == [(10, 4, 0)]
    assert numbers(verdict_at(campaign, NOON + HOUR)) == [(10, 13, 0)]
    report(campaign, "5", now=NOON + DAY, occurred_at=NOON)
    assert numbers(verdict_at(campaign, NOON + 2 * HOUR)) == [(10, 13, 0)]
    assert numbers(verdict_at(campaign, NOON + DAY)) == [(10, 0, 0)], "it counts in its own day"


def test_every_period_has_the_numbers_of_then() -> None:
    brand = make_brand(daily_budget=Decimal(50), monthly_budget=Decimal(60))
    budgets = {"daily_budget": Decimal(51), "monthly_budget": Decimal(61)}
    campaign = make_campaign(
        brand,
        now=NOON - 30 * DAY,
        lifetime_budget=Decimal(99),
        **budgets,  # type: ignore[arg-type]
    )
    sibling = make_campaign(brand)
    for at, amount in ((NOON - 20 * DAY, "1"), (NOON - DAY, "2"), (NOON, "4"), (LATER, "8")):
        add(campaign, amount, now=at)
    add(sibling, "16")
    spent = [one.amounts.spent for one in verdict_at(campaign, NOON + HOUR).ceilings]
    assert spent == [20, 22, 4, 6, 7]


def test_a_refund_gives_back_from_when_it_was_made_c22() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(5)))
    spend = add(campaign, "5")
    refund(spend, "2", now=NOON + HOUR)
    before, after = (verdict_at(campaign, at) for at in (NOON + HOUR - SECOND, NOON + HOUR))
    assert (before.reasons, after.reasons) == ((Reason.BRAND_DAILY_BUDGET,), ())
    assert numbers(after) == [(5, 3, 0)]


def test_a_hold_counts_from_when_it_was_taken_until_it_ends_or_runs_out_c20() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    captured = hold(campaign, "3", now=NOON, duration=HOUR)
    hold(campaign, "4", now=NOON + MINUTE, duration=5 * MINUTE)
    capture(captured, "1", now=NOON + 10 * MINUTE)
    told = [
        numbers(verdict_at(campaign, NOON + minutes * MINUTE))[0][1:] for minutes in (0, 1, 6, 10)
    ]
    assert told == [(0, 3), (0, 7), (0, 3), (1, 0)]


def test_now_is_explained_without_holds_whose_time_has_run_out_c20() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    hold(campaign, "10", duration=MINUTE)
    moments = [get_moment(fresh(campaign), None, NOON + wait) for wait in (0 * MINUTE, MINUTE)]
    facts = [moment.facts for moment in moments]
    key = TotalKey(None, PeriodKind.DAY, TODAY)
    assert [one.totals[key] for one in facts if one] == [Amounts(held=Decimal(10)), Amounts()]


def test_a_past_day_is_the_day_of_the_zone_of_that_time_c12() -> None:
    brand = make_brand(time_zone="UTC", daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    add(campaign, "10", now=NOON)
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON + HOUR)
    midnight = utc("2026-06-11T00:00")  # where Tokyo's clock takes over
    add(campaign, "7", now=midnight + HOUR)
    add(campaign, "9", now=utc("2026-06-11T16:00"))  # the twelfth in Tokyo
    before, after = verdict_at(campaign, NOON + HOUR - SECOND), verdict_at(campaign, NOON + HOUR)
    assert [one.obstacles[0].ends_at for one in (before, after)] == [midnight, midnight]
    told = [
        numbers(verdict_at(campaign, at))
        for at in (
            midnight - SECOND,
            midnight,
            utc("2026-06-11T14:59:59"),
            utc("2026-06-11T15:00"),
            utc("2026-06-11T16:00"),
        )
    ]
    assert told == [[(10, 10, 0)], [(10, 0, 0)], [(10, 7, 0)], [(10, 0, 0)], [(10, 9, 0)]]


def test_a_day_before_two_changes_of_zone_is_still_its_own_c12() -> None:
    """The brand itself remembers one change; its versions remember all."""
    brand = make_brand(time_zone="UTC", daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    evening = utc("2026-06-10T20:00")  # the eleventh in Tokyo
    add(campaign, "10", now=evening)
    for zone, now in (("Asia/Tokyo", evening + HOUR), ("America/Lima", evening + 5 * DAY)):
        edit_brand(brand.pk, {"time_zone": zone}, caller=CALLER, now=now)
    for at in (evening, evening + HOUR, utc("2026-06-10T23:59:59")):
        assert numbers(verdict_at(campaign, at)) == [(10, 10, 0)]
    assert numbers(verdict_at(campaign, utc("2026-06-11T00:00"))) == [(10, 0, 0)]


def test_what_was_archived_since_was_not_then() -> None:
    campaign = make_campaign()
    archive_campaign(campaign.pk, caller=CALLER, now=NOON + HOUR)
    then, since = (find_facts(fresh(campaign), at) for at in (NOON, NOON + HOUR))
    assert then is not None
    assert since is not None
    assert (then.campaign.is_archived, since.campaign.is_archived) == (False, True)
    assert judge(since, NOON + HOUR).reasons == (Reason.CAMPAIGN_DISABLED,)


def test_before_settings_were_kept_the_last_transition_is_all_there_is() -> None:
    campaign = make_campaign()
    pause_campaign(campaign.pk, caller=CALLER, now=NOON + HOUR)
    # As the migration leaves rows that are older than versions.
    for versions in (BrandVersion.objects, CampaignVersion.objects):
        versions.update(at=NOON + 2 * HOUR)
    moments = [get_moment(fresh(campaign), NOON + hours * HOUR, LATER) for hours in (0, 1, 2)]
    assert [moment.facts is None for moment in moments] == [True, True, False]
    assert [one.transition.is_active for one in moments if one.transition] == [True, False, False]


def test_an_instant_of_which_nothing_is_known_is_refused() -> None:
    campaign = make_campaign()
    for at, problem in ((LATER + SECOND, "future"), (NOON - SECOND, "before the campaign")):
        with pytest.raises(InvalidFieldError, match=f"at: .*{problem}"):
            get_moment(fresh(campaign), at, LATER)
    CampaignVersion.objects.update(at=LATER)
    Transition.objects.update(at=LATER)
    with pytest.raises(InvalidFieldError, match="before anything"):
        get_moment(fresh(campaign), NOON, LATER)


def test_any_instant_takes_a_fixed_number_of_queries() -> None:
    counts = set()
    for spends in (0, 1, 6):
        brand = make_brand(daily_budget=Decimal(99))
        campaign = make_campaign(brand, lifetime_budget=Decimal(99))
        for number in range(spends):
            now = NOON + number * HOUR
            add(campaign, "1", now=now)
            add(make_campaign(brand), "1", now=now)
            hold(campaign, "1", now=now)
            edit_campaign(campaign.pk, {"name": f"{number}"}, caller=CALLER, now=now)
        named = fresh(campaign)
        for at in (NOON, LATER, None):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                get_moment(named, at, LATER)
            counts.add((at is None, len(queries)))
    assert counts == {(False, 6), (True, 5)}


def test_transitions_come_newest_first_within_their_limits() -> None:
    campaign, other = make_campaign(daily_budget=Decimal(1)), make_campaign()
    for day in range(3):
        add(campaign, "1", now=NOON + day * DAY)
        pause_campaign(other.pk, caller=CALLER, now=NOON + day * DAY)
    instants = [row.at for row in list_transitions(campaign)]
    assert instants == sorted(instants, reverse=True)
    assert {row.campaign_id for row in list_transitions(campaign)} == {campaign.pk}
    assert [row.at for row in list_transitions(campaign, since=instants[1])] == instants[:2]
    assert [row.at for row in list_transitions(campaign, until=instants[1])] == instants[2:]
