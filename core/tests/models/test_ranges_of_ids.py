"""Statements that go through ranges of ids are planned for that, and nothing else is (C26)."""

import pytest
from django.db import connection

from core.models.sql import ranges_of_ids

pytestmark = [
    pytest.mark.usefixtures("own_database"),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no such settings"),
]


NAMES = ["random_page_cost", "max_parallel_workers_per_gather", "jit"]


def plans() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [NAMES])
        return dict(cursor.fetchall())


def test_plans_are_for_ranges_within_the_block_alone() -> None:
    before = plans()
    with ranges_of_ids():
        within = plans()
    assert within == {
        "random_page_cost": "1.1",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
    }
    assert plans() == before != within


def test_plans_are_as_before_when_the_block_failed() -> None:
    before = plans()
    with pytest.raises(ZeroDivisionError), ranges_of_ids():
        raise ZeroDivisionError
    assert plans() == before
