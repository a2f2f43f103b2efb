"""A batch gives the results of its entries one by one, in a fixed number of queries (C23)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.actions.caller import Caller
from core.actions.spend import MOST_BRANDS, admit_batch, admit_spends
from core.actions.spend_requests import (
    Asked,
    CaptureRequest,
    HoldRequest,
    RefundRequest,
    ReleaseRequest,
    Request,
    SpendOutcome,
)
from core.enums import Cause, PeriodKind, SpendKind
from core.models import Brand, Campaign, EventAnswer, SpendLog
from core.tests.builders import (
    CALLER,
    LATE_LIMIT,
    NOON,
    add,
    ask,
    code_of,
    crashing,
    everything_stored,
    hold,
    make_brand,
    make_campaign,
    spent,
    story,
    tell,
    transitions_of,
    undone,
)
from core.tests.depth import examples

pytestmark = pytest.mark.django_db


def batch(
    requests: Sequence[Request], *, caller: Caller = CALLER, now: datetime = NOON
) -> list[SpendOutcome]:
    return admit_batch(requests, caller=caller, now=now, late_limit=LATE_LIMIT)


def test_one_bad_entry_spoils_no_other_and_answers_keep_the_order() -> None:
    here = make_campaign(make_brand(daily_budget=Decimal(5)))
    there = make_campaign()
    outcomes = batch(
        [
            ask(there, "1"),
            ask(here, "6"),
            ask(Campaign(pk=999_999), "1"),
            ask(here, "2"),
            tell(there, "1", occurred_at=NOON - timedelta(days=9)),
            ask(here, "1", currency="EUR"),
            ask(here, "3"),
            ask(here, "1"),
            tell(here, "1"),
        ]
    )
    assert [code_of(outcome) for outcome in outcomes] == [
        None,
        "budget_exceeded",
        "campaign_not_found",
        None,
        "invalid_input",
        "invalid_input",
        None,
        "campaign_not_active",
        None,
    ]
    assert [outcome.answer and outcome.answer["new_daily_spend"] for outcome in outcomes] == [
        *("1.00", None, None, "2.00", None, None, "5.00", None, "6.00")
    ]
    assert [spent(here), spent(there)] == [6, 1]


def test_an_empty_batch_changes_nothing() -> None:
    before = everything_stored()
    assert batch([]) == []
    assert everything_stored() == before


def test_a_crash_in_one_brand_leaves_what_another_had_committed() -> None:
    here, there = make_campaign(), make_campaign()
    with crashing(SpendLog._meta.db_table, names="of the second"):
        outcomes = batch([ask(here, "1"), ask(there, "1", event_id="of the second")])
    assert [code_of(outcome) for outcome in outcomes] == [None, "database_unavailable"]
    assert [spent(here), spent(there)] == [1, 0]


def test_a_caller_limited_to_brands_can_only_spend_there_c29() -> None:
    mine, foreign = make_campaign(), make_campaign()
    limited = Caller("test:limited", frozenset({mine.brand_id}))
    before = spent(foreign)
    outcomes = batch([ask(mine, "1"), ask(foreign, "1"), tell(foreign, "1")], caller=limited)
    assert [code_of(outcome) for outcome in outcomes] == [
        None,
        "campaign_not_found",
        "campaign_not_found",
    ]
    assert spent(foreign) == before
    nobody = Caller("test:nobody", frozenset())
    assert code_of(batch([ask(mine, "1")], caller=nobody)[0]) == "campaign_not_found"


# --- Several callers together ------------------------------------------------------------------

ANN, BOB = Caller("test:ann"), Caller("test:bob")


def test_each_entry_is_its_own_callers_c21_c29() -> None:
    mine, foreign = make_campaign(), make_campaign()
    limited = Caller("test:limited", frozenset({mine.brand_id}))
    again = ask(mine, "1", event_id="a")
    asked = [
        Asked(again, ANN),
        Asked(ask(foreign, "1"), limited),
        Asked(again, BOB),
        Asked(replace(again, amount=Decimal(2)), limited),
        Asked(again, ANN),
        Asked(ask(foreign, "1", event_id="a"), Caller("test:other")),
        Asked(ask(foreign, "2", event_id="a"), BOB),
    ]
    outcomes = admit_spends(asked, now=NOON)
    assert [(code_of(outcome), outcome.is_replay) for outcome in outcomes] == [
        (None, False),
        ("campaign_not_found", False),
        (None, False),
        (None, False),
        (None, True),
        (None, False),
        ("event_id_reused", False),
    ]
    logged = SpendLog.objects.order_by("id").values_list("source", "campaign_id")
    assert sorted(logged) == [
        ("test:ann", mine.pk),
        ("test:bob", mine.pk),
        ("test:limited", mine.pk),
        ("test:other", foreign.pk),
    ]
    assert sorted(EventAnswer.objects.values_list("source", "event_id")) == [
        *(("test:ann", "a"), ("test:bob", "a"), ("test:limited", "a"), ("test:other", "a"))
    ]


def test_each_entry_is_as_late_as_its_own_caller_may_be_c11() -> None:
    late = tell(make_campaign(), "1", occurred_at=NOON - timedelta(hours=2))
    hours = [3, 1, 2]
    asked = [Asked(late, ANN, timedelta(hours=limit)) for limit in hours]
    outcomes = admit_spends(asked, now=NOON)
    assert [code_of(outcome) for outcome in outcomes] == [None, "invalid_input", None]
    assert outcomes[1].refusal is not None
    assert "1 hours ago" in str(outcomes[1].refusal.document())


def test_what_several_brought_about_is_put_down_to_the_last_who_was_admitted() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(5)))
    asked = [
        Asked(HoldRequest(campaign.pk, Decimal(3)), ANN),
        Asked(ask(campaign, "2"), BOB),
        Asked(ask(campaign, "1"), ANN),
    ]
    outcomes = admit_spends(asked, now=NOON)
    assert [code_of(outcome) for outcome in outcomes] == [None, None, "campaign_not_active"]
    paused = transitions_of(campaign)[-1]
    assert (paused.is_active, paused.actor, paused.cause) == (False, "test:bob", Cause.SPEND)


# --- Against one by one ------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A request by the place of its campaign, so that it can be drawn before there are any."""

    place: int
    deed: str
    amount: str
    event_id: str
    currency: str | None
    days_ago: int

    def request(self, world: "World") -> Request:
        """The same step as a request about this world's rows."""
        amount, event_id = Decimal(self.amount), self.event_id
        campaign = world.campaigns[self.place]
        match self.deed:
            case "hold":
                return HoldRequest(campaign.pk, amount, event_id=event_id)
            case "capture":
                return CaptureRequest(world.holds[self.place], amount, event_id)
            case "release":
                return ReleaseRequest(world.holds[self.place], event_id)
            case "refund":
                return RefundRequest(world.entries[self.place], amount, event_id=event_id)
        kind = SpendKind(self.deed)
        late = NOON - timedelta(days=self.days_ago)
        occurred_at = late if kind is SpendKind.REPORT and self.days_ago else None
        return ask(
            campaign,
            self.amount,
            kind=kind,
            event_id=event_id,
            currency=self.currency,
            occurred_at=occurred_at,
        )


steps = st.builds(
    Step,
    place=st.integers(0, 2),
    deed=st.sampled_from(["add", "add", "report", "hold", "capture", "release", "refund"]),
    amount=st.sampled_from(["0.50", "1.00", "2.00", "3.00"]),
    event_id=st.sampled_from(["", "", "a", "b", "c"]),
    currency=st.sampled_from([None, None, None, "USD", "EUR"]),
    days_ago=st.sampled_from([0, 0, 1, 9]),
)


def step(deed: str, amount: str, event_id: str = "") -> Step:
    return Step(0, deed, amount, event_id, None, 0)


# What few drawn sequences come to, so that none of the refusals is left to chance.
RARE = [
    *([step("refund", "3.00")] * 3 + [step("release", "1.00")] * 2),
    *(step("add", amount) for amount in ("2.00", "3.00", "3.00")),
    *(step("report", amount, "a") for amount in ("0.50", "1.00")),
]


def told(outcomes: list[SpendOutcome]) -> list[Any]:
    """The outcomes, with entries of the log and holds named by their order."""
    ids: dict[tuple[str, int], int] = {}

    def renamed(answer: dict[str, Any]) -> dict[str, Any]:
        rows = [(name, answer[name]) for name in ("spend_log_id", "hold_id") if name in answer]
        return answer | {row[0]: ids.setdefault(row, len(ids)) for row in rows}

    return [
        (outcome.refusal.document() if outcome.refusal else renamed(outcome.accepted()), replay)
        for outcome in outcomes
        for replay in [outcome.is_replay]
    ]


@dataclass(frozen=True)
class World:
    """Three campaigns, each with an entry of the log; two open holds, one expired."""

    campaigns: list[Campaign]
    holds: list[int]
    entries: list[int]


def make_small_world() -> World:
    return make_world([make_brand(daily_budget=Decimal(12), monthly_budget=Decimal(14))] * 3)


def make_world(brands: Sequence[Brand]) -> World:
    campaigns = [
        make_campaign(brands[0]),
        make_campaign(brands[1], lifetime_budget=Decimal(5)),
        make_campaign(brands[2], daily_budget=Decimal(4)),
    ]
    lasting = [timedelta(hours=1), timedelta(hours=1), timedelta(minutes=9)]
    before = NOON - timedelta(minutes=10)
    holds = [
        hold(campaign, "1.50", now=before, duration=duration).accepted()["hold_id"]
        for campaign, duration in zip(campaigns, lasting, strict=True)
    ]
    entries = [add(each, "1.50", now=before).accepted()["spend_log_id"] for each in campaigns]
    return World(campaigns, holds, entries)


def test_a_batch_is_answered_and_stored_as_its_entries_one_by_one() -> None:
    compare_with_one_by_one(make_small_world())


def test_a_batch_over_many_brands_is_answered_and_stored_as_its_entries_one_by_one() -> None:
    brands = [
        make_brand(time_zone="Asia/Tokyo", daily_budget=Decimal(4), monthly_budget=Decimal(6)),
        make_brand(monthly_budget=Decimal(5)),
        make_brand(time_zone="America/Los_Angeles"),
    ]
    compare_with_one_by_one(make_world(brands))


def compare_with_one_by_one(world: "World") -> None:
    seen: set[str | None] = set()

    @settings(max_examples=examples(80, deep=400))
    @given(st.lists(steps, min_size=2, max_size=10))
    @example(RARE)
    def compare(sequence: list[Step]) -> None:
        requests = [step.request(world) for step in sequence]
        with undone():
            outcomes = [batch([request])[0] for request in requests]
            one_by_one, stored_one_by_one = told(outcomes), plain_story()
        seen.update(code_of(outcome) for outcome in outcomes)
        with undone():
            assert told(batch(requests)) == one_by_one
            assert plain_story() == stored_one_by_one

    compare()
    assert seen >= {None, "budget_exceeded", "hold_ended", "refund_above_entry", "event_id_reused"}


def plain_story() -> dict[str, list[dict[str, Any]]]:
    """What is stored, but for transitions: a batch is one commit, so one change where several were.

    What they lead to stands on the campaigns.
    """
    kept = story()
    del kept["Transition"]
    return kept


# --- Cost --------------------------------------------------------------------------------------


def make_crowd(count: int) -> tuple[Brand, list[Campaign]]:
    brand = make_brand(daily_budget=Decimal(1_000_000))
    return brand, [make_campaign(brand) for _ in range(count)]


def queries_of(requests: Sequence[Request]) -> int:
    with CaptureQueriesContext(connection) as queries, undone():
        assert all(outcome.refusal is None for outcome in batch(requests))
    around = ("SAVEPOINT", "RELEASE", "ROLLBACK")
    return sum(not query["sql"].startswith(around) for query in queries)


def test_a_hundred_entries_over_twenty_campaigns_cost_the_queries_of_one() -> None:
    _, campaigns = make_crowd(20)
    hundred = [ask(campaigns[n % 20], "1", event_id=f"event {n}") for n in range(100)]
    one, many = queries_of(hundred[:1]), queries_of(hundred)
    # Whose brand; its lock; what is due, campaigns, totals, answers; log, two totals, answers.
    assert one == many == 10


def test_many_brands_cost_the_queries_of_two() -> None:
    crowd = [ask(make_campaign(), "1", event_id=f"event {n}") for n in range(MOST_BRANDS + 2)]
    two, most = queries_of(crowd[:2]), queries_of(crowd[:MOST_BRANDS])
    # Two more share the next transaction; they needn't be looked up again.
    assert two == most == 10
    assert queries_of(crowd) == 2 * most - 1


def test_brands_share_a_transaction_unless_one_needs_more() -> None:
    plain, due, turning = make_campaign(), make_campaign(), make_campaign(make_brand())
    Campaign.objects.filter(pk=due.pk).update(next_change_at=NOON)
    Brand.objects.filter(pk=turning.brand_id).update(daily_budget=Decimal(1))
    with CaptureQueriesContext(connection) as queries:
        outcomes = batch([ask(each, "1") for each in (due, plain, turning)])
    assert [code_of(outcome) for outcome in outcomes] == [None] * 3
    logs = [each for each in queries if "INSERT INTO core_spendlog" in each["sql"]]
    assert len(logs) == 3
    assert [spent(each) for each in (due, plain, turning)] == [1, 1, 1]
    assert transitions_of(turning)[-1].cause == Cause.SPEND
    assert SpendLog.objects.order_by("id")[0].campaign_id == plain.pk


def test_a_batch_may_have_a_thousand_entries_with_a_thousand_ids() -> None:
    _, campaigns = make_crowd(50)
    thousand = [ask(campaigns[n % 50], "1", event_id=f"event {n}") for n in range(1_000)]
    assert not any(outcome.refusal or outcome.is_replay for outcome in batch(thousand))
    assert all(outcome.is_replay for outcome in batch(thousand))
    assert SpendLog.objects.count() == spent(campaigns[0].brand) == 1_000


def test_filling_the_budget_of_many_campaigns_costs_the_queries_of_few() -> None:
    counts = []
    for size in (2, 60):
        brand, campaigns = make_crowd(size)
        Brand.objects.filter(pk=brand.pk).update(daily_budget=Decimal(1))
        counts.append(queries_of([ask(campaigns[0], "1")]))
    assert counts[0] == counts[1]


def test_one_add_costs_the_same_however_long_the_log_is() -> None:
    campaign = make_campaign()
    first = queries_of([ask(campaign, "1")])
    for number in range(20):
        add(campaign, "1", now=NOON - timedelta(days=number))
    assert queries_of([ask(campaign, "1")]) == first
    assert spent(campaign, PeriodKind.MONTH, NOON.date().replace(day=1)) == 10
