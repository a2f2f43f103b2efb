"""Schedules on the wire: a list of dayparts, or the seeds' one window on all weekdays (C13)."""

import pytest

from core.models import Schedule
from core.tests.views.api import Api, Clock, Json

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def window(start: str, end: str, *days: str) -> Json:
    return {"days": list(days) or EVERY_DAY, "start": start, "end": end}


def path_of(campaign: Json) -> str:
    return f"/api/campaigns/{campaign['id']}/"


def test_one_window_is_written_and_read_in_both_forms(api: Api, brand: Json) -> None:
    as_seed = api.create_campaign(brand, dayparting_start="09:00", dayparting_end="17:00")
    as_list = api.create_campaign(brand, "Other", schedule=[window("09:00", "17:00")])
    for campaign in (as_seed, as_list):
        assert campaign["schedule"] == [window("09:00", "17:00")]
        assert (campaign["dayparting_start"], campaign["dayparting_end"]) == ("09:00", "17:00")


@pytest.mark.parametrize(
    "schedule",
    [
        [],
        [window("09:00", "17:00", "mon", "tue", "wed", "thu", "fri", "sat")],
        [window("09:00", "12:00"), window("13:00", "17:00")],
    ],
)
def test_what_is_not_one_window_on_all_weekdays_has_no_dayparting_times(
    api: Api, brand: Json, schedule: list[Json]
) -> None:
    campaign = api.create_campaign(brand, schedule=schedule)
    assert campaign["schedule"] == schedule
    assert (campaign["dayparting_start"], campaign["dayparting_end"]) == (None, None)


@pytest.mark.parametrize(
    ("start", "end", "shown_end"),
    [
        ("22:00", "02:00", "02:00"),
        ("00:00", "24:00", "24:00"),
        ("00:00", "00:00", "24:00"),
        ("18:30", "00:00", "24:00"),
        ("09:00", "09:00", "09:00"),
        ("23:59", "24:00", "24:00"),
    ],
)
def test_windows_over_midnight_and_whole_days_come_back_as_they_mean(
    api: Api, brand: Json, start: str, end: str, shown_end: str
) -> None:
    campaign = api.create_campaign(brand, dayparting_start=start, dayparting_end=end)
    assert (campaign["dayparting_start"], campaign["dayparting_end"]) == (start, shown_end)


@pytest.mark.parametrize(
    ("schedule", "at", "is_active"),
    [
        ([window("09:00", "10:30")], "2024-01-15T10:29:59Z", True),
        ([window("09:00", "10:30")], "2024-01-15T10:30:00Z", False),
        ([window("10:00", "11:00")], "2024-01-15T10:00:00Z", True),
        ([window("10:00", "11:00")], "2024-01-15T09:59:59Z", False),
        # Past midnight belongs to the weekday it started on: Sunday night is Monday morning.
        ([window("22:00", "02:00", "sun")], "2024-01-15T01:59:59Z", True),
        ([window("22:00", "02:00", "mon")], "2024-01-15T01:59:59Z", False),
        ([window("00:00", "24:00", "mon")], "2024-01-15T23:59:59Z", True),
        ([window("00:00", "24:00", "mon")], "2024-01-16T00:00:00Z", False),
        ([window("09:00", "10:00"), window("10:00", "11:00")], "2024-01-15T10:00:00Z", True),
    ],
)
def test_a_schedule_decides_at_once(
    api: Api, clock: Clock, brand: Json, schedule: list[Json], *, at: str, is_active: bool
) -> None:
    clock.move_to(at)
    campaign = api.create_campaign(brand, schedule=schedule)
    assert campaign["is_active"] is is_active
    codes = [reason["code"] for reason in campaign["reasons"]]
    assert codes == ([] if is_active else ["outside_schedule"])
    answer = api.add(campaign, "1.00")
    assert answer.status == (200 if is_active else 400)


def test_minutes_are_those_of_the_brands_own_clock(api: Api) -> None:
    """10:30 UTC is 19:30 in Tokyo."""
    brand = api.create_brand(time_zone="Asia/Tokyo")
    campaign = api.create_campaign(brand, dayparting_start="19:00", dayparting_end="20:00")
    assert campaign["is_active"] is True
    assert campaign["next_change_at"] == "2024-01-15T11:00:00Z"


def test_whole_days_of_every_weekday_never_change(api: Api, brand: Json) -> None:
    campaign = api.create_campaign(brand, dayparting_start="00:00", dayparting_end="24:00")
    assert (campaign["is_active"], campaign["next_change_at"]) == (True, None)


@pytest.mark.parametrize(
    "opening",
    [
        {"schedule": []},
        {"schedule": None},
        {"dayparting_start": None, "dayparting_end": None},
    ],
)
def test_no_windows_mean_always_open(api: Api, brand: Json, opening: Json) -> None:
    campaign = api.create_campaign(brand, schedule=[window("22:00", "23:00")])
    assert campaign["is_active"] is False
    edited = api.edit("campaigns", campaign, **opening)
    assert (edited["is_active"], edited["schedule"]) == (True, [])
    assert not Schedule.objects.exists()


def test_a_schedule_replaces_all_windows_of_the_one_before(api: Api, brand: Json) -> None:
    campaign = api.create_campaign(brand, schedule=[window("01:00", "02:00", "mon")] * 3)
    edited = api.edit("campaigns", campaign, dayparting_start="10:00", dayparting_end="11:00")
    assert edited["schedule"] == [window("10:00", "11:00")]
    assert Schedule.objects.count() == 1


def test_days_may_come_in_any_order_and_twice(api: Api, brand: Json) -> None:
    campaign = api.create_campaign(brand, schedule=[window("01:00", "02:00", "sun", "mon", "sun")])
    assert campaign["schedule"] == [window("01:00", "02:00", "mon", "sun")]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (
            {"schedule": [], "dayparting_start": "09:00", "dayparting_end": "17:00"},
            "schedule",
        ),
        ({"schedule": None, "dayparting_start": None, "dayparting_end": None}, "schedule"),
        ({"dayparting_start": "09:00"}, "dayparting_end"),
        ({"dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": "09:00", "dayparting_end": None}, "dayparting_end"),
        ({"dayparting_start": "24:00", "dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": "9:00", "dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": "09:00:00", "dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": "09:60", "dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": "09:00\n", "dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": 900, "dayparting_end": "17:00"}, "dayparting_start"),
        ({"dayparting_start": "09:00", "dayparting_end": "24:01"}, "dayparting_end"),
        ({"schedule": window("09:00", "17:00")}, "schedule"),
        ({"schedule": "always"}, "schedule"),
        ({"schedule": [window("09:00", "17:00")] * 101}, "schedule"),
        ({"schedule": [None]}, "schedule.0"),
        ({"schedule": [{"start": "09:00", "end": "17:00"}]}, "schedule.0.days"),
        ({"schedule": [{**window("09:00", "17:00"), "days": []}]}, "schedule.0.days"),
        ({"schedule": [{**window("09:00", "17:00"), "days": "mon"}]}, "schedule.0.days"),
        ({"schedule": [{**window("09:00", "17:00"), "days": EVERY_DAY * 2}]}, "schedule.0.days"),
        ({"schedule": [window("09:00", "17:00", "mon", "Tue")]}, "schedule.0.days.1"),
        ({"schedule": [{**window("09:00", "17:00"), "days": [0]}]}, "schedule.0.days.0"),
        ({"schedule": [window("24:00", "17:00")]}, "schedule.0.start"),
        ({"schedule": [window("09:00", "17:00"), window("09:00", "")]}, "schedule.1.end"),
        ({"schedule": [{**window("09:00", "17:00"), "zone": "UTC"}]}, "schedule.0.zone"),
    ],
)
def test_a_schedule_that_says_nothing_clear_is_named(
    api: Api, campaign: Json, settings: Json, field: str
) -> None:
    for answer in (
        api.patch(path_of(campaign), settings),
        api.post(
            "/api/campaigns/create/", {"name": "x", "brand_id": campaign["brand_id"], **settings}
        ),
    ):
        assert list(answer.error(400, "invalid_input")["fields"]) == [field]
    assert api.read("campaigns", campaign) == campaign
