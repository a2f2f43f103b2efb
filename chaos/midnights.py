"""When midnights are, and how many were crossed with live traffic on both sides."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Answers so near to a midnight make it a live one.
NEAR = timedelta(seconds=3)


def midnight_after(zone: str, instant: datetime) -> datetime:
    """The next begin of a local day, in UTC; where there is no midnight, the first instant after.

    Said by asking Python's zones alone, not by the product's calendar, which is under attack.
    """
    local = instant.astimezone(ZoneInfo(zone)).date()
    return next(
        begin for ahead in range(4) if (begin := _begin(zone, local + timedelta(ahead))) > instant
    )


def _begin(zone: str, day: date) -> datetime:
    wall = datetime.combine(day, time(), ZoneInfo(zone))
    as_utc = wall.astimezone(UTC)
    if as_utc.astimezone(ZoneInfo(zone)).date() < day:
        # Never so: an hour that is skipped is read with the offset from before it.
        raise ValueError(f"{zone} has no {day}")
    return as_utc


def next_midnight(
    zones: Mapping[int, Collection[str]], instant: datetime
) -> tuple[datetime, list[int]]:
    """The nearest midnight of all brands, and whose it is; a brand may count by several zones."""
    begins = [
        (midnight_after(zone, instant), brand_id)
        for brand_id, names in zones.items()
        for zone in names
    ]
    nearest = min(at for at, _ in begins)
    return nearest, sorted({brand_id for at, brand_id in begins if at == nearest})


def count_live(
    midnights: Iterable[tuple[datetime, Collection[int]]],
    answers: Mapping[int, Collection[datetime]],
) -> tuple[int, int]:
    """Midnights, and midnights of brands, that have answers of the brand shortly before and after.

    `answers` are the simulated instants at which each brand's calls were answered.
    """
    instants = 0
    of_brands = 0
    for midnight, brand_ids in midnights:
        live = sum(_is_live(midnight, answers.get(brand_id, ())) for brand_id in brand_ids)
        instants += live > 0
        of_brands += live
    return instants, of_brands


def _is_live(midnight: datetime, answers: Collection[datetime]) -> bool:
    before = any(midnight - NEAR <= at < midnight for at in answers)
    return before and any(midnight <= at < midnight + NEAR for at in answers)
