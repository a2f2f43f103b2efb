"""The API's answer to "when will it run?": two weeks of open windows, and what looks wrong."""

from datetime import datetime
from typing import Annotated, Any

from django.http import JsonResponse
from pydantic import Field
from typing_extensions import TypedDict

from core.errors import CampaignNotFoundError
from core.queries.books import get_book
from core.queries.campaigns import get_campaign
from core.rules.instants import format_instant
from core.rules.lint import WarningCode, campaign_warnings
from core.rules.preview import CampaignDay, OpenWindow, coming_days
from core.rules.verdict import Facts
from core.views.authentication import ApiRequest
from core.views.documentation import answers
from core.views.wire import DateText, InstantText, RowId, one_of

LOCAL_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?[+-][0-9]{2}:[0-9]{2}$"
)
# With its offset: a wall time that comes twice is told apart.
LocalText = Annotated[str, Field(pattern=LOCAL_PATTERN, json_schema_extra={"format": "date-time"})]
WarningWord = Annotated[str, one_of(WarningCode)]


class OpenWindowDocument(TypedDict):
    """A stretch in which the campaign may run, on the UTC clock and on its brand's."""

    starts_at: InstantText
    ends_at: InstantText
    local_start: LocalText
    local_end: LocalText


class PreviewedDayDocument(TypedDict):
    """One budget day; `clock_changes` if clocks jump in it or it hasn't 24 hours."""

    date: DateText
    starts_at: InstantText
    ends_at: InstantText
    hours: Annotated[float, Field(ge=0)]
    clock_changes: bool
    windows: list[OpenWindowDocument]


class SettingWarningDocument(TypedDict):
    """Something that looks wrong, and the field of the campaign (or `brand.…`) it concerns."""

    code: WarningWord
    field: str
    message: str


PreviewDocument = TypedDict(
    "PreviewDocument",
    {
        "campaign_id": RowId,
        "time_zone": str,
        "from": InstantText,
        "days": list[PreviewedDayDocument],
        "warnings": list[SettingWarningDocument],
    },
)


@answers(PreviewDocument, refusals=(CampaignNotFoundError,))
def campaign_preview(request: ApiRequest, campaign_id: int) -> JsonResponse:
    """Show when schedule and flight let a campaign run in its next 14 local days (C9, C13).

    The day that runs is shown as a whole. Budgets and switches, which may stop it all the same,
    don't count here. Warnings say what looks wrong with the settings; none refuses anything.
    """
    now = request.now
    campaign = get_campaign(campaign_id, request.auth.brand_ids)
    facts = get_book(campaign.brand, [campaign], [now]).facts(campaign.pk)
    return JsonResponse(preview_document(facts, now))


def preview_document(facts: Facts, at: datetime) -> dict[str, Any]:
    """The days from the one that `at` is in, and the warnings of that instant."""
    campaign, calendar = facts.campaign, facts.brand.calendar
    days = coming_days(campaign, calendar, at)
    return {
        "campaign_id": campaign.campaign_id,
        "time_zone": calendar.zone_at(at),
        "from": format_instant(at),
        "days": [_day_document(day) for day in days],
        "warnings": [
            {"code": warning.code.value, "field": warning.field, "message": warning.message}
            for warning in campaign_warnings(facts.brand, campaign, at, days=days)
        ],
    }


def _day_document(day: CampaignDay) -> PreviewedDayDocument:
    return {
        "date": day.period.starts_on.isoformat(),
        "starts_at": format_instant(day.period.starts_at),
        "ends_at": format_instant(day.period.ends_at),
        "hours": day.hours,
        "clock_changes": day.has_clock_change,
        "windows": [_window_document(window) for window in day.windows],
    }


def _window_document(window: OpenWindow) -> OpenWindowDocument:
    return {
        "starts_at": format_instant(window.starts_at),
        "ends_at": format_instant(window.ends_at),
        "local_start": window.local_start.isoformat(),
        "local_end": window.local_end.isoformat(),
    }
