"""Does to the system what the timetable says, and ends what lasts."""

import heapq
import itertools
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import redis

from chaos.processes import CLIENT_COUNT, WEB_COUNT
from chaos.servers import Servers
from chaos.timetable import Fault, Planned
from stack.process import children_of
from stack.supervisor import Supervisor

COMMITS_TO_CUT = 4
LATENCY_SECONDS = 0.15
Deed = Callable[[], object]


class Injector:
    """The faults of one run. Belongs to the thread that tends the processes."""

    def __init__(
        self,
        servers: Servers,
        supervisor: Supervisor,
        planned: Iterable[Planned],
        say: Callable[[str], None],
    ) -> None:
        self._servers, self._supervisor, self._say = servers, supervisor, say
        self._planned = deque(planned)
        self._ends: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()
        self.done: Counter[Fault] = Counter()

    @property
    def is_calm(self) -> bool:
        """Whether nothing that lasts is under way."""
        return not self._ends

    def tend(self, passed_seconds: float) -> None:
        """Begin and end what is due by now."""
        while self._ends and self._ends[0][0] <= time.monotonic():
            heapq.heappop(self._ends)[2]()
        while self._planned and self._planned[0].at <= passed_seconds:
            self._begin(self._planned.popleft())

    def end_all(self) -> None:
        """End what lasts, and begin nothing more."""
        self._planned.clear()
        while self._ends:
            heapq.heappop(self._ends)[2]()
        self._servers.database_proxy.pass_on()
        self._servers.broker_proxy.pass_on()

    def _begin(self, planned: Planned) -> None:
        ending = self._deeds(planned)
        self._say(f"  {planned}")
        self.done[planned.fault] += 1
        if ending is not None:
            due = time.monotonic() + planned.seconds
            heapq.heappush(self._ends, (due, next(self._numbers), ending))

    def _deeds(self, planned: Planned) -> Deed | None:
        """Do it; what ends it, if it lasts."""
        before_database = self._servers.database_proxy
        match planned.fault:
            case Fault.CRASH_DATABASE:
                self._servers.database.crash()
                return self._servers.database.start
            case Fault.CUT_DATABASE:
                before_database.cut()
            case Fault.CUT_AFTER_COMMIT:
                before_database.cut_after_commits(COMMITS_TO_CUT)
            case Fault.REFUSE_DATABASE:
                before_database.refuse()
                return before_database.pass_on
            case Fault.DELAY_DATABASE:
                before_database.delay(LATENCY_SECONDS)
                return before_database.pass_on
            case Fault.SWALLOW_DATABASE:
                before_database.swallow()
                return before_database.pass_on
            case broken if broken in BROKER_FAULTS:
                return self._break_broker(broken)
            case killed:
                self._kill(killed, planned.target)
        return None

    def _break_broker(self, fault: Fault) -> Deed | None:
        before_broker = self._servers.broker_proxy
        match fault:
            case Fault.KILL_BROKER:
                self._kill_process(self._supervisor.pid_of("valkey"))
                before_broker.refuse()
                return before_broker.pass_on
            case Fault.FLUSH_BROKER:
                with suppress(redis.RedisError):
                    self._flush_broker()
            case Fault.SWALLOW_BROKER:
                before_broker.swallow()
                return before_broker.pass_on
            case _:
                before_broker.cut()
        return None

    def _flush_broker(self) -> None:
        with redis.Redis(unix_socket_path=str(self._servers.broker_socket)) as broker:
            broker.flushall()

    def _kill(self, fault: Fault, target: int) -> None:
        names = {
            Fault.KILL_WEB_SERVER: [f"web-{number + 1}" for number in range(WEB_COUNT)],
            Fault.KILL_WEB_WORKER: [f"web-{number + 1}" for number in range(WEB_COUNT)],
            Fault.KILL_CELERY_WORKER: ["worker-1", "worker-2"],
            Fault.KILL_POOL_CHILD: ["worker-2"],
            Fault.KILL_BEAT: ["beat-1", "beat-2"],
            Fault.KILL_CLIENT: [f"client-{number + 1}" for number in range(CLIENT_COUNT)],
        }[fault]
        process = self._supervisor.pid_of(names[target % len(names)])
        if fault in {Fault.KILL_WEB_WORKER, Fault.KILL_POOL_CHILD} and process is not None:
            children = children_of(process)
            process = children[target % len(children)] if children else None
        self._kill_process(process)

    def _kill_process(self, process: int | None) -> None:
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


BROKER_FAULTS = frozenset(
    {Fault.KILL_BROKER, Fault.FLUSH_BROKER, Fault.CUT_BROKER, Fault.SWALLOW_BROKER}
)
