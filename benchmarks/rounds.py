"""Each measurement of `make bench`, and the servers that they press on. All take their turn."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks.choices import GROUPED, SINGLE, WARM_UP_SECONDS, Choices, Plan, Say
from benchmarks.hand_written import HandWritten, inserts_into_sqlite
from benchmarks.load import Pressure, post, press
from benchmarks.machine import slower_flushes
from benchmarks.noop_site import PATH as NOOP_PATH
from benchmarks.prices import PriceStream, send_prices, spend_of
from benchmarks.scene import PRICE, Scene, Site, make_scene
from benchmarks.targets import (
    ALONE,
    ALONE_OFF,
    BATCHES,
    BATCHES_ON_SQLITE,
    COPIED,
    EXECUTEMANY,
    FREE_CALLS,
    HOT,
    HOT_SLOW,
    MANY,
    MEMORY,
    MICROS_OFF,
    NOOP_CALLS,
    OFF,
    OFF_BEST,
    OFF_BEST_SLOW,
    PGBENCH,
    PRICES,
    SET_BASED,
    SHARE_OF_MEMORY,
    SLOW_FLUSH_MICROSECONDS,
    Readings,
    p99_of,
)
from benchmarks.web import FREE, NOOP, WebServer, environment_of, serving

BATCH_CALLERS = 2
NOOP_CALL = post(NOOP_PATH, b'{"campaign_id": 1, "amount": "0.00032"}')


@dataclass(frozen=True)
class Sites:
    """Every server that is pressed on. All stand idle but one."""

    grouped: Site
    single: Site
    single_at_its_best: Site
    on_sqlite: Site
    free: Site
    noop: WebServer
    folder: Path


@contextmanager
def all_sites(url: str, scene: Scene, choices: Choices, folder: Path) -> Iterator[Sites]:
    """Serve everything for the length of the block; `folder` is for SQLite's file."""
    here = environment_of(url)
    on_sqlite = environment_of(f"sqlite:///{folder / 'spend.sqlite3'}", **GROUPED)
    bare = {**here, "DJANGO_SETTINGS_MODULE": "benchmarks.noop_site"}
    of_sqlite = make_scene(on_sqlite, brand_count=0, fresh_count=0)
    with ExitStack() as servers:
        start = servers.enter_context
        yield Sites(
            grouped=Site(start(serving(choices.grouped, {**here, **GROUPED})), scene),
            single=Site(start(serving(choices.grouped, {**here, **SINGLE})), scene),
            single_at_its_best=Site(start(serving(choices.single, {**here, **SINGLE})), scene),
            on_sqlite=Site(start(serving(choices.grouped, on_sqlite)), of_sqlite),
            free=Site(
                start(serving(choices.grouped, {**here, **GROUPED}, application=FREE)), scene
            ),
            noop=start(serving(choices.grouped, bare, application=NOOP)),
            folder=folder,
        )


@dataclass(frozen=True)
class Rounds:
    """Takes every measure in turn, so that no other load falls on one of them alone."""

    plan: Plan
    by_hand: HandWritten
    way: str
    sites: Sites
    stream: PriceStream
    flush: int
    readings: Readings
    say: Say

    def run(self) -> None:
        """Take each measure so many times, and look at the memory last."""
        measures = self._measures()
        self._warm_up()
        for number in range(self.plan.repetitions):
            for name, measure in measures.items():
                measure()
                said = self.readings.latest(name)
                self.say(f"round {number + 1} of {self.plan.repetitions}: {name}: {said}")
        self._weigh_workers()

    def _measures(self) -> dict[str, Callable[[], None]]:
        """What is measured, by the reading that it is known for."""
        grouped, single, best = (
            self.sites.grouped,
            self.sites.single,
            self.sites.single_at_its_best,
        )
        hot, many = grouped.scene.hot, grouped.scene.scattered
        fresh = iter(grouped.scene.fresh)
        measures: dict[str, Callable[[], None]] = {
            PGBENCH: self._pgbench,
            HOT: partial(self._spends, HOT, grouped, hot),
            OFF_BEST: partial(self._spends, OFF_BEST, best, hot),
            OFF: partial(self._spends, OFF, single, hot),
            MANY: partial(self._spends, MANY, grouped, many),
            NOOP_CALLS: self._noop,
            FREE_CALLS: partial(self._spends, FREE_CALLS, self.sites.free, hot),
            ALONE: partial(self._alone, ALONE, grouped),
            ALONE_OFF: partial(self._alone, ALONE_OFF, single),
            BATCHES: partial(self._batches, BATCHES, grouped),
            SET_BASED: self._set_based,
            BATCHES_ON_SQLITE: partial(self._batches, BATCHES_ON_SQLITE, self.sites.on_sqlite),
            EXECUTEMANY: self._executemany,
            PRICES: lambda: self._prices(next(fresh)),
        }
        if self.flush < SLOW_FLUSH_MICROSECONDS:
            measures |= {
                HOT_SLOW: partial(self._slowly, HOT_SLOW, grouped),
                OFF_BEST_SLOW: partial(self._slowly, OFF_BEST_SLOW, best),
            }
        return measures

    def _warm_up(self) -> None:
        sites = (self.sites.grouped, self.sites.single, self.sites.single_at_its_best)
        for site in (*sites, self.sites.on_sqlite, self.sites.free):
            spends = site.scene.spends(site.scene.hot)
            self._press(site.server, spends, self.plan.connections, WARM_UP_SECONDS)
        self._press(self.sites.noop, [NOOP_CALL], self.plan.connections, WARM_UP_SECONDS)

    def _press(
        self, server: WebServer, requests: Sequence[bytes], callers: int, seconds: float = 0
    ) -> Pressure:
        seconds = seconds or self.plan.seconds
        pressure = press(server.port, requests, callers=callers, seconds=seconds)
        assert pressure.latencies, f"no good answer: {pressure.statuses}"
        return pressure

    def _pgbench(self) -> None:
        clients, seconds = self.plan.clients, self.plan.seconds
        rate = self.by_hand.transactions(self.way, clients=clients, seconds=seconds)
        self.readings.note(PGBENCH, rate, "/s")

    def _spends(self, name: str, site: Site, campaign_ids: list[int]) -> None:
        spends = site.scene.spends(campaign_ids)
        pressure = self._press(site.server, spends, self.plan.connections)
        self.readings.note(name, pressure.rate, "/s")
        self.readings.note(p99_of(name), pressure.quantile_ms(0.99), "ms")
        self.readings.refused[name] += pressure.refused

    def _slowly(self, name: str, site: Site) -> None:
        with slower_flushes(self.by_hand.url, SLOW_FLUSH_MICROSECONDS - self.flush):
            self._spends(name, site, site.scene.hot)

    def _noop(self) -> None:
        pressure = self._press(self.sites.noop, [NOOP_CALL], self.plan.connections)
        self.readings.note(NOOP_CALLS, pressure.rate, "/s")

    def _alone(self, name: str, site: Site) -> None:
        pressure = self._press(site.server, site.scene.spends(site.scene.hot), 1)
        self.readings.note(name, pressure.quantile_ms(0.5), "ms")
        self.readings.refused[name] += pressure.refused

    def _batches(self, name: str, site: Site) -> None:
        size = self.plan.batch
        campaign_ids = islice(cycle(site.scene.hot), size)
        entries = [
            {"kind": "add", "campaign_id": campaign_id, "amount": PRICE}
            for campaign_id in campaign_ids
        ]
        request = site.scene.request("/api/spend/batch/", {"entries": entries})
        pressure = self._press(site.server, [request], BATCH_CALLERS)
        # A batch is answered with 200 even where it refuses every entry.
        results = json.loads(pressure.last_good_body)["results"]
        assert [result["status"] for result in results] == ["admitted"] * size
        self.readings.note(name, pressure.rate * size, "entries/s")
        self.readings.refused[name] += pressure.refused

    def _set_based(self) -> None:
        size, seconds = self.plan.batch, self.plan.seconds
        rate = self.by_hand.set_based(size, callers=BATCH_CALLERS, seconds=seconds)
        self.readings.note(SET_BASED, rate, "entries/s")

    def _executemany(self) -> None:
        file, size = self.sites.folder / "bare.sqlite3", self.plan.batch
        rate = inserts_into_sqlite(file, size, seconds=self.plan.seconds)
        self.readings.note(EXECUTEMANY, rate, "entries/s")

    def _prices(self, campaign_id: int) -> None:
        site = self.sites.grouped
        rate = send_prices(self.stream, site, campaign_id=campaign_id, batch=self.plan.batch)
        self.readings.note(PRICES, rate, "entries/s")
        difference = spend_of(campaign_id, site) - self.stream.total
        self.readings.note(COPIED, self.by_hand.copied(self.stream.prices), "entries/s")
        self.readings.note(MICROS_OFF, float(abs(difference) * 1_000_000), "micros")

    def _weigh_workers(self) -> None:
        workers = self.sites.grouped.server.memory_of_workers()
        self.readings.note(MEMORY, max(worker.resident for worker in workers), "MB")
        self.readings.note(SHARE_OF_MEMORY, max(worker.proportional for worker in workers), "MB")
