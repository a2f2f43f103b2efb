"""What `make run` does: prepare, start the system's processes, keep them until told to stop."""

import os
import socket
import sys
from collections.abc import Mapping

from stack import commands, demo, environment, valkey
from stack.checkout import VAR, held_for_this_run, make_var
from stack.console import Console
from stack.errors import PortTakenError, StepFailedError
from stack.process import ProcessSpec
from stack.supervisor import OWN_NAME, StopRequestedError, Supervisor
from stack.welcome import welcome_when_ready

PRIVATE_UMASK = 0o077


def run() -> None:
    """Run the whole system until a signal or a closed terminal ends it."""
    port = environment.port_of(os.environ)
    os.umask(PRIVATE_UMASK)
    make_var()
    with held_for_this_run(site_url(port)):
        refuse_taken_port(port)
        broker = None if environment.is_set(os.environ, "CELERY_BROKER_URL") else embedded_broker()
        console = Console(sys.stdout)
        with Supervisor(console) as supervisor:
            try:
                bring_up(supervisor, console, port=port, broker=broker)
            except StopRequestedError:
                console.say(OWN_NAME, "stopped before everything had started")
                return
            supervisor.keep_running()
            console.say(OWN_NAME, "stopping")


def bring_up(
    supervisor: Supervisor, console: Console, *, port: int, broker: ProcessSpec | None
) -> None:
    """Start everything in the order in which one thing needs the other."""
    complete = environment.complete(
        os.environ, broker_url=valkey.broker_url(valkey.socket_path()) if broker else ""
    )
    if broker is not None:
        supervisor.start(broker)
        supervisor.wait_for(lambda: valkey.answers(valkey.socket_path()))
    has_demo = environment.wants_demo(os.environ)
    if has_demo:
        demo.forget_credentials_of_another_database(complete["DATABASE_URL"])
    migrating = commands.spec("migrate", commands.MIGRATE, complete)
    if (status := supervisor.run_to_end(migrating)) != 0:
        raise StepFailedError(migrating.name, status)
    if has_demo:
        load_demo(supervisor, console, url=site_url(port), complete=complete)
    for spec in site_processes(port, complete):
        supervisor.start(spec)
    welcome_when_ready(console, port=port, credentials=demo.credentials() if has_demo else {})


def load_demo(
    supervisor: Supervisor, console: Console, *, url: str, complete: Mapping[str, str]
) -> None:
    """Load the demo once. The system is of use without it, so that a failure is only said."""
    step = demo.loading(url=url, environment=complete)
    if step is not None and (status := supervisor.run_to_end(step)) != 0:
        console.say(OWN_NAME, f"the demo wasn't loaded (status {status}); going on without it")


def site_processes(port: int, complete: Mapping[str, str]) -> list[ProcessSpec]:
    """Describe the processes that are the system: the site, the worker and the beat."""
    bind = ("--bind", f"127.0.0.1:{port}")
    return [
        commands.spec("web", (*commands.WEB, *bind), complete),
        commands.spec("worker", commands.WORKER, complete),
        commands.spec("beat", commands.BEAT, complete),
    ]


def embedded_broker() -> ProcessSpec:
    """Describe the broker that the run brings along."""
    binary = valkey.find_binary()
    return valkey.spec(binary, listens_at=valkey.socket_path(), data=VAR / "valkey")


def refuse_taken_port(port: int) -> None:
    """Refuse when somebody listens at the site's address, before anything is started."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            raise PortTakenError(port) from None


def site_url(port: int) -> str:
    """Return where a browser on this machine finds the site."""
    return f"http://127.0.0.1:{port}"
