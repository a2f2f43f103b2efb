"""What the steps of `any_order.py` are drawn from, and how a wish on paper is asked of the product.

Few sizes, few names and instants near midnights, so that things meet exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from core.actions.brands import BrandChanges
from core.actions.caller import Caller
from core.actions.campaigns import CampaignChanges
from core.actions.holds import capture_hold, create_hold, release_hold
from core.actions.spend import add_spend, admit_spends, refund_spend, report_spend
from core.actions.spend_requests import (
    Asked,
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    Request,
    SpendOutcome,
    SpendRequest,
)
from core.enums import SpendKind
from core.rules.dayparts import Daypart
from core.rules.money import from_micros
from core.tests.builders import LATE_LIMIT
from core.tests.rules.zones import DAY, HOUR, MINUTE, SECOND, utc
from core.tests.stories.on_paper import Paper, Wish

# An ordinary noon; then the last hours before clocks change, and before a year ends.
STARTS = tuple(
    utc(text)
    for text in ("2026-06-10T12:00", "2026-03-28T20:00", "2026-10-24T20:00", "2026-12-31T20:00")
)
# What a person sets, by the names of the columns but for `windows`, the paper's word.
Settings = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A wish that doesn't know yet which of the things there are it is about."""

    deed: str
    pick: int
    micros: int | None = None
    late: timedelta | None = None
    seconds: int = 0
    currency: str | None = None
    caller: str = "ann"
    event: str = ""

    def name(self, paper: Paper, now: datetime) -> Wish | None:
        """The same about one of them, if there is any; mostly one that it can be done to."""
        things: Sequence[Any] = paper.campaigns
        worthwhile: Sequence[Any] = []
        if self.deed in ("capture", "release"):
            things = paper.holds
            worthwhile = [hold for hold in things if hold.state(now) == "open"]
        if self.deed == "refund":
            things = paper.entries
            worthwhile = [entry for entry in things if entry.kind != "refund"]
        if self.pick % 4:
            things = worthwhile or things
        if not things:
            return None
        return Wish(
            self.deed,
            things[self.pick % len(things)].number,
            micros=self.micros,
            at=None if self.late is None else now - self.late,
            currency=self.currency,
            seconds=self.seconds,
            caller=self.caller,
            event=self.event,
        )


picks = st.integers(0, 11)
zones = st.sampled_from(
    [
        *("UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Asia/Tokyo"),
        *("Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Midway"),
    ]
)
sizes = st.sampled_from([1_000_000, 500_000, 2_000_000, 3_000_000, 1])
budgets = st.sampled_from(
    [None, 5_000_000, 10_000_000, None, 20_000_000, 3_000_000, None, 2_500_000, 0]
)
jumps = st.sampled_from([MINUTE, 6 * MINUTE, HOUR, 7 * HOUR, DAY, 8 * DAY, 31 * DAY])
_names = {
    "caller": st.sampled_from(["ann", "ann", "bob"]),
    "event": st.sampled_from(["", "", "", "", "", *"abcdefgh"]),
}
# Nothing and the wrong currency are drawn now and then, to be refused.
_seldom = st.sampled_from([False] * 15 + [True])
_asked = {
    "micros": _seldom.flatmap(lambda is_nothing: st.just(0) if is_nothing else sizes),
    "currency": _seldom.map(lambda is_wrong: "EUR" if is_wrong else None),
    **_names,
}
_lates = st.sampled_from(
    [None, None, -4 * MINUTE, -MINUTE, HOUR, DAY, 30 * HOUR, 71 * HOUR, 73 * HOUR, -6 * MINUTE]
)
adds = st.builds(Drawn, st.just("add"), picks, **_asked)
reports = st.builds(Drawn, st.just("report"), picks, late=_lates, **_asked)
holds = st.builds(
    Drawn, st.just("hold"), picks, seconds=st.sampled_from([3_600, 300, 60, 86_400]), **_asked
)
ends = st.one_of(
    st.builds(Drawn, st.just("capture"), picks, st.one_of(st.none(), sizes), **_names),
    st.builds(Drawn, st.just("release"), picks, **_names),
)
refunds = st.builds(Drawn, st.just("refund"), picks, sizes, **_names)
any_of_them = st.one_of(adds, reports, holds, ends, refunds)

mostly = st.sampled_from([True, True, False])
budgeted_brand = st.fixed_dictionaries(
    {"time_zone": zones, "daily_budget": budgets, "monthly_budget": budgets}
)
budgeted_campaign = st.fixed_dictionaries(
    {"daily_budget": budgets, "monthly_budget": budgets, "lifetime_budget": budgets}
)
of_brand = st.fixed_dictionaries(
    {},
    optional={
        "daily_budget": budgets,
        "monthly_budget": budgets,
        "is_enabled": mostly,
        "time_zone": zones,
    },
)
_minutes = st.sampled_from([0, 2 * 60, 2 * 60 + 30, 9 * 60, 22 * 60])
_windows = st.tuples(
    st.sampled_from([frozenset(range(7)), frozenset({6}), frozenset({0, 1, 2, 3, 4, 5})]),
    _minutes,
    st.one_of(_minutes.filter(bool), st.just(24 * 60)),
)
_starts = st.sampled_from([None, -HOUR, -DAY, HOUR, 30 * DAY])
_ends = st.sampled_from([None, DAY, 30 * DAY, HOUR, -HOUR])
of_campaign = st.fixed_dictionaries(
    {},
    optional={
        "daily_budget": budgets,
        "monthly_budget": budgets,
        "lifetime_budget": budgets,
        "is_enabled": mostly,
        "starts_at": _starts,
        "ends_at": _ends,
        "windows": st.lists(_windows, max_size=2).map(tuple),
    },
)


def with_edges_at(drawn: Settings, now: datetime) -> Settings:
    """The settings with a flight that was drawn as so long before or after now."""
    edges = {name: drawn[name] for name in ("starts_at", "ends_at") if drawn.get(name)}
    return {**drawn, **{name: now + away for name, away in edges.items()}}


def brand_changes(settings: Settings) -> BrandChanges:
    """The settings as the product takes them."""
    changes: BrandChanges = {}
    changes.update(_with_money(settings))  # type: ignore[typeddict-item]  # As they are drawn.
    return changes


def campaign_changes(settings: Settings) -> CampaignChanges:
    """The settings as the product takes them."""
    named = _with_money({name: v for name, v in settings.items() if name != "windows"})
    changes: CampaignChanges = {}
    changes.update(named)  # type: ignore[typeddict-item]  # As they are drawn.
    if "windows" in settings:
        windows = settings["windows"]
        changes["schedule"] = [Daypart(tuple(days), start, end) for days, start, end in windows]
    return changes


def _with_money(settings: Settings) -> dict[str, Any]:
    return {
        name: from_micros(value) if name.endswith("_budget") and value is not None else value
        for name, value in settings.items()
    }


def as_single(wish: Wish, now: datetime) -> SpendOutcome:
    """Ask it by the deed of its own."""
    request, caller = _request(wish), Caller(f"test:{wish.caller}")
    match request:
        case SpendRequest(kind=SpendKind.ADD):
            return add_spend(request, caller=caller, now=now)
        case SpendRequest():
            return report_spend(request, caller=caller, now=now, late_limit=LATE_LIMIT)
        case HoldRequest():
            return create_hold(request, caller=caller, now=now)
        case CaptureRequest():
            return capture_hold(request, caller=caller, now=now)
        case ReleaseRequest():
            return release_hold(request, caller=caller, now=now)
        case RefundRequest():
            return refund_spend(request, caller=caller, now=now)


def as_batch(together: Sequence[Wish], now: datetime) -> list[SpendOutcome]:
    """Ask all of them at once."""
    callers = (Caller(f"test:{wish.caller}") for wish in together)
    asked = [
        Asked(_request(wish), caller, LATE_LIMIT)
        for wish, caller in zip(together, callers, strict=True)
    ]
    return admit_spends(asked, now=now)


def _request(wish: Wish) -> Request:
    amount = None if wish.micros is None else from_micros(wish.micros)
    match wish.deed:
        case "hold":
            lasts = wish.seconds * SECOND
            return HoldRequest(wish.subject, amount or Decimal(0), lasts, wish.currency, wish.event)
        case "capture":
            return CaptureRequest(wish.subject, amount, wish.event)
        case "release":
            return ReleaseRequest(wish.subject, wish.event)
        case "refund":
            return RefundRequest(wish.subject, amount or Decimal(0), event_id=wish.event)
    return SpendRequest(
        wish.subject,
        amount or Decimal(0),
        kind=SpendKind(wish.deed),
        occurred_at=wish.at,
        currency=wish.currency,
        event_id=wish.event,
    )
