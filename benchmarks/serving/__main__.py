"""Throughput, latency and overload of the service, and their share of the limit of its parts.

Run ``python -m benchmarks.serving`` on an idle machine of two cores or more: the server has one
core, the load generator another. The limit of a kind of query is

    1 / (s per call of an empty asyncio echo + s per query of raw ScaNN at the same recall, in
         batches + s per query of the query tower, in batches of 64)

without the tower for items. Writes ``benchmarks/results/serving.json`` and the table of
``docs/explanation/speed.md``.

Each part is a process of its own and stored in the work folder: an interrupted run continues after
its last part. Under another commit or ``--name`` all parts are measured again. ``--quick`` measures
20,000 items in short loads; its record is in the work folder. ``--only`` runs some parts, and those
before them that they need.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import answer_request
from benchmarks.serving.figures import DEFINITIONS, figures_of
from benchmarks.serving.page import RESULT, write_page
from benchmarks.serving.parts import Run, Setting, one_thread, run_part
from recsys.evaluation.record import write_record
from recsys.files import read_json

WORK = Path("runs/serving-benchmark")
FULL, QUICK = (200_000, 10.0), (20_000, 2.0)
"""Number of items, and seconds of each load."""
Part = Callable[[Run, float], dict[str, Any]]
PARTS: dict[str, Part] = {
    "limit": lambda run, _: run.part("reading:limit"),
    "rates": lambda run, _: run.part("reading:rates"),
    "half_load": lambda run, capacity: run.part("reading:half_load", capacity=capacity),
    "overload": lambda run, capacity: run.part("reading:overload", capacity=capacity),
    "writes": lambda run, capacity: run.part("writing:reads_next_to_writes", capacity=capacity),
    "visible": lambda run, _: run.part("writing:visible"),
    "startup": lambda run, _: run.part("operating:startup"),
    "memory": lambda run, _: run.part("operating:memory"),
    "swap": lambda run, capacity: run.part("operating:swap", capacity=capacity),
    "workers": lambda run, _: run.part("operating:workers"),
    "tfrs": lambda run, _: run.part("reading:tfrs", **_raw_settings(run.part("reading:limit"))),
}


def _raw_settings(limit: Mapping[str, float]) -> dict[str, int]:
    """Settings with which raw ScaNN has the recall of the service."""
    return {name: int(limit[f"raw_{name}.history"]) for name in ("leaves", "reorder")}


def main(arguments: list[str]) -> None:
    """Run the parts that are not stored; write and print the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving")
    parser.add_argument("--quick", action="store_true", help="20,000 items, short loads")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), help="some of the parts")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of bundles and parts")
    parser.add_argument("--name", default="", help="another name measures everything again")
    parser.add_argument("--server-core", type=int, default=1, help="CPU of the server")
    parser.add_argument("--load-core", type=int, default=0, help="CPU of the load generator")
    options = parser.parse_args(arguments)
    one_thread()
    items, seconds = QUICK if options.quick else FULL
    work = options.work.absolute()
    setting = Setting(work, items, seconds, options.server_core, options.load_core)
    run = Run(work, setting, options.name)
    run.part("world:ensure")
    capacity = run.part("reading:rates")["user"]
    sections = {name: PARTS[name](run, capacity) for name in options.only or PARTS}
    figures = {} if options.only else figures_of(sections)
    if options.only:
        print(sections)
        return
    path = work / "serving.json" if options.quick else RESULT
    write_record(
        path,
        name="serving",
        command="python -m benchmarks.serving",
        seeds=[1],
        figures=figures,
        definitions=DEFINITIONS,
        items=items,
        seconds_per_load=seconds,
        **sections,
    )
    if not options.quick:
        write_page(read_json(path))
    for name, value in figures.items():
        print(f"{name:40} {value:,.3f}")


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        answer_request(run_part)
    else:
        main(sys.argv[1:])
