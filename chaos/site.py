"""The product's site as a web server of the rig serves it."""

from collections.abc import Iterable
from typing import Any

from budget_manager.wsgi import application as product
from chaos.host import enter_rig

_GATE = enter_rig()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request; time doesn't leap meanwhile."""
    with _GATE.passing():
        answer: Iterable[bytes] = product(environ, start_response)
        return answer
