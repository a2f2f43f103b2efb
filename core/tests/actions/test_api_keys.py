"""API keys are shown once, kept as a hash, and open nothing once expired or revoked (C29)."""

from datetime import datetime, timedelta

import pytest

from core.actions.api_keys import create_api_key, note_api_key_use, revoke_api_key
from core.enums import Scope
from core.models import ApiKey
from core.queries.api_keys import find_api_key, find_brands_of_key
from core.tests.builders import NOON, make_brand
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
    assert find_brands_of_key(everywhere) is None
    assert find_brands_of_key(limited) == frozenset({brands[0].pk})
    assert find_brands_of_key(nowhere) == frozenset(), "limited to none is not unlimited"


def test_the_last_use_is_known_to_the_minute() -> None:
    key, _ = make_key()
    seen = []
    for seconds in (0, 59, 60, 90, 125):
        note_api_key_use(ApiKey.objects.get(pk=key.pk), now=NOON + seconds * SECOND)
        last_used_at = ApiKey.objects.get(pk=key.pk).last_used_at
        assert last_used_at is not None
        seen.append((last_used_at - NOON) // SECOND)
    assert seen == [0, 0, 60, 60, 125]
