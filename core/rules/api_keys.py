"""What a token looks like, how its secret is kept, and what may become of a key (C29)."""

import hashlib
import secrets
from datetime import datetime
from enum import StrEnum

TOKEN_PREFIX = "bm"  # noqa: S105 (a marker that secret scanners can match, not a secret)
MOST_REQUESTS_PER_MINUTE = 1_000_000_000


class KeyState(StrEnum):
    """What has become of a key. A rotating one is live, with two secrets."""

    LIVE = "live"
    ROTATING = "rotating"
    EXPIRED = "expired"
    REVOKED = "revoked"


def make_token(public_id: str, secret: str) -> str:
    """The token that a caller sends: `bm_<public id>_<secret>`."""
    return f"{TOKEN_PREFIX}_{public_id}_{secret}"


def token_start(public_id: str) -> str:
    """The part of a token that may be shown."""
    return make_token(public_id, "")


def split_token(token: str) -> tuple[str, str]:
    """The public id and the secret of a token; empty texts where it has none."""
    prefix, _, rest = token.partition("_")
    public_id, _, secret = rest.partition("_")
    return (public_id, secret) if prefix == TOKEN_PREFIX else ("", "")


def hash_secret(secret: str) -> str:
    """How a secret of 256 random bits is kept: its SHA-256, which nobody can turn back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, *hashes: str) -> bool:
    """Whether the secret has one of these hashes, in a time that tells nothing about which."""
    given = hash_secret(secret)
    return sum(secrets.compare_digest(given, each) for each in hashes) > 0


def is_in_grace(previous_secret_ends_at: datetime | None, now: datetime) -> bool:
    """Whether the secret before the last rotation still opens its key."""
    return previous_secret_ends_at is not None and now < previous_secret_ends_at


def is_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a key is past its end; it opens nothing from that very instant on."""
    return expires_at is not None and expires_at <= now
