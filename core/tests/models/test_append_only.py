"""The spend log is append-only: the database itself refuses any other change (C24)."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.models import SpendLog
from core.tests.builders import add, make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> SpendLog:
    campaign = make_campaign()
    add(campaign, "1.00")
    add(campaign, "2.00")
    return SpendLog.objects.earliest("id")


def save(entry: SpendLog) -> None:
    entry.amount = Decimal(9)
    entry.save()


def save_one_column(entry: SpendLog) -> None:
    entry.event_id = "changed"
    entry.save(update_fields=["event_id"])


def save_unchanged(entry: SpendLog) -> None:
    entry.save()


def update_all(_entry: SpendLog) -> None:
    SpendLog.objects.update(source="nobody")


def bulk_update(entry: SpendLog) -> None:
    entry.amount = Decimal(9)
    SpendLog.objects.bulk_update([entry], ["amount"])


def upsert(entry: SpendLog) -> None:
    entry.amount = Decimal(9)
    SpendLog.objects.bulk_create(
        [entry], update_conflicts=True, unique_fields=["id"], update_fields=["amount"]
    )


def delete(entry: SpendLog) -> None:
    entry.delete()


def delete_all(_entry: SpendLog) -> None:
    SpendLog.objects.all().delete()


def delete_raw(_entry: SpendLog) -> None:
    SpendLog.objects.all()._raw_delete("default")


def sql(statement: str) -> Callable[[SpendLog], None]:
    def execute(entry: SpendLog) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, [entry.pk] if "%s" in statement else None)

    return execute


CHANGES = {
    "save": save,
    "save one column": save_one_column,
    "save unchanged": save_unchanged,
    "update all": update_all,
    "bulk update": bulk_update,
    "upsert": upsert,
    "delete": delete,
    "delete all": delete_all,
    "delete raw": delete_raw,
    "UPDATE": sql("UPDATE core_spendlog SET amount = 1 WHERE id = %s"),
    "UPDATE of the key": sql("UPDATE core_spendlog SET id = id + 1000 WHERE id = %s"),
    "DELETE": sql("DELETE FROM core_spendlog WHERE id = %s"),
    "DELETE all": sql("DELETE FROM core_spendlog"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_no_way_of_changing_an_entry_is_let_through(name: str, entry: SpendLog) -> None:
    before = list(SpendLog.objects.order_by("id").values())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CHANGES[name](entry)
    assert list(SpendLog.objects.order_by("id").values()) == before


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no TRUNCATE")
def test_the_log_cannot_be_truncated(entry: SpendLog) -> None:
    # Deferred foreign keys would refuse it first, and only in this transaction.
    connection.check_constraints()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql("TRUNCATE core_spendlog CASCADE")(entry)
    assert SpendLog.objects.count() == 2


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own way of replacing a row")
def test_replacing_an_entry_is_refused(entry: SpendLog) -> None:
    replace = "INSERT OR REPLACE INTO core_spendlog SELECT * FROM core_spendlog WHERE id = %s"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(replace)(entry)
    assert SpendLog.objects.count() == 2


def test_new_entries_are_still_taken(entry: SpendLog) -> None:
    add(entry.campaign, "3.00")
    entry.pk = None
    entry._state.adding = True
    entry.save()
    amounts = SpendLog.objects.order_by("id").values_list("amount", flat=True)
    assert list(amounts) == [Decimal(1), Decimal(2), Decimal(3), Decimal(1)]


@pytest.mark.parametrize(
    "owners", [["core_campaign"], ["core_brand"], ["core_campaign", "core_brand"]]
)
def test_what_has_spend_is_never_deleted_even_if_nothing_else_is_left_of_it(
    owners: list[str], entry: SpendLog
) -> None:
    kept = {"core_spendlog", "core_brand", "core_campaign"}
    models = apps.get_app_config("core").get_models(include_auto_created=True)
    others = [table for model in models if (table := model._meta.db_table) not in kept]
    connection.check_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        empty([*others, *owners])


def empty(tables: list[str]) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")
    connection.check_constraints()
