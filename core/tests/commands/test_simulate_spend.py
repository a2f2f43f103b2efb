"""`simulate_spend` spends through the same admission as the API (C18) and says what came of it."""

import io
import re
from datetime import timedelta
from decimal import Decimal
from itertools import count
from random import Random

import pytest
from django.core.management import call_command
from django.db import connections

from core.actions.campaigns import archive_campaign, pause_campaign
from core.enums import SpendKind
from core.management.simulated_brands import SIMULATED_BRANDS
from core.models import Campaign, SpendLog
from core.rules.dayparts import Daypart
from core.tests.builders import (
    CALLER,
    NOON,
    add,
    everything_stored,
    fresh,
    make_brand,
    make_campaign,
    report,
    spent,
)
from core.tests.commands.running import run

ADDED = re.compile(r"Added spend ([1-9]\d?|100) to (.+)")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def amounts(printed: str) -> dict[str, int]:
    matches = [ADDED.fullmatch(line) for line in printed.splitlines()]
    return {match[2]: int(match[1]) for match in matches if match}


def test_it_prints_the_line_of_the_seed_for_every_active_campaign() -> None:
    make_campaign(name="Summer Sale")
    make_campaign(name="Winter Campaign")

    ran = run("simulate_spend")

    assert (ran.status, ran.err) == (0, "")
    assert list(amounts(ran.out)) == ["Summer Sale", "Winter Campaign"]
    assert len(ran.out.splitlines()) == 2


def test_what_it_prints_is_what_it_recorded() -> None:
    campaign = make_campaign()

    ran = run("simulate_spend")

    entry = SpendLog.objects.get()
    assert ran.out == f"Added spend {entry.amount:.0f} to {campaign.name}\n"
    assert (entry.kind, entry.source) == (SpendKind.ADD, "command:simulate_spend")
    assert entry.occurred_at == NOON
    assert spent(campaign) == entry.amount


@pytest.mark.parametrize("amount", [1, 45, 100])
def test_amounts_are_whole_units_from_1_to_100(amount: int) -> None:
    make_campaign(name="Summer Sale")
    seed = next(seed for seed in count() if Random(seed).randint(1, 100) == amount)

    ran = run("simulate_spend", "--seed", str(seed))

    assert ran.out == f"Added spend {amount} to Summer Sale\n"


def drawn(seed: str) -> dict[str, int]:
    return amounts(run("simulate_spend", "--seed", seed).out)


def test_a_seed_makes_it_repeatable() -> None:
    for number in range(8):
        make_campaign(name=f"Campaign {number}")

    assert drawn("7") == drawn("7")
    assert drawn("7") != drawn("8")
    assert len(drawn("7")) == 8


def test_paused_and_archived_campaigns_are_left_out() -> None:
    paused, archived = make_campaign(), make_campaign()
    make_campaign(name="Running")
    pause_campaign(paused.pk, caller=CALLER, now=NOON)
    archive_campaign(archived.pk, caller=CALLER, now=NOON)

    assert list(amounts(run("simulate_spend").out)) == ["Running"]


def test_without_an_active_campaign_it_says_so_and_succeeds() -> None:
    pause_campaign(make_campaign().pk, caller=CALLER, now=NOON)

    ran = run("simulate_spend")

    assert (ran.status, ran.out) == (0, "")
    assert "No campaign is active" in ran.err


def test_admission_judges_afresh_where_the_stored_flag_is_out_of_date() -> None:
    evening = Daypart((0, 1, 2, 3, 4, 5, 6), 20 * 60, 22 * 60)
    campaign = make_campaign(name="Late Show", schedule=[evening], now=NOON + timedelta(hours=9))
    assert fresh(campaign).is_active

    ran = run("simulate_spend")

    assert (ran.status, ran.out) == (1, "")
    assert "Late Show" in ran.err
    assert "outside_schedule" in ran.err
    assert not SpendLog.objects.exists()


def test_a_refusal_stops_no_other_campaign_and_shows_in_the_exit_status() -> None:
    poor = make_brand(daily_budget=Decimal("0.50"))
    make_campaign(poor, name="Poor")
    make_campaign(name="Rich")

    ran = run("simulate_spend")

    assert ran.status == 1
    assert list(amounts(ran.out)) == ["Rich"]
    assert "Refused spend" in ran.err
    assert " to Poor at 2026-06-10T12:00:00Z: " in ran.err
    assert "budget_exceeded" in ran.err
    assert "0.50 remains of the brand daily budget" in ran.err


def test_one_campaign_gets_the_amount_of_the_seed() -> None:
    campaign = make_campaign(name="Summer Sale")

    ran = run("simulate_spend", str(campaign.pk), "75.00")

    assert (ran.status, ran.out, ran.err) == (0, "Added spend 75.00 to Summer Sale\n", "")
    assert spent(campaign) == Decimal(75)
    assert SpendLog.objects.get().source == "command:simulate_spend"


@pytest.mark.parametrize(
    ("typed", "said"), [("75", "75.00"), ("0.5", "0.50"), ("0.000001", "0.000001")]
)
def test_an_amount_is_shown_by_the_rules_of_money(typed: str, said: str) -> None:
    campaign = make_campaign(name="X")

    assert run("simulate_spend", str(campaign.pk), typed).out == f"Added spend {said} to X\n"
    assert spent(campaign) == Decimal(typed)


def test_the_spend_that_fills_the_budget_pauses_the_campaigns_of_the_brand() -> None:
    brand = make_brand(daily_budget=Decimal(100))
    campaign, sibling = make_campaign(brand), make_campaign(brand)

    assert run("simulate_spend", str(campaign.pk), "100").status == 0

    assert not fresh(campaign).is_active
    assert not fresh(sibling).is_active


def test_a_refused_spend_says_when_why_and_what_helps() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(100)), name="Summer Sale")
    add(campaign, "40")

    ran = run("simulate_spend", str(campaign.pk), "60.01")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("Refused spend 60.01 to Summer Sale at 2026-06-10T12:00:00Z: ")
    assert "Spend would exceed budget limits [budget_exceeded]" in ran.err
    assert "60.00 remains of the brand daily budget; ask for at most that" in ran.err
    assert spent(campaign) == Decimal(40)


def test_a_campaign_that_is_not_active_gives_every_reason_and_its_end() -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(10)), lifetime_budget=Decimal(10))
    report(campaign, "10")
    pause_campaign(campaign.pk, caller=CALLER, now=NOON)

    ran = run("simulate_spend", str(campaign.pk), "1")

    assert ran.status == 1
    assert "Campaign is not active [campaign_not_active]" in ran.err
    assert "resume the campaign to run it" in ran.err
    assert "[brand_daily_budget]" in ran.err
    assert "that ends at 2026-06-11T00:00:00Z" in ran.err
    assert "raise the budget to run it. [campaign_lifetime_budget]" in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("campaign_id", "amount", "said"),
    [
        ("999999", "1", "campaign_id: no campaign has the id 999999"),
        ("Summer", "1", "campaign_id: must be a whole number"),
        ("0", "1", "campaign_id: must be a whole number"),
        ("-1", "1", "campaign_id: must be a whole number"),
        ("1" * 25, "1", "campaign_id: must be a whole number"),
        ("\u0661", "1", "campaign_id: must be a whole number"),
        ("{id}", "0", "amount: must be more than zero"),
        ("{id}", "0.00", "amount: must be more than zero"),
        ("{id}", "-5", "amount: has a sign"),
        ("{id}", "1e2", "amount: has an exponent"),
        ("{id}", "NaN", "amount: is not a finite number"),
        ("{id}", "1.0000001", "amount: has too many decimals"),
        ("{id}", "", "amount: is empty"),
    ],
)
def test_bad_arguments_are_named(campaign_id: str, amount: str, said: str) -> None:
    campaign = make_campaign()

    ran = run("simulate_spend", campaign_id.format(id=campaign.pk), amount)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not SpendLog.objects.exists()


def test_a_campaign_without_an_amount_is_asked_for_one() -> None:
    ran = run("simulate_spend", str(make_campaign().pk))

    assert ran.status == 2
    assert "amount: is missing" in ran.err


def test_an_archived_campaign_is_unknown() -> None:
    campaign = make_campaign()
    archive_campaign(campaign.pk, caller=CALLER, now=NOON)

    assert run("simulate_spend", str(campaign.pk), "1").status == 2


def test_a_name_never_breaks_the_line() -> None:
    campaign = make_campaign(name="x")
    Campaign.objects.filter(pk=campaign.pk).update(name="a\nAdded spend 1 to b\u202e\x1b[31m")

    ran = run("simulate_spend", str(campaign.pk), "1")

    assert ran.out == "Added spend 1.00 to a\\nAdded spend 1 to b\\u202e\\x1b[31m\n"


def test_a_name_that_the_terminal_can_not_show_is_escaped() -> None:
    campaign = make_campaign(name="Café ☕")
    raw = io.BytesIO()

    stdout = io.TextIOWrapper(raw, encoding="latin-1", write_through=True)

    call_command("simulate_spend", str(campaign.pk), "1", stdout=stdout)

    assert raw.getvalue() == "Added spend 1.00 to Café \\u2615\n".encode("latin-1")


def test_playing_days_leaves_the_database_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """More about `--days` in `test_simulate_days.py`; this one runs on PostgreSQL, too."""
    brands = "core.management.commands.simulate_spend.SIMULATED_BRANDS"
    monkeypatch.setattr(brands, SIMULATED_BRANDS[:1])
    add(make_campaign(make_brand(daily_budget=Decimal(10))), "9")
    before, connection = everything_stored(), connections["default"]

    ran = run("simulate_spend", "--days", "1", "--seed", "7")

    assert ran.status == 0
    assert "Hudson Outfitters" in ran.out
    assert everything_stored() == before
    assert connections["default"] is connection
