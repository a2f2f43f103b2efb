"""An add asks first: admitted, logged, counted and judged together, or refused without a trace."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model, QuerySet

from core.actions.brands import edit_brand
from core.actions.ledger import Pending
from core.actions.spend import admit_batch
from core.actions.spend_answers import answer_of
from core.actions.spend_requests import SpendOutcome, SpendRequest
from core.enums import Cause, PeriodKind, Reason
from core.models import (
    Brand,
    BrandTotal,
    Campaign,
    CampaignTotal,
    EventAnswer,
    SpendLog,
    Transition,
)
from core.rules.admission import Decision
from core.rules.dayparts import Daypart
from core.rules.verdict import LIFETIME
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    code_of,
    crashing,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    report,
    spent,
    transitions_of,
)

THIS_MONTH = TODAY.replace(day=1)
MIDNIGHT = NOON + timedelta(hours=12)
A_MICRO, HOUR = timedelta(microseconds=1), timedelta(hours=1)
EVERY_DAY = tuple(range(7))

pytestmark = pytest.mark.django_db


def budgets_of(brand: Brand, **budgets: str) -> None:
    changes: Any = {name: Decimal(text) for name, text in budgets.items()}
    edit_brand(brand.pk, changes, caller=CALLER, now=NOON)


def test_an_admitted_add_is_answered_as_the_wire_promises_c18() -> None:
    brand = make_brand(daily_budget=Decimal(100))
    campaign = make_campaign(brand, name="Summer Sale", lifetime_budget=Decimal(40))
    add(campaign, "1.50")
    outcome = add(campaign, "30.00032", event_id="first")
    entry = SpendLog.objects.latest("id")
    assert outcome.accepted() == {
        "campaign_id": campaign.pk,
        "campaign_name": "Summer Sale",
        "amount": "30.00032",
        "new_daily_spend": "31.50032",
        "new_monthly_spend": "31.50032",
        "is_active": True,
        "event_id": "first",
        "spend_log_id": entry.pk,
        "remaining": "8.49968",
        "reasons": [],
    }
    assert not outcome.is_replay


def test_an_admitted_add_is_in_the_log_with_all_that_belongs_to_it_c24() -> None:
    campaign = make_campaign(make_brand(currency="EUR"))
    add(campaign, "0.000001", currency="EUR")
    entry = SpendLog.objects.get()
    columns = {field.attname: getattr(entry, field.attname) for field in entry._meta.fields}
    assert columns == {
        "id": entry.pk,
        "brand_id": campaign.brand_id,
        "campaign_id": campaign.pk,
        "kind": "add",
        "amount": Decimal("0.000001"),
        "over_budget": Decimal(0),
        "over_budget_cause": "",
        "currency": "EUR",
        "budget_day": TODAY,
        "occurred_at": NOON,
        "recorded_at": NOON,
        "event_id": "",
        "source": "test:ann",
        "refund_of_id": None,
        "refund_reason": None,
    }


def test_the_add_counts_in_day_month_and_lifetime_of_brand_and_campaign_c10() -> None:
    brand = make_brand()
    campaign, other = make_campaign(brand), make_campaign(brand)
    add(campaign, "2.50")
    add(other, "1.00")
    for period, starts_on in ((PeriodKind.DAY, TODAY), (PeriodKind.MONTH, THIS_MONTH)):
        assert spent(brand, period, starts_on) == Decimal("3.5")
        assert spent(campaign, period, starts_on) == Decimal("2.5")
    assert spent(campaign, PeriodKind.LIFETIME, LIFETIME.starts_on) == Decimal("2.5")
    day = BrandTotal.objects.get(brand=brand, period="day")
    assert (day.starts_at, day.ends_at) == (NOON - timedelta(hours=12), MIDNIGHT)
    assert (BrandTotal.objects.count(), CampaignTotal.objects.count()) == (2, 6)


# --- Filling a budget --------------------------------------------------------------------------


def test_the_spend_that_fills_the_budget_pauses_every_campaign_of_the_brand_c5_c16() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaigns = [make_campaign(brand) for _ in range(3)]
    paused = make_campaign(brand, is_enabled=False)
    elsewhere = make_campaign()
    add(campaigns[0], "4")
    outcome = add(campaigns[1], "6", now=NOON + A_MICRO)

    assert outcome.accepted()["is_active"] is False
    assert [fresh(campaign).reasons for campaign in campaigns] == [(Reason.BRAND_DAILY_BUDGET,)] * 3
    assert [fresh(campaign).next_change_at for campaign in campaigns] == [MIDNIGHT] * 3
    assert fresh(paused).reasons == (Reason.CAMPAIGN_DISABLED, Reason.BRAND_DAILY_BUDGET)
    assert fresh(elsewhere).is_active
    for campaign in campaigns:
        created, stopped = transitions_of(campaign)
        assert (created.is_active, created.cause) == (True, Cause.CREATED)
        assert (stopped.is_active, stopped.cause) == (False, Cause.SPEND)
    assert [len(transitions_of(campaign)) for campaign in (paused, elsewhere)] == [1, 1]


def test_the_transition_keeps_the_numbers_the_actor_and_the_instant_c17() -> None:
    brand = make_brand(daily_budget=Decimal(10), monthly_budget=Decimal(50))
    campaign = make_campaign(brand)
    later = NOON + timedelta(minutes=7)
    add(campaign, "10", now=later)
    transition = transitions_of(campaign)[-1]
    assert (transition.at, transition.recorded_at) == (later, later)
    assert transition.actor == "test:ann"
    assert transition.reasons == (Reason.BRAND_DAILY_BUDGET,)
    ten = {"spent": "10.00", "held": "0.00"}
    assert transition.numbers == [
        {"code": "brand_daily_budget", "budget": "10.00", "remaining": "0.00", **ten},
        {"code": "brand_monthly_budget", "budget": "50.00", "remaining": "40.00", **ten},
    ]
    assert fresh(campaign).status_since == later


def test_a_campaigns_own_budget_stops_that_campaign_alone_c4() -> None:
    brand = make_brand(daily_budget=Decimal(100))
    campaign = make_campaign(brand, monthly_budget=Decimal(10))
    other = make_campaign(brand)
    add(campaign, "10")
    assert fresh(campaign).reasons == (Reason.CAMPAIGN_MONTHLY_BUDGET,)
    assert fresh(other).is_active
    assert code_of(add(other, "90")) is None
    assert fresh(other).reasons == (Reason.BRAND_DAILY_BUDGET,)
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET, Reason.CAMPAIGN_MONTHLY_BUDGET)


def test_a_budget_is_spent_to_within_the_smallest_request_c7_c8() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(1)))
    outcomes = [code_of(add(campaign, "0.30")) for _ in range(5)]
    assert outcomes == [None, None, None, "budget_exceeded", "budget_exceeded"]
    assert [code_of(add(campaign, text)) for text in ("0.10", "0.000001")] == [
        None,
        "campaign_not_active",
    ]
    assert spent(campaign.brand) == 1


# --- Refusals ----------------------------------------------------------------------------------


def test_what_would_exceed_a_budget_is_refused_with_what_remains_c18() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)), lifetime_budget=Decimal(4))
    add(campaign, "1.5")
    before = everything_stored()
    refusal = add(campaign, "2.500001").refusal
    assert refusal is not None
    assert refusal.document() == {
        "error": "Spend would exceed budget limits",
        "code": "budget_exceeded",
        "fields": {"amount": "2.50 remains of the campaign lifetime budget; ask for at most that"},
        "budget": "campaign_lifetime_budget",
        "remaining": "2.50",
    }
    assert everything_stored() == before


def test_an_inactive_campaign_is_refused_with_every_reason_c18() -> None:
    brand = make_brand(is_enabled=False)
    campaign = make_campaign(brand, schedule=[Daypart(EVERY_DAY, 0, 60)])
    before = everything_stored()
    refusal = add(campaign, "1").refusal
    assert refusal is not None
    assert (refusal.code, refusal.message) == ("campaign_not_active", "Campaign is not active")
    codes = [reason["code"] for reason in refusal.details["reasons"]]
    assert codes == ["brand_disabled", "outside_schedule"]
    assert everything_stored() == before


@pytest.mark.parametrize(
    ("amount", "currency", "code"), [("1", "EUR", "invalid_input"), ("11", None, "budget_exceeded")]
)
def test_a_refused_add_writes_nothing_at_all(amount: str, currency: str | None, code: str) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    before = everything_stored()
    assert code_of(add(campaign, amount, currency=currency)) == code
    assert everything_stored() == before


def test_a_campaign_that_does_not_exist_is_not_found() -> None:
    gone = Campaign(pk=999_999)
    assert code_of(add(gone, "1")) == "campaign_not_found"


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_no_amount_that_is_not_positive_enters_the_log(amount: str) -> None:
    campaign = make_campaign()
    before = everything_stored()
    for spend in (add, report):
        refusal = spend(campaign, amount, event_id="a").refusal
        assert refusal is not None
        assert refusal.fields == {"amount": "must be more than zero"}
    assert everything_stored() == before


# --- Judged afresh, and now --------------------------------------------------------------------


def test_admission_never_trusts_the_stored_flag_c16() -> None:
    brand = make_brand(daily_budget=Decimal(10))
    campaign = make_campaign(brand)
    wrong = Campaign.objects.filter(pk=campaign.pk)
    wrong.update(is_active=False, reasons=(Reason.ENDED,))
    assert code_of(add(campaign, "10")) is None
    assert fresh(campaign).reasons == (Reason.BRAND_DAILY_BUDGET,)
    wrong.update(is_active=True, reasons=())
    assert code_of(add(campaign, "0.01")) == "campaign_not_active"


def test_a_new_day_has_its_whole_budget_without_any_job_c10() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    last_moment = MIDNIGHT - A_MICRO
    assert code_of(add(campaign, "10", now=last_moment)) is None
    assert code_of(add(campaign, "10", now=last_moment)) == "campaign_not_active"
    assert not fresh(campaign).is_active
    assert code_of(add(campaign, "10", now=MIDNIGHT)) is None
    assert spent(campaign, starts_on=TODAY) == spent(campaign, starts_on=MIDNIGHT.date()) == 10


def test_a_schedule_opens_and_closes_to_the_microsecond_without_any_job_c13() -> None:
    campaign = make_campaign(schedule=[Daypart(EVERY_DAY, 13 * 60, 14 * 60)])
    hour = timedelta(hours=1)
    instants = [NOON + hour - A_MICRO, NOON + hour, NOON + 2 * hour - A_MICRO, NOON + 2 * hour]
    outcomes = [code_of(add(campaign, "1", now=now)) for now in instants]
    assert outcomes == ["campaign_not_active", None, None, "campaign_not_active"]


def test_an_add_is_now_whatever_it_says_c11() -> None:
    campaign = make_campaign()
    outcome = add(campaign, "1", occurred_at=NOON - timedelta(hours=24))
    assert outcome.refusal is None
    assert SpendLog.objects.get().occurred_at == NOON
    assert spent(campaign) == 1


def test_who_waited_for_the_lock_with_an_older_instant_does_not_turn_back_history_c17() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)), now=NOON)
    add(campaign, "10", now=NOON - timedelta(seconds=2))
    created, stopped = transitions_of(campaign)
    assert stopped.at == created.at == NOON
    assert stopped.recorded_at == NOON - timedelta(seconds=2)
    assert fresh(campaign).status_since == NOON


# --- Together or not at all --------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [SpendLog, BrandTotal, CampaignTotal, EventAnswer, Transition],
    ids=lambda model: model.__name__,
)
@pytest.mark.parametrize("is_written", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_leaves_nothing_written_c18(
    model: type[Model], is_written: bool
) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    before = everything_stored()
    with (
        pytest.raises(RuntimeError, match="power"),
        crashing(model._meta.db_table, is_written=is_written),
    ):
        add(campaign, "10", event_id="first")
    assert everything_stored() == before


def test_a_crash_while_verdicts_are_stored_leaves_nothing_written_c16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)))
    before = everything_stored()

    def crash(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("the power went out")

    monkeypatch.setattr(QuerySet, "bulk_update", crash)
    with pytest.raises(RuntimeError, match="power"):
        add(campaign, "10")
    assert everything_stored() == before


@pytest.mark.parametrize("event_id", ["", "first"])
def test_an_answer_that_cannot_be_worded_is_never_admitted_twice_c21(
    event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, other = make_campaign(), make_campaign()

    def fail(pending: Pending, decision: Decision, name: str) -> dict[str, Any]:
        if name == campaign.name:
            raise RuntimeError("a bug")
        return answer_of(pending, decision, name)

    monkeypatch.setattr("core.actions.spend_sessions.answer_of", fail)
    requests = [
        SpendRequest(campaign.pk, Decimal(1), event_id=event_id),
        SpendRequest(other.pk, Decimal(2)),
    ]
    with pytest.raises(RuntimeError, match="a bug"):
        list(
            map(
                SpendOutcome.accepted,
                admit_batch(requests, caller=CALLER, now=NOON, late_limit=HOUR),
            )
        )
    # An event id keeps its answer: without one nothing is written that it would be repeated for.
    is_written = not event_id
    assert (spent(campaign), spent(other)) == (Decimal(is_written), Decimal(2 * is_written))
    assert SpendLog.objects.count() == 2 * is_written
