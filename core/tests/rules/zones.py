"""Time zones and instants that the tests of the rules draw from."""

import zoneinfo
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=count) for count in (1, 60, 3_600, 86_400))

ZONES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})
# Jumps at midnight, of half an hour, of two hours, of a whole day, two within a week, and the two
# ends of the earth.
ODD_ZONES = [
    "Africa/Cairo",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Midway",
    "UTC",
]

zones = st.one_of(st.sampled_from(ODD_ZONES), st.sampled_from(ZONES))
instants = st.timedeltas(2 * DAY, 229 * 365 * DAY).map(lambda passed: EPOCH + passed)
near_instants = st.timedeltas(timedelta(), 700 * DAY).map(lambda passed: utc("2026-01-01") + passed)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
