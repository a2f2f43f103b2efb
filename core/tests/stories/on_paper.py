"""Budget Manager on paper: facts in plain lists, added up again from the first at every question.

Written without the code under test, of which it imports nothing: it is slow and obvious.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
# Local dates come back for at most a day, after a move to a zone in the west.
QUARTERS_BACK = 2 * 24 * 4
LATE = timedelta(hours=72)
AHEAD = timedelta(minutes=5)
BEGINNING = datetime.min.replace(tzinfo=UTC)
# Nothing was decided, so the same event id may come again with something better.
FORGOTTEN = {
    *("invalid_input", "campaign_not_found", "capture_above_hold", "not_refundable"),
}

# A zone with the instant from which it is in effect.
Zones = tuple[tuple[datetime, str], ...]
# Weekdays (0 is Monday), the minute of opening and that of closing, which may be the next day's.
Window = tuple[frozenset[int], int, int]
# A day's own name, or its month's, or none for a whole lifetime.
Label = date | tuple[int, int] | None
# "brand" or "campaign", its number, "daily", "monthly" or "lifetime", and which of these.
Owned = tuple[str, int, str, Label]


@dataclass(eq=False)
class PaperBrand:
    number: int
    time_zones: Zones
    daily_budget: int | None = None
    monthly_budget: int | None = None
    is_enabled: bool = True
    is_archived: bool = False


@dataclass(eq=False)
class PaperCampaign:
    number: int
    brand: PaperBrand
    daily_budget: int | None = None
    monthly_budget: int | None = None
    lifetime_budget: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    windows: tuple[Window, ...] = ()
    is_enabled: bool = True
    is_archived: bool = False

    @property
    def is_gone(self) -> bool:
        return self.is_archived or self.brand.is_archived


@dataclass(eq=False)
class PaperEntry:
    campaign: PaperCampaign
    kind: str
    micros: int
    at: datetime
    number: int = 0
    over: int = 0
    cause: str = ""
    taken_back_from: "PaperEntry | None" = None


@dataclass(eq=False)
class PaperHold:
    campaign: PaperCampaign
    micros: int
    at: datetime
    expires_at: datetime
    number: int = 0
    end: str | None = None

    def state(self, now: datetime) -> str:
        return self.end or ("expired" if now >= self.expires_at else "open")


@dataclass(frozen=True)
class Wish:
    """What somebody asks: for a campaign, a hold or an entry by its number."""

    deed: str
    subject: int
    micros: int | None = None
    at: datetime | None = None
    currency: str | None = None
    seconds: int = 0
    caller: str = "ann"
    event: str = ""


@dataclass(frozen=True)
class Told:
    """What it came to: a refusal's code or none, what is said with it, and what is new."""

    code: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    made: PaperEntry | PaperHold | None = None
    is_replay: bool = False


# --- The calendar (C9, C12, C13) -----------------------------------------------------------


def wall_clock(zones: Zones, at: datetime) -> datetime:
    zone = [name for since, name in zones if since <= at][-1]
    return at.astimezone(ZoneInfo(zone))


@lru_cache(maxsize=100_000)
def budget_day(zones: Zones, at: datetime) -> date:
    """The latest date that the brand's clock has shown by then; clocks only jump at quarters."""
    return max(wall_clock(zones, at - n * QUARTER).date() for n in range(QUARTERS_BACK))


@lru_cache(maxsize=100_000)
def next_midnight(zones: Zones, at: datetime) -> datetime:
    """The first instant at which the brand's clock shows a later date."""
    today = budget_day(zones, at)
    later = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + QUARTER
    while wall_clock(zones, later).date() <= today:
        later += QUARTER
    return later


def is_open(windows: tuple[Window, ...], wall: datetime) -> bool:
    today, minute = wall.weekday(), wall.hour * 60 + wall.minute
    for weekdays, start, end in windows:
        past_midnight = end <= start
        if today in weekdays and start <= minute and (past_midnight or minute < end):
            return True
        if past_midnight and (today - 1) % 7 in weekdays and minute < end:
            return True
    return not windows


def label_of(span: str, day: date) -> Label:
    if span == "daily":
        return day
    return (day.year, day.month) if span == "monthly" else None


# --- The book ------------------------------------------------------------------------------


@dataclass
class Paper:
    """Everything that ever happened, and the answers it gives."""

    brands: list[PaperBrand] = field(default_factory=list)
    campaigns: list[PaperCampaign] = field(default_factory=list)
    entries: list[PaperEntry] = field(default_factory=list)
    holds: list[PaperHold] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[Wish, Told]] = field(default_factory=dict)

    def campaign(self, number: int) -> PaperCampaign:
        return next(each for each in self.campaigns if each.number == number)

    def entry(self, number: int) -> PaperEntry:
        return next(each for each in self.entries if each.number == number)

    def hold(self, number: int) -> PaperHold:
        return next(each for each in self.holds if each.number == number)

    def whose(self, wish: Wish) -> PaperCampaign:
        """The campaign that a wish is about."""
        if wish.deed in ("capture", "release"):
            return self.hold(wish.subject).campaign
        if wish.deed == "refund":
            return self.entry(wish.subject).campaign
        return self.campaign(wish.subject)

    # --- What is used, what is left, what is in the way ---

    def spent(self, owner: PaperBrand | PaperCampaign, span: str, day: date) -> int:
        return sum(entry.micros for entry in self.entries if _counts(entry, owner, span, day))

    def held(
        self, owner: PaperBrand | PaperCampaign, span: str, day: date, *, now: datetime
    ) -> int:
        still_open = (hold for hold in self.holds if hold.state(now) == "open")
        return sum(hold.micros for hold in still_open if _counts(hold, owner, span, day))

    def rooms(self, campaign: PaperCampaign, day: date, now: datetime) -> list[tuple[str, int]]:
        """What each budget leaves of this day, below zero when overspent, in order (C4)."""
        found = []
        for name, owner in (("brand", campaign.brand), ("campaign", campaign)):
            for span in ("daily", "monthly", "lifetime"):
                budget = getattr(owner, f"{span}_budget", None)
                if budget is not None:
                    used = self.spent(owner, span, day) + self.held(owner, span, day, now=now)
                    found.append((f"{name}_{span}_budget", budget - used))
        return found

    def tightest(
        self, campaign: PaperCampaign, day: date, now: datetime
    ) -> tuple[str | None, int | None]:
        rooms = [(name, max(room, 0)) for name, room in self.rooms(campaign, day, now)]
        return min(rooms, key=lambda room: room[1], default=(None, None))

    def reasons(self, campaign: PaperCampaign, now: datetime) -> list[str]:
        """Why the campaign isn't active, in the order in which reasons bind (C14)."""
        brand = campaign.brand
        standing = {
            "brand_disabled": not brand.is_enabled,
            "campaign_disabled": not campaign.is_enabled,
            "not_started": campaign.starts_at is not None and now < campaign.starts_at,
            "ended": campaign.ends_at is not None and now >= campaign.ends_at,
            "outside_schedule": not is_open(campaign.windows, wall_clock(brand.time_zones, now)),
        }
        today = budget_day(brand.time_zones, now)
        used_up = [name for name, room in self.rooms(campaign, today, now) if room <= 0]
        return [name for name, is_so in standing.items() if is_so] + used_up

    # --- Wishes ---

    def ask(self, wish: Wish, now: datetime) -> Told:
        """Decide one wish, or say again what its event id was told first (C21)."""
        event = (wish.caller, wish.event)
        if wish.event and event in self.answers:
            first, told = self.answers[event]
            if first != wish:
                return Told("event_id_reused")
            return replace(told, is_replay=True)
        decide = {
            **dict.fromkeys(("add", "report", "hold"), self._spend),
            **dict.fromkeys(("capture", "release"), self._end),
            "refund": self._refund,
        }[wish.deed]
        told = decide(wish, now)
        if wish.event and told.code not in FORGOTTEN:
            self.answers[event] = (wish, told)
        return told

    def _spend(self, wish: Wish, now: datetime) -> Told:
        campaign, at = self.campaign(wish.subject), wish.at or now
        micros = wish.micros or 0
        is_too_early_or_late = at > now + AHEAD or at < now - LATE
        if wish.deed == "report" and is_too_early_or_late:
            return Told("invalid_input")
        if wish.deed != "report" and campaign.is_gone:
            return Told("campaign_not_found")
        if wish.currency not in (None, "USD") or micros <= 0:
            return Told("invalid_input")
        if wish.deed != "report":
            if reasons := self.reasons(campaign, now):
                return Told("campaign_not_active", {"reasons": reasons})
            name, left = self.tightest(campaign, budget_day(campaign.brand.time_zones, now), now)
            if left is not None and micros > left:
                return Told("budget_exceeded", {"budget": name, "remaining": left})
        if wish.deed == "hold":
            hold = PaperHold(campaign, micros, now, now + timedelta(seconds=wish.seconds))
            self.holds.append(hold)
            return Told(None, self._standing(campaign, now), hold)
        name, left = self.tightest(campaign, budget_day(campaign.brand.time_zones, at), now)
        over = 0 if left is None else max(0, micros - left)
        entry = PaperEntry(
            campaign, wish.deed, micros, at, over=over, cause=name if over and name else ""
        )
        self.entries.append(entry)
        return self._logged(entry, now)

    def _end(self, wish: Wish, now: datetime) -> Told:
        hold = self.hold(wish.subject)
        if (state := hold.state(now)) != "open":
            return Told("hold_ended", {"state": state})
        if wish.deed == "release":
            hold.end = "released"
            return Told(None, {"released": hold.micros, **self._standing(hold.campaign, now)})
        micros = hold.micros if wish.micros is None else wish.micros
        if micros <= 0:
            return Told("invalid_input")
        if micros > hold.micros:
            return Told("capture_above_hold")
        hold.end = "captured"
        entry = PaperEntry(hold.campaign, "capture", micros, hold.at)
        self.entries.append(entry)
        return self._logged(entry, now, released=hold.micros - micros)

    def _refund(self, wish: Wish, now: datetime) -> Told:
        entry, micros = self.entry(wish.subject), wish.micros or 0
        if entry.kind == "refund":
            return Told("not_refundable")
        if micros <= 0:
            return Told("invalid_input")
        left = entry.micros + sum(e.micros for e in self.entries if e.taken_back_from is entry)
        if micros > left:
            return Told("refund_above_entry", {"refundable": left})
        taken = PaperEntry(entry.campaign, "refund", -micros, entry.at, taken_back_from=entry)
        self.entries.append(taken)
        return self._logged(taken, now, refundable=left - micros)

    def _logged(self, entry: PaperEntry, now: datetime, **facts: int) -> Told:
        campaign, day = entry.campaign, day_of(entry)
        facts["new_daily_spend"] = self.spent(campaign, "daily", day)
        facts["new_monthly_spend"] = self.spent(campaign, "monthly", day)
        if entry.kind == "report":
            facts["over_budget"] = entry.over
        return Told(None, {**facts, **self._standing(campaign, now)}, entry)

    def _standing(self, campaign: PaperCampaign, now: datetime) -> dict[str, Any]:
        reasons = self.reasons(campaign, now)
        _, left = self.tightest(campaign, budget_day(campaign.brand.time_zones, now), now)
        return {"is_active": not reasons, "reasons": reasons, "remaining": left}

    # --- Settings: each refused with a code, or done ---

    def edit_brand(self, brand: PaperBrand, settings: dict[str, Any], now: datetime) -> str | None:
        if brand.is_archived:
            return "brand_not_found"
        zone = settings.get("time_zone", brand.time_zones[-1][1])
        if code := self._move(brand, zone, now):
            return code
        vars(brand).update({name: v for name, v in settings.items() if name != "time_zone"})
        return None

    def edit_campaign(self, campaign: PaperCampaign, settings: dict[str, Any]) -> str | None:
        if campaign.is_gone:
            return "campaign_not_found"
        starts_at = settings.get("starts_at", campaign.starts_at)
        ends_at = settings.get("ends_at", campaign.ends_at)
        if starts_at and ends_at and starts_at >= ends_at:
            return "invalid_input"
        vars(campaign).update(settings)
        return None

    def _move(self, brand: PaperBrand, zone: str, now: datetime) -> str | None:
        """Choose another zone from the next midnight on; the code of a refusal (C12)."""
        if zone == brand.time_zones[-1][1]:
            return None
        if any(now - LATE < since <= now for since, _ in brand.time_zones):
            return "time_zone_change_too_soon"
        in_effect = tuple(each for each in brand.time_zones if each[0] <= now)
        turns_at = next_midnight(in_effect, now)
        mine = (entry for entry in self.entries if entry.campaign.brand is brand)
        if any(entry.at >= turns_at for entry in mine):
            return "time_zone_change_too_soon"
        zones = in_effect
        if zone != in_effect[-1][1]:
            zones += ((turns_at, zone),)
        brand.time_zones = zones
        return None


def sums_of(facts: Sequence[PaperEntry | PaperHold]) -> dict[Owned, int]:
    """What they add up to in every total that counts them; zeros left out."""
    sums: dict[Owned, int] = {}
    for fact in facts:
        for key in _keys_of(fact):
            sums[key] = sums.get(key, 0) + fact.micros
    return {key: micros for key, micros in sums.items() if micros}


def day_of(fact: PaperEntry | PaperHold) -> date:
    return budget_day(fact.campaign.brand.time_zones, fact.at)


def _keys_of(fact: PaperEntry | PaperHold) -> Iterator[Owned]:
    day, campaign = day_of(fact), fact.campaign
    for span in ("daily", "monthly"):
        yield "brand", campaign.brand.number, span, label_of(span, day)
    for span in ("daily", "monthly", "lifetime"):
        yield "campaign", campaign.number, span, label_of(span, day)


def _counts(
    fact: PaperEntry | PaperHold, owner: PaperBrand | PaperCampaign, span: str, day: date
) -> bool:
    is_owners = owner in (fact.campaign, fact.campaign.brand)
    return is_owners and label_of(span, day_of(fact)) == label_of(span, day)
