"""Warnings are facts about the settings: what is sound gets none, what isn't is named (C4, C13)."""

from decimal import Decimal
from typing import Any

import pytest

from core.rules.calendar import BrandCalendar
from core.rules.dayparts import Daypart, weekly_schedule
from core.rules.lint import campaign_warnings
from core.rules.preview import coming_days
from core.tests.rules.by_the_minute import FRI, MON, SAT, SUN, THU, TUE, WED, window
from core.tests.rules.facts import NOON, facts
from core.tests.rules.zones import DAY, HOUR, utc

BERLIN = BrandCalendar("Europe/Berlin")
WEEKEND = [window("09:00", "17:00", SAT, SUN)]
OFFICE = [window("09:00", "17:00", MON, TUE, WED, THU, FRI)]


def warned(
    some: list[Daypart] | None = None, /, at: Any = NOON, **changes: Any
) -> list[tuple[str, str]]:
    return [
        (warning.code.value, warning.field) for warning in campaign_warnings_of(some, at, changes)
    ]


def sentences(some: list[Daypart] | None = None, /, at: Any = NOON, **changes: Any) -> list[str]:
    return [warning.message for warning in campaign_warnings_of(some, at, changes)]


def campaign_warnings_of(some: list[Daypart] | None, at: Any, changes: dict[str, Any]) -> Any:
    amounts: dict[str, Any] = {
        name: Decimal(value) if name.endswith("_budget") else value
        for name, value in changes.items()
    }
    known = facts(schedule=weekly_schedule(some or []), **amounts)
    days = coming_days(known.campaign, known.brand.calendar, at)
    return campaign_warnings(known.brand, known.campaign, at, days=days)


def test_sound_settings_get_no_warning() -> None:
    assert warned() == []
    assert warned(OFFICE, starts_at=NOON - DAY, ends_at=NOON + 30 * DAY) == []
    budgets = {"daily_budget": "10", "monthly_budget": "200", "lifetime_budget": "300"}
    brands = {"brand_daily_budget": "10", "brand_monthly_budget": "200"}
    assert warned(OFFICE, starts_at=NOON, ends_at=NOON + 60 * DAY, **budgets, **brands) == []


# --- never_open, flight_outside_schedule ---------------------------------------------------------

MISSED = [("never_open", "schedule"), ("flight_outside_schedule", "ends_at")]
OVER = [("never_open", "schedule")]


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        # Wednesday noon to Saturday morning, and a second longer.
        ("2026-06-10T12:00", "2026-06-13T09:00", MISSED),
        ("2026-06-10T12:00", "2026-06-13T09:00:01", []),
        # It ran on the weekend before; or nobody knows since when.
        ("2026-06-06T12:00", "2026-06-13T09:00", OVER),
        ("2026-06-07T16:59:59", "2026-06-13T09:00", OVER),
        ("2026-06-07T17:00", "2026-06-13T09:00", MISSED),
        (None, "2026-06-13T09:00", OVER),
        # Still to come, without an end, over.
        ("2026-06-15T00:00", "2026-06-20T09:00", MISSED),
        ("2026-06-15T00:00", "2026-06-20T09:00:01", []),
        ("2026-06-15T00:00", None, []),
        ("2026-06-08T00:00", "2026-06-10T12:00", []),
        ("2026-06-08T00:00", "2026-06-10T12:00:01", MISSED),
    ],
)
def test_a_flight_without_an_open_minute_left_is_named(
    starts: str | None, ends: str | None, expected: list[tuple[str, str]]
) -> None:
    flight = {"starts_at": starts and utc(starts), "ends_at": ends and utc(ends)}
    assert warned(WEEKEND, **flight) == expected


def test_a_window_that_the_clock_skips_leaves_a_flight_of_one_night_closed() -> None:
    flight = {"starts_at": utc("2026-03-28T12:00"), "ends_at": utc("2026-03-29T12:00")}
    night = [window("02:00", "03:00", SUN)]
    in_utc = warned(night, at=utc("2026-03-28T12:00"), **flight)
    in_berlin = warned(night, at=utc("2026-03-28T12:00"), brand_calendar=BERLIN, **flight)
    assert in_utc == []
    assert in_berlin == [*MISSED, ("window_changed_by_clock", "schedule")]


def test_the_sentences_of_a_missed_flight_say_its_instants() -> None:
    flight = {"starts_at": NOON, "ends_at": NOON + DAY}
    assert sentences(WEEKEND, **flight) == [
        "The schedule is closed until the flight ends at 2026-06-11T12:00:00Z: no minute is left "
        "in which the campaign may run.",
        "The flight from 2026-06-10T12:00:00Z to 2026-06-11T12:00:00Z contains no open window of "
        "the schedule; move the flight or widen the schedule.",
    ]


# --- Budgets beside each other -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["daily", "monthly"])
def test_an_own_budget_above_the_brands_is_named(kind: str) -> None:
    own, brands = f"{kind}_budget", f"brand_{kind}_budget"
    assert warned(**{own: "10.000001", brands: "10"}) == [
        ("own_budget_above_brands", f"own_{kind}_budget")
    ]
    assert warned(**{own: "10", brands: "10"}) == []
    assert warned(**{own: "10"}) == []
    assert sentences(**{own: "20", brands: "0.5"}) == [
        f"The own {kind} budget, 20.00, is above the brand's, 0.50, which stops the campaign "
        "before."
    ]


@pytest.mark.parametrize(
    ("whose", "field"), [("", "own_monthly_budget"), ("brand_", "brand.monthly_budget")]
)
def test_a_monthly_budget_below_the_daily_one_is_named(whose: str, field: str) -> None:
    def budgets(daily: str, monthly: str) -> dict[str, str]:
        return {f"{whose}daily_budget": daily, f"{whose}monthly_budget": monthly}

    assert warned(**budgets("10", "9.999999")) == [("monthly_below_daily", field)]
    assert warned(**budgets("10", "0")) == [("monthly_below_daily", field)]
    assert warned(**budgets("10", "10")) == []


# --- budget_out_of_reach -------------------------------------------------------------------------

MONTH = [("budget_out_of_reach", "own_monthly_budget")]
LIFETIME = [("budget_out_of_reach", "own_lifetime_budget")]


@pytest.mark.parametrize(
    ("some", "monthly", "expected"),
    [
        # June 2026 has 30 days, 22 of them from Monday to Friday.
        ([], "300", []),
        ([], "300.000001", MONTH),
        (OFFICE, "220", []),
        (OFFICE, "220.01", MONTH),
    ],
)
def test_a_month_that_its_open_days_cannot_spend_is_named(
    some: list[Daypart], monthly: str, expected: list[tuple[str, str]]
) -> None:
    assert warned(some, daily_budget="10", monthly_budget=monthly) == expected
    assert warned(some, brand_daily_budget="10", monthly_budget=monthly) == expected
    assert warned(some, monthly_budget=monthly) == []


def test_the_tighter_daily_budget_counts_and_the_sentence_shows_the_sum() -> None:
    budgets = {"daily_budget": "10", "brand_daily_budget": "10.5", "monthly_budget": "1000"}
    assert sentences(OFFICE, **budgets) == [
        "The own monthly budget, 1000.00, is out of reach: this month has 22 days with open "
        "minutes, and a day can spend 10.00, together 220.00."
    ]


def test_a_night_over_midnight_has_open_minutes_on_both_days() -> None:
    """Friday nights of June 2026 are Fridays and Saturdays: 4 each."""
    friday = [window("22:00", "02:00", FRI)]
    assert warned(friday, daily_budget="10", monthly_budget="80") == []
    assert warned(friday, daily_budget="10", monthly_budget="80.01") == MONTH


def test_a_lifetime_that_the_days_of_its_flight_cannot_spend_is_named() -> None:
    flight = {"starts_at": utc("2026-06-09T12:00"), "ends_at": utc("2026-06-11T00:00:01")}
    assert warned(daily_budget="10", lifetime_budget="30", **flight) == []
    assert warned(daily_budget="10", lifetime_budget="30.01", **flight) == LIFETIME
    an_hour = {"starts_at": NOON, "ends_at": NOON + HOUR}
    assert sentences(daily_budget="10", lifetime_budget="11", **an_hour) == [
        "The own lifetime budget, 11.00, is out of reach: the flight has 1 day with open minutes, "
        "and a day can spend 10.00, together 10.00."
    ]


def test_a_day_whose_open_minutes_lie_outside_the_flight_does_not_count() -> None:
    """From Wednesday evening to Friday morning only Thursday is left."""
    flight = {"starts_at": utc("2026-06-10T18:00"), "ends_at": utc("2026-06-12T08:00")}
    assert warned(OFFICE, daily_budget="10", lifetime_budget="10", **flight) == []
    assert warned(OFFICE, daily_budget="10", lifetime_budget="10.01", **flight) == LIFETIME


def test_a_flight_that_starts_within_a_month_leaves_the_monthly_budget_alone() -> None:
    """It is meant for the months after."""
    assert warned(daily_budget="10", monthly_budget="300", starts_at=NOON) == []


def test_days_are_those_of_the_brand_and_its_month() -> None:
    """23:00 UTC on 30 June is July in Berlin, and 31 days long."""
    budgets = {"daily_budget": "10", "monthly_budget": "310"}
    late = utc("2026-06-30T23:00")
    assert warned(at=late, **budgets) == MONTH
    assert warned(at=late, brand_calendar=BERLIN, **budgets) == []


@pytest.mark.parametrize(
    "flight",
    [
        {"starts_at": NOON - DAY},
        {"ends_at": NOON + DAY},
        {"starts_at": NOON - 2 * DAY, "ends_at": NOON},  # over
        {"starts_at": NOON, "ends_at": NOON + 366 * DAY + HOUR},  # too long to count
    ],
)
def test_a_lifetime_without_a_whole_flight_to_count_is_not_judged(flight: dict[str, Any]) -> None:
    assert warned(daily_budget="0.01", lifetime_budget="1000000", **flight) == []


# --- window_changed_by_clock ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "on", "sentence"),
    [
        (("02:15", "02:45"), "2026-03-29", "the clock skips the window 02:15–02:45"),
        (("22:00", "06:00"), "2026-03-29", "the clock cuts the window 00:00–06:00 to 5 h 00 min"),
        (
            ("02:15", "02:45"),
            "2026-10-25",
            "the clock opens the window 02:15–02:45 twice, for 1 h 00 min together",
        ),
        (
            ("00:30", "03:15"),
            "2026-10-25",
            "the clock lengthens the window 00:30–03:15 to 3 h 45 min",
        ),
    ],
)
def test_a_window_that_the_clock_changes_is_told_from_two_weeks_before(
    part: tuple[str, str], on: str, sentence: str
) -> None:
    day, some = utc(f"{on}T12:00"), [window(*part)]
    for at, expected in (
        (day - 14 * DAY, []),
        (day - 13 * DAY, [f"On {on} {sentence}."]),
        (day, [f"On {on} {sentence}."]),
        (day + DAY, []),
    ):
        assert sentences(some, at=at, brand_calendar=BERLIN) == expected
        assert sentences(some, at=at) == [], "in UTC"


def test_a_window_after_the_flight_is_not_told() -> None:
    flight = {"starts_at": utc("2026-03-01"), "ends_at": utc("2026-03-28T12:00")}
    at = utc("2026-03-27T12:00")
    assert warned([window("02:15", "02:45")], at=at, brand_calendar=BERLIN, **flight) == []
