"""A brand that somebody holds keeps its own callers waiting, and nobody else."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, connections

from core.actions.spend import admit_batch
from core.actions.spend_requests import Asked, SpendOutcome
from core.models import Campaign
from core.tests.arriving import arrive
from core.tests.builders import CALLER, LATE_LIMIT, NOON, ask, code_of, make_campaign, spent
from core.tests.holding import PATIENCE_SECONDS, holding
from core.views import admission

pytestmark = [
    pytest.mark.usefixtures("own_database"),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="there one lock is everybody's"),
]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@contextmanager
def patience_for_locks(milliseconds: int) -> Iterator[None]:
    """Have connections that are made within the block wait so long for a lock."""
    options = connections["default"].settings_dict["OPTIONS"]
    before = options["options"]
    options["options"] = f"{before} -c lock_timeout={milliseconds}"
    try:
        yield
    finally:
        options["options"] = before


def send_batch(campaigns: Sequence[Campaign]) -> list[SpendOutcome]:
    try:
        requests = [ask(each, "1") for each in campaigns]
        return admit_batch(requests, caller=CALLER, now=NOON, late_limit=LATE_LIMIT)
    finally:
        connections.close_all()


def send(campaign: Campaign) -> SpendOutcome:
    """As one call of the API does it, together with others of this process."""
    try:
        return arrive(Asked(ask(campaign, "1"), CALLER), NOON)
    finally:
        connections.close_all()


def wait_until(is_so: Callable[[], bool]) -> None:
    turn = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.01)):
        if is_so():
            return
        turn.wait(0.01)
    raise AssertionError("it never came about")


def send_together(
    pool: ThreadPoolExecutor, campaigns: Sequence[Campaign]
) -> list[Future[SpendOutcome]]:
    """Calls that stand in line together, while somebody else's is kept waiting by its brand."""
    line = admission._GROUPS._waiting
    first = make_campaign()
    sent = []
    with holding(first.brand_id):
        leading = pool.submit(send, first)
        wait_until(lambda: admission._GROUPS._is_led and not line)
        for place, campaign in enumerate(campaigns, start=1):
            sent.append(pool.submit(send, campaign))
            wait_until(lambda place=place: len(line) == place)  # type: ignore[misc]  # a default binds it
    wait([leading], PATIENCE_SECONDS)
    return sent


def test_a_batch_decides_for_free_brands_before_it_waits(pool: ThreadPoolExecutor) -> None:
    before, busy, after = (make_campaign() for _ in range(3))
    with holding(busy.brand_id):
        sent = pool.submit(send_batch, [busy, before, busy, after])
        wait_until(lambda: [spent(before), spent(after)] == [1, 1])
        assert not sent.done()
    assert [code_of(outcome) for outcome in sent.result(PATIENCE_SECONDS)] == [None] * 4
    assert spent(busy) == 2


def test_who_waits_too_long_gets_nothing_and_the_others_have_theirs(
    pool: ThreadPoolExecutor,
) -> None:
    before, busy, after = (make_campaign() for _ in range(3))
    with patience_for_locks(200), holding(busy.brand_id):
        outcomes = pool.submit(send_batch, [busy, before, busy, after]).result(PATIENCE_SECONDS)
        codes = ["database_unavailable", None, "database_unavailable", None]
        assert [code_of(outcome) for outcome in outcomes] == codes
        alone = pool.submit(send_batch, [busy])
        assert isinstance(alone.exception(PATIENCE_SECONDS), OperationalError)
    assert [spent(each) for each in (before, busy, after)] == [1, 0, 1]


def test_calls_of_one_moment_wait_for_no_brand_but_their_own(pool: ThreadPoolExecutor) -> None:
    free, busy, other = (make_campaign() for _ in range(3))
    with holding(busy.brand_id):
        # The first of them leads, and its own brand is the busy one.
        sent = send_together(pool, [busy, free, busy, other])
        for place in (1, 3):
            sent[place].result(PATIENCE_SECONDS).accepted()
        assert pool.submit(send, free).result(PATIENCE_SECONDS).accepted()
        assert not sent[0].done()
        assert not sent[2].done()
    # They come together, in the order in which they stood in line.
    answers = [sent[place].result(PATIENCE_SECONDS).accepted() for place in (0, 2)]
    assert [answer["new_daily_spend"] for answer in answers] == ["1.00", "2.00"]
    assert [spent(each) for each in (free, busy, other)] == [2, 2, 1]


def test_of_calls_of_one_moment_those_of_the_busy_brand_alone_get_nothing(
    pool: ThreadPoolExecutor,
) -> None:
    free, busy, other = (make_campaign() for _ in range(3))
    with patience_for_locks(1_000), holding(busy.brand_id):
        sent = send_together(pool, [free, busy, other, busy])
        errors = [type(each.exception(PATIENCE_SECONDS)) for each in sent]
    assert errors == [type(None), OperationalError, type(None), OperationalError]
    assert [spent(each) for each in (free, busy, other)] == [1, 0, 1]
