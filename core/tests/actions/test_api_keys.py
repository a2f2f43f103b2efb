"""API keys are shown once, kept as a hash, and open nothing once expired or revoked (C29)."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions.api_keys import (
    create_api_key,
    note_api_key_use,
    revoke_api_key,
    rotate_api_key,
)
from core.enums import Scope
from core.errors import ApiKeyEndedError, ApiKeyNotFoundError
from core.models import ApiKey
from core.queries.api_keys import get_api_key, list_api_keys, map_brands_of_keys
from core.rules.api_keys import KeyState
from core.tests.builders import NOON, find_api_key, make_brand
from core.tests.rules.zones import HOUR

SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def make_key(*scopes: Scope, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    return create_api_key(
        "platform", scopes=scopes or (Scope.READ,), expires_at=expires_at, now=NOON
    )


def test_a_token_opens_its_key_and_is_not_stored_c29() -> None:
    key, token = make_key(Scope.SPEND, Scope.READ)
    assert find_api_key(token, NOON) == key
    stored = ApiKey.objects.values().get()
    secret = token.split("_", 2)[2]
    assert not [value for value in stored.values() if secret in str(value)]
    assert (stored["name"], stored["scopes"]) == ("platform", ["read", "spend"])
    assert (stored["created_at"], stored["last_used_at"]) == (NOON, None)


def test_every_token_is_another_and_long_enough_never_to_be_guessed_c29() -> None:
    tokens = [make_key()[1] for _ in range(20)]
    assert len(set(tokens)) == 20
    assert all(token.startswith("bm_") for token in tokens)
    assert all(len(token.split("_", 2)[2]) >= 43 for token in tokens), "256 bits"


def test_anything_but_the_whole_token_opens_nothing_c29() -> None:
    _, token = make_key()
    _, other = make_key()
    mark, public_id, secret = token.split("_", 2)
    _, other_public_id, other_secret = other.split("_", 2)
    wrong = [
        "",
        "_",
        mark,
        public_id,
        secret,
        f"{mark}_{public_id}",
        f"{mark}_{public_id}_",
        f"{mark}_{public_id}_{secret}x",
        f"{mark}_{public_id}_{secret[:-1]}",
        f"{mark}_{public_id}_{secret.swapcase()}",
        f"{mark}_{public_id}_{other_secret}",
        f"{mark}_{other_public_id}_{secret}",
        f"{mark}_unknown_{secret}",
        f"{mark}__{secret}",
        ApiKey.objects.get(public_id=public_id).secret_hash,
    ]
    for guess in wrong[:-1]:
        assert find_api_key(guess, NOON) is None, guess
    assert find_api_key(f"{mark}_{public_id}_{wrong[-1]}", NOON) is None, "the hash is no secret"


def test_a_key_expires_at_its_instant_c29() -> None:
    key, token = make_key(expires_at=NOON + HOUR)
    assert find_api_key(token, NOON + HOUR - SECOND) == key
    assert find_api_key(token, NOON + HOUR) is None


def test_a_revoked_key_is_worthless_from_its_next_call_and_keeps_its_first_instant_c29() -> None:
    key, token = make_key()
    another, other_token = make_key()
    revoke_api_key(key, now=NOON)
    revoke_api_key(key, now=NOON + HOUR)
    assert find_api_key(token, NOON) is None
    assert ApiKey.objects.get(pk=key.pk).revoked_at == NOON
    assert find_api_key(other_token, NOON) == another


def test_a_key_sees_all_brands_or_only_those_it_was_given_c29() -> None:
    brands = [make_brand(), make_brand()]
    everywhere, _ = make_key()
    limited, _ = create_api_key("one", scopes=[Scope.READ], brands=brands[:1], now=NOON)
    nowhere, _ = create_api_key("none", scopes=[Scope.READ], brands=[], now=NOON)
    with CaptureQueriesContext(connection) as queries:
        seen = map_brands_of_keys([everywhere, limited, nowhere])
    assert seen[everywhere.pk] is None
    assert seen[limited.pk] == frozenset({brands[0].pk})
    assert seen[nowhere.pk] == frozenset(), "limited to none is not unlimited"
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert map_brands_of_keys([everywhere]) == {everywhere.pk: None}
    assert len(queries) == 0


def test_the_last_use_is_known_to_the_minute() -> None:
    key, _ = make_key()
    seen = []
    for seconds in (0, 59, 60, 90, 125):
        note_api_key_use(ApiKey.objects.get(pk=key.pk), now=NOON + seconds * SECOND)
        last_used_at = ApiKey.objects.get(pk=key.pk).last_used_at
        assert last_used_at is not None
        seen.append((last_used_at - NOON) // SECOND)
    assert seen == [0, 0, 60, 60, 125]


# --- Rotation ------------------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_open_the_key_until_the_grace_ends_c29() -> None:
    key, old = make_key(Scope.SPEND)
    new = rotate_api_key(key, grace=HOUR, now=NOON)
    assert new != old
    assert new.startswith(key.token_start)
    assert find_api_key(old, NOON + HOUR - SECOND) == find_api_key(new, NOON) == key
    assert find_api_key(old, NOON + HOUR) is None
    assert find_api_key(new, NOON + HOUR) == key
    assert ApiKey.objects.get().scopes == ["spend"], "nothing else about it changes"


def test_a_rotation_without_grace_ends_the_old_secret_at_once_c29() -> None:
    key, old = make_key()
    new = rotate_api_key(key, grace=timedelta(0), now=NOON)
    assert find_api_key(old, NOON) is None
    assert find_api_key(new, NOON) == key


def test_of_three_secrets_only_the_last_two_are_good_c29() -> None:
    key, first = make_key()
    second = rotate_api_key(key, grace=24 * HOUR, now=NOON)
    third = rotate_api_key(key, grace=HOUR, now=NOON + SECOND)
    assert find_api_key(first, NOON + SECOND) is None
    assert find_api_key(second, NOON + SECOND) == find_api_key(third, NOON + SECOND) == key
    assert find_api_key(second, NOON + SECOND + HOUR) is None


def test_a_rotation_without_grace_ends_both_secrets_before_it_c29() -> None:
    key, first = make_key()
    second = rotate_api_key(key, grace=HOUR, now=NOON)
    third = rotate_api_key(key, grace=timedelta(0), now=NOON)
    assert [find_api_key(token, NOON) for token in (first, second, third)] == [None, None, key]


def test_a_rotation_by_somebody_who_saw_the_key_before_another_one_keeps_the_latest_c29() -> None:
    seen, _ = make_key()
    newer = rotate_api_key(ApiKey.objects.get(), grace=HOUR, now=NOON)
    newest = rotate_api_key(seen, grace=HOUR, now=NOON)
    assert find_api_key(newer, NOON) == find_api_key(newest, NOON) == seen


def test_a_revocation_ends_both_secrets_c29() -> None:
    key, old = make_key()
    new = rotate_api_key(key, grace=HOUR, now=NOON)
    revoke_api_key(key, now=NOON)
    assert find_api_key(old, NOON) is None
    assert find_api_key(new, NOON) is None


def test_a_key_that_expires_within_the_grace_ends_with_both_secrets_c29() -> None:
    key, old = make_key(expires_at=NOON + HOUR)
    new = rotate_api_key(key, grace=24 * HOUR, now=NOON)
    assert find_api_key(old, NOON + HOUR) is None
    assert find_api_key(new, NOON + HOUR) is None


@pytest.mark.parametrize("ending", [KeyState.REVOKED, KeyState.EXPIRED])
def test_what_has_ended_gets_no_new_secret_c29(ending: KeyState) -> None:
    key, _ = make_key(expires_at=NOON if ending is KeyState.EXPIRED else None)
    seen = ApiKey.objects.get()
    if ending is KeyState.REVOKED:
        revoke_api_key(key, now=NOON)
    before = ApiKey.objects.values().get()
    with pytest.raises(ApiKeyEndedError) as refused:
        rotate_api_key(seen, grace=HOUR, now=NOON)
    assert (refused.value.code, refused.value.details) == ("api_key_ended", {"state": ending})
    assert ApiKey.objects.values().get() == before


def test_no_secret_is_stored_after_a_rotation_c29() -> None:
    key, old = make_key()
    new = rotate_api_key(key, grace=HOUR, now=NOON)
    stored = str(ApiKey.objects.values().get())
    assert old.split("_", 2)[2] not in stored
    assert new.split("_", 2)[2] not in stored


def test_the_hash_of_a_secret_before_is_no_secret_c29() -> None:
    key, _ = make_key()
    rotate_api_key(key, grace=HOUR, now=NOON)
    for stored in (key.previous_secret_hash, ""):
        assert find_api_key(f"{key.token_start}{stored}", NOON) is None


# --- What a person sees ---------------------------------------------------------------------------


def test_the_state_says_what_has_become_of_a_key_and_revoked_is_for_ever() -> None:
    key, _ = make_key(expires_at=NOON + 2 * HOUR)
    assert key.state_at(NOON) is KeyState.LIVE
    rotate_api_key(key, grace=HOUR, now=NOON)
    assert key.state_at(NOON + HOUR - SECOND) is KeyState.ROTATING
    assert key.state_at(NOON + HOUR) is KeyState.LIVE
    assert key.state_at(NOON + 2 * HOUR) is KeyState.EXPIRED
    revoke_api_key(key, now=NOON)
    key.refresh_from_db()
    assert key.state_at(NOON + 2 * HOUR) is KeyState.REVOKED


def test_a_key_is_named_by_its_public_id_or_how_its_token_starts() -> None:
    key, token = make_key()
    make_key()
    for text in (key.public_id, f"bm_{key.public_id}_", f"bm_{key.public_id}", token):
        assert get_api_key(text) == key
    for text in ("", "bm_", "unknown", "bm_unknown_", key.name, key.public_id[:-1]):
        with pytest.raises(ApiKeyNotFoundError):
            get_api_key(text)


def test_keys_are_listed_by_name_and_then_the_newest_first() -> None:
    for name, age in (("b", 0), ("a", 2), ("a", 1)):
        create_api_key(name, scopes=[Scope.READ], now=NOON - age * HOUR)
    listed = [(key.name, (NOON - key.created_at) // HOUR) for key in list_api_keys()]
    assert listed == [("a", 1), ("a", 2), ("b", 0)]
