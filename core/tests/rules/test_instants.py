"""Instants and dates are read as RFC 3339 with an offset, and nothing else."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidFieldError
from core.rules.instants import format_instant, parse_date, parse_instant
from core.tests.rules.zones import utc, zones

aware_instants = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    datetime(2199, 12, 31, 23),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T08:30:00Z", "2026-11-20T08:30:00"),
        ("2026-11-20t08:30:00z", "2026-11-20T08:30:00"),
        ("2026-11-20T09:30:00+01:00", "2026-11-20T08:30:00"),
        ("2026-11-20T08:30:00-00:00", "2026-11-20T08:30:00"),
        ("2026-11-20T03:00:00-05:30", "2026-11-20T08:30:00"),
        ("2026-11-20T08:30:00.5Z", "2026-11-20T08:30:00.500000"),
        ("2026-11-20T08:30:00.123456Z", "2026-11-20T08:30:00.123456"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00"),
        ("2199-12-31T23:59:59Z", "2199-12-31T23:59:59"),
    ],
)
def test_an_instant_is_rfc_3339_and_becomes_utc(text: str, expected: str) -> None:
    instant = parse_instant(text, "at")
    assert instant == utc(expected)
    assert instant.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T08:30:00",  # no offset
        "2026-11-20T08:30Z",
        "2026-11-20 08:30:00Z",
        "2026-11-20T08:30:00.Z",
        "2026-11-20T08:30:00.1234567Z",
        "2026-11-20T08:30:00,5Z",
        "2026-11-20T08:30:00+0100",
        "2026-11-20T08:30:00+01",
        "2026-11-20T08:30:00+24:00",
        "2026-11-20T08:30:00+01:60",
        "2026-11-20T24:00:00Z",
        "2026-06-30T23:59:60Z",  # no logic here is finer than a second
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "20261120T083000Z",
        "2026-W47-5T08:30:00Z",
        "2026-11-20T08:30:00Z\n",
        " 2026-11-20T08:30:00Z",
        "\u0662\u0660\u0662\u0666-11-20T08:30:00Z",
        "1763627400",
        "0001-01-01T00:00:00+23:59",  # before the first instant there is
        "9999-12-31T23:59:59-23:59",  # after the last
    ],
)
def test_anything_else_is_no_instant(text: str) -> None:
    with pytest.raises(InvalidFieldError, match="at: must be an instant with an offset"):
        parse_instant(text, "at")


@pytest.mark.parametrize(
    "text",
    [
        "1969-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00Z",
        "1970-01-01T00:30:00+01:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_years_in_which_the_calendar_is_not_right_are_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError, match="at: must lie between 1970 and 2200"):
        parse_instant(text, "at")


@given(aware_instants)
def test_what_is_written_is_read_back_as_the_same_instant(instant: datetime) -> None:
    text = format_instant(instant)
    assert text is not None
    assert text.endswith("Z")
    assert parse_instant(text, "at") == instant


@given(aware_instants, zones)
def test_an_instant_is_written_in_utc_whatever_its_own_zone(instant: datetime, zone: str) -> None:
    local = datetime.fromisoformat(instant.isoformat()).astimezone(ZoneInfo(zone))
    assert format_instant(local) == format_instant(instant)


def test_no_instant_stays_none() -> None:
    assert format_instant(None) is None


@pytest.mark.parametrize("text", ["2026-11-20", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_date_is_year_month_and_day(text: str) -> None:
    assert parse_date(text, "date") == date.fromisoformat(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-29",
        "2026-11-31",
        "2026-1-2",
        "20261120",
        "2026-11-20\n",
        "2026-W47-5",
        "0000-01-01",
    ],
)
def test_anything_else_is_no_date(text: str) -> None:
    with pytest.raises(InvalidFieldError, match="date: must be a date such as 2026-11-20"):
        parse_date(text, "date")
