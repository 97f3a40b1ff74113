"""Retrieval quality on three public data sets: the engine, other models, published figures.

Run ``python -m benchmarks.quality`` with ``RECSYS_DATA_HOME`` set and nothing else on the machine;
an interrupted run continues. ``--dataset``, ``--only`` and ``--seeds`` choose a
part. The figures are merged into ``benchmarks/results/quality.json``, and the tables of
``docs/explanation/quality.md`` are written from it.

Settings are chosen on validation; the test is scored once per seed. All models are trained on the
same interactions, queried with the same histories and evaluated by the same code: the whole
catalogue ranked, histories left out. The engine has the data set's configuration and three seeds; a
peer has one seed and the best setting of a small grid. ``minutes`` is the training time of the
chosen setting (for the engine with the encoding), ``peak_gib`` the peak memory of the process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from benchmarks.pages import read_record
from benchmarks.processes import ProcessFailed
from benchmarks.quality.datasets import DATA_SETS, DataSet
from benchmarks.quality.environment import peers_python
from benchmarks.quality.export import export
from benchmarks.quality.grids import GRIDS, PEERS
from benchmarks.quality.ours import encode, train_seed
from benchmarks.quality.page import RESULT, write_page
from benchmarks.quality.peers import PeerData, run_peer
from benchmarks.quality.record import COMMAND, entry_of_peer, entry_of_seeds, merge, table_lines
from recsys.cli.output import print_json, print_table
from recsys.errors import RecsysError
from recsys.pipeline import open_job, run_job
from recsys.screen import Screen

RUNS = Path("runs/quality")
OURS, ENSEMBLE, ALL_PEERS = "ours", "ensemble", "peers"
EXPECTED = (ProcessFailed, RecsysError, OSError, subprocess.CalledProcessError)
"""Errors of one part that leave the others alone."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen parts; 1 where one of them failed."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dataset", action="append", choices=list(DATA_SETS), help="default: all")
    parser.add_argument(
        "--only", action="append", default=[], choices=[OURS, ENSEMBLE, ALL_PEERS, *PEERS]
    )
    parser.add_argument("--seeds", default="1,2,3", help="training seeds of the engine")
    parser.add_argument("--peers-python", type=Path, help="an interpreter with requirements.txt")
    parser.add_argument("--json", action="store_true", help="print the record, not the tables")
    options = parser.parse_args(arguments)
    seeds = [int(part) for part in options.seeds.split(",")]
    chosen = [DATA_SETS[name] for name in options.dataset or DATA_SETS]
    failures = []
    for data in chosen:
        for name, measure in _parts(data, options.only, seeds, options.peers_python):
            try:
                measure()
            except EXPECTED as error:
                failures.append(f"failed: {data.name}, {name}: {error}")
                _say(failures[-1])
    record = read_record(RESULT)
    if options.json:
        print_json(record)
    for data in chosen if record["parts"] and not options.json else ():
        lines = table_lines(record, data.name, data.metrics)
        header = ["model", *data.metrics, "minutes", "GiB"]
        print_table(header, [[name, *cells] for name, cells in lines], title=data.title)
    for failure in failures:
        _say(failure)
    return 1 if failures else 0


def _parts(
    data: DataSet, only: Sequence[str], seeds: Sequence[int], python: Path | None
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Parts of a data set by name."""
    if not only or OURS in only:
        yield OURS, lambda: _measure_ours(data, data.name, seeds)
    if data.ensemble is not None and (not only or ENSEMBLE in only):
        part = f"{data.name}.{ENSEMBLE}"
        members = replace(data, name=part, config=data.ensemble)
        yield ENSEMBLE, lambda: _measure_ours(members, part, seeds)
    shared = cache(lambda: _peer_data(data, python))
    for name in GRIDS[data.name]:
        if not only or ALL_PEERS in only or name in only:
            yield name, partial(_measure_peer, shared, name)


def _measure_ours(data: DataSet, part: str, seeds: Sequence[int]) -> None:
    _say(f"{data.name}: ours, encoding")
    encoding, results = encode(data, RUNS), {}
    for seed in seeds:
        results[seed] = train_seed(data, RUNS, seed, encoding, say=_say)
        _say(f"{data.name}: ours, seed {seed} reached {results[seed]['figures']}")
    write_page(merge(RESULT, part, *entry_of_seeds(encoding, results)))


def _measure_peer(shared: Callable[[], PeerData], name: str) -> None:
    data = shared()
    result = run_peer(data, name, GRIDS[data.data.name][name])
    write_page(merge(RESULT, f"{data.data.name}.{name}", *entry_of_peer(result)))


def _peer_data(data: DataSet, python: Path | None) -> PeerData:
    with Screen() as screen:
        job = open_job(data.config, runs=RUNS, progress=screen)
        run_job(job, until="ingest", observer=screen)
    folder = RUNS / "parts" / data.name
    return PeerData(
        data,
        job.split,
        export(job.split, folder / "files"),
        choose_by=job.config.evaluation.choose_by,
        refit=job.config.split.refit,
        folder=folder,
        python=cache(lambda: python or peers_python(RUNS / "peers").absolute()),
        say=_say,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
