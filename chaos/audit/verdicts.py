"""Judges every campaign by a tiny judge of the audit's own, and compares what is stored (C14, C16).

What a person has set is read from the rows as they stand; what budgets have used is what the walk
through history counted.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from chaos.audit.findings import Question, Row
from chaos.audit.history import History, keys_of
from chaos.audit.standing import Switches, Window

WRONG_VERDICTS = Question(
    "wrong_verdicts",
    "stored verdict ≠ judged verdict",
    "C16",
    "compare the campaign's last transition with what changed after it",
)
Columns = dict[str, Any]
_CAMPAIGNS = """
    SELECT c.id, c.brand_id, c.is_active, c.reasons, c.is_enabled, c.starts_at, c.ends_at,
        b.is_enabled AS brand_is_enabled,
        c.archived_at IS NOT NULL OR b.archived_at IS NOT NULL AS is_archived
    FROM core_campaign c JOIN core_brand b ON b.id = c.brand_id ORDER BY c.id
"""
_WINDOWS = "SELECT campaign_id, weekdays, start_minute, end_minute FROM core_schedule"
_BUDGETS = (
    *("brand_daily_budget", "brand_monthly_budget"),
    *("campaign_daily_budget", "campaign_monthly_budget", "campaign_lifetime_budget"),
)


class Judge:
    """All campaigns with their windows, by brand; `row` answers for those that were judged."""

    def __init__(self, connection: Connection, at: datetime) -> None:
        self.row, self._at = Row(WRONG_VERDICTS), at
        self._campaigns: defaultdict[int, list[Columns]] = defaultdict(list)
        with connection.cursor(row_factory=dict_row) as cursor:
            for campaign in cursor.execute(_CAMPAIGNS):
                self._campaigns[campaign["brand_id"]].append(campaign)
        self._windows: defaultdict[int, list[Window]] = defaultdict(list)
        for campaign_id, *window in connection.execute(_WINDOWS):
            self._windows[campaign_id].append((window[0], window[1], window[2]))

    def judge(self, history: History) -> None:
        """Compare the stored verdicts of a brand whose history was walked through."""
        for campaign in self._campaigns[history.brand_id]:
            self.row.checked += 1
            stored = [code for code in campaign["reasons"].split(",") if code]
            reasons = list(self._reasons(campaign, history))
            is_same = stored == reasons
            if campaign["is_archived"]:
                # Out of sight: that it doesn't run is all that is promised.
                is_same = bool(stored)
            if not is_same or campaign["is_active"] == bool(stored):
                self.row.note(
                    f"campaign {campaign['id']} at {self._at.isoformat()}",
                    expected=reasons or "active",
                    found=f"active: {campaign['is_active']}, {stored}",
                )

    def _reasons(self, campaign: Columns, history: History) -> Iterator[str]:
        at, zones = self._at, history.zones
        if not campaign["brand_is_enabled"]:
            yield "brand_disabled"
        windows = tuple(self._windows[campaign["id"]])
        columns = (campaign["is_enabled"], campaign["starts_at"], campaign["ends_at"], windows)
        yield from Switches(*columns).reasons(at, zones.local(at))
        keys = keys_of(campaign["id"], zones.day(at))
        for name, key in zip(_BUDGETS, keys, strict=True):
            limit = history.limit(key)
            if limit is not None and history.used[key] >= limit:
                yield name
