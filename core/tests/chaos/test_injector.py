"""Every fault of the timetable is really done to something, and what lasts is ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.injector import Injector
from chaos.servers import Servers
from chaos.timetable import SECONDS, Fault, Planned
from stack.process import children_of
from stack.supervisor import Supervisor

KILLS = tuple(fault for fault in Fault if fault.name.startswith("KILL"))
OTHERS = tuple(fault for fault in Fault if fault not in KILLS and fault is not Fault.FLUSH_BROKER)
# A parent with one child; both say where they are.
FAMILY = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)']);"
    "print('ready', flush=True); time.sleep(100)"
)


class Recorder:
    """Stands for a server or its proxy; keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.told.append(name)


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        yield parent
        os.killpg(parent.pid, signal.SIGKILL)


def injector_of(recorder: Recorder, process: int | None, fault: Fault) -> Injector:
    servers = SimpleNamespace(
        database=recorder, database_proxy=recorder, broker_proxy=recorder, broker_socket=Path("-")
    )
    supervisor = SimpleNamespace(pid_of=lambda _: process)
    planned = Planned(0.0, fault, SECONDS.get(fault, (0.0,))[0], target=5)
    return Injector(
        cast("Servers", servers),
        cast("Supervisor", supervisor),
        [planned],
        say=lambda _: None,
    )


@pytest.mark.parametrize("fault", OTHERS)
def test_a_fault_is_begun_once_and_ended_if_it_lasts(fault: Fault) -> None:
    recorder = Recorder()
    injector = injector_of(recorder, None, fault)
    injector.tend(1.0)
    injector.tend(2.0)
    assert len(recorder.told) == 1
    assert injector.done == {fault: 1}
    assert injector.is_calm is (fault not in SECONDS)
    injector.end_all()
    assert injector.is_calm
    assert recorder.told[-1] in ("pass_on", "start")


@pytest.mark.parametrize("fault", KILLS)
def test_a_kill_hits_the_process_or_its_child(
    fault: Fault, family: subprocess.Popen[bytes]
) -> None:
    (child,) = children_of(family.pid)
    injector_of(Recorder(), family.pid, fault).tend(1.0)
    if fault in (Fault.KILL_WEB_WORKER, Fault.KILL_POOL_CHILD):
        assert family.poll() is None
        await_end(child)
    else:
        assert family.wait(5) == -signal.SIGKILL


def test_a_kill_of_who_is_dead_already_does_nothing() -> None:
    injector = injector_of(Recorder(), None, Fault.KILL_BEAT)
    injector.tend(1.0)
    assert injector.done == {Fault.KILL_BEAT: 1}


def await_end(process: int) -> None:
    deadline = time.monotonic() + 5
    while (state := Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]) != "Z":
        assert time.monotonic() < deadline, state
        time.sleep(0.01)
