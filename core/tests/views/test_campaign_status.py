"""What makes a campaign run and stop: the person's switch, budgets, flights and windows."""

from datetime import datetime
from operator import itemgetter

import pytest

from core import tasks
from core.models import Campaign, Transition
from core.tests.views.api import Api, Clock, Json, report_at


def codes(document: Json) -> list[str]:
    return [reason["code"] for reason in document["reasons"]]


def status_of(api: Api, campaign: Json) -> tuple[bool, list[str]]:
    shown = api.read("campaigns", campaign)
    return shown["is_active"], codes(shown)


def pause(api: Api, campaign: Json) -> Json:
    return api.post(f"/api/campaigns/{campaign['id']}/pause/").value()


def resume(api: Api, campaign: Json) -> Json:
    return api.post(f"/api/campaigns/{campaign['id']}/resume/").value()


# --- The person's switch ---------------------------------------------------------------------


def test_pause_stops_a_campaign_and_resume_starts_it(
    api: Api, clock: Clock, campaign: Json
) -> None:
    clock.advance(minutes=1)
    paused = pause(api, campaign)
    assert (paused["is_enabled"], paused["is_active"]) == (False, False)
    assert paused["reasons"] == [
        {"code": "campaign_disabled", "message": "The campaign is switched off."}
    ]
    assert paused["status_since"] == "2024-01-15T10:31:00Z"
    api.add(campaign, "1.00").error(400, "campaign_not_active")

    clock.advance(minutes=1)
    resumed = resume(api, campaign)
    assert resumed == {**campaign, "status_since": "2024-01-15T10:32:00Z", "version": 3}
    api.add(campaign, "1.00").value()


def test_pausing_twice_is_pausing_once(api: Api, clock: Clock, campaign: Json) -> None:
    first = pause(api, campaign)
    clock.advance(minutes=1)
    assert pause(api, campaign) == first
    assert [row.cause for row in Transition.objects.order_by("id")] == ["created", "paused"]


def test_the_switch_in_an_edit_is_the_same_switch(api: Api, campaign: Json) -> None:
    """C15."""
    edited = api.edit("campaigns", campaign, is_enabled=False)
    assert codes(edited) == ["campaign_disabled"]
    assert resume(api, campaign)["is_enabled"] is True


def test_resume_does_not_run_what_something_else_stops(api: Api, brand: Json) -> None:
    """C14: the binding reason stands first."""
    campaign = api.create_campaign(
        brand,
        is_enabled=False,
        ends_at="2024-01-15T10:00:00Z",
        own_daily_budget="0",
        dayparting_start="11:00",
        dayparting_end="12:00",
    )
    others = ["ended", "outside_schedule", "campaign_daily_budget"]
    assert codes(campaign) == ["campaign_disabled", *others]
    assert codes(resume(api, campaign)) == others


@pytest.mark.parametrize("is_enabled", [True, False])
def test_nothing_but_a_person_moves_the_switch(
    api: Api, clock: Clock, is_enabled: bool, *, brand: Json
) -> None:
    """C15: neither budgets, edits, windows, flights, resets nor checks."""
    campaign = api.create_campaign(
        brand,
        is_enabled=is_enabled,
        dayparting_start="09:00",
        dayparting_end="17:00",
        ends_at="2024-02-10T00:00:00Z",
    )
    report_at(campaign, "1000.00", "2024-01-15T10:30:00Z")
    api.edit("brands", brand, daily_budget="1.00")
    api.edit("campaigns", campaign, own_lifetime_budget="0")
    api.edit("brands", brand, is_enabled=False)
    api.edit("brands", brand, is_enabled=True, daily_budget=None)
    api.edit("campaigns", campaign, schedule=[], own_lifetime_budget=None)
    for at in ("2024-01-15T18:00:00Z", "2024-01-16T09:30:00Z", "2024-02-11T09:30:00Z"):
        clock.move_to(at)
        for task in (
            tasks.check_budgets,
            tasks.enforce_dayparting,
            tasks.reset_daily_spend,
            tasks.reset_monthly_spend,
        ):
            task()
        assert api.read("campaigns", campaign)["is_enabled"] is is_enabled


def test_a_brand_that_is_switched_off_stops_all_of_its_campaigns(api: Api, brand: Json) -> None:
    campaigns = [api.create_campaign(brand, name) for name in ("a", "b")]
    elsewhere = api.create_campaign(api.create_brand("Brand Y"))
    api.edit("brands", brand, is_enabled=False)
    for campaign in campaigns:
        assert status_of(api, campaign) == (False, ["brand_disabled"])
    assert status_of(api, elsewhere) == (True, [])
    api.edit("brands", brand, is_enabled=True)
    for campaign in campaigns:
        assert status_of(api, campaign) == (True, [])


# --- Budgets run out and come back -----------------------------------------------------------


@pytest.mark.parametrize("kind", ["add", "report"])
@pytest.mark.parametrize("budget", ["daily", "monthly"])
def test_a_brand_that_runs_out_pauses_all_of_its_campaigns_in_that_call(
    api: Api, kind: str, budget: str
) -> None:
    """C5, C16."""
    both: Json = {"daily_budget": None, "monthly_budget": None, f"{budget}_budget": "100.00"}
    brand = api.create_brand(**both)
    campaigns = [api.create_campaign(brand, name) for name in ("a", "b", "c")]
    elsewhere = api.create_campaign(api.create_brand("Brand Y"))
    api.spend(kind, campaigns[0], "99.999999").value()
    assert {status_of(api, campaign)[0] for campaign in campaigns} == {True}

    answer = api.spend(kind, campaigns[1], "0.000001").value()
    assert (answer["is_active"], codes(answer)) == (False, [f"brand_{budget}_budget"])
    assert answer["remaining"] == "0.00"
    for campaign in campaigns:
        assert status_of(api, campaign) == (False, [f"brand_{budget}_budget"])
        api.add(campaign, "0.000001").error(400, "campaign_not_active")
    assert status_of(api, elsewhere) == (True, [])


@pytest.mark.parametrize("budget", ["daily", "monthly", "lifetime"])
def test_a_campaign_that_runs_out_pauses_alone(api: Api, brand: Json, budget: str) -> None:
    """C5."""
    campaign = api.create_campaign(brand, **{f"own_{budget}_budget": "10.00"})
    sibling = api.create_campaign(brand, "sibling")
    answer = api.add(campaign, "10.00").value()
    assert codes(answer) == [f"campaign_{budget}_budget"]
    assert status_of(api, campaign) == (False, [f"campaign_{budget}_budget"])
    assert status_of(api, sibling) == (True, [])


def test_raising_a_used_up_budget_of_the_brand_reactivates_at_once(api: Api, clock: Clock) -> None:
    """C6."""
    brand = api.create_brand(daily_budget="10.00")
    campaigns = [api.create_campaign(brand, name) for name in ("a", "b")]
    off = api.create_campaign(brand, "off", is_enabled=False)
    api.add(campaigns[0], "10.00").value()
    clock.advance(minutes=5)
    api.edit("brands", brand, daily_budget="10.01")
    for campaign in campaigns:
        shown = api.read("campaigns", campaign)
        assert (shown["is_active"], shown["status_since"]) == (True, "2024-01-15T10:35:00Z")
    assert status_of(api, off) == (False, ["campaign_disabled"])
    api.add(campaigns[1], "0.02").error(400, "budget_exceeded")
    api.add(campaigns[1], "0.01").value()


def test_lowering_a_budget_of_the_brand_to_what_is_spent_pauses_at_once(
    api: Api, brand: Json
) -> None:
    """C6."""
    campaigns = [api.create_campaign(brand, name) for name in ("a", "b")]
    api.add(campaigns[0], "10.00").value()
    api.edit("brands", brand, daily_budget="10.01")
    assert status_of(api, campaigns[1]) == (True, [])
    api.edit("brands", brand, daily_budget="10.00")
    for campaign in campaigns:
        assert status_of(api, campaign) == (False, ["brand_daily_budget"])


@pytest.mark.parametrize("budget", ["daily", "monthly", "lifetime"])
def test_a_campaigns_own_budget_binds_on_the_next_decision(
    api: Api, campaign: Json, budget: str
) -> None:
    """C6."""
    api.add(campaign, "10.00").value()
    field = f"own_{budget}_budget"
    reason = f"campaign_{budget}_budget"
    assert codes(api.edit("campaigns", campaign, **{field: "5.00"})) == [reason]
    assert codes(api.edit("campaigns", campaign, **{field: "10.00"})) == [reason]
    api.add(campaign, "0.01").error(400, "campaign_not_active")
    assert codes(api.edit("campaigns", campaign, **{field: "10.01"})) == []
    error = api.add(campaign, "0.02").error(400, "budget_exceeded")
    assert (error["budget"], error["remaining"]) == (reason, "0.01")
    assert codes(api.edit("campaigns", campaign, **{field: None})) == []
    api.add(campaign, "500.00").value()


@pytest.mark.parametrize(
    ("spent_at", "now", "is_active"),
    [
        ("2024-01-15T23:59:59Z", "2024-01-16T00:00:00Z", True),
        ("2024-01-15T00:00:00Z", "2024-01-15T23:59:59Z", False),
    ],
)
def test_a_new_day_brings_the_whole_budget_without_any_job(
    api: Api, clock: Clock, spent_at: str, *, now: str, is_active: bool
) -> None:
    """C10: no task runs here; admission judges afresh and answers the verdict after it."""
    campaign = api.create_campaign(api.create_brand(daily_budget="10.00"))
    report_at(campaign, "10.00", spent_at)
    clock.move_to(now)
    answer = api.add(campaign, "10.00")
    assert answer.status == (200 if is_active else 400)


# --- Windows and flights ---------------------------------------------------------------------


def test_the_next_change_is_told_when_time_alone_brings_it(api: Api, brand: Json) -> None:
    """C14."""
    campaign = api.create_campaign(
        brand, starts_at="2024-01-16T00:00:00Z", dayparting_start="09:00", dayparting_end="10:00"
    )
    assert codes(campaign) == ["not_started", "outside_schedule"]
    assert campaign["next_change_at"] == "2024-01-16T00:00:00Z"


@pytest.mark.parametrize(
    ("flight", "reasons"),
    [
        ({"starts_at": "2024-01-15T10:30:00Z"}, []),
        ({"starts_at": "2024-01-15T10:30:00.000001Z"}, ["not_started"]),
        ({"ends_at": "2024-01-15T10:30:00Z"}, ["ended"]),
        ({"ends_at": "2024-01-15T10:30:00.000001Z"}, []),
        ({"starts_at": "2024-01-15T11:00:00+01:00"}, []),
    ],
)
def test_a_flight_includes_its_start_and_not_its_end(
    api: Api, campaign: Json, flight: Json, reasons: list[str]
) -> None:
    assert codes(api.edit("campaigns", campaign, **flight)) == reasons


# --- Each change is recorded -------------------------------------------------------------------


def test_each_change_writes_one_transition_with_its_cause_and_its_numbers(
    api: Api, clock: Clock
) -> None:
    """C17."""
    brand = api.create_brand(daily_budget="10.00", monthly_budget=None)
    campaign = api.create_campaign(brand)
    deeds = (
        lambda: api.add(campaign, "4.00"),
        lambda: api.add(campaign, "6.00"),
        lambda: api.edit("brands", brand, daily_budget="20.00"),
        lambda: pause(api, campaign),
        lambda: resume(api, campaign),
        lambda: api.edit("campaigns", campaign, own_daily_budget="1.00"),
        lambda: api.delete(f"/api/campaigns/{campaign['id']}/"),
    )
    for deed in deeds:
        clock.advance(minutes=1)
        deed()
    written = list(Transition.objects.order_by("id").values())
    assert [(row["at"].minute, row["is_active"], row["cause"]) for row in written] == [
        (30, True, "created"),
        (32, False, "spend"),
        (33, True, "brand_edited"),
        (34, False, "paused"),
        (35, True, "resumed"),
        (36, False, "campaign_edited"),
    ]
    ran_out = written[1]
    assert ran_out["numbers"] == [
        {
            "code": "brand_daily_budget",
            "budget": "10.00",
            "spent": "10.00",
            "held": "0.00",
            "remaining": "0.00",
        }
    ]
    assert {row["actor"].split(":")[0] for row in written} == {"key"}


def test_the_stored_verdict_is_the_one_that_is_answered(api: Api, brand: Json) -> None:
    """C16."""
    for name, settings in {"on": {}, "off": {"is_enabled": False}}.items():
        api.create_campaign(brand, name, **settings)
    stored = Campaign.objects.order_by("id").values_list("is_active", "status_since")
    listed = api.get("/api/campaigns/").value()["campaigns"]
    shown = map(itemgetter("is_active", "status_since"), listed)
    assert list(stored) == [(is_on, datetime.fromisoformat(since)) for is_on, since in shown]
