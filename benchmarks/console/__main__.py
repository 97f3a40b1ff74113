"""First paint of the console's pages over 200,000 items.

Run ``python -m benchmarks.console`` on an idle machine; it needs Chromium on the PATH. It serves
two bundles of ``benchmarks.serving`` with reports and a store, and opens each page several times,
each time in a new context of the browser, so that no cache helps. Writes
``benchmarks/results/console.json``; with another number of items or loads, the record is in the
work folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from benchmarks.console.world import ensure_with_reports
from benchmarks.serving.parts import Setting
from benchmarks.serving.running import service
from recsys.evaluation.record import write_record
from recsys_client import Interaction, RecsysClient
from tests.console.browser.chromium import chromium, served_console, visitor

RESULT = Path("benchmarks/results/console.json")
WORK = Path("runs/serving-benchmark")
ITEMS, LOADS = 200_000, 15
PAGES = {
    "overview": "/",
    "items": "/items",
    "filtered items": "/items?filter=shade+%3D+3",
    "item": "/items/item?id=i7",
    "edit": "/items/edit?id=i7",
    "users": "/users",
    "user": "/users/user?id=u7",
    "why": "/users/why?id=u7&item=i7",
    "feed": "/feed?id=u7",
    "report": "/quality",
    "compare": "/quality/compare",
    "searches": "/quality/searches",
    "map": "/quality/map",
    "bundles": "/operations",
    "service": "/operations/service",
    "slow requests": "/operations/slow",
    "configuration": "/operations/configuration",
}
"""Address of each page."""
FIRST_PAINT = """new Promise((resolve, reject) => {
    setTimeout(() => reject("the page painted nothing"), 30000);
    new PerformanceObserver(list => {
        list.getEntriesByName("first-contentful-paint").forEach(each => resolve(each.startTime));
    }).observe({type: "paint", buffered: true});
})"""


def first_paint(browser: Browser, site: str, path: str) -> float:
    """Milliseconds from the click to the first content, as the browser reports them."""
    with visitor(browser, site) as reader:
        reader.open(path)
        return float(reader.tab.evaluate(FIRST_PAINT))


def figures_of(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Median and 95th percentile of each page, and the largest of both.

    Example:
        >>> figures_of({"items": [100.0, 110.0, 120.0]})["items.p50_ms"]
        110.0
    """
    found: dict[str, float] = {}
    for share in (50, 95):
        values = {page: float(np.percentile(each, share)) for page, each in times.items()}
        found |= {f"{page}.p{share}_ms": value for page, value in values.items()}
        found[f"slowest.p{share}_ms"] = max(values.values())
    return found


def main(arguments: list[str]) -> None:
    """Serve, open the pages, write and print the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of bundles")
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--loads", type=int, default=LOADS, help="loads of each page")
    parser.add_argument("--core", type=int, default=1, help="CPU of the service")
    options = parser.parse_args(arguments)
    setting = Setting(options.work.absolute(), options.items, 0.0, options.core, 0)
    setting = ensure_with_reports(setting)
    times: dict[str, list[float]] = {page: [] for page in PAGES}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        store = ("--store", f"{folder}/store.db")
        server = stack.enter_context(service(setting, *store))
        with RecsysClient(server.address, timeout=120) as client:
            client.wait_ready(120)
            log = [Interaction("u7", f"i{number}", terms="seven") for number in range(9)]
            client.record_interactions(log)
        site = stack.enter_context(served_console(server.address))
        browser = stack.enter_context(chromium())
        for load in range(options.loads + 1):
            for page, path in PAGES.items():
                milliseconds = first_paint(browser, site, path)
                if load:  # the first one of each page warms up the service
                    times[page].append(milliseconds)
    figures = figures_of(times)
    full = (options.items, options.loads) == (ITEMS, LOADS)
    write_record(
        RESULT if full else setting.folder / "console.json",
        name="console",
        command="python -m benchmarks.console",
        seeds=[1],
        figures=figures,
        items=options.items,
        loads=options.loads,
    )
    for page in (*PAGES, "slowest"):
        print(f"{page:16} {figures[f'{page}.p50_ms']:6.0f} {figures[f'{page}.p95_ms']:6.0f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
