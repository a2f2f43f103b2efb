"""Stored reasons tell the same as the verdict about what time alone brings (C14)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.enums import Reason
from core.rules.dayparts import weekly_schedule
from core.rules.verdict import Amounts, judge
from core.rules.waiting import waits_for_time_alone
from core.tests.rules.by_the_minute import window
from core.tests.rules.facts import BRAND, CAMPAIGN, NOON, TOTAL_OF, facts
from core.tests.rules.zones import HOUR

limits = st.sampled_from([None, Decimal(0), Decimal(1), Decimal(5)])
schedules = st.sampled_from([[], [window("09:00", "10:00")], [window("11:00", "13:00")]])
sides = st.sampled_from([None, NOON - HOUR, NOON, NOON + HOUR])


@given(
    switches=st.tuples(st.booleans(), st.booleans()),
    budgets=st.fixed_dictionaries(dict.fromkeys(TOTAL_OF, limits)),
    spent=st.sampled_from([Decimal(0), Decimal(1), Decimal(9)]),
    schedule=schedules,
    flight=st.tuples(sides, sides),
)
def test_stored_reasons_wait_for_time_alone_just_as_their_verdict_does(
    switches: Any, budgets: Any, spent: Decimal, schedule: Any, flight: Any
) -> None:
    brand, campaign = {"is_enabled": switches[0]}, {"is_enabled": switches[1]}
    for reason, limit in budgets.items():
        owner, _, budget = reason.value.partition("_")
        (brand if owner == "brand" else campaign)[budget] = limit
    known = replace(
        facts({key: Amounts(spent) for key in TOTAL_OF.values()}),
        brand=replace(BRAND, **brand),
        campaign=replace(
            CAMPAIGN,
            **campaign,
            schedule=weekly_schedule(schedule),
            starts_at=flight[0],
            ends_at=flight[1],
        ),
    )
    verdict = judge(known, NOON)
    assert waits_for_time_alone(verdict.reasons, budgets) == verdict.waits_for_time_alone


def test_no_reason_is_left_out() -> None:
    passing = {r for r in Reason if waits_for_time_alone([r], dict.fromkeys(Reason, Decimal(1)))}
    assert set(Reason) - passing == {
        Reason.BRAND_DISABLED,
        Reason.CAMPAIGN_DISABLED,
        Reason.ENDED,
        Reason.CAMPAIGN_LIFETIME_BUDGET,
    }
    without_budget = {r for r in Reason if waits_for_time_alone([r], dict.fromkeys(Reason, None))}
    assert without_budget == {Reason.NOT_STARTED, Reason.OUTSIDE_SCHEDULE}
