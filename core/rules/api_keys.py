"""What a token looks like, and how its secret is kept (C29)."""

import hashlib
import secrets

TOKEN_PREFIX = "bm"  # noqa: S105 (a marker that secret scanners can match, not a secret)


def make_token(public_id: str, secret: str) -> str:
    """The token that a caller sends: `bm_<public id>_<secret>`."""
    return f"{TOKEN_PREFIX}_{public_id}_{secret}"


def split_token(token: str) -> tuple[str, str]:
    """The public id and the secret of a token; empty texts where it has none."""
    prefix, _, rest = token.partition("_")
    public_id, _, secret = rest.partition("_")
    return (public_id, secret) if prefix == TOKEN_PREFIX else ("", "")


def hash_secret(secret: str) -> str:
    """How a secret of 256 random bits is kept: its SHA-256, which nobody can turn back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, secret_hash: str) -> bool:
    """Whether the secret has this hash, in a time that tells nothing about it."""
    return secrets.compare_digest(hash_secret(secret), secret_hash)
