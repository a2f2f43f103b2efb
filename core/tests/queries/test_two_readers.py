"""What goes through everything is read on two connections at once, where that can be (C26)."""

import time
from collections.abc import Iterator
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction

from core.models import Campaign
from core.queries import sweeps
from core.queries.sweeps import map_doubtful_campaigns
from core.queries.two_readers import AHEAD, map_two_at_a_time
from core.tests.builders import NOON, make_brand, make_campaign

on_postgresql = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite is read on one connection"
)
in_no_transaction = pytest.mark.usefixtures("own_database")
PATIENCE_SECONDS = 5


def backend(_part: int = 0) -> int:
    """The server's process behind the connection of this thread."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def is_gone(process: int) -> bool:
    """Whether the server has ended this session; it may take a moment to do so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [process])
            if cursor.fetchone() == (0,):
                return True
        time.sleep(0.01)
    return False


@on_postgresql
@in_no_transaction
def test_two_parts_are_read_at_once_and_found_in_their_order() -> None:
    both_there = Barrier(2)

    def read(part: int) -> tuple[int, int]:
        both_there.wait(PATIENCE_SECONDS)
        return part, backend()

    found = list(map_two_at_a_time(read, range(6)))
    assert [part for part, _ in found] == list(range(6))
    readers = {pid for _, pid in found}
    assert len(readers) == 2, "one connection each for all of them"
    assert backend() not in readers
    assert all(map(is_gone, readers))


@in_no_transaction
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_every_part_is_read_once_however_many_there_are(count: int) -> None:
    asked: list[int] = []

    def read(part: int) -> int:
        asked.append(part)
        return part

    parts = list(range(count))
    assert list(map_two_at_a_time(read, parts)) == parts
    assert sorted(asked) == parts


@on_postgresql
@in_no_transaction
def test_no_more_is_read_than_the_next_few_before_somebody_asks() -> None:
    asked: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(9):
            asked.append(part)
            yield part

    found = map_two_at_a_time(backend, parts())
    assert asked == []
    readers = {next(found), next(found)}
    assert asked == list(range(AHEAD + 2))
    found.close()  # type: ignore[attr-defined]
    assert asked == list(range(AHEAD + 2))
    assert all(map(is_gone, readers))


@on_postgresql
@in_no_transaction
@pytest.mark.parametrize("broken", range(6))
def test_what_fails_is_raised_and_nothing_stays_open(broken: int) -> None:
    backends: list[int] = []

    def read(part: int) -> int:
        backends.append(backend())
        if part == broken:
            raise OperationalError("gone")
        return part

    found: list[int] = []
    with pytest.raises(OperationalError, match="gone"):
        found.extend(map_two_at_a_time(read, range(6)))
    assert found == list(range(broken))
    assert all(map(is_gone, set(backends)))


@in_no_transaction
@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_two_connections_find_is_every_doubt_once_by_id_c16(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "RANGE", size)
    brand = make_brand()
    right = make_campaign(brand)
    wrong = [make_campaign(brand, is_enabled=False).pk for _ in range(5)]
    Campaign.objects.exclude(pk=right.pk).update(is_active=True, reasons=())
    parts = list(map_doubtful_campaigns(NOON))
    assert {brand_id for brand_id, _ in parts} == {brand.pk}
    assert [campaign_id for _, ids in parts for campaign_id in ids] == wrong


@pytest.mark.django_db
def test_in_a_transaction_one_connection_sees_what_it_has_changed() -> None:
    here = connection.connection
    with transaction.atomic():
        found = map_two_at_a_time(lambda part: (part, connection.connection is here), range(3))
        assert list(found) == [(0, True), (1, True), (2, True)]
