"""`create_api_key` prints a key that works, and nothing else (C29)."""

from datetime import timedelta

import pytest

from core.actions.brands import archive_brand
from core.models import ApiKey
from core.queries.api_keys import map_brands_of_keys
from core.tests.builders import CALLER, NOON, find_api_key, make_brand
from core.tests.commands.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def key_of(printed: str) -> ApiKey:
    key = find_api_key(printed.strip(), NOON)
    assert key is not None
    return key


def test_it_prints_the_token_of_a_live_key_and_nothing_else() -> None:
    ran = run("create_api_key", "reporting", "--scope", "read", "--scope", "spend")

    assert (ran.status, ran.err) == (0, "")
    assert ran.out == ran.out.strip() + "\n"
    key = key_of(ran.out)
    assert (key.name, key.scopes, key.expires_at) == ("reporting", ["read", "spend"], None)
    assert map_brands_of_keys([key])[key.pk] is None


def test_a_key_has_only_the_scopes_that_were_named() -> None:
    assert key_of(run("create_api_key", "x", "--scope", "read").out).scopes == ["read"]


def test_a_key_can_be_limited_to_brands() -> None:
    first, _, third = make_brand(), make_brand(), make_brand()

    ran = run(
        *("create_api_key", "x", "--scope", "read"),
        *("--brand", str(first.pk), "--brand", str(third.pk)),
    )

    made = key_of(ran.out)
    assert map_brands_of_keys([made])[made.pk] == frozenset({first.pk, third.pk})


def test_a_key_can_expire() -> None:
    ran = run("create_api_key", "x", "--scope", "read", "--expires-in-days", "30")

    assert key_of(ran.out).expires_at == NOON + timedelta(days=30)
    assert find_api_key(ran.out.strip(), NOON + timedelta(days=30)) is None


def test_a_key_can_have_a_rate_limit_of_its_own() -> None:
    def limit(*arguments: str) -> int | None:
        return key_of(
            run("create_api_key", "x", "--scope", "read", *arguments).out
        ).requests_per_minute

    assert limit() is None
    assert limit("--requests-per-minute", "600") == 600
    assert limit("--requests-per-minute", "0") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x"], "--scope"),
        (["--scope", "read"], "name"),
        (["x", "--scope", "everything"], "invalid choice: 'everything'"),
        (["", "--scope", "read"], "name: must not be empty"),
        (["  ", "--scope", "read"], "name: must not be empty"),
        (["a\x00b", "--scope", "read"], "name: must not contain control characters"),
        (["x" * 201, "--scope", "read"], "name: must have at most 200 characters"),
        (["x", "--scope", "read", "--brand", "999999"], "no brand has the id 999999"),
        (["x", "--scope", "read", "--brand", "Acme"], "--brand: must be a whole number"),
        (["x", "--scope", "read", "--brand", "9" * 30], "--brand: must be a whole number"),
        (["x", "--scope", "read", "--requests-per-minute", "-1"], "--requests-per-minute"),
        (["x", "--scope", "read", "--requests-per-minute", "many"], "--requests-per-minute: must"),
        (["x", "--scope", "read", "--requests-per-minute", "9" * 12], "a whole number from 0 to"),
        (["x", "--scope", "read", "--expires-in-days", "0"], "--expires-in-days: must be"),
        (["x", "--scope", "read", "--expires-in-days", "-1"], "--expires-in-days"),
        (["x", "--scope", "read", "--expires-in-days", "9" * 15], "--expires-in-days: must be"),
    ],
)
def test_bad_arguments_are_named_and_make_no_key(arguments: list[str], said: str) -> None:
    ran = run("create_api_key", *arguments)

    assert ran.status != 0
    assert said in ran.err
    assert ran.out == ""
    assert not ApiKey.objects.exists()


def test_an_archived_brand_is_unknown() -> None:
    brand = make_brand()
    archive_brand(brand.pk, caller=CALLER, now=NOON)

    ran = run("create_api_key", "x", "--scope", "read", "--brand", str(brand.pk))

    assert ran.status == 2
    assert f"no brand has the id {brand.pk}" in ran.err
