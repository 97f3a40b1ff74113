"""Feeds: ranking, its rate in the service, diversity, the closed loop, and off-policy estimates.

``python -m benchmarks.feed`` runs all parts and writes ``benchmarks/results/feed.json``, its plots
and ``docs/explanation/feed-benchmark.md``. It needs ``RECSYS_DATA_HOME``.

Each part is a process of its own and stored in the work folder: an interrupted run continues within
its last part. A part is measured again once its code or configuration has changed, or under another
``--name``; towers are trained again only if their own configuration has changed. ``--only`` runs
some parts and prints their figures, and with ``--record`` writes a record of these alone.
``--seeds`` are those of MovieLens-1M and of the sample world.

The archive of the Open Bandit sample is downloaded by pip if the work folder lacks it. The part
"calls" publishes a bundle of the sample set for its service.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.feed.figures import DEFINITIONS, figures_of
from benchmarks.feed.offline.datasets import DATA_SETS
from benchmarks.feed.page import RESULT, write_page
from benchmarks.feed.parts import Run, run_part
from benchmarks.processes import answer_request
from recsys.evaluation.record import write_record
from recsys.files import read_json

WORK = Path("runs/feed-benchmark")
LOOP_SEEDS = (1, 2, 3)


def _rankers(data_set: str) -> Callable[[Run, list[int]], Any]:
    def run_seeds(run: Run, seeds: list[int]) -> list[Any]:
        own = DATA_SETS[data_set]
        return [
            run.part("offline.experiment:measure", own.config, data_set=data_set, seed=seed)
            for seed in seeds[: len(own.seeds)]
        ]

    return run_seeds


PARTS: dict[str, Callable[[Run, list[int]], Any]] = {
    "mmr": lambda run, _: run.part("mmr:measure"),
    "open_bandit": lambda run, _: run.part("open_bandit:measure"),
    "calls": lambda run, _: run.part("calls:measure"),
    "sample": _rankers("sample"),
    "loop": lambda run, _: [run.part("loop:measure", seed=seed) for seed in LOOP_SEEDS],
    "beauty": _rankers("beauty"),
    "movielens": _rankers("movielens"),
}


def main(arguments: list[str]) -> None:
    """Run the parts that are not stored; write the record, the plots and the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feed")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), help="some of the parts")
    parser.add_argument("--record", action="store_true", help="write it with --only, too")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of towers and parts")
    parser.add_argument("--name", default="", help="another name measures everything again")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args(arguments)
    run = Run(options.work.absolute(), options.name)
    sections = {name: PARTS[name](run, options.seeds) for name in options.only or PARTS}
    figures = figures_of(sections)
    for name, value in figures.items():
        print(f"{name:44} {value:,.4f}")
    if options.only and not options.record:
        return
    for name in DATA_SETS.keys() & sections.keys():
        sections[name] = [
            {key: value for key, value in each.items() if key != "users"} for each in sections[name]
        ]
    write_record(
        RESULT,
        name="feed",
        command="python -m benchmarks.feed",
        seeds=options.seeds,
        figures=figures,
        definitions=DEFINITIONS,
        **sections,
    )
    write_page(read_json(RESULT))


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        answer_request(run_part)
    else:
        main(sys.argv[1:])
