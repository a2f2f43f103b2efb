"""Weeks of traffic, and in depth a whole year, break no promise; a broken product does (C7–C26).

On both databases, unlike the command, which always plays on one of its own.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest

from core.actions.ledger import Ledger, Pending
from core.actions.simulation import Simulation, play_simulation
from core.enums import Cause, HoldState, SpendKind
from core.management.commands.simulate_spend import FIRST_DAY
from core.management.simulated_brands import SIMULATED_BRANDS
from core.models import Brand, Campaign, Hold, SpendLog, Transition
from core.models.sql import Row
from core.queries.promises import BrokenPromise, Promise
from core.rules.traffic import BUDGET_PERCENTS, Event, NewBudget, Tell, outage, traffic
from core.tests.depth import IS_DEEP

DAY = timedelta(days=1)
EDITED = (Cause.BRAND_EDITED, Cause.CAMPAIGN_EDITED)
NEW_YORK, BERLIN, SANTIAGO, _ = SIMULATED_BRANDS
YEAR = Simulation(SIMULATED_BRANDS, FIRST_DAY, 365, 7)
# Beat is down from the evening of 27 March to the morning of 2 April: clocks change in Berlin and
# the month ends meanwhile. In Santiago they change on 5 April.
WEEKS = Simulation((BERLIN, SANTIAGO), date(2026, 3, 24), 15, 32)


def played_days(simulation: Simulation) -> list[date]:
    return [simulation.first_day + number * DAY for number in range(simulation.days)]


def outages_of(simulation: Simulation) -> list[tuple[datetime, datetime]]:
    gaps = (outage(day, simulation.chance(day, "beat")) for day in played_days(simulation))
    return [gap for gap in gaps if gap]


def broken_in(simulation: Simulation) -> list[BrokenPromise]:
    return play_simulation(simulation, on_day=lambda _day: None).broken


@pytest.mark.django_db
def test_weeks_with_changes_of_clocks_a_month_s_end_and_a_long_outage_break_no_promise() -> None:
    clocks_change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    month_ends = datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert any(
        down_at < clocks_change and month_ends < up_at for down_at, up_at in outages_of(WEEKS)
    )

    assert broken_in(WEEKS) == []
    assert_much_has_happened()


def assert_much_has_happened() -> None:
    """Or nothing is shown."""
    assert set(Hold.objects.values_list("state", flat=True)) >= set(HoldState) - {HoldState.OPEN}
    assert set(SpendLog.objects.values_list("kind", flat=True)) == set(SpendKind)
    assert SpendLog.objects.exclude(over_budget=0).exists()
    reports = SpendLog.objects.filter(kind=SpendKind.REPORT)
    assert any(entry.recorded_at - entry.occurred_at > DAY for entry in reports)
    # A budget that was cut below what was spent, and a refund that brought one back.
    changes = set(Transition.objects.values_list("cause", "is_active"))
    assert {(Cause.BRAND_EDITED, False), (Cause.REFUND, True)} <= changes


@pytest.mark.skipif(not IS_DEEP, reason="takes many minutes; set DEEP=1")
@pytest.mark.usefixtures("own_database")
def test_a_year_in_four_zones_with_outages_breaks_no_promise() -> None:
    assert broken_in(YEAR) == []
    assert_much_has_happened()
    assert all(
        Transition.objects.filter(cause=edited, is_active=True).exists() for edited in EDITED
    )


def test_a_year_has_in_it_what_could_break_a_promise() -> None:
    long = [(down_at, up_at) for down_at, up_at in outages_of(YEAR) if up_at - down_at > DAY]
    events: list[Event] = []
    for day in played_days(YEAR):
        chance = YEAR.chance(day, NEW_YORK.name)
        events += traffic(NEW_YORK, day, first_day=YEAR.first_day, chance=chance)

    assert any(down_at.month != up_at.month for down_at, up_at in long)
    assert max(up_at - down_at for down_at, up_at in long) > 5 * DAY
    assert {type(event) for event in events} == set(get_args(Event))
    assert {each.percent for each in events if isinstance(each, NewBudget)} == {*BUDGET_PERCENTS}
    assert any(isinstance(each, Tell) and each.at - each.occurred_at > DAY for each in events)


# --- A product that breaks a promise -------------------------------------------------------------

# Beat is down from the first evening to the end, and clocks change in between.
OUTAGE = Simulation((BERLIN,), date(2026, 3, 27), 3, WEEKS.seed)


def judge_only_now(catching_up: Any, campaigns: Sequence[Campaign], _until: Any = None) -> None:
    """Date what time brought when somebody came by."""
    now = catching_up.now
    for campaign in campaigns:
        if campaign.next_change_at and campaign.next_change_at <= now:
            catching_up._judge(campaign, now, Cause.TIME)


def forget_what_was_missed(brand: Brand, now: datetime, _among: Any = None) -> list[int]:
    """See only the edges of the last hour, as a job does that asks what begins now."""
    recently = Campaign.objects.filter(brand=brand, next_change_at__gt=now - timedelta(hours=1))
    return list(recently.filter(next_change_at__lte=now).values_list("id", flat=True))


def count_today(ledger: Ledger, pending: Pending, decision: Any) -> Row:
    """Count late spend in the day in which it was told."""
    *before, _, occurred_at, recorded_at, event_id, source, refund_of, reason = ENTRY(
        ledger, pending, decision
    )
    today = str(ledger.brand.calendar.budget_day(ledger.now).starts_on)
    return (*before, today, occurred_at, recorded_at, event_id, source, refund_of, reason)


ENTRY = Ledger._entry


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "broken", "promise"),
    [
        pytest.param(
            "core.actions.catch_up._CatchUp._judge_edges",
            judge_only_now,
            Promise.HISTORY,
            id="changes are dated when somebody came by",
        ),
        pytest.param(
            "core.actions.catch_up.list_due_campaign_ids",
            forget_what_was_missed,
            Promise.HISTORY,
            id="what an outage missed is lost",
        ),
        pytest.param(
            "core.actions.ledger.Ledger._entry",
            count_today,
            Promise.DAYS,
            id="late spend counts today",
        ),
        pytest.param(
            "core.actions.brands.judge_campaigns",
            lambda _brand, _change: [],
            Promise.HISTORY,
            id="an edited budget changes nothing",
        ),
    ],
)
def test_a_broken_product_breaks_a_promise_within_days(
    name: str, broken: Callable[..., Any], promise: Promise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name, broken)

    assert promise in {each.promise for each in broken_in(OUTAGE)}
