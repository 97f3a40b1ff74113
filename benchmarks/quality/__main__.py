"""Retrieval quality on three public data sets: ours, peers run here, and what was published.

Run ``python -m benchmarks.quality`` with ``RECSYS_DATA_HOME`` set and nothing else on the machine;
it goes on where it was stopped. ``--dataset``, ``--only ours|peers|NAME`` and ``--seeds`` choose a
part; its figures take their place in ``benchmarks/results/quality.json`` and leave the others, and
the tables of ``docs/quality.md`` are written from it.

Everything is chosen on validation; the test is scored once a seed. All models are trained on the
same interactions, asked with the same histories, and judged by the same evaluation: the whole
catalogue ranked, histories left out. Ours is the mean of three seeds with its standard deviation,
through the configuration of the data set; a peer has one seed, and the best of a small grid.
Minutes are those of training the chosen setting (ours with the encoding), ``peak_gib`` is the most
memory that the process held. On Gowalla everything is trained anew on train and validation
together, and factors and vectors have 64 dimensions, as published.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.quality.asking import Tell, brought, on_stderr, seeds_of, shown
from benchmarks.quality.datasets import DATA_SETS, DataSet
from benchmarks.quality.environment import peers_python
from benchmarks.quality.export import export
from benchmarks.quality.grids import GRIDS, PEERS
from benchmarks.quality.ours import encoded, one_seed
from benchmarks.quality.peers import SEED, World, run_peer
from benchmarks.quality.results import columns, merge, ours_entry, peer_entry
from benchmarks.quality_page import write as write_page
from recsys.cli.screen import Screen
from recsys.pipeline import open_job, run_job

RUNS, RESULT = Path("runs/quality"), Path("benchmarks/results/quality.json")
OURS, ALL_PEERS = "ours", "peers"


@dataclass(frozen=True)
class Bench:
    """What one call works with."""

    runs: Path
    result: Path
    given_python: Path | None
    tell: Tell

    @cached_property
    def _python(self) -> Path:
        return self.given_python or peers_python(self.runs / "peers").absolute()

    def python(self) -> Path:
        """The interpreter of the peers."""
        return self._python


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring the parts asked for up to date; 1 where one of them failed."""
    asked = _parser().parse_args(arguments)
    bench = Bench(RUNS, RESULT, asked.peers_python, on_stderr())
    chosen = [DATA_SETS[name] for name in asked.dataset or DATA_SETS]
    failures: list[str] = []
    for data in chosen:
        failures += brought(_parts(bench, data, asked.only, asked.seeds), bench.tell)
    shown(RESULT, lambda record: [_table(record, data) for data in chosen], as_json=asked.json)
    for failure in failures:
        bench.tell(f"failed: {failure}")
    return 1 if failures else 0


def _parts(
    bench: Bench, data: DataSet, only: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is to be done for a data set, one after another."""
    if not only or OURS in only:
        yield f"{data.name}, {OURS}", lambda: _ours(bench, data, seeds)
    world = _World(bench, data)
    for name in GRIDS[data.name]:
        if not only or ALL_PEERS in only or name in only:
            yield f"{data.name}, {name}", partial(world.peer, name)


def _ours(bench: Bench, data: DataSet, seeds: Sequence[int]) -> None:
    bench.tell(f"{data.name}: ours, encoding")
    encoding, made = encoded(data, bench.runs), {}
    for seed in seeds:
        made[seed] = one_seed(data, bench.runs, seed, encoding, tell=bench.tell)
        bench.tell(f"{data.name}: ours, seed {seed} reached {made[seed]['figures']}")
    merge(bench.result, data.name, *ours_entry(encoding, made))
    write_page(quality=bench.result)


class _World:
    """The split of a data set as files; made when the first peer asks."""

    def __init__(self, bench: Bench, data: DataSet) -> None:
        self._bench, self._data = bench, data

    @cached_property
    def _world(self) -> World:
        with Screen() as screen:
            job = open_job(self._data.config, runs=self._bench.runs, progress=screen)
            run_job(job, until="ingest", observer=screen)
        folder = self._bench.runs / "parts" / self._data.name
        return World(
            self._data,
            job.split,
            export(job.split, folder / "files"),
            by=job.config.evaluation.choose_by,
            refit=job.config.split.refit,
            folder=folder,
            python=self._bench.python,
            tell=self._bench.tell,
        )

    def peer(self, name: str) -> None:
        """Bring one peer up to date."""
        result = run_peer(self._world, name, GRIDS[self._data.name][name])
        merge(self._bench.result, f"{self._data.name}.{name}", *peer_entry(result, seed=SEED))
        write_page(quality=self._bench.result)


def _table(record: Mapping[str, Any], data: DataSet) -> Table:
    table = Table(data.name, *data.metrics, "minutes", "GiB")
    for name, cells in columns(record, data.name, data.metrics):
        table.add_row(name, *cells)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dataset", action="append", choices=list(DATA_SETS), help="default: all")
    parser.add_argument(
        "--only", action="append", default=[], choices=[OURS, ALL_PEERS, *PEERS], help="a part"
    )
    parser.add_argument("--seeds", type=seeds_of, default=[1, 2, 3], help="of ours, as 1,2,3")
    parser.add_argument("--peers-python", type=Path, help="an interpreter with requirements.txt")
    parser.add_argument("--json", action="store_true", help="print the record, not the tables")
    return parser


if __name__ == "__main__":
    sys.exit(main())
