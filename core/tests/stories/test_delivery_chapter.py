"""The worked tables of docs/delivery.md, step by step, and their words read out of the page."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actions.brands import edit_brand
from core.actions.campaigns import pause_campaign, resume_campaign
from core.actions.delivery import reset_daily_spend
from core.enums import Reason
from core.queries.history import get_moment
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
from core.views.explain import explanation_document
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


@pytest.mark.django_db
def test_the_delivery_chapter_explains_each_instant_as_the_product_does_c17() -> None:
    brand = make_brand(daily_budget=Decimal(100))
    campaign = make_campaign(brand)
    report(campaign, "100", now=at("13:00"))
    report(campaign, "5", now=at("13:30"))
    pause_campaign(campaign.pk, caller=CALLER, now=at("14:00"))
    edit_brand(brand.pk, {"daily_budget": Decimal(200)}, caller=CALLER, now=at("14:30"))
    resume_campaign(campaign.pk, caller=CALLER, now=at("15:00"))

    chapter = (ROOT / "docs/delivery.md").read_text().partition("## Why was it paused at 14:05?")[2]
    told = re.findall(r"^\| (\d\d:\d\d) \| ((?:yes|no) .*) \|$", chapter, re.MULTILINE)
    assert len(told) == 5
    for time, row in told:
        document = explanation_document(get_moment(fresh(campaign), at(time), MIDNIGHT))
        assert row == explained(document), time


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"{TODAY}T{time}Z")


def explained(document: dict[str, Any]) -> str:
    """A row of the chapter's table, as the product would write it."""
    (budget,) = document["budgets"]
    transition = document["transition"]
    cells = [
        "yes" if document["is_active"] else "no",
        ", ".join(f"`{reason['code']}`" for reason in document["reasons"]),
        f"{budget['spent']} of {budget['budget']}",
        f"{transition['at'][11:16]} {transition['cause']}",
    ]
    return " | ".join(cells).replace("|  |", "| |")


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
