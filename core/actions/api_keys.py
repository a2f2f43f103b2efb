"""Creates and revokes API keys (C29)."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from core.enums import Scope
from core.models import ApiKey, Brand
from core.rules.api_keys import hash_secret, make_token

# "Last used" is exact to this, so that a busy key costs one write a minute.
LAST_USED_STEP = timedelta(minutes=1)


@transaction.atomic
def create_api_key(
    name: str,
    *,
    scopes: Collection[Scope],
    brands: Collection[Brand] | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key and its token, which can't be shown again. `brands` of `None`: all brands."""
    public_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        public_id=public_id,
        secret_hash=hash_secret(secret),
        scopes=sorted(scopes),
        is_limited_to_brands=brands is not None,
        created_at=now,
        expires_at=expires_at,
    )
    key.brands.set(brands or [])
    return key, make_token(public_id, secret)


def revoke_api_key(key: ApiKey, *, now: datetime) -> None:
    """Make the key worthless from its next call on. A second revocation changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def note_api_key_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that the key was used, to the minute."""
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
