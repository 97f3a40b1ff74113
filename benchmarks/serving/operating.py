"""Parts of a service's life: start, memory, a swap of the bundle under load, two workers."""

from __future__ import annotations

import os
import threading
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.server_startup import start
from benchmarks.serving.light_load import light_load
from benchmarks.serving.load import Load, closed, offered
from benchmarks.serving.parts import Setting
from benchmarks.serving.reading import IN_FLIGHT
from benchmarks.serving.running import output, service
from benchmarks.serving.world import requests
from recsys.bundle import list_bundles, open_bundle, rollback
from recsys_client import RecsysClient

STARTS, CHANNELS = 3, 32
MOST_PER_SECOND = 4_000
"""Calls per second that two workers do not reach."""
_SWAP, _BEGIN = 15.0, 1.0
"""Duration of the load of a swap, and the part of it before the swap, in seconds."""


def startup(setting: Setting) -> dict[str, Any]:
    """Median of the seconds to the first SERVING of a service with one worker on both cores."""
    os.sched_setaffinity(0, {setting.server_core, setting.load_core})
    starts = [start(setting.bundles) for _ in range(STARTS)]
    return {name: median(each[name] for each in starts) for name in starts[0]}


def memory(setting: Setting) -> dict[str, Any]:
    """Resident memory of a worker after queries of each kind, and that of its parts."""
    version = open_bundle(setting.bundles, "current").version
    files = (setting.bundles / "versions" / version).rglob("*")
    data = sum(path.stat().st_size for path in files if path.is_file()) / 2**20
    libraries = float(output(setting.server_core, "benchmarks.serving.libraries"))
    with service(setting) as server:
        for kind in ("item", "user", "history", "filter"):
            raws = requests(kind, setting.items, seed=51)
            closed(server.address, raws, in_flight=IN_FLIGHT, seconds=1)
        worker = server.worker_mb
    return {"worker_mb": worker, "libraries_mb": libraries, "data_mb": data}


def swap(setting: Setting, capacity: float) -> dict[str, Any]:
    """Calls at half of the capacity while the other bundle is made current twice."""
    versions = [each.version for each in list_bundles(setting.bundles)]
    current = open_bundle(setting.bundles, "current").version
    (other,) = (each for each in versions if each != current)
    raws, rate = requests("user", setting.items, seed=61), capacity / 2
    with service(setting) as server:
        closed(server.address, raws, in_flight=IN_FLIGHT, seconds=1)
        quiet = offered(server.address, raws, rate=rate, seconds=setting.seconds, deadline=5.0)

        changes = [_Change(server.address, setting.bundles, each) for each in (other, current)]
        loads = []
        for change in changes:
            change.start()
            loads.append(offered(server.address, raws, rate=rate, seconds=_SWAP, deadline=5.0))
            change.join()
    busy = Load(latencies=[each for load in loads for each in load.latencies])
    return {
        "seconds": [change.seconds for change in changes],
        "calls": sum(load.offered for load in loads),
        "failed": sum(sum(load.failed.values()) for load in loads),
        "p99_ms": 1e3 * busy.percentile(0.99),
        "longest_ms": 1e3 * busy.percentile(1.0),
        "quiet_p99_ms": 1e3 * quiet.percentile(0.99),
    }


class _Change(threading.Thread):
    """Makes a bundle current while calls run, and waits until it answers.

    Attributes:
        seconds: Time until it answers; more than the load lasts where it does not.
    """

    def __init__(self, address: str, bundles: Path, version: str) -> None:
        super().__init__()
        self.seconds = 2 * _SWAP
        self._address, self._bundles, self._version = address, bundles, version

    def run(self) -> None:
        time.sleep(_BEGIN)
        began = time.perf_counter()
        rollback(self._bundles, to=self._version)
        with RecsysClient(self._address, timeout=5.0) as client:
            while time.perf_counter() - began < _SWAP:
                time.sleep(0.05)
                if client.retrieve(item_id="i0", k=1).bundle_version == self._version:
                    self.seconds = time.perf_counter() - began
                    return


def workers(setting: Setting) -> dict[str, Any]:
    """Histories per second of one worker on one core, and of two on both, which the load shares.

    The load is one that takes little processor time, and the requests are made beforehand. Of the
    run with one worker, the processor time per call of the load and of the worker are stated.
    """
    count = int(MOST_PER_SECOND * (1 + setting.seconds))
    made = list(islice(requests("history", setting.items, seed=71), count))
    cores, shape = sorted({setting.server_core, setting.load_core}), {"connections": CHANNELS}
    shape["per_connection"] = 2 * IN_FLIGHT // CHANNELS
    found = {}
    for number, own in ((1, [setting.server_core]), (2, cores)):
        with service(setting, "--workers", str(number), cores=own) as server:
            raws = iter(made)
            light_load(server.address, raws, seconds=1, **shape)
            before = server.worker_seconds
            load = light_load(server.address, raws, seconds=setting.seconds, **shape)
            used = server.worker_seconds - before
        if load.failed or not load.answered:
            raise RuntimeError(f"{load.answered} calls were answered, {load.failed} failed")
        found[str(number)] = load.rate
        if number == 1:
            found["load_s"] = load.cpu_seconds / load.answered
            found["worker_s"] = used / load.answered
    return found
