"""The product's Celery application as a worker of the rig runs it."""

import threading
from contextlib import ExitStack
from typing import Any

from celery.signals import task_postrun, task_prerun

from budget_manager.celery import app
from chaos.host import enter_rig

__all__ = ["app"]

_GATE = enter_rig()
_UNDER_WAY = threading.local()


@task_prerun.connect
def _enter(**_: Any) -> None:
    """Wait while time leaps; it doesn't leap before the task has ended."""
    _UNDER_WAY.stack = ExitStack()
    _UNDER_WAY.stack.enter_context(_GATE.passing())


@task_postrun.connect
def _leave(**_: Any) -> None:
    _UNDER_WAY.stack.close()
