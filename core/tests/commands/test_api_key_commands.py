"""`list_api_keys`, `rotate_api_key` and `revoke_api_key`: by hand what the admin does too (C29)."""

from datetime import timedelta

import pytest

from core.actions.api_keys import create_api_key, note_api_key_use, revoke_api_key, rotate_api_key
from core.enums import Scope
from core.models import ApiKey
from core.tests.builders import NOON, find_api_key, make_brand
from core.tests.commands.running import run
from core.tests.rules.zones import HOUR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def make_key(name: str = "bid server") -> tuple[ApiKey, str]:
    return create_api_key(name, scopes=[Scope.READ, Scope.SPEND], now=NOON - HOUR)


# --- rotate_api_key ------------------------------------------------------------------------------


def test_rotating_prints_the_new_token_alone_and_says_elsewhere_how_long_the_old_one_is_good() -> (
    None
):
    key, old = make_key()

    ran = run("rotate_api_key", key.token_start)

    assert ran.status == 0
    assert ran.out == ran.out.strip() + "\n"
    assert find_api_key(ran.out.strip(), NOON + 48 * HOUR) == key
    assert find_api_key(old, NOON + 24 * HOUR - timedelta(seconds=1)) == key
    assert find_api_key(old, NOON + 24 * HOUR) is None
    expected = "The token of bid server before it stays good until 2026-06-11T12:00:00Z.\n"
    assert ran.err == expected


def test_the_grace_can_be_named_and_0_ends_the_old_token_now() -> None:
    key, first = make_key()

    second = run("rotate_api_key", key.public_id, "--grace-hours", "2").out.strip()
    assert find_api_key(first, NOON + HOUR) == key
    assert find_api_key(first, NOON + 2 * HOUR) is None

    ran = run("rotate_api_key", key.public_id, "--grace-hours", "0")
    assert find_api_key(second, NOON) is None
    assert find_api_key(ran.out.strip(), NOON) == key
    assert ran.err == "The token of bid server before it is worthless now.\n"


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_an_ended_key_is_not_rotated(state: str) -> None:
    expires_at = NOON if state == "expired" else None
    key, _ = create_api_key("old", scopes=[Scope.READ], expires_at=expires_at, now=NOON - HOUR)
    if state == "revoked":
        revoke_api_key(key, now=NOON)

    ran = run("rotate_api_key", key.public_id)

    assert (ran.status, ran.out) == (1, "")
    assert f"The API key is {state}" in ran.err
    assert "[api_key_ended]" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "key"),
        (["nobody"], "No API key has the public id 'nobody'; `list_api_keys` lists them"),
        (["bm_nobody_"], "No API key has the public id 'nobody'"),
        (["a\x00b"], "No API key has the public id"),
        (["{key}", "--grace-hours", "-1"], "--grace-hours"),
        (["{key}", "--grace-hours", "1.5"], "--grace-hours: must be a whole number from 0 to 8760"),
        (["{key}", "--grace-hours", "8761"], "--grace-hours: must be a whole number from 0 to"),
    ],
)
def test_bad_arguments_are_named_and_rotate_nothing(arguments: list[str], said: str) -> None:
    key, token = make_key()

    ran = run("rotate_api_key", *(each.replace("{key}", key.public_id) for each in arguments))

    assert ran.status != 0
    assert said in ran.err
    assert ran.out == ""
    assert find_api_key(token, NOON) == key
    assert ApiKey.objects.get().previous_secret_hash == ""


# --- revoke_api_key ------------------------------------------------------------------------------


def test_revoking_ends_both_tokens_and_may_be_done_twice() -> None:
    key, old = make_key()
    new = rotate_api_key(key, grace=HOUR, now=NOON)
    _, other = make_key("other")

    first, second = (run("revoke_api_key", name) for name in (key.public_id, key.token_start))

    assert first == second
    assert (first.status, first.err) == (0, "")
    assert first.out == f"Revoked {key.token_start} bid server\n"
    assert [find_api_key(token, NOON) for token in (old, new)] == [None, None]
    assert find_api_key(other, NOON) is not None


def test_revoking_an_unknown_key_is_status_2() -> None:
    ran = run("revoke_api_key", "nobody")

    assert (ran.status, ran.out) == (2, "")
    assert "No API key has the public id 'nobody'" in ran.err


# --- list_api_keys -------------------------------------------------------------------------------


def test_the_list_shows_every_key_and_what_has_become_of_it() -> None:
    acme = make_brand(name="Acme")
    live, _ = make_key("live")
    note_api_key_use(live, now=NOON - timedelta(minutes=1))
    create_api_key("few", scopes=[Scope.READ], brands=[acme], requests_per_minute=5, now=NOON)
    create_api_key("old", scopes=[Scope.READ], expires_at=NOON, now=NOON - HOUR)
    rotate_api_key(make_key("turning")[0], grace=HOUR, now=NOON)
    gone, _ = create_api_key("gone", scopes=[Scope.MANAGE], requests_per_minute=0, now=NOON)
    revoke_api_key(gone, now=NOON)

    ran = run("list_api_keys")

    assert (ran.status, ran.err) == (0, "")
    heading, *lines = ran.out.splitlines()
    assert heading.split() == (
        "name token start scopes brands created expires last used requests per minute state".split()
    )
    ids = {key.name: key.token_start for key in ApiKey.objects.all()}
    noon, earlier = "2026-06-10T12:00:00Z", "2026-06-10T11:00:00Z"
    assert [line.split() for line in lines] == [
        ["few", ids["few"], "read", str(acme.pk), "Acme", noon, "-", "-", "5", "live"],
        ["gone", ids["gone"], "manage", "all", noon, "-", "-", "no", "limit", "revoked"],
        [
            *("live", ids["live"], "read,spend", "all", earlier, "-", "2026-06-10T11:59:00Z"),
            *("default", "live"),
        ],
        ["old", ids["old"], "read", "all", earlier, noon, "-", "default", "expired"],
        ["turning", ids["turning"], "read,spend", "all", earlier, "-", "-", "default", "rotating"],
    ]
    assert len({line.rindex(line.split()[-1]) for line in lines}) == 1, "columns are aligned"


def test_the_list_shows_no_secret() -> None:
    key, token = make_key()
    new = rotate_api_key(key, grace=HOUR, now=NOON)

    printed = run("list_api_keys").out

    key.refresh_from_db()
    secrets = [each.split("_", 2)[2] for each in (token, new)]
    for hidden in (*secrets, key.secret_hash, key.previous_secret_hash):
        assert hidden not in printed


def test_a_name_never_breaks_the_list() -> None:
    ApiKey.objects.filter(pk=make_key()[0].pk).update(name="two\nlines")

    assert len(run("list_api_keys").out.splitlines()) == 2


def test_without_keys_the_list_says_how_to_make_one() -> None:
    ran = run("list_api_keys")

    assert (ran.status, ran.out) == (0, "")
    assert "`create_api_key` makes one" in ran.err
