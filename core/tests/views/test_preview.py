"""When a campaign may run in its next two weeks, and what looks wrong with it (C9, C13)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.enums import Scope
from core.tests.views.api import Api, Clock, Json, make_token
from core.tests.views.tables import all_rows

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def preview(api: Api, campaign: Json) -> Json:
    return api.get(f"/api/campaigns/{campaign['id']}/preview/").value()


def window(start: str, end: str, *days: str) -> Json:
    return {"days": list(days) or EVERY_DAY, "start": start, "end": end}


def warned(document: Json) -> list[tuple[str, str]]:
    return [(warning["code"], warning["field"]) for warning in document["warnings"]]


def test_a_plain_campaign_is_open_on_fourteen_whole_days(api: Api, campaign: Json) -> None:
    shown = preview(api, campaign)
    days = shown.pop("days")
    assert shown == {
        "campaign_id": campaign["id"],
        "time_zone": "UTC",
        "from": "2024-01-15T10:30:00Z",
        "warnings": [],
    }
    assert [day["date"] for day in days] == [f"2024-01-{date}" for date in range(15, 29)]
    assert days[0] == {
        "date": "2024-01-15",
        "starts_at": "2024-01-15T00:00:00Z",
        "ends_at": "2024-01-16T00:00:00Z",
        "hours": 24,
        "clock_changes": False,
        "windows": [
            {
                "starts_at": "2024-01-15T00:00:00Z",
                "ends_at": "2024-01-16T00:00:00Z",
                "local_start": "2024-01-15T00:00:00+00:00",
                "local_end": "2024-01-16T00:00:00+00:00",
            }
        ],
    }


def test_a_night_in_which_clocks_jump_is_told_in_utc_and_local_time(api: Api, clock: Clock) -> None:
    clock.move_to("2026-10-24T12:00:00Z")
    brand = api.create_brand(time_zone="Europe/Berlin")
    shown = preview(api, api.create_campaign(brand, schedule=[window("02:15", "02:45", "sun")]))
    saturday, sunday = shown["days"][:2]
    assert (saturday["hours"], saturday["clock_changes"], saturday["windows"]) == (24, False, [])
    assert sunday == {
        "date": "2026-10-25",
        "starts_at": "2026-10-24T22:00:00Z",
        "ends_at": "2026-10-25T23:00:00Z",
        "hours": 25,
        "clock_changes": True,
        "windows": [
            {
                "starts_at": "2026-10-25T00:15:00Z",
                "ends_at": "2026-10-25T00:45:00Z",
                "local_start": "2026-10-25T02:15:00+02:00",
                "local_end": "2026-10-25T02:45:00+02:00",
            },
            {
                "starts_at": "2026-10-25T01:15:00Z",
                "ends_at": "2026-10-25T01:45:00Z",
                "local_start": "2026-10-25T02:15:00+01:00",
                "local_end": "2026-10-25T02:45:00+01:00",
            },
        ],
    }
    assert shown["time_zone"] == "Europe/Berlin"
    assert shown["warnings"] == [
        {
            "code": "window_changed_by_clock",
            "field": "schedule",
            "message": "On 2026-10-25 the clock opens the window 02:15–02:45 twice, for 1 h 00 min "
            "together.",
        }
    ]


def test_the_windows_are_those_that_admission_keeps(api: Api, clock: Clock, brand: Json) -> None:
    """C14: at each edge of the preview the campaign opens and closes."""
    settings = {"starts_at": "2024-01-16T09:30:00.5Z", "ends_at": "2024-01-17T09:30:00Z"}
    campaign = api.create_campaign(brand, schedule=[window("09:00", "10:00")], **settings)
    windows = [each for day in preview(api, campaign)["days"] for each in day["windows"]]
    assert [(each["starts_at"], each["ends_at"]) for each in windows] == [
        ("2024-01-16T09:30:00.500000Z", "2024-01-16T10:00:00Z"),
        ("2024-01-17T09:00:00Z", "2024-01-17T09:30:00Z"),
    ]
    for each in windows:
        for edge, before, after in ((each["starts_at"], 400, 200), (each["ends_at"], 200, 400)):
            clock.move_to(edge)
            assert api.add(campaign, "1.00").status == after
            clock.advance(microseconds=-1)
            assert api.add(campaign, "1.00").status == before


def test_a_pending_move_is_shown_in_the_zone_of_now_and_told_by_the_days(
    api: Api, brand: Json, campaign: Json
) -> None:
    """C12."""
    api.edit("brands", brand, time_zone="Asia/Tokyo")
    shown = preview(api, campaign)
    assert shown["time_zone"] == "UTC"
    assert [(day["hours"], day["clock_changes"]) for day in shown["days"][:3]] == [
        (24, False),
        (15, True),
        (24, False),
    ]
    assert shown["days"][1]["windows"][0]["local_start"] == "2024-01-16T09:00:00+09:00"


def test_what_looks_wrong_is_warned_of_and_never_refused(api: Api, brand: Json) -> None:
    campaign = api.create_campaign(
        brand,
        schedule=[window("09:00", "17:00", "sat")],
        starts_at="2024-01-16T00:00:00Z",
        ends_at="2024-01-18T00:00:00Z",
        own_daily_budget="2000.00",
        own_monthly_budget="100.00",
    )
    assert warned(preview(api, campaign)) == [
        ("never_open", "schedule"),
        ("flight_outside_schedule", "ends_at"),
        ("own_budget_above_brands", "own_daily_budget"),
        ("monthly_below_daily", "own_monthly_budget"),
    ]
    api.edit("campaigns", campaign, own_daily_budget="10.00", ends_at="2024-01-21T00:00:00Z")
    assert warned(preview(api, campaign)) == [("budget_out_of_reach", "own_monthly_budget")]


def test_switches_and_used_up_budgets_change_nothing_in_it(api: Api, campaign: Json) -> None:
    before = preview(api, campaign)
    api.add(campaign, "1000.00").value()
    api.post(f"/api/campaigns/{campaign['id']}/pause/").value()
    assert preview(api, campaign) == before


def test_it_only_reads_in_a_fixed_number_of_queries(api: Api, brand: Json) -> None:
    plain = api.create_campaign(brand)
    windows = [window(f"{hour:02d}:00", f"{hour:02d}:30") for hour in range(24)]
    busy = api.create_campaign(brand, "Busy", schedule=windows)
    before = all_rows()
    counts = []
    for campaign in (plain, busy):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            preview(api, campaign)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert all_rows() == before


def test_campaigns_that_the_key_may_not_see_or_that_are_archived_are_not_found(
    api: Api, brand: Json, campaign: Json
) -> None:
    """C29."""
    path = f"/api/campaigns/{campaign['id']}/preview/"
    other = api.create_brand("Other")
    elsewhere, here = (Api(make_token(Scope.READ, brand=each)) for each in (other, brand))
    elsewhere.get(path).error(404, "campaign_not_found")
    here.get(path).value()
    api.delete(f"/api/campaigns/{campaign['id']}/")
    here.get(path).error(404, "campaign_not_found")


@pytest.mark.parametrize("name", ["from", "days", "at"])
def test_parameters_are_refused_by_name(api: Api, campaign: Json, name: str) -> None:
    answer = api.get(f"/api/campaigns/{campaign['id']}/preview/", **{name: "1"})
    assert answer.error(400, "invalid_input")["fields"] == {
        name: "is not a known parameter; this call takes none"
    }
