"""Finds the API key behind a token (C29)."""

from datetime import datetime

from core.models import ApiKey
from core.rules.api_keys import hash_secret, is_secret, split_token


def find_api_key(token: str, now: datetime) -> ApiKey | None:
    """The live key that this token opens; `None` if unknown, wrong, expired or revoked."""
    public_id, secret = split_token(token)
    key = ApiKey.objects.filter(public_id=public_id, revoked_at=None).first()
    # An unknown id costs the same comparison as a wrong secret.
    if not is_secret(secret, key.secret_hash if key else hash_secret("")) or key is None:
        return None
    return None if key.expires_at and key.expires_at <= now else key


def find_brands_of_key(key: ApiKey) -> frozenset[int] | None:
    """The brands that the key may see; `None` for all (C29)."""
    if not key.is_limited_to_brands:
        return None
    return frozenset(key.brands.values_list("id", flat=True))
