"""Compares what the product stores and says with what stands on paper (`on_paper.py`)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from core.actions.spend_requests import SpendOutcome
from core.enums import HoldState, PeriodKind
from core.models import (
    Brand,
    BrandTotal,
    CampaignTotal,
    EventAnswer,
    Hold,
    SpendLog,
    TaskRun,
)
from core.queries.books import get_book, list_campaigns_to_judge
from core.rules.money import to_micros
from core.rules.verdict import judge
from core.tests.builders import KEPT_MODELS
from core.tests.stories.on_paper import (
    Owned,
    Paper,
    PaperEntry,
    PaperHold,
    Told,
    day_of,
    label_of,
    sums_of,
)

# All rows of all tables, by table.
Rows = dict[str, list[tuple[Any, ...]]]
SPANS = {PeriodKind.DAY: "daily", PeriodKind.MONTH: "monthly", PeriodKind.LIFETIME: "lifetime"}


def stored_rows() -> Rows:
    """Every row but the answers to event ids, to which a refusal adds its own."""
    rows = {}
    with connection.cursor() as cursor:
        for model in set(KEPT_MODELS) - {EventAnswer, TaskRun}:
            table = model._meta.db_table
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            rows[table] = cursor.fetchall()
    return rows


def demand_told(outcome: SpendOutcome, expected: Told) -> None:
    """The same answer or the same refusal, with the same numbers."""
    refusal = outcome.refusal
    said = refusal.document() if refusal else (outcome.answer or {})
    assert (said.get("code"), outcome.is_replay) == (expected.code, expected.is_replay)
    heard = {name: _plain(name, said[name]) for name in expected.facts}
    assert heard == expected.facts
    if expected.made:
        number = said["hold_id" if isinstance(expected.made, PaperHold) else "spend_log_id"]
        expected.made.number = expected.made.number or number
        assert expected.made.number == number


def _plain(name: str, value: Any) -> Any:
    if name == "reasons":
        return [reason["code"] for reason in value]
    is_money = isinstance(value, str) and value[:1].isdigit()
    return to_micros(Decimal(value)) if is_money else value


def demand_log(paper: Paper) -> None:
    """Entry for entry what was told, each in its own day (C10)."""
    columns = ("id", "campaign_id", "kind", "amount", "budget_day")
    of_reports = ("over_budget", "over_budget_cause", "refund_of_id")
    stored = {
        number: (owner, kind, to_micros(amount), day, to_micros(over), *rest)
        for number, owner, kind, amount, day, over, *rest in SpendLog.objects.values_list(
            *columns, *of_reports
        )
    }
    assert stored == {entry.number: _row(entry) for entry in paper.entries}


def _row(entry: PaperEntry) -> tuple[object, ...]:
    taken_back_from = entry.taken_back_from.number if entry.taken_back_from else None
    told = (entry.campaign.number, entry.kind, entry.micros, day_of(entry))
    return (*told, entry.over, entry.cause, taken_back_from)


def demand_holds(paper: Paper, stored_states: dict[int, str]) -> None:
    """Hold for hold what was told, in these states (C20)."""
    columns = ("id", "campaign_id", "amount", "budget_day", "state")
    stored = {
        number: (owner, to_micros(amount), day, state)
        for number, owner, amount, day, state in Hold.objects.values_list(*columns)
    }
    assert stored == {
        hold.number: (hold.campaign.number, hold.micros, day_of(hold), stored_states[hold.number])
        for hold in paper.holds
    }


def demand_totals(paper: Paper, stored_states: dict[int, str]) -> None:
    """Each total is the sum of its part of the log, and of the holds that are stored as open."""
    rows = _totals()
    assert all(spent >= 0 and held >= 0 for spent, held in rows.values())
    kept = [hold for hold in paper.holds if stored_states[hold.number] == HoldState.OPEN]
    spent = {key: spent for key, (spent, _) in rows.items() if spent}
    held = {key: held for key, (_, held) in rows.items() if held}
    assert (spent, held) == (sums_of(paper.entries), sums_of(kept))


def _totals() -> dict[Owned, tuple[int, int]]:
    columns = ("period", "starts_on", "spent", "held")
    rows = [
        *(("brand", *row) for row in BrandTotal.objects.values_list("brand_id", *columns)),
        *(("campaign", *row) for row in CampaignTotal.objects.values_list("campaign_id", *columns)),
    ]
    return {
        (owner, number, SPANS[period], label_of(SPANS[period], day)): (
            to_micros(spent),
            to_micros(held),
        )
        for owner, number, period, day, spent, held in rows
    }


def demand_verdicts(
    paper: Paper, stored_states: dict[int, str], brands: set[int], *, now: datetime
) -> None:
    """The product judges what the paper judges, wherever no money waits to be freed (C14)."""
    unswept = {
        hold.campaign.brand.number
        for hold in paper.holds
        if (stored_states[hold.number], hold.state(now)) == ("open", "expired")
    }
    for brand in Brand.objects.filter(pk__in=brands - unswept):
        campaigns = list_campaigns_to_judge(brand)
        book = get_book(brand, campaigns, [now])
        for campaign in campaigns:
            judged = judge(book.facts(campaign.pk), now).reasons
            expected = paper.reasons(paper.campaign(campaign.pk), now)
            assert [reason.value for reason in judged] == expected
