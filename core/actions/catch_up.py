"""Lets happen what time alone was due to bring: edges, turned periods, holds that ran out (C26)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from core.actions.caller import Caller
from core.actions.counts import Tally, tally
from core.actions.ledger import Ledger, LedgerRows
from core.actions.verdicts import Change, take_over, write_verdicts
from core.enums import Cause, Reason
from core.models import Brand, Campaign, Transition
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.holds import sum_expired_holds
from core.queries.sweeps import list_due_campaign_ids
from core.rules.admission import Admission
from core.rules.entries import HoldFacts
from core.rules.verdict import judge, used_up_brand_budgets

# Who is to blame for what time alone brings, whoever noticed it first.
CLOCK = Caller("clock")
BUDGETS = frozenset(reason for reason in Reason if reason.value.endswith("_budget"))


def catch_up(brand: Brand, now: datetime, among: Collection[int] | None = None) -> list[Transition]:
    """Bring a locked brand up to `now`; the transitions, each at the instant at which it was due.

    Every action that changes anything of a brand begins with this. So nothing has changed since
    the first instant that is due, and each is judged by the facts of its own: whoever comes first,
    a task, a spend or an edit, writes the same history (C16, C17). A task that changes nothing
    else may do it for `among` these campaigns at a time, unless holds have run out between.
    """
    expired = sum_expired_holds(brand, now)
    due = list_due_campaign_ids(brand, now, None if expired else among)
    if not expired and not due:
        return []
    return _CatchUp(brand, now, expired).run(due)


class _CatchUp:
    """What is due in one brand, in the order in which it was."""

    def __init__(self, brand: Brand, now: datetime, expired: Sequence[HoldFacts]) -> None:
        self.brand, self.now, self.expired = brand, now, expired
        self.changed: dict[int, Campaign] = {}
        self.transitions: list[Transition] = []

    def run(self, due: Collection[int]) -> list[Transition]:
        campaigns = self._load(due)
        before = tally(campaigns)
        for freed_at, holds in groupby(self.expired, key=attrgetter("expires_at")):
            self._judge_edges(campaigns, freed_at)
            self._free(list(holds), freed_at, campaigns)
        self._judge_edges(campaigns)
        self._write(campaigns, before)
        return self.transitions

    def _load(self, due: Collection[int]) -> list[Campaign]:
        """Those that are due or held; all, where a freed hold could wake the whole brand."""
        named = {*due, *(hold.campaign_id for hold in self.expired)}
        campaigns = self._read(named)
        instants = (hold.expires_at for hold in self.expired)
        facts = self.admission.book
        if any(used_up_brand_budgets(facts.brand, facts.totals, at) for at in instants):
            others = {campaign.pk for campaign in list_campaigns_to_judge(self.brand)}
            campaigns = self._read(named | others)
        return campaigns

    def _read(self, campaign_ids: Collection[int]) -> list[Campaign]:
        campaigns = list_campaigns_to_judge(self.brand, campaign_ids)
        edges = [campaign.next_change_at for campaign in campaigns if campaign.next_change_at]
        book = get_book(
            self.brand,
            campaigns,
            [self.now],
            budget_days={hold.budget_day for hold in self.expired},
            since=min([self.now, *edges, *(hold.expires_at for hold in self.expired)]),
        )
        self.admission = Admission(book, self.now)
        return campaigns

    def _judge_edges(self, campaigns: Sequence[Campaign], until: datetime | None = None) -> None:
        """Judge each campaign at each edge before `until`; without it, up to now and included."""
        for campaign in campaigns:
            while (at := campaign.next_change_at) and (at < until if until else at <= self.now):
                self._judge(campaign, at, self._cause(campaign, at))

    def _free(
        self, holds: Sequence[HoldFacts], at: datetime, campaigns: Sequence[Campaign]
    ) -> None:
        """Give back what these holds kept; all of the brand if that brings a budget back."""
        before = self._used_up(at)
        self.admission.free_expired(holds)
        is_back = before != self._used_up(at)
        held = {hold.campaign_id for hold in holds}
        for campaign in campaigns:
            if is_back or campaign.pk in held:
                self._judge(campaign, at, Cause.HOLD_ENDED)

    def _used_up(self, at: datetime) -> frozenset[Reason]:
        book = self.admission.book
        return used_up_brand_budgets(book.brand, book.totals, at)

    def _judge(self, campaign: Campaign, at: datetime, cause: Cause) -> None:
        verdict = judge(self.admission.book.facts(campaign.pk), at)
        is_changed, transition = take_over(campaign, verdict, Change(CLOCK, at, cause))
        if is_changed:
            self.changed[campaign.pk] = campaign
        if transition:
            transition.recorded_at = self.now
            self.transitions.append(transition)

    def _cause(self, campaign: Campaign, at: datetime) -> Cause:
        has_turned = self.brand.calendar.budget_day(at).starts_at == at
        is_stopped = BUDGETS & set(campaign.reasons)
        return Cause.PERIOD_TURNED if has_turned and is_stopped else Cause.TIME

    def _write(self, campaigns: Sequence[Campaign], before: Tally) -> None:
        self.transitions.sort(key=attrgetter("at", "campaign_id"))
        changed = self.changed.values()
        write_verdicts(campaigns, changed, self.transitions, before=before)
        if self.expired:
            ledger, rows = Ledger(self.brand, self.now), LedgerRows()
            ledger.collect(rows, [], self.admission)
            rows.write()
            ledger.expire_holds()
