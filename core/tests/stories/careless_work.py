"""The application of a worker whose tasks forget the lock: a mutant, for the story of two beats."""

from contextlib import ExitStack
from typing import Any

from celery.signals import worker_init
from django.utils.module_loading import import_string

from budget_manager.celery import app  # noqa: F401 (Celery looks for it here)

# As long as the wait for the other beat's tick, so that no luck is needed to meet it.
MOMENT_SECONDS = 1.0

carelessness = ExitStack()


@worker_init.connect
def forget_the_lock(**_told: Any) -> None:
    """Break the deeds as soon as the models are there to import them with."""
    without_lock = import_string("core.tests.races.mutants_of_tasks._without_lock")
    carelessness.enter_context(without_lock(MOMENT_SECONDS))
