"""One clock, the database's, tells what time it is; clocks days apart tell nothing (C7)."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.actions.api_keys import create_api_key
from core.enums import Scope
from core.errors import ClocksDisagreeError
from core.queries.api_keys import find_api_keys
from core.queries.clock import FARTHEST_APART, get_clock_difference, get_now, get_trusted
from core.tests.builders import NOON

MOMENT = timedelta(seconds=5)
HOURS = timedelta(hours=14)

asks_the_database = pytest.mark.clock_of_the_database


@pytest.fixture
def late_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """This host's clock is hours behind."""
    true_now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: true_now() - HOURS)


@asks_the_database
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no clock of its own")
def test_a_server_is_asked_and_the_host_is_not(db: None, late_host: None) -> None:
    token = create_api_key("client", scopes={Scope.READ}, now=NOON)[1]
    for now in (get_now(), *(opened.at for opened in find_api_keys([token]) if opened)):
        ahead = get_clock_difference(now)
        assert abs(ahead + HOURS) < MOMENT
        assert now.utcoffset() == timedelta(0)


@asks_the_database
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no clock of its own")
def test_the_clock_goes_on_within_a_transaction(db: None) -> None:
    with transaction.atomic():
        assert get_now() < get_now()


@asks_the_database
@pytest.mark.skipif(connection.vendor != "sqlite", reason="a server has a clock of its own")
def test_a_file_of_this_host_has_this_hosts_clock(db: None, late_host: None) -> None:
    assert get_clock_difference(get_now()) < MOMENT


@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_that_are_days_apart_are_not_trusted(sign: int) -> None:
    near = timezone.now() + sign * (FARTHEST_APART - MOMENT)
    assert get_trusted(near) == near
    with pytest.raises(ClocksDisagreeError, match="are 36 hours apart"):
        get_trusted(near + sign * 2 * MOMENT)


def test_a_key_is_judged_at_the_instant_that_its_query_read(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_api_key("brief", scopes={Scope.READ}, expires_at=NOON, now=NOON - HOURS)[1]
    monkeypatch.setattr(timezone, "now", lambda: NOON - MOMENT)
    (opened,) = find_api_keys([token])
    assert opened is not None
    assert opened.at == NOON - MOMENT
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    assert find_api_keys([token]) == [None]
