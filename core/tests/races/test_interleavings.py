"""Every known race in both orders, each brought about on purpose (C7, C10, C12, C16, C20 to C23).

The first deed is held up twice: before it has the brand's lock, while the second runs to its end;
and with the lock, decided but not written or not committed, while the second has to wait. The
statistical races of the same are in `test_races.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from core.actions.brands import edit_brand
from core.actions.campaigns import archive_campaign, edit_campaign, pause_campaign
from core.actions.delivery import enforce_dayparting
from core.actions.spend import report_spend
from core.actions.spend_requests import CaptureRequest, RefundRequest, SpendOutcome, SpendRequest
from core.enums import Reason
from core.errors import BudgetManagerError
from core.models import Brand, SpendLog
from core.rules.entries import LONGEST_HOLD
from core.tests.actions.tasks import corrupt
from core.tests.builders import CALLER, LATE_LIMIT, NOON, add, hold, make_brand, make_campaign
from core.tests.races import mutants, mutants_of_holds
from core.tests.races.audit import audit
from core.tests.races.field import PRODUCT, Deeds
from core.tests.races.interleaving import Point, Seen, interleave
from core.tests.races.promises import Promise, PromiseBrokenError, demand, demand_equal

TEN, TOKYO = Decimal(10), "Asia/Tokyo"
MOMENT = timedelta(seconds=1)
EXPIRY, MIDNIGHT = NOON + timedelta(minutes=5), NOON + timedelta(hours=12)

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time"),
    pytest.mark.usefixtures("own_database"),
    pytest.mark.xdist_group("races"),
]


class World:
    """A brand with 10.00 a day, its campaign and a sibling, and what the deeds are about."""

    def __init__(self) -> None:
        self.brand = make_brand(daily_budget=TEN)
        self.campaign, self.sibling = make_campaign(self.brand), make_campaign(self.brand)
        self.elsewhere = make_campaign()
        # A hold or an entry of the log.
        self.subject = 0


Deed = Callable[[World, Deeds], object]


def word(outcome: SpendOutcome) -> str:
    """What came of it in one word."""
    if outcome.refusal:
        return outcome.refusal.code
    if outcome.is_replay:
        return "replayed"
    over = (outcome.answer or {}).get("over_budget", "0.00")
    return "admitted" if over == "0.00" else f"over by {over}"


def adding(
    at: datetime = NOON, *, event_id: str = "", campaign: str = "campaign"
) -> Callable[[World, Deeds], object]:
    def deed(world: World, deeds: Deeds) -> str:
        request = SpendRequest(getattr(world, campaign).pk, TEN, event_id=event_id)
        return word(deeds.add_spend(request, caller=CALLER, now=at))

    return deed


def reporting(world: World, deeds: Deeds) -> str:
    request = SpendRequest(world.campaign.pk, TEN)
    return word(report_spend(request, caller=CALLER, now=NOON, late_limit=LATE_LIMIT))


def capturing(world: World, deeds: Deeds) -> str:
    request = CaptureRequest(world.subject)
    return word(deeds.capture_hold(request, caller=CALLER, now=EXPIRY - MOMENT))


def refunding(world: World, deeds: Deeds) -> str:
    request = RefundRequest(world.subject, TEN)
    return word(deeds.refund_spend(request, caller=CALLER, now=NOON))


def expiring(world: World, deeds: Deeds) -> object:
    return deeds.expire_holds(caller=CALLER, now=EXPIRY)["expired"]


def checking(world: World, deeds: Deeds) -> object:
    return deeds.check_budgets(caller=CALLER, now=NOON)["failed"]


def resetting(world: World, deeds: Deeds) -> object:
    return deeds.reset_daily_spend(caller=CALLER, now=MIDNIGHT)["closed"]


def catching_up(world: World, deeds: Deeds) -> object:
    return enforce_dayparting(caller=CALLER, now=MIDNIGHT)["failed"]


def lowering(world: World, deeds: Deeds) -> object:
    deeds.edit_brand(world.brand.pk, {"daily_budget": Decimal(5)}, caller=CALLER, now=NOON)
    return Brand.objects.get(pk=world.brand.pk).daily_budget


def pausing(world: World, deeds: Deeds) -> object:
    return pause_campaign(world.campaign.pk, caller=CALLER, now=NOON).is_enabled


def archiving(world: World, deeds: Deeds) -> object:
    try:
        return archive_campaign(world.campaign.pk, caller=CALLER, now=NOON)
    except BudgetManagerError as error:
        return error.code


def moving(world: World, deeds: Deeds) -> object:
    zone = {"time_zone": TOKYO}
    return edit_brand(
        world.brand.pk, {"time_zone": zone["time_zone"]}, caller=CALLER, now=NOON
    ).time_zone


def with_a_hold(world: World) -> None:
    world.subject = hold(world.campaign, "5").accepted()["hold_id"]
    # Whoever frees a hold twice takes from this one, and no constraint notices.
    hold(world.campaign, "5", duration=LONGEST_HOLD).accepted()


def with_an_entry(world: World) -> None:
    world.subject = add(world.campaign, "10").accepted()["spend_log_id"]


def with_a_used_up_day(world: World) -> None:
    add(world.sibling, "10").accepted()


def with_a_wrong_reason(world: World) -> None:
    pause_campaign(world.sibling.pk, caller=CALLER, now=NOON)
    corrupt(world.sibling, Reason.ENDED)


def with_an_edge(world: World) -> None:
    edit_campaign(world.campaign.pk, {"ends_at": MIDNIGHT}, caller=CALLER, now=NOON)


@dataclass(frozen=True, slots=True)
class Race:
    """Two deeds, and what each comes to when the other is before it.

    `alone_first` is (first, second) if the second got the lock before the first had asked for it;
    `waiting` is the same if the second had to wait.
    """

    first: Deed
    second: Deed
    alone_first: tuple[object, object]
    waiting: tuple[object, object]
    promise: Promise = Promise.ZERO_OVERSPEND
    prepare: Callable[[World], None] = lambda world: None
    audited_at: datetime = NOON
    # Whether a tick has to come first, for what time alone brings (C16).
    is_ticked: bool = False


NO, YES = "campaign_not_active", "admitted"
RACES = {
    "spend and spend": Race(adding(), adding(), (NO, YES), (YES, NO)),
    "spend and edit": Race(
        adding(), lowering, ("budget_exceeded", 5), (YES, 5), Promise.EDITS_BIND
    ),
    "spend and pause": Race(adding(), pausing, (NO, False), (YES, False), Promise.EDITS_BIND),
    "spend and midnight reset": Race(
        adding(MIDNIGHT), resetting, (YES, 1), (YES, 1),
        prepare=with_a_used_up_day, audited_at=MIDNIGHT,
    ),
    "capture and expiry": Race(
        capturing, expiring, ("hold_ended", 1), (YES, 0), Promise.HOLDS_END_ONCE,
        with_a_hold, EXPIRY,
    ),
    "capture and capture": Race(
        capturing, capturing, ("hold_ended", YES), (YES, "hold_ended"), Promise.HOLDS_END_ONCE,
        with_a_hold, EXPIRY,
    ),
    "refund and refund": Race(
        refunding, refunding, ("refund_above_entry", YES), (YES, "refund_above_entry"),
        Promise.REFUNDS_ARE_COVERED, with_an_entry,
    ),
    "event id and event id": Race(
        adding(event_id="e"), adding(event_id="e"), ("replayed", YES), (YES, "replayed"),
        Promise.ONE_ANSWER,
    ),
    "report and report": Race(
        reporting, reporting, ("over by 10.00", YES), (YES, "over by 10.00"),
        Promise.TOTALS_ARE_THE_LOG,
    ),
    "spend and budget check": Race(
        adding(), checking, (YES, 0), (YES, 0), Promise.STORED_VERDICTS, with_a_wrong_reason
    ),
    "spend and archive": Race(
        adding(), archiving, ("campaign_not_found", None), (YES, None), Promise.EDITS_BIND
    ),
    "spend and change of zone": Race(
        adding(), moving, (YES, TOKYO), (YES, TOKYO), Promise.TOTALS_ARE_THE_LOG
    ),
    "late caller and catching up": Race(
        adding(MIDNIGHT - MOMENT), catching_up, (YES, 0), (YES, 0), Promise.STORED_VERDICTS,
        with_an_edge, MIDNIGHT, is_ticked=True,
    ),
}  # fmt: skip


def run_race(race: Race, at: Point, deeds: Deeds = PRODUCT) -> Seen:
    """Bring it about, and hold what came of it to what has to. Raises PromiseBrokenError."""
    world = World()
    race.prepare(world)
    seen = interleave(lambda: race.first(world, deeds), lambda: race.second(world, deeds), at)
    is_alone = at is Point.BEFORE_LOCK
    expected = race.alone_first if is_alone else race.waiting
    demand_equal((seen.first, seen.second), expected, race.promise)
    demand(seen.had_to_wait is not is_alone, Promise.NO_SURPRISE, f"{seen} at {at}")
    if race.is_ticked:
        enforce_dayparting(caller=CALLER, now=race.audited_at)
    audit(race.audited_at)
    return seen


@pytest.mark.parametrize("at", Point)
@pytest.mark.parametrize("name", RACES)
def test_both_orders_come_to_what_they_have_to(name: str, at: Point) -> None:
    run_race(RACES[name], at)


TWO_BRANDS = Race(
    adding(event_id="e"),
    adding(event_id="e", campaign="elsewhere"),
    ("event_id_reused", YES),
    (YES, "event_id_reused"),
    Promise.ONE_ANSWER,
)


def test_an_event_id_of_two_brands_is_the_firsts_who_keeps_it_c21() -> None:
    # Two brands share no lock: who has only decided, doesn't hold the other one up.
    world = World()
    seen = interleave(
        lambda: TWO_BRANDS.first(world, PRODUCT),
        lambda: TWO_BRANDS.second(world, PRODUCT),
        Point.BEFORE_WRITE,
    )
    assert seen == Seen("event_id_reused", YES, had_to_wait=False)
    assert SpendLog.objects.get().campaign == world.elsewhere
    audit(NOON)


@pytest.mark.parametrize("at", [Point.BEFORE_LOCK, Point.BEFORE_COMMIT])
def test_an_event_id_of_two_brands_waits_for_who_has_written_it_c21(at: Point) -> None:
    run_race(TWO_BRANDS, at)


# --- The same with a broken deed: each is seen at once, without luck -----------------------------

BROKEN = {
    "lock_left_out": (
        "spend and spend", Point.BEFORE_WRITE, Deeds(add_spend=mutants.lock_left_out),
    ),
    "facts_read_before_the_lock": (
        "spend and spend",
        Point.BEFORE_LOCK,
        Deeds(add_spend=mutants.facts_read_before_the_lock),
    ),
    "check_then_increment": (
        "spend and spend", Point.BEFORE_WRITE, Deeds(add_spend=mutants.check_then_increment),
    ),
    "event_id_checked_then_inserted": (
        "event id and event id",
        Point.BEFORE_LOCK,
        Deeds(add_spend=mutants.event_id_checked_then_inserted),
    ),
    "hold_read_before_the_lock": (
        "capture and capture",
        Point.BEFORE_LOCK,
        Deeds(capture_hold=mutants_of_holds.hold_read_before_the_lock),
    ),
    "refund_checked_before_the_lock": (
        "refund and refund",
        Point.BEFORE_LOCK,
        Deeds(refund_spend=mutants_of_holds.refund_checked_before_the_lock),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_deed_is_caught_every_time(name: str) -> None:
    race, at, deeds = BROKEN[name]
    with pytest.raises(PromiseBrokenError):
        run_race(RACES[race], at, deeds)
