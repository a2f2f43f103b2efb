"""Hostile bodies for the one call that takes a mebibyte, and what the worst of all calls costs.

Each answer takes at most one second of processor time and 50 MB (C28).
"""

import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from core.tests.views import bodies
from core.tests.views.api import Api, Json, assert_error_shape
from core.tests.views.tables import all_rows

BATCH = "/api/spend/batch/"
A_MEBIBYTE = 1024 * 1024
BYTES_ALLOWED = 50_000_000
SECONDS_ALLOWED = 1.0
# As much of each as a batch may have.
FULL = {
    "brackets": b"[" * A_MEBIBYTE,
    "entries that are arrays": b'{"entries":[' + b"[]," * 349_500 + b"[]]}",
    "entries that are objects": b'{"entries":[' + b"{}," * 349_500 + b"{}]}",
    "entries that are numbers": b'{"entries":[' + b"0," * 524_000 + b"0]}",
    "names and nothing else": b"{"
    + b",".join(b'"%05x":1' % number for number in range(104_000))
    + b"}",
    "a tower of objects": b'{"a":' * 200_000 + b"1",
}
# These are batches, of entries that are none.
ENTRIES = {
    "a huge number": b'{"entries":[' + b"9" * 1_048_000 + b"]}",
    "a long text": b'{"entries":["' + b"x" * 1_048_000 + b'"]}',
    "escapes": b'{"entries":["' + rb"\u0041" * 174_000 + b'"]}',
    "a thousand times unknown names": json.dumps(
        {"entries": [{f"{n:03x}{m}": 1 for m in range(80)} for n in range(1_000)]},
        separators=(",", ":"),
    ).encode(),
}


def whole_bodies() -> Iterator[tuple[str, bytes]]:
    good = b'{"entries":[{"kind":"add","campaign_id":1,"amount":"1"}]}'
    yield from bodies.NO_OBJECTS.items()
    yield from ((name, before + good) for name, before in bodies.BEFORE.items())
    yield from ((name, good + after) for name, after in bodies.AFTER.items())
    for spoilers in (bodies.SPOILERS, bodies.UNKNOWN):
        yield from ((name, good[:-1] + b"," + member + b"}") for name, member in spoilers.items())
    yield from FULL.items()


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def assert_cheaply_refused(api: Api, path: str, body: bytes) -> Json:
    started = time.process_time()
    answer = api.send("POST", path, body)
    assert time.process_time() - started < SECONDS_ALLOWED
    assert 400 <= answer.status < 500
    assert_error_shape(answer)
    return answer.json


def test_a_hostile_batch_is_refused_as_a_whole_and_writes_nothing(api: Api) -> None:
    before = all_rows()
    seen = set()
    for name, body in whole_bodies():
        code = assert_cheaply_refused(api, BATCH, body)["code"]
        assert code in {"malformed_body", "invalid_input"}, name
        seen.add(code)
    assert seen == {"malformed_body", "invalid_input"}
    assert all_rows() == before


@pytest.mark.parametrize("name", ENTRIES)
def test_hostile_entries_are_each_refused(api: Api, campaign: Json, name: str) -> None:
    body = ENTRIES[name]
    started = time.process_time()
    results = api.send("POST", BATCH, body).value()["results"]
    assert time.process_time() - started < SECONDS_ALLOWED
    assert {result["status"] for result in results} == {"invalid"}


@pytest.mark.usefixtures("_traced")
def test_no_body_costs_more_than_50_mb(api: Api) -> None:
    # No other call takes as much.
    api.send("POST", BATCH, b"{")  # What is loaded once is no cost of a body.
    for body in (*FULL.values(), *ENTRIES.values()):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert api.send("POST", BATCH, body).status in (200, 400)
        assert tracemalloc.get_traced_memory()[1] - before < BYTES_ALLOWED
