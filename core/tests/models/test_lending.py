"""Threads of a web process lend each other connections, of which few are then open."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from core.models.lending import MOST_IDLE, Lending

pytestmark = pytest.mark.usefixtures("own_database")


@pytest.fixture
def lending() -> Iterator[Lending]:
    begun = Lending()
    begun.begin()
    yield begun
    for idle in begun._idle:
        idle.close()


def ask() -> BaseDatabaseWrapper:
    """Use whatever connection this thread has now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections["default"]


def in_a_thread(lending: Lending) -> BaseDatabaseWrapper:
    used: list[BaseDatabaseWrapper] = []

    def work() -> None:
        with lending.connection():
            used.append(ask())
        assert connections["default"].connection is None, "its own was never opened"

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return used[0]


def test_threads_that_work_in_turn_share_one_connection(lending: Lending) -> None:
    assert len({id(in_a_thread(lending)) for _ in range(5)}) == 1


def test_who_works_at_the_same_moment_has_a_connection_of_its_own(lending: Lending) -> None:
    with lending.connection():
        mine = ask()
        other = in_a_thread(lending)
    assert mine is not other
    # The one that came back last goes out first.
    assert in_a_thread(lending) is mine


def test_of_a_burst_only_a_few_stay_open(lending: Lending) -> None:
    with ExitStack() as stack:
        busy = []
        for _ in range(MOST_IDLE + 3):
            stack.enter_context(lending.connection())
            busy.append(ask())
    assert [database.connection is not None for database in busy].count(True) == MOST_IDLE
    assert len(lending._idle) == MOST_IDLE


def test_afterwards_the_thread_has_its_own_again_whatever_happened(lending: Lending) -> None:
    own = connections["default"]

    def fail() -> None:
        with lending.connection(), transaction.atomic():
            assert ask() is not own
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert connections["default"] is own
    lent = in_a_thread(lending)
    assert not lent.in_atomic_block


def test_nothing_is_lent_within_a_transaction_or_before_it_has_begun(lending: Lending) -> None:
    own = connections["default"]
    with transaction.atomic(), lending.connection():
        assert ask() is own
    with Lending().connection():
        assert ask() is own


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="a file has no other side")
def test_a_connection_that_failed_is_not_lent_again_as_it_is(lending: Lending) -> None:
    with lending.connection():
        lent = ask()
        broken = lent.connection
        broken.close()
        lent.errors_occurred = True
    with lending.connection():
        assert ask().connection is not broken
