"""Why a campaign is or was not running, at any instant, and the list of its changes (C14, C17)."""

from datetime import UTC, datetime

import pytest

from core.actions.brands import archive_brand
from core.actions.caller import Caller
from core.enums import Cause
from core.models import BrandVersion, Campaign, CampaignVersion, Transition
from core.tests.views.api import Api, Clock, Json, make_token, report_at

TEN_THIRTY = "2024-01-15T10:30:00Z"


def explain(api: Api, campaign: Json, at: str | None = None) -> Json:
    query = {"at": at} if at else {}
    return api.get(f"/api/campaigns/{campaign['id']}/explain/", **query).value()


def codes(document: Json) -> list[str]:
    return [reason["code"] for reason in document["reasons"]]


def listed(api: Api, campaign: Json, **query: object) -> Json:
    return api.get(f"/api/campaigns/{campaign['id']}/transitions/", **query).value()


# --- Explain -----------------------------------------------------------------------------------


def test_a_running_campaign_is_explained_with_its_numbers(api: Api, clock: Clock) -> None:
    brand = api.create_brand(daily_budget="100.00", monthly_budget=None)
    campaign = api.create_campaign(brand, ends_at="2024-01-20T00:00:00Z")
    clock.advance(minutes=5)
    api.add(campaign, "40.00").value()
    explained = explain(api, campaign)
    assert explained.pop("transition") == listed(api, campaign)["transitions"][0]
    assert explained == {
        "campaign_id": campaign["id"],
        "at": "2024-01-15T10:35:00Z",
        "is_active": True,
        "reasons": [],
        "budgets": [
            {
                "code": "brand_daily_budget",
                "budget": "100.00",
                "spent": "40.00",
                "held": "0.00",
                "remaining": "60.00",
            }
        ],
        "next_change_at": "2024-01-20T00:00:00Z",
    }
    assert explain(api, campaign, "2024-01-15T10:34:59Z")["budgets"][0]["spent"] == "0.00"
    assert explain(api, campaign, "2024-01-15T11:34:59.5+01:00")["budgets"][0]["spent"] == "0.00"


def test_each_past_instant_has_its_own_answer_which_the_last_transition_would_not_give(
    api: Api, clock: Clock
) -> None:
    """Reasons come and go and numbers move while a campaign stays paused."""
    brand = api.create_brand(daily_budget="100.00", monthly_budget=None)
    campaign = api.create_campaign(brand)
    deeds = (
        lambda: api.report(campaign, "100.00"),
        lambda: api.report(campaign, "5.00"),
        lambda: api.post(f"/api/campaigns/{campaign['id']}/pause/"),
        lambda: api.edit("brands", brand, daily_budget="200.00"),
        lambda: api.post(f"/api/campaigns/{campaign['id']}/resume/"),
    )
    for deed in deeds:
        clock.advance(minutes=10)
        deed()
    clock.move_to("2024-01-17T12:00:00Z")
    told = [explain(api, campaign, f"2024-01-15T{time}:30Z") for time in HALF_PAST]
    assert [(codes(one), one["budgets"][0]["spent"]) for one in told] == [
        ([], "0.00"),
        (["brand_daily_budget"], "100.00"),
        (["brand_daily_budget"], "105.00"),
        (["campaign_disabled", "brand_daily_budget"], "105.00"),
        (["campaign_disabled"], "105.00"),
        ([], "105.00"),
    ]
    assert told[2]["reasons"] == [
        {
            "code": "brand_daily_budget",
            "message": "The brand's daily budget is used up (105.00 spent and 0.00 held of "
            "100.00); that ends at 2024-01-16T00:00:00Z.",
            "budget": "100.00",
            "spent": "105.00",
            "held": "0.00",
            "remaining": "0.00",
            "ends_at": "2024-01-16T00:00:00Z",
        }
    ]
    changes = [one["transition"]["at"] for one in told]
    ran_out = "2024-01-15T10:40:00Z"
    assert changes == [TEN_THIRTY, *[ran_out] * 4, "2024-01-15T11:20:00Z"]
    assert codes(told[4]["transition"]) == ["brand_daily_budget"], "as it was when it paused"


HALF_PAST = ("10:30", "10:40", "10:50", "11:00", "11:10", "11:20")


def test_what_time_did_is_told_to_the_second_even_if_no_task_ever_ran(
    api: Api, clock: Clock, brand: Json
) -> None:
    """C10, C13: the answer is that of admission, not of the stored flag."""
    campaign = api.create_campaign(brand, dayparting_start="10:00", dayparting_end="11:00")
    clock.move_to("2024-01-16T10:30:00Z")
    assert explain(api, campaign, "2024-01-15T10:59:59.999999Z")["is_active"] is True
    closed = explain(api, campaign, "2024-01-15T11:00:00Z")
    assert (closed["is_active"], codes(closed)) == (False, ["outside_schedule"])
    assert closed["next_change_at"] == closed["reasons"][0]["ends_at"] == "2024-01-16T10:00:00Z"
    assert closed["transition"]["is_active"] is True, "the last one that was recorded"


@pytest.mark.parametrize("at", [None, "2024-01-15T10:31:00Z"])
def test_the_next_change_is_told_only_if_time_alone_brings_it(
    api: Api, clock: Clock, brand: Json, at: str | None
) -> None:
    """C14."""
    settings = {"dayparting_start": "11:00", "dayparting_end": "12:00"}
    waiting = api.create_campaign(brand, "waiting", **settings)
    paused = api.create_campaign(brand, "paused", is_enabled=False, **settings)
    clock.advance(minutes=1)
    assert explain(api, waiting, at)["next_change_at"] == "2024-01-15T11:00:00Z"
    assert explain(api, paused, at)["next_change_at"] is None
    assert explain(api, paused, at)["reasons"][1]["ends_at"] == "2024-01-15T11:00:00Z"


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        ("2024-01-15T10:30:00.000001Z", "lies in the future; what will be spent isn't known yet"),
        ("2024-01-15T10:29:59Z", "lies before the campaign was created"),
        ("2024-01-15T10:30:00", "must be an instant with an offset such as 2026-11-20T08:30:00Z"),
        ("", "must be an instant with an offset such as 2026-11-20T08:30:00Z"),
    ],
)
def test_an_instant_that_cannot_be_explained_is_refused_by_name(
    api: Api, campaign: Json, at: str, problem: str
) -> None:
    answer = api.get(f"/api/campaigns/{campaign['id']}/explain/", at=at)
    assert answer.error(400, "invalid_input")["fields"] == {"at": problem}


@pytest.mark.parametrize("call", ["explain", "transitions"])
def test_what_is_archived_or_hidden_is_not_found(api: Api, campaign: Json, call: str) -> None:
    """C29."""
    path = f"/api/campaigns/{campaign['id']}/{call}/"
    elsewhere = Api(make_token(brand=api.create_brand("Brand Y")))
    elsewhere.get(path).error(404, "campaign_not_found")
    elsewhere.get(path, **{"at": "2030-01-01T00:00:00Z"} if call == "explain" else {}).error(
        404, "campaign_not_found"
    )
    api.get(path).value()
    api.delete(f"/api/campaigns/{campaign['id']}/")
    api.get(path).error(404, "campaign_not_found")
    sibling = api.create_campaign({"id": campaign["brand_id"]}, "sibling")
    archive_brand(
        campaign["brand_id"], caller=Caller("test"), now=datetime(2024, 1, 15, tzinfo=UTC)
    )
    api.get(f"/api/campaigns/{sibling['id']}/{call}/").error(404, "campaign_not_found")


def test_before_settings_were_kept_the_last_transition_answers(api: Api, clock: Clock) -> None:
    brand = api.create_brand(daily_budget="10.00", monthly_budget=None)
    campaign = api.create_campaign(brand)
    clock.advance(minutes=10)
    api.report(campaign, "11.00").value()
    clock.advance(minutes=10)
    # As the migration leaves rows that are older than versions.
    for versions in (BrandVersion.objects, CampaignVersion.objects):
        versions.update(at=clock.now)
    recorded = explain(api, campaign, "2024-01-15T10:45:00Z")
    (numbers,) = recorded["budgets"]
    assert (numbers["spent"], numbers["budget"]) == ("11.00", "10.00")
    assert recorded.pop("transition")["cause"] == "spend"
    assert recorded == {
        "campaign_id": campaign["id"],
        "at": "2024-01-15T10:45:00Z",
        "is_active": False,
        "reasons": [
            {
                "code": "brand_daily_budget",
                "message": "The brand's daily budget is used up.",
                "ends_at": None,
            }
        ],
        "budgets": [numbers],
        "next_change_at": None,
    }
    assert "that ends at" in explain(api, campaign, "2024-01-15T10:50:00Z")["reasons"][0]["message"]


# --- The campaign's document ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "2024-01-15T11:00:00Z"),
        ({"own_daily_budget": "5.00"}, "2024-01-15T11:00:00Z"),
        ({"is_enabled": False}, None),
        ({"own_daily_budget": "0"}, None),
        ({"own_lifetime_budget": "0"}, None),
    ],
)
def test_a_campaigns_document_tells_only_what_time_alone_will_change(
    api: Api, brand: Json, settings: Json, told: str | None
) -> None:
    """C14."""
    window = {"dayparting_start": "11:00", "dayparting_end": "12:00"}
    campaign = api.create_campaign(brand, **window, **settings)
    assert (campaign["is_active"], campaign["next_change_at"]) == (False, told)
    assert Campaign.objects.get().next_change_at, "the tasks keep its reasons up to date"


def test_a_used_up_day_is_told_to_end_and_a_brand_that_is_off_is_not(
    api: Api, brand: Json, campaign: Json
) -> None:
    report_at(campaign, "1000.00", TEN_THIRTY)
    assert api.read("campaigns", campaign)["next_change_at"] == "2024-01-16T00:00:00Z"
    api.edit("brands", brand, is_enabled=False)
    assert api.read("campaigns", campaign)["next_change_at"] is None


# --- Transitions ---------------------------------------------------------------------------------


def change_often(api: Api, clock: Clock, campaign: Json, count: int) -> None:
    for number in range(count):
        clock.advance(minutes=1)
        deed = "resume" if number % 2 else "pause"
        api.post(f"/api/campaigns/{campaign['id']}/{deed}/").value()


def test_transitions_are_listed_newest_first_with_who_and_why(
    api: Api, clock: Clock, campaign: Json
) -> None:
    change_often(api, clock, campaign, 2)
    document = listed(api, campaign)
    assert document["next"] is None
    newest, paused, created = document["transitions"]
    assert [row["cause"] for row in (newest, paused, created)] == ["resumed", "paused", "created"]
    assert paused.pop("actor").startswith("key:")
    assert {row["code"] for row in paused.pop("numbers")} == {
        "brand_daily_budget",
        "brand_monthly_budget",
    }
    assert paused == {
        "id": Transition.objects.get(cause=Cause.PAUSED).pk,
        "at": "2024-01-15T10:31:00Z",
        "is_active": False,
        "reasons": [{"code": "campaign_disabled", "message": "The campaign is switched off."}],
        "cause": "paused",
        "recorded_at": "2024-01-15T10:31:00Z",
        "caught_up": False,
    }


@pytest.mark.parametrize(("late_by", "caught_up"), [(60, False), (61, True), (7_200, True)])
def test_a_transition_that_was_written_down_late_is_marked_as_caught_up_c26(
    api: Api, clock: Clock, late_by: int, caught_up: bool
) -> None:
    campaign = api.create_campaign(api.create_brand(), ends_at="2024-01-15T11:30:00Z")
    clock.advance(hours=1, seconds=late_by)
    # Whoever comes first writes what was due.
    api.post(f"/api/campaigns/{campaign['id']}/pause/").value()
    ended, created = listed(api, campaign)["transitions"]
    assert (ended["at"], ended["caught_up"]) == ("2024-01-15T11:30:00Z", caught_up)
    assert created["caught_up"] is False
    assert explain(api, campaign, "2024-01-15T11:30:00Z")["transition"] == ended


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_of_transitions_join_without_gap_or_overlap_while_more_are_written(
    api: Api, clock: Clock, campaign: Json, limit: int
) -> None:
    change_often(api, clock, campaign, 6)
    # Two of one instant: the id decides.
    Transition.objects.filter(at__minute=33).update(at=datetime(2024, 1, 15, 10, 32, tzinfo=UTC))
    whole = [row["id"] for row in listed(api, campaign)["transitions"]]
    assert len(whole) == 7
    seen, cursor = [], None
    while True:
        page = listed(api, campaign, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert len(page["transitions"]) <= limit
        seen += [row["id"] for row in page["transitions"]]
        cursor = page["next"]
        if cursor is None:
            break
        change_often(api, clock, campaign, 2)
    assert seen == whole


def test_transitions_of_a_span_include_its_start_and_not_its_end(
    api: Api, clock: Clock, campaign: Json
) -> None:
    change_often(api, clock, campaign, 4)
    span = {"from": "2024-01-15T10:31:00Z", "to": "2024-01-15T10:33:00Z"}
    rows = listed(api, campaign, **span)["transitions"]
    assert [row["at"] for row in rows] == ["2024-01-15T10:32:00Z", "2024-01-15T10:31:00Z"]


def test_transitions_that_are_polled_again_are_not_sent_again(api: Api, campaign: Json) -> None:
    path = f"/api/campaigns/{campaign['id']}/transitions/"
    first = api.get(path)
    token = make_token()
    again = Api(token, **{"If-None-Match": first.headers["ETag"]})
    assert again.get(path).status == 304
    api.post(f"/api/campaigns/{campaign['id']}/pause/").value()
    assert again.get(path).status == 200
