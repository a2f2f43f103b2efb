"""How a schedule stands on the wire: a list of dayparts, or the seeds' one window (C13)."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field, WithJsonSchema, model_validator
from typing_extensions import TypedDict

from core.errors import InvalidFieldError
from core.rules.dayparts import (
    EVERY_DAY,
    MINUTES_PER_DAY,
    WEEKDAY_NAMES,
    Daypart,
    format_minute,
    parse_minute,
    parse_weekday,
)
from core.views.parsing import by_rule
from core.views.wire import ClockText

MOST_DAYPARTS = 100


def _parse_start(text: str, field: str) -> int:
    minute = parse_minute(text, field)
    if minute == MINUTES_PER_DAY:
        raise InvalidFieldError(field, "is the end of the day; send 00:00 to 23:59")
    return minute


StartMinute = Annotated[
    int,
    by_rule(_parse_start),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
Minute = Annotated[
    int,
    by_rule(parse_minute),
    WithJsonSchema({"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}),
]
Weekday = Annotated[
    int,
    by_rule(parse_weekday),
    WithJsonSchema({"type": "string", "enum": list(WEEKDAY_NAMES)}),
]
WeekdayWord = Annotated[str, WithJsonSchema({"type": "string", "enum": list(WEEKDAY_NAMES)})]


class DaypartBody(Schema):
    """One window: `{"days": ["mon", "tue"], "start": "22:00", "end": "02:00"}`."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start: StartMinute
    end: Minute

    def daypart(self) -> Daypart:
        """The window as the rules see it; an end of 00:00 is the end of the day."""
        return Daypart(tuple(sorted(set(self.days))), self.start, self.end or MINUTES_PER_DAY)


class ScheduleFields(Schema):
    """`schedule`, or `dayparting_start` and `dayparting_end` for one window on all weekdays."""

    schedule: Annotated[list[DaypartBody], Field(max_length=MOST_DAYPARTS)] | None = None
    dayparting_start: StartMinute | None = None
    dayparting_end: Minute | None = None

    @model_validator(mode="after")
    def _refuse_two_schedules(self) -> "ScheduleFields":
        one_window = {"dayparting_start", "dayparting_end"} & self.model_fields_set
        if one_window and "schedule" in self.model_fields_set:
            raise InvalidFieldError(
                "schedule", "send schedule or dayparting_start and dayparting_end, not both"
            )
        if (self.dayparting_start is None) != (self.dayparting_end is None):
            missing = "start" if self.dayparting_start is None else "end"
            raise InvalidFieldError(
                f"dayparting_{missing}", "send dayparting_start and dayparting_end together"
            )
        return self

    def dayparts(self) -> Sequence[Daypart] | None:
        """The schedule that was sent, empty for always open; `None` if none was sent."""
        if "schedule" in self.model_fields_set:
            return [window.daypart() for window in self.schedule or []]
        if "dayparting_start" not in self.model_fields_set:
            return None
        if self.dayparting_start is None or self.dayparting_end is None:
            return []
        window = DaypartBody.model_construct(
            days=list(EVERY_DAY), start=self.dayparting_start, end=self.dayparting_end
        )
        return [window.daypart()]


class DaypartDocument(TypedDict):
    """One window on the wire."""

    days: list[WeekdayWord]
    start: ClockText
    end: ClockText


def schedule_document(dayparts: Iterable[Daypart]) -> list[DaypartDocument]:
    """The whole schedule; empty means always open."""
    return [
        {
            "days": [WEEKDAY_NAMES[day] for day in daypart.weekdays],
            "start": format_minute(daypart.start_minute),
            "end": format_minute(daypart.end_minute),
        }
        for daypart in dayparts
    ]


def one_window(dayparts: Sequence[Daypart]) -> tuple[str | None, str | None]:
    """The seeds' `dayparting_start` and `dayparting_end`, if the schedule is one such window."""
    if len(dayparts) != 1 or dayparts[0].weekdays != EVERY_DAY:
        return None, None
    return format_minute(dayparts[0].start_minute), format_minute(dayparts[0].end_minute)
