"""Simulated time runs, leaps only forward and only while nothing is under way."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from chaos.clock import Pace, SimulatedClock
from chaos.database_clock import replace_clock, set_clocks
from chaos.gate import Gate
from chaos.scene import BEGIN, Scene, SceneBrand
from chaos.time_machine import LEAD, TimeMachine
from core.tests.stack.benching import needs_postgres
from stack.postgres import throwaway_postgres

LONG_SECONDS = 5.0
SHORT_SECONDS = 0.1


def test_the_clock_runs_from_its_base_at_its_speed(tmp_path: Path) -> None:
    clock = SimulatedClock(tmp_path)
    clock.keep(Pace(time.time() - 10, BEGIN.timestamp(), 2.0))
    assert BEGIN + timedelta(seconds=20) <= clock.now() < BEGIN + timedelta(seconds=25)
    clock.keep(Pace(time.time(), BEGIN.timestamp(), 0.0))
    assert clock.now() == BEGIN


def test_the_gate_closes_when_all_have_left_and_lets_nobody_in_meanwhile(tmp_path: Path) -> None:
    gate, came_in = Gate(tmp_path), threading.Event()

    def enter() -> None:
        with Gate(tmp_path).passing():
            came_in.set()

    with gate.closed(LONG_SECONDS) as is_closed:
        assert is_closed
        newcomer = threading.Thread(target=enter)
        newcomer.start()
        assert not came_in.wait(SHORT_SECONDS)
    assert came_in.wait(LONG_SECONDS)
    newcomer.join()


def test_the_gate_does_not_close_while_somebody_is_under_way(tmp_path: Path) -> None:
    with Gate(tmp_path).passing():
        with Gate(tmp_path).closed(SHORT_SECONDS) as is_closed:
            assert not is_closed
        with Gate(tmp_path).passing():
            pass  # A gate that gave up closing is open.


@needs_postgres
def test_the_database_shows_simulated_time_and_waits_for_silence_before_it_leaps(
    tmp_path: Path,
) -> None:
    brand = SceneBrand(1, "Tokyo", "Asia/Tokyo", "EUR", [1])
    scene = Scene(1, [brand], {}, "")
    with throwaway_postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            replace_clock(connection)
            set_clocks(connection, SimulatedClock(tmp_path), BEGIN)
        machine = TimeMachine(tmp_path, server.url, scene)
        with psycopg.connect(server.url, autocommit=True) as client:
            assert abs(_database_now(client) - BEGIN) < timedelta(seconds=5)
            assert machine.leap_to_midnight()
            # 00:00 in Tokyo.
            midnight = datetime(2030, 3, 30, 15, tzinfo=UTC)
            assert machine.midnights == [(midnight, [1])]
            now = _database_now(client)
            assert midnight - LEAD <= now < midnight + timedelta(seconds=5)
            assert abs(now - machine.clock.now()) < timedelta(seconds=1)
            with client.transaction():
                client.execute("SELECT 1")
                assert not machine.leap(BEGIN + timedelta(days=9))
            assert machine.leap(BEGIN)
            assert _database_now(client) >= now  # Never back.


def _database_now(connection: psycopg.Connection) -> datetime:
    found = connection.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    instant: datetime = found[0]
    return instant
