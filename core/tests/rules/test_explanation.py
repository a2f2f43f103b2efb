"""A verdict is said in the same words and numbers everywhere (C14, C17)."""

from decimal import Decimal

import pytest

from core.enums import Reason
from core.rules.dayparts import weekly_schedule
from core.rules.explanation import (
    NEXT_STEPS,
    REASON_SENTENCES,
    describe_numbers,
    describe_obstacles,
)
from core.rules.verdict import Amounts, Facts, judge
from core.tests.rules.by_the_minute import window
from core.tests.rules.facts import NOON, TOTAL_OF, facts, with_budget
from core.tests.rules.zones import HOUR


def message(known: Facts) -> str:
    (described,) = describe_obstacles(judge(known, NOON).obstacles)
    text: str = described["message"]
    return text


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert list(REASON_SENTENCES) == list(Reason)
    assert len(set(REASON_SENTENCES.values())) == len(Reason)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (
            facts(brand_is_enabled=False),
            "The brand is switched off; enable the brand to run it.",
        ),
        (
            facts(is_enabled=False),
            "The campaign is switched off; resume the campaign to run it.",
        ),
        (
            facts(starts_at=NOON + HOUR),
            "The flight has not started; that ends at 2026-06-10T13:00:00Z.",
        ),
        (
            facts(ends_at=NOON),
            "The flight has ended; move the end of the flight to run it.",
        ),
        (
            facts(schedule=weekly_schedule([window("08:00", "10:00")])),
            "It is outside the campaign's schedule; that ends at 2026-06-11T08:00:00Z.",
        ),
        (
            with_budget(Reason.BRAND_DAILY_BUDGET, "5", "4.00032", "1"),
            "The brand's daily budget is used up (4.00032 spent and 1.00 held of 5.00);"
            " that ends at 2026-06-11T00:00:00Z.",
        ),
        (
            with_budget(Reason.BRAND_MONTHLY_BUDGET, "5", "5"),
            "The brand's monthly budget is used up (5.00 spent and 0.00 held of 5.00);"
            " that ends at 2026-07-01T00:00:00Z.",
        ),
        (
            with_budget(Reason.CAMPAIGN_DAILY_BUDGET, "0"),
            "The campaign's daily budget is used up (0.00 spent and 0.00 held of 0.00);"
            " raise the budget to run it.",
        ),
        (
            with_budget(Reason.CAMPAIGN_LIFETIME_BUDGET, "5", "7.5"),
            "The campaign's lifetime budget is used up (7.50 spent and 0.00 held of 5.00);"
            " raise the budget to run it.",
        ),
    ],
)
def test_a_reason_says_what_it_rests_on_and_what_ends_it(known: Facts, expected: str) -> None:
    assert message(known) == expected


def test_a_reason_that_no_time_ends_says_what_a_person_can_do() -> None:
    budgets = {reason for reason in Reason if reason.value.endswith("_budget")}
    waiting = {Reason.NOT_STARTED, Reason.OUTSIDE_SCHEDULE}
    assert set(NEXT_STEPS) == set(Reason) - budgets - waiting


def test_a_reason_carries_its_code_and_its_numbers_as_json_values_c17() -> None:
    known = with_budget(Reason.CAMPAIGN_MONTHLY_BUDGET, "5", "4", "1.5", is_enabled=False)
    disabled, used_up = describe_obstacles(judge(known, NOON).obstacles)
    assert disabled == {
        "code": "campaign_disabled",
        "message": "The campaign is switched off; resume the campaign to run it.",
        "ends_at": None,
    }
    assert used_up == {
        "code": "campaign_monthly_budget",
        "message": "The campaign's monthly budget is used up (4.00 spent and 1.50 held of 5.00);"
        " that ends at 2026-07-01T00:00:00Z.",
        "budget": "5.00",
        "spent": "4.00",
        "held": "1.50",
        "remaining": "0.00",
        "ends_at": "2026-07-01T00:00:00Z",
    }


def test_an_active_campaign_has_nothing_to_explain_and_all_its_numbers_c17() -> None:
    totals = {
        TOTAL_OF[Reason.BRAND_DAILY_BUDGET]: Amounts(Decimal("2.5"), Decimal(1)),
        TOTAL_OF[Reason.CAMPAIGN_LIFETIME_BUDGET]: Amounts(Decimal("0.000001")),
    }
    known = facts(totals, brand_daily_budget=Decimal(5), lifetime_budget=Decimal(7))
    verdict = judge(known, NOON)
    assert describe_obstacles(verdict.obstacles) == []
    assert describe_numbers(verdict) == [
        {
            "code": "brand_daily_budget",
            "budget": "5.00",
            "spent": "2.50",
            "held": "1.00",
            "remaining": "1.50",
        },
        {
            "code": "campaign_lifetime_budget",
            "budget": "7.00",
            "spent": "0.000001",
            "held": "0.00",
            "remaining": "6.999999",
        },
    ]
