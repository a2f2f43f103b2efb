"""What docs/calendar.md says of previews and warnings is what the product says."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from core.rules.calendar import BrandCalendar
from core.rules.dayparts import weekly_schedule
from core.rules.instants import format_instant
from core.rules.lint import WarningCode, campaign_warnings
from core.rules.preview import coming_days
from core.tests.rules.by_the_minute import window
from core.tests.rules.facts import BRAND, CAMPAIGN, NOON
from core.tests.rules.zones import utc

CHAPTER = (Path(__file__).parents[3] / "docs" / "calendar.md").read_text()


def test_the_calendar_chapter_names_every_warning_once() -> None:
    table = CHAPTER.partition("| code | field |")[2]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [code.value for code in WarningCode]


def test_the_calendar_chapters_night_in_berlin_is_shown_as_it_says() -> None:
    schedule = weekly_schedule([window("01:00", "04:00"), window("22:00", "24:00")])
    campaign = replace(CAMPAIGN, schedule=schedule)
    day = coming_days(campaign, BrandCalendar("Europe/Berlin"), utc("2026-03-29T12:00"))[0]
    assert (day.period.starts_on, day.hours) == (date(2026, 3, 29), 23)
    told = CHAPTER.partition("With the windows")[2].partition("\n\n")[0]
    text = " ".join(told.split())
    early, late = day.windows
    for starts_at, ends_at in ((early.starts_at, early.ends_at), (late.starts_at, late.ends_at)):
        assert format_instant(starts_at)[-9:] in text
        assert f"to {format_instant(ends_at)[-9:]}" in text
    assert f"{early.local_start:%H:%M}+01:00 to {early.local_end:%H:%M}+02:00" in text
    assert early.local_start.isoformat().endswith("+01:00")
    assert early.local_end.isoformat().endswith("+02:00")


def test_the_calendar_chapters_month_is_out_of_reach_as_it_says() -> None:
    campaign = replace(
        CAMPAIGN,
        schedule=weekly_schedule([window("09:00", "17:00", 0, 1, 2, 3, 4)]),
        daily_budget=Decimal(10),
        monthly_budget=Decimal(300),
    )
    (warning,) = campaign_warnings(BRAND, campaign, NOON, days=[])
    assert warning.code is WarningCode.BUDGET_OUT_OF_REACH
    assert "300.00" in warning.message
    assert "22 days" in warning.message
    assert warning.message.endswith("together 220.00.")
    assert "can spend 220.00 in June 2026, which\nhas 22 such days" in CHAPTER
