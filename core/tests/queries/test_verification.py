"""Every check finds the violation that it is there for, with its place, and nothing else (C25)."""

from decimal import Decimal

import pytest
from django.db.models import F, Q

from core.models import (
    BrandTotal,
    BrandVersion,
    Campaign,
    CampaignCounts,
    CampaignTotal,
    CampaignVersion,
    EventAnswer,
    Hold,
    SpendLog,
    Transition,
)
from core.queries.promises import Promise
from core.rules.lateness import OVERDUE_AFTER
from core.tests.builders import NOON, TODAY
from core.tests.queries.planting import NOW, Plant, World, make_world, sql, unguarded, verify
from core.tests.rules.zones import DAY, HOUR

pytestmark = pytest.mark.django_db

HOLD_ENDS = ("core_hold", "hold_is_open_until_it_ended")
HOLD_CAPTURED = ("core_hold", "hold_captured_has_an_entry")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.mark.usefixtures("world")
def test_in_a_sound_world_nothing_is_found_now_or_after_another_day() -> None:
    assert verify() == []
    assert verify(NOW + OVERDUE_AFTER) == []


# --- Totals --------------------------------------------------------------------------------------


def spent_of_brand(world: World) -> str:
    day = BrandTotal.objects.filter(brand=world.brand, period="day", starts_on=TODAY)
    day.update(spent=F("spent") + Decimal("0.01"))
    return f"brand {world.brand.pk}, day {TODAY}: spent is 97.01, should be 97.00"


def held_of_campaign(world: World) -> str:
    month = CampaignTotal.objects.filter(campaign=world.spender, period="month")
    month.update(held=Decimal(0))
    return f"campaign {world.spender.pk}, month 2026-06-01: held is 0.00, should be 6.00"


def lifetime_lost(world: World) -> str:
    CampaignTotal.objects.filter(campaign=world.spender, period="lifetime").delete()
    return f"campaign {world.spender.pk}, lifetime 0001-01-01: spent is 0.00, should be 112.00"


def total_of_nothing(world: World) -> str:
    CampaignTotal.objects.create(
        **{"campaign": world.paused, "period": "day", "starts_on": NOON.date() - 9 * DAY},
        **{"starts_at": NOON.replace(hour=4) - 9 * DAY, "ends_at": NOON.replace(hour=4) - 8 * DAY},
        spent=Decimal(1),
    )
    return f"campaign {world.paused.pk}, day 2026-06-01: spent is 1.00, should be 0.00"


def entry_lost(world: World) -> str:
    with unguarded():
        sql("DELETE FROM core_spendlog WHERE id = %s", world.entries["plain"].pk)
    return f"campaign {world.spender.pk}, lifetime 0001-01-01: spent is 112.00, should be 110.00"


def entry_changed(world: World) -> str:
    with unguarded():
        changed = "UPDATE core_spendlog SET amount = amount + 1 WHERE id = %s"
        sql(changed, world.entries["plain"].pk)
    return f"brand {world.brand.pk}, month 2026-06-01: spent is 112.00, should be 112.000001"


def entry_doubled(world: World) -> str:
    entry = SpendLog.objects.get(pk=world.entries["plain"].pk)
    entry.pk = None
    entry.save(force_insert=True)
    return f"brand {world.brand.pk}, day {TODAY}: spent is 97.00, should be 99.00"


def open_hold_lost(world: World) -> str:
    EventAnswer.objects.filter(event_id="hold open").delete()
    Hold.objects.filter(pk=world.holds["open"].pk).delete()
    return f"campaign {world.spender.pk}, day 2026-06-13: held is 6.00, should be 0.00"


# --- Periods, days, currency ---------------------------------------------------------------------


def end_moved(world: World) -> str:
    day = CampaignTotal.objects.filter(campaign=world.spender, period="day", starts_on=TODAY)
    day.update(ends_at=F("ends_at") - HOUR)
    # The day in New York had begun, and the move to Tokyo cut the one after it.
    return f"campaign {world.spender.pk}, day {TODAY}: 2026-06-10T04:00:00Z to 2026-06-11T03:00:00Z"


def start_moved(world: World) -> str:
    month = BrandTotal.objects.filter(brand=world.brand, period="month")
    month.update(starts_at=F("starts_at") + HOUR)
    return f"brand {world.brand.pk}, month 2026-06-01: 2026-06-01T05:00:00Z to 2026-06-30T15:00:00Z"


def lifetime_of_a_brand(world: World) -> str:
    sql(
        "INSERT INTO core_brandtotal (brand_id, period, starts_on, starts_at, ends_at, spent, held)"
        " SELECT %s, period, starts_on, starts_at, ends_at, 0, 0 FROM core_campaigntotal"
        " WHERE period = 'lifetime' AND campaign_id = %s",
        *(world.brand.pk, world.spender.pk),
    )
    return f"brand {world.brand.pk}, lifetime 0001-01-01: "


def closed_elsewhere(world: World) -> str:
    day = BrandTotal.objects.filter(brand=world.brand, period="day", starts_on=TODAY)
    day.update(closed_at=NOW)
    return f"brand {world.brand.pk}, day {TODAY}: closed at 2026-06-13T12:00:00Z"


def entry_of_another_day(world: World) -> str:
    entry_id = world.entries["add"].pk
    with unguarded():
        sql("UPDATE core_spendlog SET occurred_at = %s WHERE id = %s", NOON - DAY, entry_id)
    return f"entry {entry_id} counts in 2026-06-10, should count in 2026-06-09"


def hold_of_another_day(world: World) -> str:
    released = world.holds["released"]
    Hold.objects.filter(pk=released.pk).update(held_at=released.held_at - DAY)
    return f"hold {released.pk} counts in 2026-06-13, should count in 2026-06-12"


def entry_in_another_currency(world: World) -> str:
    entry_id = world.entries["add"].pk
    with unguarded():
        sql("UPDATE core_spendlog SET currency = 'EUR' WHERE id = %s", entry_id)
    return f"entry {entry_id} is in EUR, not USD"


# --- Holds and refunds ---------------------------------------------------------------------------


def hold_past_its_time(world: World) -> str:
    hold_id = world.holds["open"].pk
    Hold.objects.filter(pk=hold_id).update(expires_at=NOW - OVERDUE_AFTER)
    return f"hold {hold_id} is open past 2026-06-13T11:58:00Z"


def capture_above_its_hold(world: World) -> str:
    held = world.holds["captured"]
    Hold.objects.filter(pk=held.pk).update(amount=Decimal("7.99"))
    return f"entry {world.entries['capture'].pk} isn't within hold {held.pk}"


def capture_of_another_campaign(world: World) -> str:
    held = world.holds["captured"]
    Hold.objects.filter(pk=held.pk).update(campaign=world.paused)
    return f"entry {world.entries['capture'].pk} isn't within hold {held.pk}"


def capture_that_says_it_is_none(world: World) -> str:
    entry_id = world.entries["capture"].pk
    with unguarded():
        sql("UPDATE core_spendlog SET kind = 'add' WHERE id = %s", entry_id)
    return f"entry {entry_id} isn't within hold {world.holds['captured'].pk}"


def capture_of_no_hold(world: World) -> str:
    held = Hold.objects.filter(pk=world.holds["captured"].pk)
    held.update(state="released", spend_log=None)
    return f"entry {world.entries['capture'].pk} is a capture of no hold"


def hold_open_and_ended(world: World) -> str:
    with unguarded(HOLD_ENDS):
        Hold.objects.filter(pk=world.holds["open"].pk).update(ended_at=NOW)
    return f"hold {world.holds['open'].pk} is open and has ended"


def hold_ended_never(world: World) -> str:
    with unguarded(HOLD_ENDS):
        Hold.objects.filter(pk=world.holds["released"].pk).update(ended_at=None)
    return f"hold {world.holds['released'].pk} has ended at no instant"


def hold_captured_without_entry(world: World) -> str:
    with unguarded(HOLD_CAPTURED):
        Hold.objects.filter(pk=world.holds["released"].pk).update(state="captured")
    return f"hold {world.holds['released'].pk} was captured, and no entry says so"


def hold_released_with_an_entry(world: World) -> str:
    with unguarded(HOLD_CAPTURED):
        released = Hold.objects.filter(pk=world.holds["released"].pk)
        released.update(spend_log=world.entries["plain"])
    return f"hold {world.holds['released'].pk} has an entry and wasn't captured"


def hold_expired_later(world: World) -> str:
    Hold.objects.filter(pk=world.holds["expired"].pk).update(ended_at=NOW)
    return f"hold {world.holds['expired'].pk} expired at another instant"


def refund_above_its_entry(world: World) -> str:
    return refund_of(world, "small", f"entry {world.entries['small'].pk}: more was taken back")


def refund_of_another_day(world: World) -> str:
    """It took 20 back; of the day before there is one that is large enough."""
    with unguarded():
        sql("UPDATE core_spendlog SET amount = 20000000 WHERE id = %s", world.entries["late"].pk)
    counts_in = Q(starts_on=TODAY - DAY) | Q(period="month") | Q(period="lifetime")
    for totals in (
        BrandTotal.objects.filter(brand=world.brand),
        CampaignTotal.objects.filter(campaign=world.spender),
    ):
        totals.filter(counts_in).update(spent=F("spent") + Decimal(13))
    refund_id, entry_id = world.entries["refund"].pk, world.entries["late"].pk
    return refund_of(world, "late", f"entry {refund_id} doesn't count where entry {entry_id} does")


def refund_of(world: World, name: str, facts: str) -> str:
    with unguarded():
        sql(
            "UPDATE core_spendlog SET refund_of_id = %s WHERE id = %s",
            *(world.entries[name].pk, world.entries["refund"].pk),
        )
    return facts


# --- Answers and budgets -------------------------------------------------------------------------


def answer_lost(world: World) -> str:
    EventAnswer.objects.filter(event_id="add").delete()
    return f"entry {world.entries['add'].pk}: its event id has none"


def answer_of_another_entry(world: World) -> str:
    kept = EventAnswer.objects.get(event_id="hold released")
    kept.answer["hold_id"] = world.holds["open"].pk
    kept.save()
    return f"hold {world.holds['released'].pk}: its event id has answer {kept.pk} of another"


def answer_that_refused(world: World) -> str:
    kept = EventAnswer.objects.filter(event_id="report")
    kept.update(is_refusal=True)
    return f"entry {world.entries['report'].pk}: its event id has answer {kept.get().pk} of another"


def answer_to_what_is_not_there(world: World) -> str:
    kept = EventAnswer.objects.get(event_id="add")
    kept.pk, kept.event_id = None, "acknowledged and lost"
    kept.save(force_insert=True)
    return f"answer {kept.pk}: what it admitted isn't there"


def hold_answered_and_lost(world: World) -> str:
    Hold.objects.filter(pk=world.holds["released"].pk).delete()
    kept = EventAnswer.objects.filter(event_id="hold released")
    EventAnswer.objects.filter(event_id="release").delete()
    return f"answer {kept.get().pk}: what it admitted isn't there"


def brand_overspent(world: World) -> str:
    for version in BrandVersion.objects.filter(brand=world.brand):
        version.settings["daily_budget"] = "78.00"
        version.save()
    # Of the 97.00 of that day 80.00 were reported, 17.00 of these over budget.
    return f"brand {world.brand.pk}, day {TODAY}: 80.00 used of at most 78.00"


def campaign_overspent(world: World) -> str:
    for version in CampaignVersion.objects.filter(campaign=world.spender):
        version.settings["lifetime_budget"] = "100.00"
        version.save()
    return f"campaign {world.spender.pk}, lifetime 0001-01-01: 101.00 used of at most 100.00"


# --- Verdicts, transitions, counts ---------------------------------------------------------------


def other_reasons(world: World) -> str:
    Campaign.objects.filter(pk=world.paused.pk).update(reasons=("brand_disabled",))
    return f"campaign {world.paused.pk} ({world.paused}): stored brand_disabled, judged campaign"


def change_forgotten(world: World) -> str:
    Campaign.objects.filter(pk=world.windowed.pk).update(next_change_at=None)
    return f"campaign {world.windowed.pk} ({world.windowed}): stored outside_schedule, judged"


def transition_twice(world: World) -> str:
    last = Transition.objects.filter(campaign=world.windowed).latest("id")
    last.pk = None
    last.save(force_insert=True)
    return f"campaign {world.windowed.pk}: the transitions don't alternate"


def transition_lost(world: World) -> str:
    Transition.objects.filter(campaign=world.windowed).latest("id").delete()
    return f"campaign {world.windowed.pk}: the transitions don't alternate"


def all_transitions_lost(world: World) -> str:
    Transition.objects.filter(campaign=world.windowed).delete()
    return f"campaign {world.windowed.pk}: the transitions don't alternate"


def count_too_high(world: World) -> str:
    CampaignCounts.objects.filter(brand=world.brand).update(active_count=F("active_count") + 1)
    return f"brand {world.brand.pk}: CampaignNumbers(total=3, active=2, "


def counts_lost(world: World) -> str:
    CampaignCounts.objects.filter(brand=world.brand).delete()
    return f"brand {world.brand.pk}: CampaignNumbers(total=0, active=0, "


PLANTED: dict[Promise, tuple[Plant, ...]] = {
    Promise.TOTALS: (
        *(spent_of_brand, held_of_campaign, lifetime_lost, total_of_nothing),
        *(entry_lost, entry_changed, entry_doubled, open_hold_lost),
    ),
    Promise.CALENDAR: (end_moved, start_moved, lifetime_of_a_brand, closed_elsewhere),
    Promise.DAYS: (entry_of_another_day, hold_of_another_day),
    Promise.CURRENCY: (entry_in_another_currency,),
    Promise.HOLDS_END: (hold_past_its_time,),
    Promise.HOLDS_END_ONCE: (
        *(capture_above_its_hold, capture_of_another_campaign, capture_that_says_it_is_none),
        *(capture_of_no_hold, hold_open_and_ended, hold_ended_never, hold_captured_without_entry),
        *(hold_released_with_an_entry, hold_expired_later),
    ),
    Promise.REFUNDS_COVERED: (refund_above_its_entry, refund_of_another_day),
    Promise.ANSWERS: (
        *(answer_lost, answer_of_another_entry, answer_that_refused),
        *(answer_to_what_is_not_there, hold_answered_and_lost),
    ),
    Promise.ZERO_OVERSPEND: (brand_overspent, campaign_overspent),
    Promise.STORED_VERDICTS: (other_reasons, change_forgotten),
    Promise.TRANSITIONS: (transition_twice, transition_lost, all_transitions_lost),
    Promise.STATUS_COUNTS: (count_too_high, counts_lost),
}


@pytest.mark.parametrize(
    ("promise", "plant"),
    [
        pytest.param(promise, plant, id=f"{promise.name}-{plant.__name__}")
        for promise, plants in PLANTED.items()
        for plant in plants
    ],
)
def test_a_planted_violation_is_found_with_its_place_and_nothing_else_c25(
    promise: Promise, plant: Plant, world: World
) -> None:
    facts = plant(world)
    broken = verify()
    assert {each.promise for each in broken} == {promise}
    assert [each.facts for each in broken if each.facts.startswith(facts)], broken
    assert {each.at for each in broken} == {NOW}
