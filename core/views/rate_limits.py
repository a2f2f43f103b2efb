"""How many requests each API key may send in a minute of the clock, counted in Redis for all.

While Redis doesn't answer, each process counts for itself: no call waits for it, but for the one
that tries whether it is back, and those that come with it (C27).
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from limits.storage import MemoryStorage, RedisStorage, Storage
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.errors import RateLimitedError
from core.models import ApiKey

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
# Longer than a minute, for processes whose clocks are a little behind.
KEPT_SECONDS = 2 * WINDOW_SECONDS
# The longest that one request may wait, and for how long no other tries after it did.
TIMEOUT_SECONDS = 0.1
BREAK_SECONDS = 10.0
# A URL that isn't Redis's is a ValueError.
NO_ANSWER = (RedisError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Where a key stands in this minute, the request at hand included."""

    limit: int
    used: int
    seconds_left: int

    @property
    def is_exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit

    def refusal(self) -> RateLimitedError:
        """What the request is told that is one too many."""
        return RateLimitedError(limit=self.limit, seconds=self.seconds_left)


def count_requests(key: ApiKey, now: datetime, count: int) -> list[RateLimit | None]:
    """Count so many requests of one moment for their key; where each of them stands, in order."""
    own = key.requests_per_minute
    limit: int = settings.REQUESTS_PER_MINUTE if own is None else own
    if not limit:
        return [None] * count
    minute, passed = divmod(now.timestamp(), WINDOW_SECONDS)
    counter = find_counter(settings.RATE_LIMIT_REDIS_URL)
    used = counter.count(f"{key.public_id}/{int(minute)}", count)
    seconds_left = ceil(WINDOW_SECONDS - passed)
    return [RateLimit(limit, used - later, seconds_left) for later in reversed(range(count))]


def add_rate_limit_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Tell the caller of a request that was counted where its key stands."""
    rate: RateLimit | None = getattr(request, "rate_limit", None)
    if rate is None:
        return
    response["RateLimit-Limit"] = str(rate.limit)
    response["RateLimit-Remaining"] = str(max(rate.limit - rate.used, 0))
    response["RateLimit-Reset"] = str(rate.seconds_left)
    if rate.is_exceeded:
        response["Retry-After"] = str(rate.seconds_left)


class RequestCounter:
    """Counts by name, in Redis or, while there is none, in this process."""

    def __init__(self, redis_url: str) -> None:
        """An empty URL: no Redis is asked, and none is missed."""
        self._url = redis_url
        self._redis: Storage | None = None
        self._own = MemoryStorage()
        self._lock = threading.Lock()
        self._is_out = False
        self._next_try_at = 0.0

    def count(self, name: str, more: int = 1) -> int:
        """Count so many more; how many there are by now."""
        was_out = self._is_out
        if self._url and self._may_try():
            try:
                counted = self._shared().incr(name, KEPT_SECONDS, more)
            except NO_ANSWER as error:
                self._note_outage(error)
            else:
                if was_out:
                    self._note_return()
                return counted
        # The lock is for the library's storage, which isn't exact between threads.
        with self._lock:
            return self._own.incr(name, KEPT_SECONDS, more)

    def _may_try(self) -> bool:
        """Always while Redis answers; during an outage one request each while."""
        with self._lock:
            if self._is_out and time.monotonic() < self._next_try_at:
                return False
            self._next_try_at = time.monotonic() + BREAK_SECONDS
            return True

    def _shared(self) -> Storage:
        if self._redis is None:
            pool = ConnectionPool.from_url(
                redis_url_of(self._url),
                socket_connect_timeout=TIMEOUT_SECONDS,
                socket_timeout=TIMEOUT_SECONDS,
                # A second try would wait again, and could count twice.
                retry=Retry(NoBackoff(), 0),
            )
            prefix = "budget-manager:requests"
            self._redis = RedisStorage("redis://", connection_pool=pool, key_prefix=prefix)
        return self._redis

    def _note_outage(self, error: Exception) -> None:
        with self._lock:
            is_news, self._is_out = not self._is_out, True
            self._next_try_at = time.monotonic() + BREAK_SECONDS
        if is_news:
            # The kind alone: the text of some errors quotes the URL with its password.
            kind = type(error).__name__
            logger.warning("rate limits: no Redis (%s), each process counts for itself", kind)

    def _note_return(self) -> None:
        with self._lock:
            is_news, self._is_out = self._is_out, False
        if is_news:
            logger.warning("rate limits: Redis is back, all processes count together")


@cache
def find_counter(redis_url: str) -> RequestCounter:
    """The one counter of this process for the URL."""
    return RequestCounter(redis_url)


def redis_url_of(broker_url: str) -> str:
    """A broker's URL as a Redis client reads it; Celery writes a unix socket its own way."""
    kind, _, place = broker_url.partition("://")
    if kind != "redis+socket":
        return broker_url
    return f"unix://{place.replace('virtual_host=', 'db=')}"
