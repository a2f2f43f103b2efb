"""The audit finds every violation that is planted in a played run, and nothing else (C7, C8)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection as ordinary

from chaos.audit import server
from chaos.audit.folder import Settled
from core.tests.chaos import planted_answers, planted_books
from core.tests.chaos.forged import NOW, Forger
from core.tests.chaos.planting import Plant
from core.tests.chaos.played import Run, play
from core.tests.conftest import OwnDatabases
from core.tests.views.api import Clock, Json
from core.tests.views.conftest import MONDAY_MORNING
from stack.checkout import ROOT

PLANTS = [*planted_books.PLANTS, *planted_answers.PLANTS]

pytestmark = pytest.mark.skipif(
    ordinary.vendor == "sqlite", reason="the rig attacks, and the audit reads, PostgreSQL"
)


@pytest.fixture(scope="module")
def run(own_databases: OwnDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Played once for all tests, which change nothing for good."""
    with own_databases() as url, pytest.MonkeyPatch.context() as patch:
        with psycopg.connect(url) as connection:
            if connection.execute("SHOW track_commit_timestamp").fetchone() != ("on",):
                pytest.skip("this PostgreSQL doesn't keep when transactions were committed")
        patch.setattr("core.queries.clock.has_server", lambda: False)
        yield play(tmp_path_factory.mktemp("run"), url, Clock(patch, MONDAY_MORNING))


@pytest.fixture
def forger(run: Run, tmp_path: Path) -> Iterator[Forger]:
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    with (
        psycopg.connect(run.database_url) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield Forger(run, folder, connection)


def test_a_clean_run_has_only_zeros_and_everything_was_looked_at(forger: Forger) -> None:
    rows = forger.rows()
    assert {row.question.name: row.examples for row in rows if row.count} == {}
    assert [row.question.name for row in rows if not row.checked] == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_violation_is_found_by_its_row_and_by_no_other(
    forger: Forger, plant: Plant
) -> None:
    plant.put_into(forger)
    rows = forger.rows()
    broken = {row.question.name: row.examples for row in rows if row.count}
    assert set(broken) == {plant.row}, broken
    assert all(broken.values())


def test_every_row_has_a_violation_planted(forger: Forger) -> None:
    assert {row.question.name for row in forger.rows()} == {plant.row for plant in PLANTS}


def test_the_command_prints_the_table_keeps_the_json_and_tells_by_its_status(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    clean = command(run, folder)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "Nothing is broken." in clean.stdout
    document = json.loads((folder / "audit.json").read_text())
    assert document["clean"] is True
    assert all(row["title"] in clean.stdout for row in document["rows"])

    (folder / "logs" / "postgres.log").write_text("ERROR:  deadlock detected\n")
    broken = command(run, folder)
    assert broken.returncode == 1
    assert "Something is broken." in broken.stdout
    document = json.loads((folder / "audit.json").read_text())
    assert [row["name"] for row in document["rows"] if row["count"]] == ["deadlocks"]
    assert document["clean"] is False


def test_a_folder_that_is_none_is_no_verdict(run: Run, tmp_path: Path) -> None:
    assert command(run, tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("told", "status", "count"),
    [
        ({"found": 0, "broken": [], "is_sound": True}, 0, 0),
        ({"found": 2, "broken": [{"promise": "p", "facts": "f"}], "is_sound": False}, 1, 2),
        ({"found": 0, "broken": [], "is_sound": False}, 0, 1),
        ({"found": 0, "broken": [], "is_sound": True}, 2, 1),
        ("a traceback", 1, 1),
    ],
)
def test_what_the_product_says_of_its_own_books_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Json | str, status: int, count: int
) -> None:
    counted = {"checked": {"totals": 3, "holds": 4}}
    words = told if isinstance(told, str) else json.dumps({**counted, **told})
    script = tmp_path / "manage.py"
    script.write_text(
        f"import sys\nassert sys.argv[1:] == ['verify_ledger', '--json']\n"
        f"print({words!r})\nsys.exit({status})\n"
    )
    monkeypatch.setattr(server, "ROOT", tmp_path)
    row = server.verify_ledger(Settled(NOW, manage=(sys.executable, str(script))))
    assert (row.count, row.checked) == (count, 0 if isinstance(told, str) else 7)


def command(run: Run, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chaos.audit", str(folder)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": run.database_url},
        capture_output=True,
        text=True,
        check=False,
    )
