"""Creates, rotates and revokes API keys (C29)."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Required, TypedDict, Unpack

from django.db import transaction
from django.db.models import F, Q, Value

from core.enums import Scope
from core.errors import ApiKeyEndedError
from core.models import ApiKey, Brand
from core.rules.api_keys import hash_secret, make_token

# "Last used" is exact to this, so that a busy key costs one write a minute.
LAST_USED_STEP = timedelta(minutes=1)
# Time for every program that holds the old token to get the new one.
ROTATION_GRACE = timedelta(hours=24)


class ApiKeyTerms(TypedDict, total=False):
    """What a key is for, set once and never changed."""

    scopes: Required[Collection[Scope]]
    brands: Collection[Brand] | None  # None: all brands
    expires_at: datetime | None  # None: never
    requests_per_minute: int | None  # None: what the settings say; 0: no limit


@transaction.atomic
def create_api_key(name: str, *, now: datetime, **terms: Unpack[ApiKeyTerms]) -> tuple[ApiKey, str]:
    """A new key and its token, which can't be shown again."""
    brands = terms.get("brands")
    public_id, secret = secrets.token_hex(6), _new_secret()
    key = ApiKey.objects.create(
        name=name,
        public_id=public_id,
        secret_hash=hash_secret(secret),
        scopes=sorted(terms["scopes"]),
        is_limited_to_brands=brands is not None,
        created_at=now,
        expires_at=terms.get("expires_at"),
        requests_per_minute=terms.get("requests_per_minute"),
    )
    key.brands.set(brands or [])
    return key, make_token(public_id, secret)


def rotate_api_key(key: ApiKey, *, grace: timedelta, now: datetime) -> str:
    """A new secret for the same key, as a token that can't be shown again.

    The secret before it is good for `grace` more, one older than that no longer. The key keeps its
    public id and so its event ids (C21). Raises ApiKeyEndedError.
    """
    secret = _new_secret()
    has_grace = grace > timedelta(0)
    # One statement, so that of two rotations at once the second comes after the first, and none
    # after a revocation.
    rotated = ApiKey.objects.filter(_is_live(now), pk=key.pk).update(
        previous_secret_hash=F("secret_hash") if has_grace else Value(""),
        previous_secret_ends_at=now + grace if has_grace else None,
        secret_hash=hash_secret(secret),
    )
    key.refresh_from_db()
    if not rotated:
        raise ApiKeyEndedError(key.state_at(now))
    return make_token(key.public_id, secret)


def _is_live(now: datetime) -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def _new_secret() -> str:
    """256 random bits, as text without a character that a header or a URL would mind."""
    return secrets.token_urlsafe(32)


def revoke_api_key(key: ApiKey, *, now: datetime) -> None:
    """Make the key worthless from its next call on, with each of its secrets.

    A second revocation changes nothing.
    """
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def note_api_key_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that the key was used, to the minute."""
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
