"""What hand-written SQL reads and writes is what the ORM reads and writes, row for row (C30)."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions import spend, spend_sessions
from core.actions.caller import Caller
from core.actions.campaigns import archive_campaign, set_schedule
from core.actions.ledger import Ledger
from core.actions.spend_requests import Asked, RefundRequest
from core.models import Campaign, Hold, SpendLog
from core.models.fields import ReasonsField
from core.queries.books import get_book, list_campaigns_to_judge
from core.queries.spend import map_event_answers
from core.queries.standings import AskedStandings, Standings, Wanted
from core.rules.dayparts import Daypart
from core.tests.actions.ledger_by_orm import LedgerByOrm
from core.tests.actions.test_admit_spends import Step, make_small_world, steps
from core.tests.builders import (
    LATE_LIMIT,
    NOON,
    TODAY,
    add,
    everything_stored,
    hold,
    make_brand,
    make_campaign,
    report,
    undone,
)
from core.tests.depth import examples

pytestmark = pytest.mark.django_db

# What an array's literal, a JSON text or a statement could trip over.
NASTY = [
    "",
    "NULL",
    '"',
    "\\",
    '\\"',
    "{a,b}",
    "' OR 1",
    "%s",
    "a b",
    " ",
    "ü—\u2028",
    "\t\n",
    "''",
]
callers = st.sampled_from([Caller(f"test:{text}") for text in NASTY])


def stored_by(ledger: type, asked: Sequence[Asked]) -> tuple[list[Any], Any]:
    """What these come to and what is stored then, but for the numbers that rows were given."""
    with undone(), mock.patch.object(spend_sessions, "Ledger", ledger):
        outcomes = spend.admit_spends(asked, now=NOON)
        stored = everything_stored()
    answers = [
        outcome.refusal.document() if outcome.refusal else outcome.answer for outcome in outcomes
    ]
    rows = {
        name: sorted(({**row, "id": 0} for row in kept), key=repr) for name, kept in stored.items()
    }
    first = min((row["id"] for row in stored["SpendLog"] if row["source"] != "test:ann"), default=0)
    return _from_one(answers, first), _from_one(rows, first)


def _from_one(told: Any, first: int) -> Any:
    """With the log entries of the batch numbered from 0; a sequence goes on after a rollback."""
    if isinstance(told, dict):
        numbered = {**told, "hold_id": 0} if "hold_id" in told else told
        return {
            name: value - first if name == "spend_log_id" and value else _from_one(value, first)
            for name, value in numbered.items()
        }
    return [_from_one(each, first) for each in told] if isinstance(told, list) else told


def test_random_batches_are_written_as_the_orm_writes_them() -> None:
    world = make_small_world()
    kinds: set[str] = set()

    @settings(max_examples=examples(60, deep=400))
    @given(st.lists(st.tuples(steps, callers), min_size=1, max_size=12))
    def compare(sequence: list[tuple[Step, Caller]]) -> None:
        asked = [Asked(step.request(world), caller, LATE_LIMIT) for step, caller in sequence]
        outcomes, stored = stored_by(Ledger, asked)
        assert (outcomes, stored) == stored_by(LedgerByOrm, asked)
        kinds.update(row["kind"] for row in stored["SpendLog"])

    compare()
    assert kinds == {"add", "report", "capture", "refund"}


@pytest.mark.parametrize("text", NASTY)
def test_any_text_is_kept_as_it_came(text: str) -> None:
    spent = add(make_campaign(), "2").accepted()["spend_log_id"]
    request = RefundRequest(spent, Decimal(1), reason=text, event_id=text)
    spend.admit_spends([Asked(request, Caller(f"test:{text}"))], now=NOON)[0].accepted()
    kept = SpendLog.objects.get(refund_of=spent)
    assert (kept.refund_reason or "", kept.event_id, kept.source) == (text, text, f"test:{text}")


# --- Reading -----------------------------------------------------------------------------------


def make_varied_world() -> list[Campaign]:
    """A brand whose campaigns differ in everything that admission looks at."""
    brand = make_brand(daily_budget=Decimal("12.345678"), time_zone="Asia/Tokyo")
    plain, windows, flight, limited, archived = (make_campaign(brand) for _ in range(5))
    dayparts = [Daypart((0, 2), 60, 120), Daypart((6,), 1_380, 30)]
    set_schedule(windows.pk, dayparts, caller=Caller("test:ann"), now=NOON)
    Campaign.objects.filter(pk=flight.pk).update(ends_at=NOON + timedelta(days=9, microseconds=1))
    Campaign.objects.filter(pk=limited.pk).update(
        monthly_budget=Decimal("0.000001"), lifetime_budget=Decimal(5)
    )
    for days, amount in ((0, "1"), (1, "2.5"), (2, "0.000001")):
        for campaign in (plain, flight, archived):
            at, event_id = NOON - timedelta(days=days), f"{days}" if campaign is plain else ""
            report(campaign, amount, occurred_at=at, event_id=event_id)
    hold(plain, "0.25")
    archive_campaign(archived.pk, caller=Caller("test:ann"), now=NOON)
    return list(Campaign.objects.filter(brand=brand).order_by("id"))


def read(campaigns: Sequence[Campaign], events: Sequence[tuple[str, str]] = ()) -> Standings:
    days = {TODAY, TODAY - timedelta(days=2)}
    wanted = Wanted({campaign.pk for campaign in campaigns}, days, events, 3, 2)
    brand = campaigns[0].brand
    return AskedStandings({brand.pk: wanted}, NOON).of([brand])[0]


def test_the_facts_are_those_that_the_orm_finds() -> None:
    campaigns = make_varied_world()
    brand = campaigns[0].brand
    for chosen in (campaigns, campaigns[1:3]):
        found = read(chosen)
        models = list_campaigns_to_judge(brand, [campaign.pk for campaign in chosen])
        days = {TODAY, TODAY - timedelta(days=2)}
        book = get_book(brand, models, [], budget_days=days)
        assert found.book.campaigns == book.campaigns
        assert found.book.brand == book.brand
        assert dict(found.book.totals) == dict(book.totals)
        assert len(book.totals) > 3
        for campaign in models:
            stored = found.verdicts[campaign.pk]
            reasons = ReasonsField().get_prep_value(campaign.reasons)
            assert (stored.name, stored.reasons) == (campaign.name, reasons)
            assert stored.since == campaign.status_since
            assert stored.next_change_at == campaign.next_change_at


def test_campaigns_of_another_brand_are_not_found() -> None:
    campaigns = make_varied_world()
    found = read([*campaigns, make_campaign()])
    assert set(found.book.campaigns) == {campaign.pk for campaign in campaigns}


def test_the_answers_are_those_that_the_orm_finds() -> None:
    campaigns = make_varied_world()
    asked = [("test:ann", "0"), ("test:ann", "2"), ("test:bob", "1"), ("test:ann", "other")]
    found = read(campaigns, asked).answers
    expected = map_event_answers(asked)
    assert set(found) == set(expected) == {("test:ann", "0"), ("test:ann", "2")}
    for event, answer in expected.items():
        kept = (answer.fingerprint, answer.is_refusal, answer.answer)
        assert (found[event].fingerprint, found[event].is_refusal, found[event].answer) == kept


@pytest.mark.parametrize("is_edge", [False, True])
def test_what_time_alone_has_brought_is_noticed(is_edge: bool) -> None:
    campaigns = make_varied_world()
    assert not read(campaigns).is_due
    if is_edge:
        Campaign.objects.filter(pk=campaigns[0].pk).update(next_change_at=NOON)
    else:
        minute = timedelta(minutes=1)
        hold(campaigns[0], "0.25", now=NOON - minute, duration=minute).accepted()
    assert read(campaigns).is_due


def test_the_numbers_of_new_entries_are_free_and_go_up() -> None:
    campaigns = make_varied_world()
    last = SpendLog.objects.order_by("id").values_list("id", flat=True).last() or 0
    free = read(campaigns).free_ids
    numbers = list(free.spend_logs)
    assert last < numbers[0] < numbers[1] < numbers[2]
    assert len(free.holds) == 2
    assert not Hold.objects.filter(id__gte=free.holds[0]).exists()
    assert add(campaigns[0], "0.1").accepted()["spend_log_id"] >= numbers[0]
