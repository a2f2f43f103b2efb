"""Bodies that are wrong in any way get a 4xx in the error shape and write nothing (C1, C28).

The corpus is in `bodies.py` and `literals.py`. Each body is sent to every call that takes one,
may use one second of processor time, and differs from a good body in one thing only (a wrong
value stands in all fields of its kind, and each has to be named).
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from core.enums import PeriodKind, SpendKind
from core.models import Brand, BrandTotal, Campaign, CampaignTotal, Hold, SpendLog
from core.rules.verdict import LIFETIME
from core.tests.views import bodies
from core.tests.views.api import Answer, Api, Clock, assert_error_shape, make_token
from core.tests.views.bodies import (
    INVALID,
    MALFORMED,
    ROW_ID,
    TARGETS,
    TOO_LARGE,
    Target,
    write,
)
from core.tests.views.literals import FIELDS, KINDS
from core.tests.views.tables import all_rows

SECONDS_ALLOWED = 1.0
UNSUPPORTED = "unsupported_media_type"
every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@pytest.fixture
def sender(db: None, clock: Clock) -> Api:
    """A caller who may do everything; the brand, campaign, entry and hold that good bodies name."""
    named = {"name": "Summer Sale", "created_at": clock.now}
    brand, spender = (
        Brand.objects.create(pk=pk, name=f"Brand {pk}", created_at=clock.now)
        for pk in (ROW_ID, ROW_ID + 1)
    )
    Campaign.objects.create(pk=ROW_ID, brand=brand, **named)
    campaign = Campaign.objects.create(brand=spender, **named)
    today, now = clock.now.date(), clock.now
    row = {"pk": ROW_ID, "brand": spender, "campaign": campaign, "amount": Decimal("1.50")}
    row |= {"currency": "USD", "budget_day": today, "source": "test"}
    spent = {"kind": SpendKind.ADD, "over_budget": 0, "occurred_at": now, "recorded_at": now}
    SpendLog.objects.create(**row, **spent)
    Hold.objects.create(**row, held_at=now, expires_at=now + timedelta(hours=1))
    for period, starts_on in (
        (PeriodKind.DAY, today),
        (PeriodKind.MONTH, today.replace(day=1)),
        (PeriodKind.LIFETIME, LIFETIME.starts_on),
    ):
        columns = {"period": period, "starts_on": starts_on, "starts_at": now, "ends_at": now}
        columns |= {"spent": row["amount"], "held": row["amount"]}
        CampaignTotal.objects.create(campaign=campaign, **columns)
        if period is not PeriodKind.LIFETIME:
            BrandTotal.objects.create(brand=spender, **columns)
    return Api(make_token())


def send(api: Api, target: Target, body: bytes, media_type: str = "application/json") -> Answer:
    started = time.process_time()
    answer = api.send(target.method, target.path, body, media_type)
    assert time.process_time() - started < SECONDS_ALLOWED
    return answer


def assert_refused(answer: Answer, *codes: str) -> None:
    assert 400 <= answer.status < 500, answer
    assert_error_shape(answer)
    assert answer.json["code"] in codes, answer.json["error"][:500]


def assert_all_refuse(api: Api, make: Callable[[Target], bytes], *codes: str) -> None:
    """Every call refuses what `make` makes of its good body, and nothing is written."""
    before = all_rows()
    for target in TARGETS.values():
        assert_refused(send(api, target, make(target)), *codes)
    assert all_rows() == before


# --- What the corpus rests on --------------------------------------------------------------


@every_target
def test_the_good_bodies_are_good(sender: Api, target: Target) -> None:
    assert send(sender, target, target.good_body).status in (200, 201)


@every_target
def test_spaces_around_and_within_are_no_fault(sender: Api, target: Target) -> None:
    spaced = json.dumps(json.loads(target.good_body), indent="\t")
    assert send(sender, target, f"\r\n\t {spaced} \n".encode()).status in (200, 201)


@every_target
def test_a_body_may_have_64_kib_and_not_one_byte_more(sender: Api, target: Target) -> None:
    before = all_rows()
    assert_refused(send(sender, target, target.good_body.ljust(65_537)), TOO_LARGE)
    assert all_rows() == before
    assert send(sender, target, target.good_body.ljust(65_536)).status in (200, 201)


@every_target
@pytest.mark.parametrize("media_type", bodies.GOOD_MEDIA_TYPES)
def test_json_in_utf_8_is_read_however_it_is_announced(
    sender: Api, target: Target, media_type: str
) -> None:
    assert send(sender, target, target.good_body, media_type).status in (200, 201)


def test_the_corpus_has_far_more_than_three_hundred_bodies_for_each_call() -> None:
    shared = [bodies.NO_OBJECTS, bodies.TOO_LARGE_BODIES, bodies.BEFORE, bodies.AFTER]
    shared += [bodies.SPOILERS, bodies.UNKNOWN]
    of_any = sum(map(len, shared)) + len(bodies.MEDIA_TYPES) + len(bodies.CONTENT_ENCODINGS)
    for name, target in TARGETS.items():
        of_fields = sum(len(KINDS[kind]) * len(FIELDS[kind].get(name, ())) for kind in KINDS)
        assert of_any + of_fields + len(target.good_body) > 300
        fields = {field for kind in FIELDS for field in FIELDS[kind].get(name, ())}
        assert fields == set(target.good)


# --- The whole body --------------------------------------------------------------------------


@pytest.mark.parametrize("name", bodies.NO_OBJECTS)
def test_what_is_no_json_object_is_refused(sender: Api, name: str) -> None:
    assert_all_refuse(sender, lambda _: bodies.NO_OBJECTS[name], MALFORMED)


@every_target
def test_no_body_at_all_is_refused_where_one_is_needed(sender: Api, target: Target) -> None:
    before = all_rows()
    answer = send(sender, target, b"")
    if target.may_be_empty:
        assert answer.status == 200
    else:
        assert_refused(answer, INVALID)
        assert all_rows() == before


@pytest.mark.parametrize("name", bodies.TOO_LARGE_BODIES)
def test_what_is_too_large_is_refused_unread(sender: Api, name: str) -> None:
    assert_all_refuse(sender, lambda _: bodies.TOO_LARGE_BODIES[name], TOO_LARGE)


@pytest.mark.parametrize("name", bodies.BEFORE)
def test_nothing_may_stand_before_the_object(sender: Api, name: str) -> None:
    assert_all_refuse(sender, lambda target: bodies.BEFORE[name] + target.good_body, MALFORMED)


@pytest.mark.parametrize("name", bodies.AFTER)
def test_nothing_may_stand_after_the_object(sender: Api, name: str) -> None:
    assert_all_refuse(sender, lambda target: target.good_body + bodies.AFTER[name], MALFORMED)


def test_the_object_may_not_come_twice(sender: Api) -> None:
    assert_all_refuse(sender, lambda target: target.good_body * 2, MALFORMED)
    assert_all_refuse(sender, lambda target: b"[%b]" % target.good_body, MALFORMED)


@pytest.mark.parametrize("encoding", bodies.ENCODINGS)
def test_another_encoding_than_utf_8_is_refused(sender: Api, encoding: str) -> None:
    # UTF-7 writes ASCII as it is, but for the plus sign.
    def encode(target: Target) -> bytes:
        return (target.good_body.decode()[:-1] + ',"x":"é"}').encode(encoding)

    assert_all_refuse(sender, encode, MALFORMED, INVALID)


@every_target
def test_a_body_cut_off_at_any_byte_is_refused(sender: Api, target: Target) -> None:
    before = all_rows()
    for length in range(1, len(target.good_body)):
        assert_refused(send(sender, target, target.good_body[:length]), MALFORMED)
    assert all_rows() == before


@pytest.mark.parametrize("byte", [b"\0", b"\x1f", b"\\", b"\xff"])
def test_a_body_with_any_byte_replaced_by_one_that_fits_nowhere_is_refused(
    sender: Api, byte: bytes
) -> None:
    target = TARGETS["report"]
    before = all_rows()
    for place in range(len(target.good_body)):
        body = target.good_body[:place] + byte + target.good_body[place + 1 :]
        assert_refused(send(sender, target, body), MALFORMED, INVALID)
    assert all_rows() == before


# --- One member more ---------------------------------------------------------------------------


def with_member(target: Target, member: bytes) -> bytes:
    return target.good_body[:-1] + b"," + member + b"}"


@pytest.mark.parametrize("name", bodies.SPOILERS)
def test_a_member_that_is_no_json_spoils_the_body(sender: Api, name: str) -> None:
    assert_all_refuse(sender, lambda t: with_member(t, bodies.SPOILERS[name]), MALFORMED)


@pytest.mark.parametrize("name", bodies.UNKNOWN)
def test_a_member_that_nobody_knows_is_refused(sender: Api, name: str) -> None:
    assert_all_refuse(sender, lambda t: with_member(t, bodies.UNKNOWN[name]), INVALID)


@every_target
def test_each_name_may_stand_once_however_it_is_written(sender: Api, target: Target) -> None:
    before = all_rows()
    for name, literal in target.good.items():
        escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
        for again in (name, escaped):
            body = with_member(target, f'"{again}":{literal}'.encode())
            answer = send(sender, target, body)
            assert_refused(answer, MALFORMED)
            assert name in answer.json["error"]
    assert all_rows() == before


# --- One field wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "literal"),
    [(kind, literal) for kind, literals in KINDS.items() for literal in literals],
    ids=lambda text: ascii(text[:40]),
)
def test_a_value_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    sender: Api, kind: str, literal: str
) -> None:
    before = all_rows()
    for name, fields in FIELDS[kind].items():
        body = write({**TARGETS[name].good, **dict.fromkeys(fields, literal)})
        answer = send(sender, TARGETS[name], body)
        assert_refused(answer, INVALID)
        assert {field.split(".")[0] for field in answer.json["fields"]} == set(fields)
    assert all_rows() == before


# --- Wrappings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", bodies.MEDIA_TYPES)
def test_another_media_type_or_charset_is_refused(sender: Api, media_type: str) -> None:
    before = all_rows()
    for target in TARGETS.values():
        assert_refused(send(sender, target, target.good_body, media_type), UNSUPPORTED)
    assert all_rows() == before


@pytest.mark.parametrize("encoding", bodies.CONTENT_ENCODINGS)
def test_packed_bodies_are_refused_and_never_unpacked(sender: Api, encoding: str) -> None:
    before = all_rows()
    packer = Api(make_token(), **{"Content-Encoding": encoding})
    for target in TARGETS.values():
        for body in (
            target.good_body,
            bodies.zipped(target.good_body),
            bodies.zipped(b" " * 10**7),
        ):
            assert_refused(send(packer, target, body), UNSUPPORTED)
    assert all_rows() == before


@every_target
def test_a_packed_body_that_does_not_say_so_is_refused(sender: Api, target: Target) -> None:
    assert_refused(send(sender, target, bodies.zipped(target.good_body)), MALFORMED)
