"""Windows and flights open and close campaigns; only those that are due are touched (C13)."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign, pause_campaign
from core.actions.delivery import enforce_dayparting
from core.enums import Cause, Reason
from core.models import Brand
from core.queries import sweeps
from core.tests.actions.tasks import corrupt, run
from core.tests.builders import (
    CALLER,
    NOON,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    transitions_of,
)
from core.tests.rules.by_the_minute import window
from core.tests.rules.zones import DAY, HOUR, MINUTE, SECOND, utc

QUIET = {"activated": 0, "paused": 0, "failed": 0}

pytestmark = pytest.mark.django_db


def test_a_window_opens_and_closes_its_campaign_c13_c16() -> None:
    campaign = make_campaign(schedule=[window("13:00", "15:00")])
    for now, expected in (
        (NOON + HOUR - SECOND, QUIET),
        (NOON + HOUR, {**QUIET, "activated": 1}),
        (NOON + HOUR, QUIET),
        (NOON + 3 * HOUR - SECOND, QUIET),
        (NOON + 3 * HOUR + MINUTE, {**QUIET, "paused": 1}),
        (NOON + DAY, QUIET),
    ):
        assert run("enforce_dayparting", now) == expected
    created, opened, closed = transitions_of(campaign)
    assert (opened.cause, opened.actor) == (Cause.TIME, "clock")
    assert (opened.at, opened.is_active) == (NOON + HOUR, True)
    assert (closed.at, closed.reasons) == (NOON + 3 * HOUR, (Reason.OUTSIDE_SCHEDULE,))
    assert closed.recorded_at == NOON + 3 * HOUR + MINUTE
    assert created.reasons == (Reason.OUTSIDE_SCHEDULE,)
    assert fresh(campaign).next_change_at == NOON + DAY + HOUR


def test_a_flight_starts_and_ends_its_campaign() -> None:
    campaign = make_campaign(starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    assert run("enforce_dayparting", NOON + HOUR) == {**QUIET, "activated": 1}
    assert run("enforce_dayparting", NOON + 2 * HOUR) == {**QUIET, "paused": 1}
    assert fresh(campaign).reasons == (Reason.ENDED,)
    assert fresh(campaign).next_change_at is None


@pytest.mark.parametrize(
    ("now", "is_active"),
    [
        (utc("2026-10-24T23:59:59"), False),
        (utc("2026-10-25T00:00"), True),  # 02:00 in Berlin, the first time
        (utc("2026-10-25T01:59:59"), True),  # 02:59:59, the second time
        (utc("2026-10-25T02:00"), False),
    ],
)
def test_windows_follow_the_brands_own_clock_through_its_jumps_c13(
    now: datetime, is_active: bool
) -> None:
    campaign = make_campaign(
        make_brand(time_zone="Europe/Berlin"), schedule=[window("02:00", "03:00")]
    )
    run("enforce_dayparting", now)
    assert fresh(campaign).is_active is is_active


def test_after_an_outage_one_run_records_every_edge_that_was_missed_c26() -> None:
    campaign = make_campaign(schedule=[window("13:00", "15:00")])
    missed = {**QUIET, "activated": 31, "paused": 30}
    assert run("enforce_dayparting", NOON + 30 * DAY + 2 * HOUR) == missed
    instants = [t.at for t in transitions_of(campaign)]
    assert instants[-3:] == [
        NOON + 29 * DAY + HOUR,
        NOON + 29 * DAY + 3 * HOUR,
        NOON + 30 * DAY + HOUR,
    ]
    assert fresh(campaign).next_change_at == NOON + 30 * DAY + 3 * HOUR


def test_a_window_never_wakes_what_a_person_paused_c15() -> None:
    campaign = make_campaign(schedule=[window("13:00", "15:00")])
    pause_campaign(campaign.pk, caller=CALLER, now=NOON)
    assert run("enforce_dayparting", NOON + HOUR) == QUIET
    stored = fresh(campaign)
    assert (stored.is_enabled, stored.reasons) == (False, (Reason.CAMPAIGN_DISABLED,))
    assert stored.next_change_at == NOON + 3 * HOUR


def test_what_is_archived_is_never_looked_at_again() -> None:
    campaign = make_campaign(schedule=[window("13:00", "15:00")])
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)
    before = everything_stored()
    assert run("enforce_dayparting", NOON + HOUR) == QUIET
    assert everything_stored() == before


def test_only_campaigns_whose_edge_has_come_are_touched_c26() -> None:
    brand = make_brand()
    due = make_campaign(brand, schedule=[window("13:00", "15:00")])
    later = make_campaign(brand, schedule=[window("14:00", "15:00")])
    never = make_campaign(brand)
    # A wrong verdict shows who was judged.
    for campaign in (later, never):
        corrupt(campaign, Reason.ENDED)
    run("enforce_dayparting", NOON + HOUR)
    assert fresh(due).is_active
    assert fresh(later).reasons == fresh(never).reasons == (Reason.ENDED,)


def test_its_cost_does_not_grow_with_campaigns_that_are_not_due_c26() -> None:
    def cost(brand: Brand, now: datetime) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert run("enforce_dayparting", now) == {**QUIET, "activated": 1}
        return len(queries)

    brand = make_brand()
    make_campaign(brand, schedule=[window("13:00", "23:00")])
    alone = cost(brand, NOON + HOUR)
    make_campaign(brand, schedule=[window("14:00", "23:00")])
    for _ in range(40):
        make_campaign(brand, schedule=[window("15:00", "23:00")])
    assert cost(brand, NOON + 2 * HOUR) == alone


def test_when_nothing_is_due_it_costs_one_query_c26() -> None:
    make_campaign(schedule=[window("13:00", "15:00")])
    with CaptureQueriesContext(connection) as queries:
        assert run("enforce_dayparting", NOON) == QUIET
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_a_midnight_of_many_is_read_chunk_by_chunk_c26(monkeypatch: pytest.MonkeyPatch) -> None:
    brands = [make_brand(), make_brand()]
    due = [
        make_campaign(brands[number % 2], schedule=[window(opens, "23:00")])
        for number, opens in enumerate(["13:00"] * 5 + ["13:30"] * 2)
    ]
    monkeypatch.setattr(sweeps, "CHUNK", 3)
    with CaptureQueriesContext(connection) as queries:
        assert run("enforce_dayparting", NOON + 2 * HOUR) == {**QUIET, "activated": 7}
    finding = [query for query in queries if "LIMIT 3" in query["sql"]]
    assert len(finding) == 3
    assert all(fresh(campaign).is_active for campaign in due)


def test_who_stays_due_keeps_nobody_after_him_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign, mine = make_brand(), make_brand()
    for brand in (foreign, foreign, foreign, mine):
        make_campaign(brand, schedule=[window("13:00", "15:00")])
    monkeypatch.setattr(sweeps, "CHUNK", 1)
    limited = Caller("test:limited", frozenset({mine.pk}))
    changes = enforce_dayparting(caller=limited, now=NOON + HOUR)
    assert changes == {**QUIET, "activated": 1}
