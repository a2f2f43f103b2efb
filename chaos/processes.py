"""Which processes the rig runs: the product's own commands, with what makes them attackable."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.host import FOLDER, SECONDS_AHEAD
from stack import commands
from stack.process import ProcessSpec
from stack.run import site_processes

PRODUCT_SITE, OUR_SITE = "budget_manager.wsgi:application", "chaos.site:application"
PRODUCT_APP, OUR_APP = "budget_manager", "chaos.celery_app"
WRONG_CLOCK_SECONDS = 7_200
# The unattended work of a day takes seconds here, and the next midnight is seconds away.
TICK_SECONDS = {
    "CHECK_BUDGETS_SECONDS": "1.5",
    "ENFORCE_DAYPARTING_SECONDS": "1",
    "RESET_DAILY_SPEND_SECONDS": "1",
    "RESET_MONTHLY_SPEND_SECONDS": "2",
    "EXPIRE_HOLDS_SECONDS": "1",
}
WEB_COUNT = 3
CLIENT_COUNT = 3
CLIENT_THREADS = 6
OPERATOR_RATE = 2.0


@dataclass(frozen=True)
class Places:
    """Where things are: the run's folder, and the ports."""

    folder: Path
    database_port: int
    broker_port: int
    web_ports: Sequence[int]

    @property
    def urls(self) -> list[str]:
        """The web hosts."""
        return [f"http://127.0.0.1:{port}" for port in self.web_ports]


def environment_of(places: Places) -> dict[str, str]:
    """What production sets; the database and the broker are reached through their proxies."""
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{places.database_port}/budget_manager"
        "?sslmode=disable&gssencmode=disable",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{places.broker_port}/0",
        "DEBUG": "0",
        "HTTPS_ONLY": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PYTHONUNBUFFERED": "1",
        FOLDER: str(places.folder),
        **TICK_SECONDS,
    }


def web_hosts(places: Places, environment: Mapping[str, str]) -> list[ProcessSpec]:
    """As many hosts with a web server; the second commits singly, the third has a wrong clock."""
    peculiar: dict[int, dict[str, str]] = {
        2: {"GROUP_COMMIT": "0"},
        3: {SECONDS_AHEAD: str(WRONG_CLOCK_SECONDS)},
    }
    return [
        _web_host(f"web-{number}", port, {**environment, **peculiar.get(number, {})})
        for number, port in enumerate(places.web_ports, start=1)
    ]


def _web_host(name: str, port: int, environment: Mapping[str, str]) -> ProcessSpec:
    web = next(spec for spec in site_processes(port, environment) if spec.name == "web")
    return replace(web, name=name, command=_replaced(web.command, PRODUCT_SITE, OUR_SITE))


def celery_processes(environment: Mapping[str, str]) -> list[ProcessSpec]:
    """Two workers, the second with pool children, and two beats."""
    worker = _replaced(commands.WORKER, PRODUCT_APP, OUR_APP)
    forking = _replaced(_replaced(worker, "threads", "prefork"), "4", "2")
    named = (("--hostname", "worker-1@rig"), ("--hostname", "worker-2@rig"))
    return [
        commands.spec("worker-1", (*worker, *named[0]), environment),
        commands.spec("worker-2", (*forking, *named[1]), environment),
        commands.spec("beat-1", commands.BEAT, environment),
        commands.spec("beat-2", commands.BEAT, environment),
    ]


def client_processes(
    places: Places, environment: Mapping[str, str], *, rate: float
) -> list[ProcessSpec]:
    """Those who spend, and the operator."""
    folder = str(places.folder)
    each = str(rate / CLIENT_COUNT)
    clients = [
        _python(
            f"client-{number}",
            ("chaos.client", folder, f"client-{number}", str(CLIENT_THREADS), each, *places.urls),
            environment,
        )
        for number in range(1, CLIENT_COUNT + 1)
    ]
    words = ("chaos.operator", folder, "operator", str(OPERATOR_RATE), *places.urls)
    return [*clients, _python("operator", words, environment)]


def squeeze(places: Places, environment: Mapping[str, str]) -> ProcessSpec:
    """Who asks for what is left of every budget."""
    return _python("squeeze", ("chaos.squeeze", str(places.folder), *places.urls), environment)


def audit(folder: Path, environment: Mapping[str, str], database_url: str) -> ProcessSpec:
    """Who judges the run; it reaches the database directly."""
    own = {**environment, "DATABASE_URL": database_url}
    return _python("audit", ("chaos.audit", str(folder)), own)


def _python(name: str, words: Sequence[str], environment: Mapping[str, str]) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-m", *words), environment)


def _replaced(words: Sequence[str], product: str, ours: str) -> tuple[str, ...]:
    """The command with one word of it replaced, which has to be there."""
    if product not in words:
        raise ValueError(f"{product} is not in {words}")
    return tuple(ours if word == product else word for word in words)
