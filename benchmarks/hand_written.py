"""What PostgreSQL and SQLite give to whoever writes the SQL by hand, without HTTP: yardsticks.

The transactions that pgbench runs are in `benchmarks/pgbench/`.
"""

import re
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from stack.postgres_binaries import find_binaries

SCRIPTS = Path(__file__).with_name("pgbench")
WAYS = ("function", "statement", "transaction")
CAMPAIGN_COUNT = 10
AMOUNT = 320
_RATE = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)

# Two budgets of the brand, asked for each entry in order, by running sums.
ADMIT = """
WITH asked AS (
    SELECT campaign_id, amount, place
    FROM unnest(%s::integer[], %s::bigint[]) WITH ORDINALITY AS asked (campaign_id, amount, place)
), brand AS (
    SELECT * FROM yardstick.brand WHERE id = 1 FOR NO KEY UPDATE
), running AS (
    SELECT campaign_id, amount, sum(amount) OVER (ORDER BY place) AS so_far FROM asked
), admitted AS (
    SELECT running.campaign_id, running.amount FROM running CROSS JOIN brand
    WHERE brand.spent_today + so_far <= brand.daily_budget
      AND brand.spent_this_month + so_far <= brand.monthly_budget
), of_brand AS (
    UPDATE yardstick.brand
    SET spent_today = spent_today + (SELECT coalesce(sum(amount), 0) FROM admitted),
        spent_this_month = spent_this_month + (SELECT coalesce(sum(amount), 0) FROM admitted)
    WHERE id = 1
), of_campaigns AS (
    UPDATE yardstick.campaign
    SET spent_today = spent_today + part.amount, spent_this_month = spent_this_month + part.amount
    FROM (SELECT campaign_id, sum(amount) AS amount FROM admitted GROUP BY campaign_id) AS part
    WHERE campaign.id = part.campaign_id
)
INSERT INTO yardstick.entry (campaign_id, amount) SELECT campaign_id, amount FROM admitted
RETURNING id
"""


@dataclass(frozen=True)
class HandWritten:
    """The yardstick's tables in a PostgreSQL."""

    url: str

    def prepare(self) -> None:
        """Make the tables."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute((SCRIPTS / "schema.sql").read_text().encode())

    def transactions(self, way: str, *, clients: int, seconds: float) -> float:
        """Transactions in a second, by pgbench with prepared statements on the hot row."""
        command = (
            find_binaries().program("pgbench"),
            *("--no-vacuum", "--protocol", "prepared", "--file", str(SCRIPTS / f"{way}.sql")),
            *("--client", str(clients), "--jobs", "2", "--time", str(max(round(seconds), 1))),
            *("--host", socket_folder(self.url), "--username", "postgres"),
            urlsplit(self.url).path.removeprefix("/"),
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (the wheel's program)
        rate = _RATE.search(done.stdout)
        assert done.returncode == 0, done.stderr[-2_000:]
        assert rate is not None, done.stdout
        return float(rate[1])

    def set_based(self, size: int, *, callers: int, seconds: float) -> float:
        """Entries in a second, admitted so many at a time by one statement of SQL."""
        with ThreadPoolExecutor(callers) as threads:
            work = [threads.submit(self._admit_batches, size, seconds) for _ in range(callers)]
        return sum(each.result() for each in work)

    def copied(self, amounts: Sequence[int]) -> float:
        """Entries in a second, copied into a table that has no index and checks nothing."""
        with psycopg.connect(self.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS yardstick.copied (LIKE yardstick.entry)")
            started_at = time.perf_counter()
            into = "COPY yardstick.copied (id, campaign_id, amount, recorded_at) FROM STDIN"
            with connection.cursor().copy(into) as copy:
                for number, amount in enumerate(amounts):
                    copy.write_row((number, 1, amount, "2026-06-10 12:00:00+00"))
            connection.commit()
            return len(amounts) / (time.perf_counter() - started_at)

    def _admit_batches(self, size: int, seconds: float) -> float:
        campaigns = list(islice(cycle(range(1, CAMPAIGN_COUNT + 1)), size))
        amounts = [AMOUNT] * size
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.cursor()
            count, started_at = 0, time.perf_counter()
            while (passed := time.perf_counter() - started_at) < seconds:
                cursor.execute(ADMIT, (campaigns, amounts), prepare=True)
                assert len(cursor.fetchall()) == size
                count += size
        return count / passed


def socket_folder(url: str) -> str:
    """Where the server of this URL listens."""
    return parse_qs(urlsplit(url).query)["host"][0]


def inserts_into_sqlite(file: Path, size: int, *, seconds: float) -> float:
    """Rows in a second, inserted so many at a time and checked by nobody, as durably as ours."""
    rows = [(number % CAMPAIGN_COUNT, AMOUNT, "2026-06-10 12:00:00") for number in range(size)]
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entry "
            "(id INTEGER PRIMARY KEY, campaign_id INTEGER, amount INTEGER, recorded_at TEXT)"
        )
        count, started_at = 0, time.perf_counter()
        while (passed := time.perf_counter() - started_at) < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO entry (campaign_id, amount, recorded_at) VALUES (?, ?, ?)", rows
            )
            connection.execute("COMMIT")
            count += size
    return count / passed
