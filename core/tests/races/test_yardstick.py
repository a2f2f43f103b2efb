"""The outside yardstick, measured; docs/reliability.md says which of it applies to us and why."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest

from core.actions.caller import Caller
from core.actions.spend import add_spend, admit_batch
from core.actions.spend_requests import Request, SpendOutcome, SpendRequest
from core.enums import PeriodKind
from core.models import BrandTotal, CampaignTotal, SpendLog
from core.rules.money import format_money
from core.tests.builders import add, code_of, everything_stored, make_brand, make_campaign, refund
from core.tests.conftest import OwnDatabases
from core.tests.races import mutants
from core.tests.races.audit import demand_totals_are_the_log
from core.tests.races.field import PRODUCT, Deeds
from core.tests.races.promises import Promise, demand_caught
from core.tests.races.yardstick import (
    A_MICRO,
    a_drain_stops_at_zero,
    duplicates_at_once_are_one,
    duplicates_of_a_refusal_are_refused,
    each_entry_follows_the_one_before,
    no_credit_is_lost,
    spent_by,
    totals_are_rebuilt_from_the_log,
    transfers_conserve_value,
)

Measure = Callable[[Deeds], None]
SMALL_MOVES = 1_000


def refund_left_out(
    requests: Sequence[Request], *, caller: Caller, now: datetime, late_limit: timedelta
) -> list[SpendOutcome]:
    """Money arrives, and is still where it came from."""
    return admit_batch(requests[1:], caller=caller, now=now, late_limit=late_limit)


def total_read_before_the_lock(
    request: SpendRequest, *, caller: Caller, now: datetime
) -> SpendOutcome:
    """The answer reckons with a total that others have moved since."""
    total = spent_by(request.campaign_id) + request.amount
    outcome = add_spend(request, caller=caller, now=now)
    return SpendOutcome({**outcome.accepted(), "new_daily_spend": format_money(total)})


# Each with a broken deed that it has to notice, and as what.
MEASURES: dict[str, tuple[Measure, Deeds, Promise]] = {
    "INV-05": (
        duplicates_at_once_are_one,
        Deeds(add_spend=mutants.event_id_checked_then_inserted),
        Promise.ONE_ANSWER,
    ),
    "INV-06": (
        no_credit_is_lost,
        Deeds(add_spend=mutants.read_then_save),
        Promise.TOTALS_ARE_THE_LOG,
    ),
    "INV-07": (
        transfers_conserve_value,
        Deeds(admit_batch=refund_left_out),
        Promise.TOTALS_ARE_THE_LOG,
    ),
    "INV-09": (
        a_drain_stops_at_zero,
        Deeds(add_spend=mutants.check_then_increment),
        Promise.ZERO_OVERSPEND,
    ),
    "INV-13": (
        totals_are_rebuilt_from_the_log,
        Deeds(add_spend=mutants.read_then_save),
        Promise.TOTALS_ARE_THE_LOG,
    ),
    "INV-14": (
        each_entry_follows_the_one_before,
        Deeds(add_spend=total_read_before_the_lock),
        Promise.TOTALS_ARE_THE_LOG,
    ),
    "INV-15": (
        duplicates_of_a_refusal_are_refused,
        Deeds(add_spend=mutants.refusal_forgotten),
        Promise.ONE_ANSWER,
    ),
}


@pytest.mark.xdist_group("races")
@pytest.mark.parametrize("name", MEASURES)
def test_the_product_holds_it_under_concurrency_c7_c21_c25(name: str, own_database: str) -> None:
    measure, _, _ = MEASURES[name]
    measure(PRODUCT)


@pytest.mark.xdist_group("races")
@pytest.mark.parametrize("name", MEASURES)
def test_a_broken_product_does_not(name: str, own_databases: OwnDatabases) -> None:
    measure, broken, promise = MEASURES[name]
    demand_caught(promise, partial(measure, broken), own_databases)


# --- What one caller alone shows -------------------------------------------------------------


@pytest.mark.django_db
def test_every_entry_moves_each_of_its_totals_by_its_amount_inv_01() -> None:
    campaign = make_campaign()
    spend = add(campaign, "40")
    refund(spend, "15")
    moved = [*BrandTotal.objects.all(), *CampaignTotal.objects.all()]
    assert [total.spent for total in moved] == [25] * 5
    assert {total.period for total in moved} == set(PeriodKind)


@pytest.mark.django_db
def test_what_is_in_the_log_stays_as_it_is_inv_02_inv_12() -> None:
    campaign = make_campaign()
    spend = add(campaign, "30")
    before = everything_stored()["SpendLog"]
    refund(spend, "30")
    after = everything_stored()["SpendLog"]
    assert (after[:1], len(after)) == (before, 2)
    assert spent_by(campaign.pk) == 0


@pytest.mark.django_db
def test_a_duplicate_is_a_no_op_and_says_so_inv_04() -> None:
    campaign = make_campaign()
    first = add(campaign, "25", event_id="dup")
    again = add(campaign, "25", event_id="dup")
    assert (again.is_replay, again.answer) == (True, first.answer)
    assert SpendLog.objects.count() == 1
    assert spent_by(campaign.pk) == 25


@pytest.mark.django_db
def test_a_thousand_of_the_smallest_moves_add_up_to_a_thousand_inv_10() -> None:
    campaign = make_campaign(make_brand(daily_budget=SMALL_MOVES * A_MICRO))
    for _ in range(SMALL_MOVES):
        add(campaign, str(A_MICRO)).accepted()
    assert spent_by(campaign.pk) == SMALL_MOVES * A_MICRO
    assert code_of(add(campaign, str(A_MICRO))) == "campaign_not_active"
    demand_totals_are_the_log()


@pytest.mark.django_db
def test_currencies_are_not_mixed_inv_11() -> None:
    campaign = make_campaign(make_brand(currency="USD"))
    before = everything_stored()
    assert code_of(add(campaign, "10", currency="EUR")) == "invalid_input"
    assert everything_stored() == before
