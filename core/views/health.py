"""Whether the process lives, and whether it can do its work. No key needed."""

import logging

from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError

from budget_manager.celery import app
from core.queries.health import find_last_tick
from core.views.errors import database_error_response

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

    `broker` and `last_tick_age` (seconds) tell how unattended work fares.
    """
    now = timezone.now()
    try:
        last_tick = find_last_tick()
    except DatabaseError as error:
        logger.error("health check: the database is unreachable: %s", error)
        return database_error_response(request)
    age = (now - last_tick).total_seconds() if last_tick else None
    return JsonResponse(
        {"status": "ready", "database": "ok", "broker": _broker(), "last_tick_age": age}
    )


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
