"""The worked table of docs/delivery.md, step by step, and its words read out of the page."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from core.actions.brands import edit_brand
from core.actions.delivery import reset_daily_spend
from core.enums import Reason
from core.tests.builders import (
    CALLER,
    NOON,
    TODAY,
    add,
    code_of,
    fresh,
    make_brand,
    make_campaign,
    report,
    spent,
)
from stack.checkout import ROOT

MIDNIGHT = NOON + timedelta(hours=12)


@pytest.mark.django_db
def test_the_worked_day_of_the_delivery_chapter_comes_out_as_written() -> None:
    brand = make_brand(daily_budget=Decimal(100))
    a, b = make_campaign(brand, daily_budget=Decimal(60)), make_campaign(brand)

    assert add(a, "50").accepted()["remaining"] == "10.00"
    refused = add(a, "20")
    assert code_of(refused) == "budget_exceeded"
    assert refused.refusal is not None
    assert refused.refusal.details["remaining"] == "10.00"
    assert add(a, "10").accepted()["is_active"] is False
    assert fresh(b).is_active

    assert add(b, "40").accepted()["remaining"] == "0.00"
    assert not fresh(b).is_active
    assert report(b, "5").accepted()["over_budget"] == "5.00"
    assert [spent(brand), spent(a), spent(b)] == [105, 60, 45]

    edit_brand(brand.pk, {"daily_budget": Decimal(200)}, caller=CALLER, now=NOON)
    assert fresh(b).is_active
    assert fresh(a).reasons == (Reason.CAMPAIGN_DAILY_BUDGET,)

    reset_daily_spend(caller=CALLER, now=MIDNIGHT)
    assert fresh(a).is_active
    assert spent(brand, starts_on=TODAY) == 105
    assert spent(brand, starts_on=MIDNIGHT.date()) == 0


def test_the_delivery_chapter_lists_the_reasons_in_the_order_in_which_they_bind_c14() -> None:
    page = (ROOT / "docs/delivery.md").read_text()
    table = page.partition("## Budgets")[0]
    named = [
        code
        for row in table.splitlines()
        if row.startswith("| `")
        for code in re.findall(r"`([a-z_]+)`", row.split("|")[1])
    ]
    assert named == [reason.value for reason in Reason]
