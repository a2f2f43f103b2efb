"""Asks every question of one settled run."""

from pathlib import Path

import psycopg

from chaos.audit.claims import load_claims
from chaos.audit.findings import Row
from chaos.audit.folder import Settled, read_settled
from chaos.audit.history import History, Rows
from chaos.audit.server import count_deadlocks, verify_ledger
from chaos.audit.steps import brands
from chaos.audit.told import CHECKS_OF_ANSWERS
from chaos.audit.totals import CHECKS_OF_TOTALS
from chaos.audit.verdicts import Judge


def audit(folder: Path, database_url: str) -> list[Row]:
    """Judge the run that left this folder and this database."""
    settled = read_settled(folder)
    with psycopg.connect(database_url) as connection:
        # All of it as of one moment.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        rows = judge_run(connection, folder, settled)
        connection.rollback()
    return [*rows, verify_ledger(settled)]


def judge_run(connection: psycopg.Connection, folder: Path, settled: Settled) -> list[Row]:
    """Every row that journals and database answer, within the connection's transaction."""
    connection.execute("SET LOCAL TIME ZONE 'UTC'")
    load_claims(connection, folder)
    walked, judge = Rows(), Judge(connection, settled.at)
    for brand_id, transactions in brands(connection):
        history = History(brand_id, walked)
        history.play(transactions)
        judge.judge(history)
    _demand_something_was_tight(walked.under_delivery)
    checks = (*CHECKS_OF_TOTALS, *CHECKS_OF_ANSWERS)
    return [
        *walked.all(),
        *(check.ask(connection, {"at": settled.at}) for check in checks),
        judge.row,
        count_deadlocks(connection, folder, settled),
    ]


def _demand_something_was_tight(row: Row) -> None:
    if not row.checked:
        row.note("the run", expected="budgets that turned requests down", found="none did")
