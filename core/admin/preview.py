"""The campaign page's box of the next two weeks: open windows by both clocks, and warnings."""

from datetime import datetime
from typing import Any

from core.rules.lint import campaign_warnings, describe_changed_window
from core.rules.preview import CampaignDay, OpenWindow, coming_days
from core.rules.verdict import Facts


def preview_box(facts: Facts, at: datetime) -> dict[str, Any]:
    """What the template shows; read only."""
    campaign, calendar = facts.campaign, facts.brand.calendar
    days = coming_days(campaign, calendar, at)
    return {
        "time_zone": calendar.zone_at(at),
        "warnings": campaign_warnings(facts.brand, campaign, at, days=days),
        "days": [_row(day) for day in days],
    }


def _row(day: CampaignDay) -> dict[str, Any]:
    return {
        "label": f"{day.period.starts_on:%a %Y-%m-%d}",
        "hours": f"{day.hours:g} h",
        "has_clock_change": day.has_clock_change,
        "windows": [(_local(window, day), _utc(window)) for window in day.windows],
        "changed": [describe_changed_window(changed) for changed in day.changed_windows],
    }


def _local(window: OpenWindow, day: CampaignDay) -> str:
    """On the brand's clock; with offsets where an hour may be missing or come twice."""
    start, end = _clock(window.local_start), _clock(window.local_end)
    if end == "00:00":
        end = "24:00"
    if day.has_clock_change:
        start = f"{start} ({_offset(window.local_start)})"
        end = f"{end} ({_offset(window.local_end)})"
    return f"{start} – {end}"


def _utc(window: OpenWindow) -> str:
    starts_at, ends_at = window.starts_at, window.ends_at
    is_same_date = starts_at.date() == ends_at.date()
    end = _clock(ends_at) if is_same_date else f"{ends_at:%Y-%m-%d} {_clock(ends_at)}"
    return f"{starts_at:%Y-%m-%d} {_clock(starts_at)} – {end}"


def _clock(at: datetime) -> str:
    """Windows end on minutes; a flight may not."""
    return f"{at:%H:%M:%S}".removesuffix(":00")


def _offset(local: datetime) -> str:
    return local.isoformat()[-len("+00:00") :]
