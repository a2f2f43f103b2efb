"""The client is one file for Python 3.10 without dependencies, and exact about what it sends."""

import ast
import itertools
import sys
import time
import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import budget_manager_client
import pytest
from budget_manager_client import BudgetManager, Entry, new_event_id

from core.tests.clients.scripted import ADDED, answers, scripted

SOURCE = Path(budget_manager_client.__file__).read_text()
TREE = ast.parse(SOURCE, feature_version=(3, 10))


def test_it_needs_nothing_but_the_standard_library() -> None:
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(TREE)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_its_functions_are_short_and_all_public_ones_say_what_they_do() -> None:
    functions = [node for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)]
    assert max((node.end_lineno or 0) - node.lineno for node in functions) < 50
    silent = [
        node.name for node in functions if node.name[0] != "_" and not ast.get_docstring(node)
    ]
    assert silent == []


def test_event_ids_are_uuids_of_version_7_that_grow_with_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instants = itertools.count(1_795_163_400_000_000_000, 1_000)
    monkeypatch.setattr(time, "time_ns", lambda: next(instants))
    made = [new_event_id() for _ in range(3_000)]
    assert made == sorted(set(made))
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}
    assert uuid.UUID(made[0]).int >> 80 == 1_795_163_400_000


@pytest.mark.parametrize(("amount", "sent"), [("0.50", "0.50"), (3, 3), (Decimal("1E+2"), "100")])
def test_an_amount_is_sent_as_it_is(amount: budget_manager_client.Money, sent: object) -> None:
    with scripted(answers(200, ADDED)) as (server, client, _):
        client.add(7, amount)
    assert server.bodies("amount") == [sent]


def test_floats_and_instants_without_a_zone_are_not_sent() -> None:
    with scripted() as (server, client, _):
        with pytest.raises(TypeError, match="not exact"):
            client.add(7, 0.1)  # type: ignore[arg-type]  # That is the point.
        with pytest.raises(TypeError, match="not exact"):
            client.batch([Entry("add", 0.1, 7)])  # type: ignore[arg-type]  # That, too.
        with pytest.raises(ValueError, match="time zone"):
            client.report(7, "1.00", occurred_at=datetime(2026, 11, 20))  # noqa: DTZ001 (refused)
    assert server.requests == []


@pytest.mark.parametrize("url", ["budget.example.com", "ftp://budget.example.com", "http://"])
def test_what_is_no_url_of_a_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="not the URL"):
        BudgetManager(url, "a key")
