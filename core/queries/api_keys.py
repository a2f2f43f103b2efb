"""Finds the API key behind a token (C29)."""

import hashlib
import hmac
from datetime import datetime

from core.models import ApiKey


def hash_secret(secret: str) -> str:
    """How a secret of 256 random bits is kept: its SHA-256, which nobody can turn back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_api_key(token: str, now: datetime) -> ApiKey | None:
    """The live key that this token opens; `None` if unknown, wrong, expired or revoked."""
    _, _, rest = token.partition("_")
    public_id, _, secret = rest.partition("_")
    key = ApiKey.objects.filter(public_id=public_id, revoked_at=None).first()
    # An unknown id costs the same comparison as a wrong secret.
    expected = key.secret_hash if key else hash_secret("")
    if not hmac.compare_digest(hash_secret(secret), expected) or key is None:
        return None
    return None if key.expires_at and key.expires_at <= now else key


def find_brands_of_key(key: ApiKey) -> frozenset[int] | None:
    """The brands that the key may see; `None` for all (C29)."""
    if not key.is_limited_to_brands:
        return None
    return frozenset(key.brands.values_list("id", flat=True))
