"""`simulate_spend --days` plays days on a database of its own and names what promise was broken."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler

from core.actions import delivery
from core.actions.simulation import Simulation, play_simulation
from core.management import memory_database
from core.management.commands.simulate_spend import FIRST_DAY
from core.management.simulated_brands import SIMULATED_BRANDS
from core.models import Campaign
from core.queries.promises import Promise
from core.rules.money import format_money
from core.rules.verdict import judge
from core.tests.builders import make_brand
from core.tests.commands.running import Ran, run

# In its first day two holds of Hudson Outfitters are left to expire.
SEED_OF_FORGOTTEN_HOLDS = 53
ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db


def simulate(days: int, seed: int) -> Ran:
    return run("simulate_spend", "--days", str(days), "--seed", str(seed))


@pytest.fixture
def one_brand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play less where it doesn't matter what."""
    brands = "core.management.commands.simulate_spend.SIMULATED_BRANDS"
    monkeypatch.setattr(brands, SIMULATED_BRANDS[:1])


@cache
def two_days() -> Ran:
    return simulate(2, 7)


def tables(ran: Ran) -> list[list[str]]:
    """The lines of each table: first that of the brands, then one for each of them."""
    return [part.splitlines() for part in ran.out.strip().split("\n\n")]


def test_every_promise_is_kept() -> None:
    ran = two_days()

    assert ran.status == 0
    assert "Broken" not in ran.err
    assert "\r" not in ran.err, "a bar is for a terminal only"
    assert "requests in" in ran.err
    assert "a second" in ran.err


def test_the_same_seed_gives_the_same_table_byte_for_byte() -> None:
    assert simulate(2, 7).out == two_days().out


@pytest.mark.usefixtures("one_brand")
def test_another_seed_gives_another_table() -> None:
    assert simulate(1, 8).out != simulate(1, 7).out


def test_there_is_a_line_for_each_brand_and_one_for_each_of_its_days() -> None:
    brands, *days = tables(two_days())

    assert [line.partition("  ")[0] for line in brands[1:]] == [p.name for p in SIMULATED_BRANDS]
    assert "Hudson Outfitters  America/New_York  USD" in brands[1]
    assert [lines[0].partition(",")[0] for lines in days] == [p.name for p in SIMULATED_BRANDS]
    # Of New York two whole days, and the evening before them.
    assert [line.split()[1] for line in days[0][2:]] == ["2026-03-04", "2026-03-05", "2026-03-06"]


def test_the_chapter_shows_what_the_command_prints() -> None:
    chapter = (ROOT / "docs/commands.md").read_text()
    shown = chapter.partition("$ python manage.py simulate_spend --days 2 --seed 7\n")[2]
    first, last = shown.partition("```")[0].split("…\n\n")

    assert two_days().out.startswith(first)
    assert two_days().out.endswith(last)


def test_the_days_add_up_to_the_brand() -> None:
    brands, *days = tables(two_days())
    for brand, lines in zip(brands[1:], days, strict=True):
        spent, refused = (
            sum((Decimal(line.split()[column]) for line in lines[2:]), Decimal(0))
            for column in (2, 3)
        )
        assert spent > 0
        assert f"  {format_money(spent)}  " in brand
        assert f"  {refused}  " in brand


@pytest.mark.parametrize("where", ["a file", "elsewhere"])
def test_nothing_is_played_where_the_database_is_not_its_own(
    where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = str(tmp_path / "real.sqlite3") if where == "a file" else ":memory:"
    other = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": name}}
    monkeypatch.setattr(
        memory_database, "_new_connection", lambda: ConnectionHandler(other)["default"]
    )
    if where == "elsewhere":
        real = connections["default"]
        monkeypatch.setattr(memory_database, "connections", _Stubborn({"default": real}))

    ran = simulate(1, 7)

    assert (ran.status, ran.out) == (2, "")
    assert "no database of its own" in ran.err
    assert not Campaign.objects.exists()


class _Stubborn(dict[str, Any]):
    """Connections that nobody can replace."""

    def __setitem__(self, _alias: str, _connection: Any) -> None:
        pass


def test_a_simulation_is_not_played_beside_somebody_s_brand() -> None:
    make_brand()

    with pytest.raises(RuntimeError, match="empty database"):
        play_simulation(Simulation(SIMULATED_BRANDS, FIRST_DAY, 1, 7), on_day=lambda _day: None)


# --- A product that breaks a promise -------------------------------------------------------------


def switch_off(**_others: Any) -> delivery.Changes:
    Campaign.objects.update(is_enabled=False)
    return {}


@pytest.mark.usefixtures("one_brand")
@pytest.mark.parametrize(
    ("name", "broken", "promise"),
    [
        ("core.rules.counters.Limit.remaining", 10**15, Promise.ZERO_OVERSPEND),
        (
            "core.rules.admission.judge",
            lambda facts, at: replace(judge(facts, at), obstacles=()),
            Promise.FULL_DELIVERY,
        ),
        (
            "core.rules.admission.Admission._budget_refusal",
            lambda _admission, _entry: None,
            Promise.NO_SURPRISE,
        ),
        ("core.actions.catch_up.sum_expired_holds", lambda _brand, _now: [], Promise.HOLDS_END),
        (
            "core.actions.ledger.Ledger._collect_totals",
            lambda _ledger, _rows, _admission: None,
            Promise.TOTALS,
        ),
        (
            "core.actions.verdicts.take_over",
            lambda _campaign, _verdict, _change: (False, None),
            Promise.STORED_VERDICTS,
        ),
        ("core.actions.delivery.reset_daily_spend", switch_off, Promise.SWITCHES),
    ],
)
def test_a_broken_product_fails_and_the_promise_is_named(
    name: str, broken: Callable[..., Any], promise: Promise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name, broken)

    ran = simulate(1, SEED_OF_FORGOTTEN_HOLDS)

    assert ran.status == 1
    assert f": {promise}: " in ran.err
    assert ran.out.startswith("brand ")


# --- The command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--days", "0", "--seed", "7"], "--days: must be a whole number from 1 to 366"),
        (["--days", "367", "--seed", "7"], "--days: must be a whole number from 1 to 366"),
        (["--days", "month", "--seed", "7"], "--days: must be a whole number from 1 to 366"),
        (["--days", "2"], "--seed: is missing"),
        (["1", "75.00", "--days", "2"], "--days: is not for one campaign"),
        (["1", "75.00", "--days", "2", "--seed", "7"], "--seed: is not for one campaign"),
        (["1", "75.00", "--seed", "7"], "--seed: is not for one campaign"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], said: str) -> None:
    ran = run("simulate_spend", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("one_brand")
def test_a_terminal_sees_how_far_it_is() -> None:
    terminal = _Terminal()

    call_command("simulate_spend", "--days", "1", "--seed", "7", stdout=StringIO(), stderr=terminal)

    assert "\r\x1b[K" + "#" * 40 + " day 1 of 1" in terminal.getvalue()
