"""The migrations are complete and go back and forth on a database of their own."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from core.models import SpendLog
from core.tests.builders import add, make_campaign


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
