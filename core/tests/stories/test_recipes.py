"""The programs of docs/recipes.md and of the client's own page, executed as they stand there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.models import Campaign, SpendLog
from core.tests.builders import fresh, make_brand, make_campaign
from core.tests.stories.web import web_server
from core.tests.views.api import make_token
from stack.checkout import ROOT

PAGE = ROOT / "docs/recipes.md"
CLIENTS_PAGE = ROOT / "clients/python/README.md"


@dataclass(frozen=True)
class Scene:
    """A campaign whose brand may spend 20.00 a day; it is about noon there."""

    campaign: Campaign
    today: date
    this_hour: datetime


@pytest.fixture
def scene(own_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The site is up, and the environment says how to get in."""
    now = timezone.now()
    brand = make_brand(now=now, daily_budget=Decimal(20), time_zone=f"Etc/GMT{now.hour - 12:+d}")
    campaign = make_campaign(brand, now=now)
    monkeypatch.setenv("BUDGET_MANAGER_KEY", make_token())
    with web_server(own_database) as server:
        monkeypatch.setenv("BUDGET_MANAGER_URL", server.url)
        this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        yield Scene(campaign, brand.calendar.budget_day(now).starts_on, this_hour)


def executed(page: Path) -> dict[str, Any]:
    """What the page's Python blocks define, one after the other."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    defined: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), defined)
    return defined


def spent(scene: Scene) -> Decimal:
    entries = SpendLog.objects.filter(campaign=scene.campaign)
    return sum((entry.amount for entry in entries), Decimal(0))


def test_a_bidder_spends_the_price_of_what_it_wins_and_nothing_else_c20(scene: Scene) -> None:
    recipe = executed(PAGE)
    campaign_id, bid = scene.campaign.pk, recipe["bid"]
    assert bid(campaign_id, "12.00", lambda highest: "0.32") == "0.32"
    assert bid(campaign_id, "12.00", lambda highest: None) is None
    assert spent(scene) == Decimal("0.32")

    def two_at_once(highest: str) -> str | None:
        price: str | None = bid(campaign_id, highest, lambda _: "1.00")
        return price

    assert bid(campaign_id, "12.00", two_at_once) is None
    with pytest.raises(ZeroDivisionError):
        bid(campaign_id, "12.00", lambda highest: 1 / 0)
    assert bid(campaign_id, "19.68", lambda highest: highest) == "19.68"
    assert bid(campaign_id, "0.01", lambda highest: highest) is None
    assert spent(scene) == 20


def test_a_bidder_reports_what_it_won_after_its_hold_had_ended_c19(scene: Scene) -> None:
    recipe = executed(PAGE)

    def slow(highest: str) -> str:
        hold_id = scene.campaign.holds.get().pk
        recipe["client"].release(hold_id)
        return "0.32"

    assert recipe["bid"](scene.campaign.pk, "12.00", slow) == "0.32"
    assert [entry.kind for entry in SpendLog.objects.all()] == ["report"]
    assert spent(scene) == Decimal("0.32")


def test_an_import_can_be_run_twice_and_names_the_lines_that_were_refused_c21_c23(
    scene: Scene, tmp_path: Path
) -> None:
    recipe = executed(PAGE)
    header = re.findall(r"^```csv\n(.*?)\n", PAGE.read_text(), re.MULTILINE)[0]
    hour, campaign_id = scene.this_hour.isoformat(), scene.campaign.pk
    old = (scene.this_hour - timedelta(hours=100)).isoformat()
    lines = [f"{hour},{campaign_id},12.34", f"{hour},999,1.00", f"{old},{campaign_id},5.00"]
    lines += [f"{hour},{campaign_id},0.00"]
    report = tmp_path / "report.csv"
    report.write_text("\n".join([header, *lines]))
    for _ in range(2):
        refused = recipe["import_hours"](report)
        assert [code for _, code in refused] == ["campaign_not_found", "invalid_input"]
        assert spent(scene) == Decimal("12.34")
    report.write_text(f"{header}\n{hour},{campaign_id},13.00\n")
    assert [code for _, code in recipe["import_hours"](report)] == ["event_id_reused"]


def test_a_reconciliation_reports_what_is_missing_and_refunds_what_is_too_much_c22(
    scene: Scene,
) -> None:
    recipe = executed(PAGE)
    campaign_id, hour = scene.campaign.pk, scene.this_hour
    earlier = hour - timedelta(hours=1)
    name = recipe["event_id_of"](campaign_id, hour)
    told = recipe["client"].report(campaign_id, "21.34", occurred_at=hour, event_id=name)
    recipe["client"].refund(told.spend_log_id, "1.00", reason="a person's")
    recipe["client"].report(campaign_id, "0.50", event_id="somebody else's")
    assert not fresh(scene.campaign).is_active
    # The platform changes its mind: down, up, down over two entries, up, back to nothing.
    for cost, other in (("10.00", 1), ("11.00", 1), ("9.50", 1), ("11.00", 2), ("0", 0)):
        platform = {hour: Decimal(cost), earlier: Decimal(other)}
        before = spent(scene)
        differences = recipe["reconcile"](campaign_id, scene.today, platform)
        assert spent(scene) == Decimal(cost) + other + Decimal("0.50")
        assert sum(differences.values()) == spent(scene) - before
        assert recipe["reconcile"](campaign_id, scene.today, platform) == {}
    assert fresh(scene.campaign).is_active


def test_the_clients_own_page_runs_as_it_stands(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    executed(CLIENTS_PAGE)
    assert capsys.readouterr().out == f"{scene.campaign.name} has 19.90 left\n"
