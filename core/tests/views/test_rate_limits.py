"""How many requests a key may send in a minute: what callers are told, counted by all processes."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from pytest_django import Settings
from redis import Redis

from core.actions.api_keys import create_api_key, rotate_api_key
from core.enums import Scope
from core.models import ApiKey
from core.tests.races.crowd import run_together
from core.tests.rules.zones import HOUR
from core.tests.stories.unattended import Broker
from core.tests.views.api import EVERY_SCOPE, KEY_MADE_AT, Answer, Api, Clock, Json
from core.tests.views.tables import all_rows
from core.views import rate_limits
from core.views.rate_limits import RequestCounter, redis_url_of
from stack.throwaway import throwaway_folder
from stack.valkey import throwaway_valkey

STATUS = "/api/status/"
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After")
# Far above the longest wait for Redis and far below a wait that somebody would mind.
AT_ONCE_SECONDS = 2.0


def caller(limit: int | None, *scopes: Scope) -> Api:
    """A caller with a new key of this limit."""
    chosen = scopes or EVERY_SCOPE
    return Api(
        create_api_key("caller", scopes=chosen, requests_per_minute=limit, now=KEY_MADE_AT)[1]
    )


def told(answer: Answer) -> tuple[str | None, ...]:
    return tuple(answer.headers.get(name) for name in HEADERS)


# --- What callers are told -----------------------------------------------------------------------


@pytest.mark.django_db
def test_every_answer_says_how_many_requests_remain_in_this_minute(clock: Clock) -> None:
    three = caller(3)
    assert told(three.get(STATUS)) == ("3", "2", "60", None)
    clock.advance(seconds=12.25)
    assert told(three.get(STATUS)) == ("3", "1", "48", None)
    clock.advance(seconds=47.7)
    assert told(three.get(STATUS)) == ("3", "0", "1", None)


def test_one_request_too_many_is_429_and_does_nothing(
    api: Api, campaign: Json, clock: Clock
) -> None:
    one = caller(1)
    one.get(STATUS).value()
    before = all_rows()
    clock.advance(seconds=20)
    for _ in range(2):
        answer = one.add(campaign, "1.00", event_id="e-1")
        assert (
            "1 requests a minute; try again in 40 s" in answer.error(429, "rate_limited")["error"]
        )
        assert told(answer) == ("1", "0", "40", "40")
    assert all_rows() == before
    last_used_at = ApiKey.objects.latest("id").last_used_at
    assert last_used_at == clock.now.replace(second=0), "the refused requests didn't use the key"


@pytest.mark.django_db
def test_the_next_minute_begins_anew(clock: Clock) -> None:
    one = caller(1)
    clock.advance(seconds=59.999)
    assert one.get(STATUS).status == 200
    assert one.get(STATUS).status == 429
    clock.advance(seconds=0.001)
    assert told(one.get(STATUS)) == ("1", "0", "60", None)
    assert one.get(STATUS).status == 429


@pytest.mark.django_db
def test_keys_are_counted_apart(clock: Clock) -> None:
    one, other = caller(1), caller(1)
    assert [each.get(STATUS).status for each in (one, one, other, other)] == [200, 429, 200, 429]


@pytest.mark.django_db
def test_both_secrets_of_a_rotating_key_are_counted_together(clock: Clock) -> None:
    key, old = create_api_key("c", scopes=EVERY_SCOPE, requests_per_minute=2, now=KEY_MADE_AT)
    new = rotate_api_key(key, grace=HOUR, now=clock.now)
    assert [Api(token).get(STATUS).status for token in (old, new, old, new)] == [200, 200, 429, 429]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "own", "limit"),
    [(9, None, "9"), (9, 5, "5"), (9, 0, None), (0, None, None), (0, 5, "5")],
)
def test_a_keys_own_limit_outranks_the_setting_and_0_is_no_limit(
    clock: Clock, settings: Settings, setting: int, *, own: int | None, limit: str | None
) -> None:
    settings.REQUESTS_PER_MINUTE = setting
    assert told(caller(own).get(STATUS))[0] == limit


def test_errors_and_changes_say_it_too_whoever_answers(api: Api, campaign: Json) -> None:
    reader = caller(100, Scope.READ)
    new = {"name": "New", "brand_id": campaign["brand_id"]}
    answers = [
        (403, reader.add(campaign, "1.00")),
        (404, reader.get("/api/brands/999999/")),
        (400, reader.get("/api/brands/", x=1)),
        (201, caller(None).post("/api/campaigns/create/", new)),
        (400, api.send("POST", "/api/spend/add/", b"{")),
        (413, api.send("POST", "/api/spend/add/", b" " * 2_000_000)),
        (415, api.send("POST", "/api/spend/add/", b"{}", "text/plain")),
    ]
    for status, answer in answers:
        assert answer.status == status
        assert None not in told(answer)[:3]
    assert [told(answer)[1] for _, answer in answers[:3]] == ["99", "98", "97"]


@pytest.mark.django_db
def test_who_has_no_key_is_told_nothing_and_counted_nowhere() -> None:
    for answer in (Api().get(STATUS), Api("bm_no_key").get(STATUS), Api().get("/healthz/live")):
        assert told(answer) == (None, None, None, None)


# --- Where they are counted ----------------------------------------------------------------------


@pytest.fixture
def shared(settings: Settings) -> Iterator[str]:
    """The URL of a real server in which requests are counted."""
    with throwaway_valkey() as url:
        settings.RATE_LIMIT_REDIS_URL = url
        yield url


@pytest.mark.parametrize(
    ("broker", "client"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://:pw@host/1", "rediss://:pw@host/1"),
        ("redis+socket:///run/v.sock?virtual_host=3", "unix:///run/v.sock?db=3"),
        ("redis+socket://:pw@/run/v.sock", "unix://:pw@/run/v.sock"),
        ("unix:///run/v.sock", "unix:///run/v.sock"),
    ],
)
def test_a_brokers_url_is_read_as_a_redis_client_writes_it(broker: str, client: str) -> None:
    assert redis_url_of(broker) == client


def test_processes_admit_exactly_the_limit_together(
    own_database: str, shared: str, clock: Clock
) -> None:
    token = create_api_key("c", scopes=EVERY_SCOPE, requests_per_minute=50, now=clock.now)[1]

    def send(count: int) -> list[int]:
        mine = Api(token)
        return [mine.get(STATUS).status for _ in range(count)]

    # Its first use is written down now, so that no process waits for another one's write.
    first = Api(token).get(STATUS).status
    statuses = [first, *chain(*run_together([partial(send, 25)] * 4))]
    assert statuses.count(200) == 50
    assert statuses.count(429) == 51


def test_a_count_leaves_redis_by_itself_and_says_whose_it_is(shared: str) -> None:
    RequestCounter(shared).count("abc/1")
    with Redis.from_url(redis_url_of(shared)) as server:
        (name,) = server.keys("*")
        assert name == b"budget-manager:requests:abc/1"
        assert 60 < server.ttl(name) <= 120


def test_counters_of_one_server_count_together_and_others_alone(shared: str) -> None:
    counters = [RequestCounter(shared), RequestCounter(shared), RequestCounter("")]
    assert [counter.count("abc/1") for counter in counters] == [1, 2, 1]
    assert [counter.count("abc/2") for counter in counters] == [1, 2, 1]


# --- Without Redis -------------------------------------------------------------------------------


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [each for each in caplog.records if each.name == rate_limits.__name__]
    assert all(each.levelno == logging.WARNING for each in said)
    return [each.getMessage() for each in said]


def test_without_redis_money_goes_on_and_each_process_counts_for_itself_c27(
    api: Api,
    campaign: Json,
    settings: Settings,
    tmp_path: Path,
    *,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.RATE_LIMIT_REDIS_URL = f"redis+socket://{tmp_path}/nobody.sock"
    three = caller(3)
    statuses = [three.add(campaign, "1.00").status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert warnings(caplog) == [
        "rate limits: no Redis (ConnectionError), each process counts for itself"
    ]


def test_an_outage_is_logged_once_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "BREAK_SECONDS", 0.0)
    with throwaway_folder("limits") as folder:
        broker = Broker(folder)
        try:
            broker.start()
            counter = RequestCounter(broker.url)
            assert [counter.count("a") for _ in range(3)] == [1, 2, 3]
            assert warnings(caplog) == []
            broker.kill()
            assert [counter.count("b") for _ in range(3)] == [1, 2, 3], "in this process"
            assert len(warnings(caplog)) == 1
            broker.start()
            assert [counter.count("b") for _ in range(3)] == [1, 2, 3], "in Redis again"
            assert RequestCounter(broker.url).count("b") == 4
            broker.kill()
            assert counter.count("c") == 1
        finally:
            broker.kill()
    out, back, out_again = warnings(caplog)
    assert back == "rate limits: Redis is back, all processes count together"
    assert "each process counts for itself" in out
    assert out_again == out


@contextmanager
def silent_server() -> Iterator[tuple[str, Callable[[], int]]]:
    """A server that takes every call and never says a word: its URL, and how many called by now."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=50))
        listener.setblocking(False)
        calls: list[socket.socket] = []

        def count_calls() -> int:
            with suppress(BlockingIOError):
                while True:
                    calls.append(stack.enter_context(listener.accept()[0]))
            return len(calls)

        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0", count_calls


def test_a_server_that_never_answers_is_asked_once_and_no_request_waits_for_it_c27(
    api: Api, campaign: Json, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with silent_server() as (url, count_calls):
        settings.RATE_LIMIT_REDIS_URL = url
        started_at = time.monotonic()
        statuses = [api.add(campaign, "1.00").status for _ in range(3)]
        assert time.monotonic() - started_at < AT_ONCE_SECONDS
        assert statuses == [200] * 3
        assert count_calls() == 1
    assert warnings(caplog) == [
        "rate limits: no Redis (TimeoutError), each process counts for itself"
    ]


def test_after_a_while_one_request_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    with silent_server() as (url, count_calls):
        counter = RequestCounter(url)
        for second in (1000.0, 1009.9, 1010.0, 1010.0, 1019.9, 1020.0):
            monkeypatch.setattr(time, "monotonic", partial(float, second))
            counter.count("a")
            asked.append(count_calls())
    assert asked == [1, 1, 2, 2, 2, 3]
    assert counter.count("a") == 7


@pytest.mark.parametrize("url", ["amqp://ann:hunter2@host//", "redis://ann:hunter2@host:port/0"])
def test_a_url_of_something_else_is_said_without_its_password(
    caplog: pytest.LogCaptureFixture, url: str
) -> None:
    counter = RequestCounter(url)
    assert [counter.count("a"), counter.count("a")] == [1, 2]
    assert warnings(caplog) == [
        "rate limits: no Redis (ValueError), each process counts for itself"
    ]


def counted_by_threads(counter: RequestCounter, each: int) -> list[int]:
    """What eight threads were told that count so often each, at the same time."""
    seen: list[int] = []
    start = threading.Barrier(8)

    def count() -> None:
        start.wait()
        seen.extend(counter.count("a") for _ in range(each))

    threads = [threading.Thread(target=count) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(seen)


def test_of_threads_that_come_after_a_while_one_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with silent_server() as (url, count_calls):
        counter = RequestCounter(url)
        counter.count("a")
        later = time.monotonic() + rate_limits.BREAK_SECONDS
        monkeypatch.setattr(time, "monotonic", partial(float, later))
        assert counted_by_threads(counter, 1) == list(range(2, 10))
        assert count_calls() == 2


def test_threads_that_count_in_one_process_lose_nothing() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        seen = counted_by_threads(RequestCounter(""), 500)
    finally:
        sys.setswitchinterval(before)
    assert seen == list(range(1, 4001))
