"""Finds API keys: the one behind a token, and all of them (C29)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core.errors import ApiKeyNotFoundError
from core.models import ApiKey
from core.models.rows import RowReader
from core.models.sql import Reading, Row, Statement, is_among, listed, run_together
from core.queries.clock import get_now_column, get_trusted
from core.rules.api_keys import (
    TOKEN_PREFIX,
    hash_secret,
    is_expired,
    is_in_grace,
    is_secret,
    split_token,
)

NO_SECRET = hash_secret("")
_KEYS = RowReader(ApiKey)


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A live API key, and when it was found to be live: the instant of the request that sent it."""

    key: ApiKey
    at: datetime


def find_api_keys(tokens: Sequence[str], along: Reading | None = None) -> list[OpenedKey | None]:
    """The live key that each token opens; `None` if unknown, wrong, expired or revoked.

    One query, by which the clock is read as well, and with which others may go along. Raises
    ClocksDisagreeError. By hand: every call waits for it, and the ORM takes longer to word it than
    to have it done.
    """
    split = [split_token(token) for token in tokens]
    text = (
        f"SELECT {_KEYS.columns}, {get_now_column()} FROM core_apikey "  # noqa: S608 (our own words)
        f"WHERE public_id {is_among('text')} AND revoked_at IS NULL"
    )
    statement = Statement(text, [listed(sorted({name for name, _ in split}))])
    (rows,) = run_together([statement], along=along)
    found = {key.public_id: (key, read_at) for key, read_at in map(_read, rows)}
    return [_opened(found.get(name), secret) for name, secret in split]


def _read(row: Row) -> tuple[ApiKey, datetime | None]:
    """A key, and what the clock showed."""
    *values, read_at = row
    return _KEYS.read(tuple(values)), read_at


def _opened(found: tuple[ApiKey, datetime | None] | None, secret: str) -> OpenedKey | None:
    # An unknown id costs the same comparisons as a wrong secret.
    if found is None:
        is_secret(secret, NO_SECRET, NO_SECRET)
        return None
    key, read_at = found
    now = get_trusted(read_at)
    is_open = is_secret(secret, *_live_hashes(key, now)) and not is_expired(key.expires_at, now)
    return OpenedKey(key, now) if is_open else None


def _live_hashes(key: ApiKey, now: datetime) -> tuple[str, str]:
    """The hashes of the secrets that open the key, always two to compare with."""
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


def map_brands_of_keys(keys: Iterable[ApiKey]) -> dict[int, frozenset[int] | None]:
    """The brands that each of these keys may see; `None` for all (C29). One query at most."""
    every = list(keys)
    brands = {key.pk: set[int]() for key in every if key.is_limited_to_brands}
    if brands:
        pairs = ApiKey.brands.through._default_manager.filter(apikey__in=brands)
        for key_id, brand_id in pairs.values_list("apikey_id", "brand_id"):
            brands[key_id].add(brand_id)
    return {key.pk: frozenset(brands[key.pk]) if key.pk in brands else None for key in every}
