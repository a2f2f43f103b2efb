"""The proof of C17: whatever happens, every past instant is explained as it was judged then.

Random histories of one brand with two campaigns; after each step the verdict of that moment is
kept, as admission would give it, and at the end every one of them has to come out again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions import delivery
from core.actions.brands import edit_brand
from core.actions.campaigns import edit_campaign, pause_campaign, resume_campaign, set_schedule
from core.actions.spend_requests import SpendOutcome
from core.errors import BudgetManagerError
from core.models import Brand, BrandVersion, Campaign, CampaignVersion
from core.queries.books import get_book
from core.queries.history import find_facts, get_moment
from core.rules.verdict import Verdict, judge
from core.tests.builders import (
    CALLER,
    add,
    capture,
    fresh,
    hold,
    make_brand,
    make_campaign,
    refund,
    release,
    report,
    undone,
)
from core.tests.depth import examples
from core.tests.rules.by_the_minute import dayparts

pytestmark = pytest.mark.django_db

# Shortly before the clocks change in Berlin and before the month ends.
STARTS_AT = datetime(2026, 3, 28, 20, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

waits = st.sampled_from(
    [*[timedelta(microseconds=1), MINUTE, 6 * MINUTE] * 2, HOUR, 4 * HOUR, 15 * HOUR, 50 * HOUR]
)
amounts = st.sampled_from(["0.000001", "1", "2.5", "4", "9"])
budgets = st.sampled_from([None, Decimal(0), Decimal(1), Decimal(5), Decimal(12), Decimal(40)])
places = st.integers(0, 1)
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
late = st.sampled_from([timedelta(0), HOUR, 20 * HOUR, 70 * HOUR])
durations = st.sampled_from([MINUTE, 7 * MINUTE, 3 * HOUR, 24 * HOUR])


@dataclass
class World:
    """A brand, its two campaigns, what was answered so far, and the verdict of each moment."""

    brand: Brand
    campaigns: list[Campaign]
    holds: list[SpendOutcome] = field(default_factory=list)
    spends: list[SpendOutcome] = field(default_factory=list)
    judged: list[tuple[Campaign, Verdict]] = field(default_factory=list)

    def keep(self, now: datetime) -> None:
        """Judge the live book, after freeing what has expired, as admission does."""
        with undone():
            delivery.expire_holds(caller=CALLER, now=now)
            for campaign in map(fresh, self.campaigns):
                book = get_book(campaign.brand, [campaign], [now])
                self.judged.append((campaign, judge(book.facts(campaign.pk), now)))
        for campaign, verdict in self.judged[-len(self.campaigns) :]:
            facts = get_moment(fresh(campaign), None, now).facts
            assert facts is not None
            assert judge(facts, now) == verdict, "now is explained like any other instant"


Deed = Callable[[World, datetime], Any]


@st.composite
def spends(draw: st.DrawFn) -> Deed:
    place, amount, earlier, duration = draw(places), draw(amounts), draw(late), draw(durations)
    kind = draw(st.sampled_from(["add", "report", "hold", "hold"]))

    def deed(world: World, now: datetime) -> None:
        campaign = world.campaigns[place]
        if kind == "hold":
            outcome = hold(campaign, amount, now=now, duration=duration)
            world.holds += [] if outcome.refusal else [outcome]
            return
        if kind == "add":
            outcome = add(campaign, amount, now=now)
        else:
            outcome = report(campaign, amount, now=now, occurred_at=now - earlier)
        world.spends += [] if outcome.refusal else [outcome]

    return deed


@st.composite
def afterwards(draw: st.DrawFn) -> Deed:
    """What is done about an earlier hold or spend."""
    kind, place = draw(st.sampled_from(["capture", "part", "release", "refund"])), draw(places)

    def deed(world: World, now: datetime) -> None:
        known = world.spends if kind == "refund" else world.holds
        if not known:
            return
        chosen = known[-1 - place % len(known)]
        match kind:
            case "capture":
                capture(chosen, now=now)
            case "part":
                capture(chosen, "0.5", now=now)
            case "release":
                release(chosen, now=now)
            case "refund":
                refund(chosen, "0.5", now=now)

    return deed


@st.composite
def brand_edits(draw: st.DrawFn) -> Deed:
    changes: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "daily_budget": budgets,
                "monthly_budget": budgets,
                "is_enabled": st.booleans(),
                "time_zone": zones,
            },
        )
    )
    return lambda world, now: edit_brand(
        world.brand.pk,
        changes,  # type: ignore[arg-type]  # drawn by name
        caller=CALLER,
        now=now,
    )


@st.composite
def campaign_edits(draw: st.DrawFn) -> Deed:
    place = draw(places)
    kind = draw(st.sampled_from(["budget", "flight", "schedule", "pause", "resume"]))
    budget = draw(st.sampled_from(["daily_budget", "monthly_budget", "lifetime_budget"]))
    amount, shift, schedule = draw(budgets), draw(waits), draw(st.lists(dayparts, max_size=2))

    def deed(world: World, now: datetime) -> None:
        number = world.campaigns[place].pk
        flight = {"starts_at": now + shift, "ends_at": now + 3 * shift}
        match kind:
            case "budget" | "flight":
                changes: Any = {budget: amount} if kind == "budget" else flight
                edit_campaign(number, changes, caller=CALLER, now=now)
            case "schedule":
                set_schedule(number, schedule, caller=CALLER, now=now)
            case "pause":
                pause_campaign(number, caller=CALLER, now=now)
            case "resume":
                resume_campaign(number, caller=CALLER, now=now)

    return deed


def ticks() -> st.SearchStrategy[Deed]:
    """Unattended work, or none."""
    tasks = (
        delivery.expire_holds,
        delivery.check_budgets,
        delivery.enforce_dayparting,
        delivery.reset_daily_spend,
        delivery.reset_monthly_spend,
    )
    return st.sampled_from(
        [lambda _, now, task=task: task(caller=CALLER, now=now) for task in tasks]
    )


deeds = st.one_of(
    spends(), spends(), afterwards(), afterwards(), brand_edits(), campaign_edits(), ticks()
)


def play(history: list[tuple[Deed, timedelta]]) -> World:
    """Live through the history; what is refused changes nothing, and that is kept too."""
    of_brand, of_campaign = Decimal(12), Decimal(9)
    brand = make_brand(
        now=STARTS_AT,
        time_zone="Europe/Berlin",
        daily_budget=of_brand,
        monthly_budget=3 * of_brand,
    )
    limited = make_campaign(
        brand,
        now=STARTS_AT,
        daily_budget=of_campaign,
        monthly_budget=2 * of_campaign,
        lifetime_budget=3 * of_campaign,
    )
    world = World(brand, [limited, make_campaign(brand, now=STARTS_AT)])
    now = STARTS_AT
    world.keep(now)
    for deed, wait in history:
        now += wait
        with suppress(BudgetManagerError):
            deed(world, now)
        world.keep(now)
    return world


def test_every_instant_is_explained_as_it_was_judged_then_c14_c17() -> None:
    @settings(max_examples=examples(40, deep=200))
    @given(st.lists(st.tuples(deeds, waits), min_size=5, max_size=16))
    def replay(history: list[tuple[Deed, timedelta]]) -> None:
        with undone():
            world = play(history)
            for campaign, verdict in world.judged:
                facts = find_facts(campaign, verdict.at)
                assert facts is not None
                assert judge(facts, verdict.at) == verdict
            assert_latest_versions_are_the_settings(world)

    replay()


def assert_latest_versions_are_the_settings(world: World) -> None:
    brand = Brand.objects.get(pk=world.brand.pk)
    kept = BrandVersion.objects.filter(brand=brand).order_by("number")
    assert [row.number for row in kept] == list(range(1, brand.version + 1))
    assert kept[brand.version - 1].settings == BrandVersion.of(brand).settings
    for campaign in map(fresh, world.campaigns):
        schedule = [row.daypart for row in campaign.dayparts.all()]
        of_campaign = CampaignVersion.objects.filter(campaign=campaign).order_by("number")
        assert [row.number for row in of_campaign] == list(range(1, campaign.version + 1))
        latest = of_campaign[campaign.version - 1]
        assert latest.settings == CampaignVersion.of(campaign, schedule).settings
