"""The database's clock, which the product asks: replaced by one that shows simulated time.

The product says `clock_timestamp()`. In a schema that is searched before PostgreSQL's own stands a
function of that name, which reads how time runs from a table of one row.
"""

import time
from datetime import datetime

import psycopg

from chaos.clock import Pace, SimulatedClock

# `public` comes last: the product's tables are found there, and no function of its hides ours.
SEARCH_PATH = "chaos, pg_catalog, public"
_SCHEMA = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.pace (
    real_base double precision NOT NULL,
    simulated_base double precision NOT NULL,
    speed double precision NOT NULL
);
INSERT INTO chaos.pace VALUES (0, 0, 0);
CREATE FUNCTION chaos.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.to_timestamp(
        simulated_base
        + (extract(epoch FROM pg_catalog.clock_timestamp()) - real_base) * speed
    )
    FROM chaos.pace
$$;
"""


def replace_clock(connection: psycopg.Connection) -> None:
    """Put the simulated clock before the real one, for all connections from now on."""
    connection.execute(_SCHEMA.encode())
    connection.execute(f"ALTER DATABASE {connection.info.dbname} SET search_path = {SEARCH_PATH}")


def keep_pace(connection: psycopg.Connection, pace: Pace) -> None:
    """Let the database's time run like this."""
    connection.execute(
        "UPDATE chaos.pace SET real_base = %s, simulated_base = %s, speed = %s",
        [pace.real_base, pace.simulated_base, pace.speed],
    )


def set_clocks(
    connection: psycopg.Connection, clock: SimulatedClock, instant: datetime, *, speed: float = 1.0
) -> None:
    """Let simulated time, in the database and on every host, go on from this instant."""
    pace = Pace(time.time(), instant.timestamp(), speed)
    keep_pace(connection, pace)
    clock.keep(pace)


def is_quiet(connection: psycopg.Connection) -> bool:
    """Whether nobody else has anything under way in the database."""
    found = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND state <> 'idle' AND pid <> pg_backend_pid()"
    ).fetchone()
    return found is not None and found[0] == 0
