"""The migrations are complete and go back and forth on a database of their own."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from core.actions.brands import edit_brand
from core.actions.campaigns import archive_campaign
from core.models import BrandVersion, CampaignVersion, SpendLog
from core.queries.campaigns import map_campaign_counts
from core.queries.checks.verdicts import list_wrong_counts
from core.queries.verification import list_broken_promises
from core.rules.dayparts import Daypart
from core.tests.builders import CALLER, NOON, add, make_brand, make_campaign


def migrate(*target: str) -> None:
    call_command("migrate", *target, verbosity=0)


def triggers() -> set[str]:
    tables = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(tables[connection.vendor])
        return {name for (name,) in cursor.fetchall() if name.startswith("spend_log_refuses")}


@pytest.mark.django_db
def test_the_models_need_no_further_migration() -> None:
    call_command("makemigrations", "core", check=True, dry_run=True, verbosity=0)


@pytest.mark.usefixtures("own_database")
def test_the_triggers_go_with_their_migration_and_come_back_with_it_c24() -> None:
    before = triggers()
    assert before
    campaign = make_campaign()
    add(campaign, "1.00")

    migrate("core", "0001")
    assert triggers() == set()
    assert SpendLog.objects.update(source="changed") == 1

    migrate("core")
    assert triggers() == before
    with pytest.raises(DatabaseError, match="append-only"):
        SpendLog.objects.update(source="changed again")
    assert SpendLog.objects.get().source == "changed"


@pytest.mark.usefixtures("own_database")
def test_everything_can_be_unmade_and_made_again_from_nothing() -> None:
    migrate("core", "zero")
    assert not [name for name in connection.introspection.table_names() if name[:5] == "core_"]
    migrate("core")
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    add(make_campaign(), "1.00")
    assert SpendLog.objects.count() == 1


@pytest.mark.usefixtures("own_database")
def test_rows_that_are_older_than_versions_get_their_first_one_c17() -> None:
    brand = make_brand(daily_budget=Decimal("0.5"), time_zone="Europe/Berlin")
    schedule = [Daypart((4, 5), 1320, 120), Daypart((0,), 540, 1020)]
    make_campaign(brand, ends_at=NOON, lifetime_budget=Decimal(7), schedule=schedule)
    archive_campaign(make_campaign(brand).pk, caller=CALLER, now=NOON)
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON)
    expected = latest_settings()
    migrate("core", "0003")
    for versions in (BrandVersion.objects, CampaignVersion.objects):
        versions.all().delete()

    migrate("core")

    assert latest_settings() == expected
    migrate("core", "0003")
    migrate("core")
    assert latest_settings() == expected, "nothing is kept twice"
    edit_brand(brand.pk, {"time_zone": "Asia/Tokyo"}, caller=CALLER, now=NOON)
    assert BrandVersion.objects.count() == 1, "the settings are worded as the product words them"


@pytest.mark.usefixtures("own_database")
def test_campaigns_that_are_older_than_their_counts_are_counted() -> None:
    brand = make_brand(daily_budget=Decimal(5))
    make_campaign(brand, monthly_budget=Decimal(0))
    make_campaign(brand, is_enabled=False)
    archive_campaign(make_campaign(brand).pk, caller=CALLER, now=NOON)
    add(make_campaign(brand), "5.00")
    make_campaign()
    expected = map_campaign_counts()
    assert sorted(expected.values()) == [(1, 1, 0, 0), (3, 0, 3, 1)]
    migrate("core", "0004")
    migrate("core")
    assert map_campaign_counts() == expected
    assert list_broken_promises(NOON, [list_wrong_counts]) == []


@pytest.mark.usefixtures("own_database")
def test_no_index_of_the_log_begins_another_one() -> None:
    """Every entry pays for each of them."""

    def columns() -> list[list[str]]:
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, "core_spendlog")
        partial = {"spend_taken_back", "spend_refunds", "spend_over_budget"}
        return [
            facts["columns"]
            for name, facts in found.items()
            if (facts["index"] or facts["primary_key"]) and name not in partial
        ]

    def are_begun() -> list[list[str]]:
        every = columns()
        return [
            one for one in every for other in every if one != other and other[: len(one)] == one
        ]

    assert len(columns()) == 8
    assert are_begun() == []
    migrate("core", "0004")
    assert ["refund_of_id"] in columns()
    migrate("core")
    assert are_begun() == []


def latest_settings() -> list[tuple[int, int, Any]]:
    """By owner: the number of the latest version, and what it says."""
    of_brands = BrandVersion.objects.order_by("brand", "number")
    of_campaigns = CampaignVersion.objects.order_by("campaign", "number")
    brands = {row.brand_id: (row.brand_id, row.number, row.settings) for row in of_brands}
    campaigns = {
        row.campaign_id: (row.campaign_id, row.number, row.settings) for row in of_campaigns
    }
    return [*brands.values(), *campaigns.values()]
