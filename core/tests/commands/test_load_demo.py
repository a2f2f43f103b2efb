"""`load_demo` loads brands one can believe, once, and makes a way in."""

import json
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from core.actions import delivery
from core.actions.demo import load_demo, renew_demo_access
from core.enums import Scope
from core.management.demo_brands import DEMO_BRANDS, HUDSON
from core.models import ApiKey, Brand, BrandTotal, Campaign, SpendLog
from core.tests.builders import (
    CALLER,
    everything_stored,
    find_api_key,
    fresh,
    make_brand,
    make_campaign,
    report,
    undone,
)
from core.tests.commands.running import run

# A Friday; in New York it is night, in Berlin morning, in Tokyo evening.
NOW = datetime(2026, 11, 20, 9, 38, 12, 345, tzinfo=UTC)
URL = "http://127.0.0.1:8123"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short_demo(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Stop the clock, and play one day only; `test_demo_history.py` looks at all of them."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    monkeypatch.setattr("core.actions.demo.DAYS_OF_HISTORY", 1)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def load(at: datetime = NOW) -> int | None:
    return load_demo(DEMO_BRANDS, now=at, on_day=lambda _day: None)


def access_in(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),  # the clocks of New York have just gone back
        datetime(2026, 3, 29, 22, 30, tzinfo=UTC),  # and forward in Berlin, where it is Monday
        datetime(2026, 7, 1, 0, 0, tzinfo=UTC),  # a month begins
    ],
)
def test_it_loads_at_the_awkward_hours_too(at: datetime) -> None:
    assert load(at)

    brand = Brand.objects.get(name="Alpenglow Coffee")
    assert not Campaign.objects.filter(brand=brand, is_active=True).exists()
    assert Campaign.objects.get(name="Summer Sale").is_active
    assert set(delivery.check_budgets(caller=CALLER, now=at).values()) == {0}
    assert not SpendLog.objects.filter(recorded_at__gt=at).exists()


def test_the_same_date_gives_the_same_demo() -> None:
    def load_and_look() -> list[tuple[object, ...]]:
        load()
        columns = ("campaign__name", "amount", "occurred_at", "over_budget")
        return list(SpendLog.objects.order_by("id").values_list(*columns))

    with undone():
        first = load_and_look()
    assert load_and_look() == first != []


# --- What is left alone ----------------------------------------------------------------------


def test_it_loads_nothing_twice() -> None:
    load()
    before = everything_stored()

    ran = run("load_demo")

    assert ran.status == 0
    assert "nothing was loaded" in ran.out
    assert everything_stored() == before
    assert not ApiKey.objects.exists()


def test_brands_of_other_people_are_left_alone() -> None:
    """Playing the past must not judge a real brand as of that past."""
    before_history = NOW - timedelta(days=20)
    brand = make_brand(now=before_history, daily_budget=Decimal(5))
    campaign = make_campaign(
        brand, now=before_history, starts_at=before_history + timedelta(days=10)
    )
    report(campaign, "5", now=before_history)
    before = everything_stored()["Transition"], fresh(campaign).next_change_at

    load()

    after = [row for row in everything_stored()["Transition"] if row["campaign_id"] == campaign.pk]
    assert (after, fresh(campaign).next_change_at) == before
    assert not BrandTotal.objects.filter(brand=brand).exclude(closed_at=None).exists()


def test_it_loads_everything_or_nothing() -> None:
    def stop_on_day_1(day: int) -> None:
        if day == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_demo(DEMO_BRANDS, now=NOW, on_day=stop_on_day_1)

    assert not Brand.objects.exists()


# --- The way in ------------------------------------------------------------------------------


def test_the_way_in_is_kept_in_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    load()
    path = tmp_path / "var" / "demo.json"

    ran = run("load_demo", "--credentials", str(path), "--url", URL)

    assert ran.status == 0
    access = access_in(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert access["url"] == URL
    assert access["admin_password"] not in ran.out
    assert access["api_key"] not in ran.out
    admin = User.objects.get(username=access["admin_user"])
    assert admin.is_superuser
    assert admin.is_staff
    assert admin.check_password(access["admin_password"])
    assert access["admin_user"] == "admin"
    key = find_api_key(access["api_key"], NOW)
    assert key is not None
    assert (key.name, set(key.scopes)) == ("demo", set(Scope))
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    load()
    path = tmp_path / "demo.json"
    run("load_demo", "--credentials", str(path))
    before = path.read_text()

    assert run("load_demo", "--credentials", str(path)).status == 0

    assert path.read_text() == before
    assert ApiKey.objects.count() == 1


def test_a_lost_file_is_written_again_with_a_new_password_and_key(tmp_path: Path) -> None:
    load()
    path = tmp_path / "demo.json"
    run("load_demo", "--credentials", str(path))
    lost = access_in(path)
    path.unlink()

    run("load_demo", "--credentials", str(path))

    access = access_in(path)
    assert User.objects.get().check_password(access["admin_password"])
    assert find_api_key(access["api_key"], NOW) is not None
    assert find_api_key(lost["api_key"], NOW) is None
    assert lost["admin_password"] != access["admin_password"]


def test_a_person_called_admin_keeps_their_password() -> None:
    person = User.objects.create_user("admin", "ann@example.com", "her own password")

    access = renew_demo_access(now=NOW)

    assert access.admin_user == "demo-admin"
    person.refresh_from_db()
    assert person.check_password("her own password")
    assert not person.is_superuser
    assert renew_demo_access(now=NOW).admin_user == "demo-admin"


def test_a_path_that_can_not_be_written_is_named_and_can_be_tried_again(tmp_path: Path) -> None:
    load()
    (tmp_path / "file").write_text("in the way")

    ran = run("load_demo", "--credentials", str(tmp_path / "file" / "demo.json"))

    assert ran.status == 2
    assert "--credentials: can't write" in ran.err
    assert run("load_demo", "--credentials", str(tmp_path / "demo.json")).status == 0
    assert find_api_key(access_in(tmp_path / "demo.json")["api_key"], NOW) is not None


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_can_not(tmp_path: Path) -> None:
    """The first load writes the file even where one from another database lies about."""
    path = tmp_path / "demo.json"
    path.write_text("{}")
    path.chmod(0o644)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.management.commands.load_demo.DEMO_BRANDS", [HUDSON])
        run("load_demo", "--credentials", str(path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert find_api_key(access_in(path)["api_key"], NOW) is not None
