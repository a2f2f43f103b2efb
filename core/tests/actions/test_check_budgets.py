"""The budget check finds stored verdicts that the facts contradict and puts them right (C16)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from core.actions import delivery
from core.actions.brands import edit_brand
from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign
from core.actions.delivery import check_budgets
from core.actions.verdicts import Change, judge_campaigns
from core.enums import Cause, Reason
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, Transition
from core.queries import sweeps
from core.queries.locks import lock_brand
from core.rules.dayparts import Daypart
from core.tests.actions.tasks import corrupt, make_world, run
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
    transitions_of,
)
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import HOUR, MINUTE

QUIET = {"activated": 0, "paused": 0, "failed": 0}
FIVE = Decimal(5)
LATER = NOON + HOUR
LATE = NOON + 5 * MINUTE

pytestmark = pytest.mark.django_db


def with_five_spent(campaign: Campaign) -> Campaign:
    add(campaign, "5").accepted()
    return fresh(campaign)


# A campaign whose only reason is this one.
STOPPED: dict[Reason, Callable[[], Campaign]] = {
    Reason.BRAND_DISABLED: lambda: make_campaign(make_brand(is_enabled=False)),
    Reason.CAMPAIGN_DISABLED: lambda: make_campaign(is_enabled=False),
    Reason.NOT_STARTED: lambda: make_campaign(starts_at=NOON + 9 * HOUR),
    Reason.ENDED: lambda: make_campaign(ends_at=NOON),
    Reason.OUTSIDE_SCHEDULE: lambda: make_campaign(schedule=[window("14:00", "15:00")]),
    Reason.BRAND_DAILY_BUDGET: lambda: with_five_spent(
        make_campaign(make_brand(daily_budget=FIVE))
    ),
    Reason.BRAND_MONTHLY_BUDGET: lambda: with_five_spent(
        make_campaign(make_brand(monthly_budget=FIVE))
    ),
    Reason.CAMPAIGN_DAILY_BUDGET: lambda: with_five_spent(make_campaign(daily_budget=FIVE)),
    Reason.CAMPAIGN_MONTHLY_BUDGET: lambda: with_five_spent(make_campaign(monthly_budget=FIVE)),
    Reason.CAMPAIGN_LIFETIME_BUDGET: lambda: with_five_spent(make_campaign(lifetime_budget=FIVE)),
}
each_reason = pytest.mark.parametrize("reason", STOPPED)


@each_reason
def test_a_campaign_stored_as_active_without_the_right_is_paused(reason: Reason) -> None:
    campaign = STOPPED[reason]()
    assert campaign.reasons == (reason,)
    corrupt(campaign)
    assert run("check_budgets", LATER) == {**QUIET, "paused": 1}
    assert fresh(campaign).reasons == (reason,)
    last = transitions_of(campaign)[-1]
    assert (last.cause, last.actor) == (Cause.BUDGET_CHECK, "task:core.check_budgets")
    assert (last.at, last.reasons) == (LATER, (reason,))
    assert run("check_budgets", LATER) == QUIET


@each_reason
def test_a_campaign_stored_as_paused_without_a_cause_comes_back(reason: Reason) -> None:
    campaign = make_campaign(make_brand(daily_budget=FIVE), lifetime_budget=FIVE)
    add(campaign, "4.999999")
    corrupt(campaign, reason)
    assert run("check_budgets", LATER) == {**QUIET, "activated": 1}
    assert (fresh(campaign).is_active, fresh(campaign).reasons) == (True, ())
    assert transitions_of(campaign)[-1].cause == Cause.BUDGET_CHECK


@each_reason
def test_a_wrong_reason_among_right_ones_is_put_right_without_a_transition(reason: Reason) -> None:
    campaign = STOPPED[reason]()
    count = len(transitions_of(campaign))
    wrong = Reason.NOT_STARTED if reason is Reason.OUTSIDE_SCHEDULE else Reason.OUTSIDE_SCHEDULE
    for stored in ([wrong], [reason, wrong]):
        corrupt(campaign, *stored)
        assert run("check_budgets", LATER) == QUIET
        assert fresh(campaign).reasons == (reason,)
    assert len(transitions_of(campaign)) == count


def test_every_reason_is_checked() -> None:
    assert set(Reason) == set(STOPPED)


@pytest.mark.parametrize(
    "schedule",
    [[], [window("00:00", "24:00")], [window("06:00", "22:00"), window("21:00", "07:00")]],
    ids=["no dayparts", "one whole day", "two that meet"],
)
def test_a_schedule_that_is_always_open_closes_nobody(schedule: list[Daypart]) -> None:
    campaign = make_campaign(schedule=schedule, ends_at=NOON + 9 * HOUR)
    corrupt(campaign, Reason.OUTSIDE_SCHEDULE)
    assert run("check_budgets", LATER) == {**QUIET, "activated": 1}
    assert fresh(campaign).reasons == ()


def test_a_campaign_whose_flight_is_over_keeps_true_reasons() -> None:
    campaign = make_campaign(schedule=[window("06:00", "14:00")], ends_at=NOON)
    count = len(transitions_of(campaign))
    for hours, reasons in (
        (1, (Reason.ENDED,)),
        (2, (Reason.ENDED, Reason.OUTSIDE_SCHEDULE)),
        (18, (Reason.ENDED,)),
    ):
        assert run("check_budgets", NOON + hours * HOUR) == QUIET
        assert fresh(campaign).reasons == reasons
    assert len(transitions_of(campaign)) == count


@pytest.mark.parametrize(
    ("spent", "held", "is_active"),
    [("4.999999", "0", True), ("5", "0", False), ("2", "3", False), ("0", "4", True)],
)
def test_totals_that_changed_behind_its_back_are_followed_holds_included_c5(
    spent: str, held: str, is_active: bool
) -> None:
    campaign = make_campaign(make_brand(daily_budget=FIVE))
    add(campaign, "1")
    BrandTotal.objects.filter(period="day").update(spent=Decimal(spent), held=Decimal(held))
    run("check_budgets", LATER)
    assert fresh(campaign).is_active is is_active


def test_only_totals_of_the_running_period_count_c10() -> None:
    brand = make_brand(daily_budget=FIVE, time_zone="Asia/Tokyo")
    campaign = make_campaign(brand, daily_budget=FIVE)
    report(campaign, "9", occurred_at=NOON - 24 * HOUR)
    assert run("check_budgets", NOON) == QUIET
    add(campaign, "5")
    assert run("check_budgets", NOON + 2 * HOUR) == QUIET
    assert run("check_budgets", NOON + 3 * HOUR) == {**QUIET, "activated": 1}
    assert CampaignTotal.objects.filter(period="day", spent__gte=5).count() == 2


def test_edges_of_time_that_have_come_are_seen_too_c16() -> None:
    campaign = make_campaign(schedule=[Daypart(tuple(range(7)), 13 * 60, 14 * 60)])
    assert run("check_budgets", LATER) == {**QUIET, "activated": 1}
    assert run("check_budgets", LATER + HOUR) == {**QUIET, "paused": 1}
    assert not fresh(campaign).is_active


OVERTAKEN_BY: dict[str, Callable[[Brand], object]] = {
    "a hold that ran out": lambda _: run("expire_holds", LATE),
    "a raised budget": lambda brand: edit_brand(
        brand.pk, {"daily_budget": Decimal(20)}, caller=CALLER, now=LATE
    ),
}


@pytest.mark.parametrize("deed", OVERTAKEN_BY.values(), ids=OVERTAKEN_BY.keys())
def test_a_check_that_was_overtaken_on_the_way_to_the_lock_rewrites_no_history_c26(
    deed: Callable[[Brand], object],
) -> None:
    """Two workers: the one that read the clock first may get the brand last."""
    brand = make_brand(daily_budget=Decimal(10))
    keeper = make_campaign(brand)
    flight = make_campaign(brand, starts_at=NOON + MINUTE, ends_at=LATE)
    hold(keeper, "10", duration=LATE - NOON).accepted()
    deed(brand)
    before = everything_stored()
    # At that time the budget was used up; when it came back, the flight was over.
    assert run("check_budgets", LATE - timedelta(seconds=1)) == QUIET
    assert everything_stored() == before
    assert fresh(flight).reasons == (Reason.ENDED,)


def test_a_check_that_was_overtaken_still_heals_what_is_wrong_c16() -> None:
    campaign = make_campaign()
    report(campaign, "1", now=NOON + MINUTE)
    corrupt(campaign, Reason.CAMPAIGN_DAILY_BUDGET)
    run("check_budgets", NOON + MINUTE / 2)
    assert transitions_of(campaign)[-1].at == NOON + MINUTE
    assert fresh(campaign).is_active


def test_budgets_of_zero_and_none_without_any_total_are_right_as_they_are_c3() -> None:
    for budget in (None, Decimal(0)):
        make_campaign(make_brand(daily_budget=budget, monthly_budget=budget))
        make_campaign(daily_budget=budget, monthly_budget=budget, lifetime_budget=budget)
    before = everything_stored()
    assert run("check_budgets", LATER) == QUIET
    assert everything_stored() == before


def test_an_archived_campaign_is_left_alone() -> None:
    campaign = make_campaign()
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    corrupt(campaign, Reason.BRAND_DAILY_BUDGET)
    before = everything_stored()
    assert run("check_budgets", LATER) == QUIET
    assert everything_stored() == before


def test_a_caller_limited_to_brands_checks_only_those_c29() -> None:
    mine, foreign = make_campaign(is_enabled=False), make_campaign(is_enabled=False)
    corrupt(mine)
    corrupt(foreign)
    limited = Caller("test:limited", frozenset({mine.brand_id}))
    assert check_budgets(caller=limited, now=LATER) == {**QUIET, "paused": 1}
    assert (fresh(mine).is_active, fresh(foreign).is_active) == (False, True)


# --- Cost (C26) --------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "ranges"), [(9, 1), (8, 2), (4, 3), (1, 9)])
def test_when_all_is_right_it_reads_twice_for_each_range_and_writes_nothing_c26(
    size: int, ranges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_world()
    assert Campaign.objects.count() == 9
    monkeypatch.setattr(sweeps, "RANGE", size)
    with CaptureQueriesContext(connection) as queries:
        assert run("check_budgets", NOON) == QUIET
    words = [query["sql"].split()[0] for query in queries]
    # The zones of the brands come first, and last that there is no further range.
    reads = [word for word in words if word not in {"SAVEPOINT", "SET", "RELEASE"}]
    assert reads == ["SELECT", *["SELECT", "WITH"] * ranges, "SELECT"]


def test_what_is_wrong_in_any_range_is_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [make_campaign(is_enabled=False) for _ in range(5)]
    monkeypatch.setattr(sweeps, "RANGE", 2)
    for campaign in wrong:
        corrupt(campaign)
    assert run("check_budgets", LATER) == {**QUIET, "paused": 5}
    assert run("check_budgets", LATER) == QUIET


def test_a_brand_with_many_wrong_ones_is_locked_for_a_part_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brand = make_brand()
    wrong = [make_campaign(brand, is_enabled=False) for _ in range(5)]
    for campaign in wrong:
        corrupt(campaign)
    monkeypatch.setattr(sweeps, "JUDGED_TOGETHER", 2)
    parts = []

    def judge_and_note(brand: Brand, change: Change, ids: list[int]) -> list[Transition]:
        parts.append(ids)
        return judge_campaigns(brand, change, ids)

    monkeypatch.setattr(delivery, "judge_campaigns", judge_and_note)
    with CaptureQueriesContext(connection) as queries:
        assert run("check_budgets", LATER) == {**QUIET, "paused": 5}
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [campaign_id for part in parts for campaign_id in part] == [c.pk for c in wrong]
    begun = [query for query in queries if query["sql"].startswith("SAVEPOINT")]
    assert len(begun) >= 3, "each part in a transaction of its own"


def test_a_busy_brand_is_waited_for_once_and_not_for_each_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy, other = make_brand(), make_brand()
    for brand in (busy, busy, busy, other):
        corrupt(make_campaign(brand, is_enabled=False))
    monkeypatch.setattr(sweeps, "JUDGED_TOGETHER", 1)
    asked = []

    def lock(brand_id: int) -> Brand:
        asked.append(brand_id)
        if brand_id == busy.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return lock_brand(brand_id)

    monkeypatch.setattr(delivery, "lock_brand", lock)
    assert run("check_budgets", LATER) == {**QUIET, "paused": 1, "failed": 1}
    assert asked == [busy.pk, other.pk]


def test_its_cost_grows_with_what_is_wrong_and_not_with_what_exists_c26() -> None:
    def cost(brand: Brand) -> int:
        wrong = make_campaign(brand, is_enabled=False)
        corrupt(wrong)
        with CaptureQueriesContext(connection) as queries:
            assert run("check_budgets", LATER) == {**QUIET, "paused": 1}
        return len(queries)

    brand = make_brand(daily_budget=FIVE)
    alone = cost(brand)
    for _ in range(40):
        make_campaign(brand)
    assert cost(brand) == alone
