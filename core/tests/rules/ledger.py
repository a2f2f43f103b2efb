"""An obvious reference for admission: integers in plain dicts, one `if` a promise.

Written without the code under test. It knows a brand in UTC whose campaigns have no schedule and
no flight; `now` is noon of the day it is given.
"""

from dataclasses import dataclass, field
from datetime import date

# Whose total it is ("brand" or a campaign's number), and of which day, month or "ever".
Owner = str | int
Label = tuple[Owner, str]


@dataclass(frozen=True)
class Wish:
    """One spend to decide: what to do, for which campaign, how many micros, on which day."""

    kind: str
    campaign: int
    micros: int
    day: date


@dataclass
class Ledger:
    """Limits in micros by owner and "day", "month" or "ever"; `off` are the paused campaigns."""

    today: date
    limits: dict[Label, int]
    off: set[int] = field(default_factory=set)
    used: dict[Label, int] = field(default_factory=dict)

    def decide(self, wish: Wish) -> dict[str, object]:
        """What must come of this wish; what it spends counts for the next one."""
        if wish.kind == "add":
            if wish.campaign in self.off or self.is_anything_used_up(wish.campaign):
                return {"refusal": "campaign_not_active"}
            name, left = self.tightest(wish.campaign, wish.day)
            if left is not None and wish.micros > left:
                return {"refusal": "budget_exceeded", "budget": name, "remaining": left}
        name, left = self.tightest(wish.campaign, wish.day)
        over = 0 if left is None else max(0, wish.micros - left)
        for label in self.labels(wish.campaign, wish.day).values():
            self.used[label] = self.used.get(label, 0) + wish.micros
        own = self.labels(wish.campaign, wish.day)
        return {
            "refusal": None,
            "over": over,
            "cause": name if over else None,
            "day": self.used[own["campaign_daily_budget"]],
            "month": self.used[own["campaign_monthly_budget"]],
            "is_active": wish.campaign not in self.off
            and not self.is_anything_used_up(wish.campaign),
        }

    def labels(self, campaign: int, day: date) -> dict[str, Label]:
        """Where a spend of this day counts, by the name of the budget that limits it."""
        month = f"{day:%Y-%m}"
        return {
            "brand_daily_budget": ("brand", str(day)),
            "brand_monthly_budget": ("brand", month),
            "campaign_daily_budget": (campaign, str(day)),
            "campaign_monthly_budget": (campaign, month),
            "campaign_lifetime_budget": (campaign, "ever"),
        }

    def room(self, campaign: int, day: date) -> list[tuple[str, int]]:
        """What each budget leaves on this day, below zero when overspent."""
        spans = {"daily": "day", "monthly": "month", "lifetime": "ever"}
        rooms = []
        for name, label in self.labels(campaign, day).items():
            limit = self.limits.get((label[0], spans[name.split("_")[1]]))
            if limit is not None:
                rooms.append((name, limit - self.used.get(label, 0)))
        return rooms

    def is_anything_used_up(self, campaign: int) -> bool:
        return any(left <= 0 for _, left in self.room(campaign, self.today))

    def tightest(self, campaign: int, day: date) -> tuple[str | None, int | None]:
        rooms = [(name, max(0, left)) for name, left in self.room(campaign, day)]
        return min(rooms, key=lambda room: room[1], default=(None, None))
