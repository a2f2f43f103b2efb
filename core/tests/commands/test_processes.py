"""Commands as a script sees them: a process with a status and two streams."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from django.utils import timezone

from core.tests.builders import find_api_key, make_brand, make_campaign

ROOT = Path(__file__).resolve().parents[3]


def manage(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def test_simulate_spend_ends_with_the_status_that_it_promises(own_database: str) -> None:
    campaign = make_campaign(make_brand(daily_budget=Decimal(100)), name="Summer Sale")

    def process(*arguments: str) -> tuple[int, str]:
        done = manage(own_database, "simulate_spend", *arguments)
        return done.returncode, done.stdout

    assert process(str(campaign.pk), "75.00") == (0, "Added spend 75.00 to Summer Sale\n")
    assert process(str(campaign.pk), "75.00") == (1, "")
    assert process("999", "1") == (2, "")


def test_create_api_key_prints_a_line_that_a_script_can_keep(own_database: str) -> None:
    done = manage(own_database, "create_api_key", "script", "--scope", "manage")

    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert find_api_key(done.stdout.strip(), timezone.now()) is not None


def test_create_api_key_refuses_a_bad_scope_with_status_2(own_database: str) -> None:
    done = manage(own_database, "create_api_key", "script", "--scope", "everything")

    assert (done.returncode, done.stdout) == (2, "")
    assert "invalid choice: 'everything' (choose from" in done.stderr
