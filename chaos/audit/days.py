"""A brand's budget days by a rule of the audit's own: the latest date that local clocks have shown.

So a day goes on while a clock that was put back shows yesterday's date again (C9), and after a
move to a zone further west until that zone's midnight (C12).
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

# No clock is put back by more for summer time; a move of zone sets it back by at most 26 hours.
_PUT_BACK = timedelta(hours=2)
_MOVED_BACK = timedelta(hours=26)
_JUST_BEFORE = timedelta(microseconds=1)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Zones:
    """Which time zone a brand had when, as the kept versions of its settings tell it."""

    def __init__(self) -> None:
        self._from: dict[datetime, str] = {}

    def learn(self, settings: dict[str, Any], at: datetime) -> None:
        """Take over a version that came into force at `at`; a move still ahead is replaced."""
        self._from = {since: zone for since, zone in self._from.items() if since <= at}
        moves_at = settings["time_zone_changes_at"]
        if moves_at is None:
            if not self._from:
                self._from[_BEGINNING] = settings["time_zone"]
            return
        if not self._from:
            self._from[_BEGINNING] = settings["previous_time_zone"]
        self._from[datetime.fromisoformat(moves_at)] = settings["time_zone"]

    def zone_at(self, at: datetime) -> str:
        """The zone in force at this instant."""
        return self._from[max(since for since in self._from if since <= at)]

    def local(self, at: datetime) -> datetime:
        """What a local clock shows."""
        return at.astimezone(ZoneInfo(self.zone_at(at)))

    def day(self, at: datetime) -> date:
        """The budget day that this instant is in."""
        latest = max(
            _date(self.zone_at(at), at), _date(self.zone_at(at - _PUT_BACK), at - _PUT_BACK)
        )
        for since in self._from:
            if since != _BEGINNING and since <= at < since + _MOVED_BACK:
                before = since - _JUST_BEFORE
                latest = max(latest, _date(self.zone_at(before), before))
        return latest


@lru_cache(maxsize=65_536)
def _date(zone: str, at: datetime) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
