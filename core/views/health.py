"""Whether the process lives, and whether it can do its work. No key needed."""

import logging

from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError

from budget_manager.celery import app
from core.errors import ClocksDisagreeError
from core.queries.clock import get_clock_difference, get_now
from core.queries.health import find_broken_count, find_last_tick
from core.views.errors import database_error_response, not_now_response

logger = logging.getLogger(__name__)
BROKER_TIMEOUT_SECONDS = 1


@csrf_exempt
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "live"})


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 while spend can be admitted, which needs the database alone (C27).

    `broker` and `last_tick_age` (seconds) tell how unattended work fares. `clock_ahead` is how far
    this host's clock is ahead of the database's, by which everything is decided (seconds).
    `broken_promises` counts what the nightly verification found (C25); `null` before its first run.
    """
    try:
        known = _ask_database()
    except DatabaseError as error:
        logger.error("health check: the database is unreachable: %s", error)
        return database_error_response(request)
    except ClocksDisagreeError as refusal:
        logger.error("health check: %s", refusal.message)
        return not_now_response(request, refusal)
    return JsonResponse({"status": "ready", "database": "ok", "broker": _broker(), **known})


def _ask_database() -> dict[str, float | int | None]:
    now = get_now()
    ahead = get_clock_difference(now).total_seconds()
    last_tick = find_last_tick()
    age = (now - last_tick).total_seconds() if last_tick else None
    found = find_broken_count()
    return {"last_tick_age": age, "clock_ahead": ahead, "broken_promises": found}


def _broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=BROKER_TIMEOUT_SECONDS) as connection:
            connection.ensure_connection(
                max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT_SECONDS
            )
    except (KombuError, OSError) as error:
        logger.warning("health check: the broker is unreachable: %s", error)
        return "unreachable"
    return "ok"
