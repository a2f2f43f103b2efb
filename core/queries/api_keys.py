"""Finds API keys: the one behind a token, and all of them (C29)."""

from datetime import datetime

from django.db.models import QuerySet

from core.errors import ApiKeyNotFoundError
from core.models import ApiKey
from core.rules.api_keys import (
    TOKEN_PREFIX,
    hash_secret,
    is_expired,
    is_in_grace,
    is_secret,
    split_token,
)

NO_SECRET = hash_secret("")


def find_api_key(token: str, now: datetime) -> ApiKey | None:
    """The live key that this token opens; `None` if unknown, wrong, expired or revoked."""
    public_id, secret = split_token(token)
    key = ApiKey.objects.filter(public_id=public_id, revoked_at=None).first()
    # An unknown id costs the same comparisons as a wrong secret.
    if not is_secret(secret, *_live_hashes(key, now)) or key is None:
        return None
    return None if is_expired(key.expires_at, now) else key


def _live_hashes(key: ApiKey | None, now: datetime) -> tuple[str, str]:
    """The hashes of the secrets that open the key, always two to compare with."""
    if key is None:
        return NO_SECRET, NO_SECRET
    in_grace = is_in_grace(key.previous_secret_ends_at, now)
    return key.secret_hash, key.previous_secret_hash if in_grace else key.secret_hash


def get_api_key(text: str) -> ApiKey:
    """The key with this public id, alone or as a token starts. Raises ApiKeyNotFoundError."""
    public_id = split_token(text)[0] if text.startswith(f"{TOKEN_PREFIX}_") else text
    # No id has a character that isn't printable; a database may not even take one (C30).
    is_id = public_id.isprintable()
    key = ApiKey.objects.filter(public_id=public_id).first() if is_id else None
    if key is None:
        raise ApiKeyNotFoundError(public_id)
    return key


def list_api_keys() -> QuerySet[ApiKey]:
    """Every key with its brands, by name and then the newest first."""
    return ApiKey.objects.prefetch_related("brands").order_by("name", "-created_at", "-id")


def find_brands_of_key(key: ApiKey) -> frozenset[int] | None:
    """The brands that the key may see; `None` for all (C29)."""
    if not key.is_limited_to_brands:
        return None
    return frozenset(key.brands.values_list("id", flat=True))
