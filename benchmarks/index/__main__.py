"""Approximate indexes compared: speed at a recall, filters, exclusions, churn, growth, bundles.

Run ``python -m benchmarks.index`` with ``RECSYS_DATA_HOME`` set and nothing else on the machine;
``pip install -e '.[benchmarks]'`` installs the peers. Writes ``benchmarks/results/index.json``, its
plots, and the tables of ``docs/explanation/index.md``. Every measurement runs on one core.

Each part is a process of its own and kept in the work folder: an interrupted run continues after
its last part, and the peers are built and tuned once. Parts that run this engine are repeated when
the source of ``recsys.index`` changes, or under another ``--name``. ``--quick`` measures 20,000
rows; its record is in the work folder. ``--only`` runs some of the sections.
"""

from __future__ import annotations

import argparse
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.index.figures import DEFINITIONS, figures_of
from benchmarks.index.page import RESULT, write_page
from benchmarks.index.parts import Run, one_thread, run_part
from benchmarks.index.sections import SECTIONS
from benchmarks.processes import answer_request
from recsys.evaluation.record import write_record
from recsys.files import read_json

WORK = Path("runs/index-benchmark")


def main(arguments: list[str]) -> None:
    """Run the sections that are not stored; write and print the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index")
    parser.add_argument("--quick", action="store_true", help="20,000 rows")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), help="some of the sections")
    parser.add_argument(
        "--without", nargs="+", default=[], choices=["growth", "spaces"], help="left out"
    )
    parser.add_argument("--work", type=Path, default=WORK, help="folder of the parts")
    parser.add_argument("--name", default="", help="another name measures this engine again")
    parser.add_argument("--core", type=int, default=-1, help="position of the core; the last")
    parser.add_argument("--stored-peers", action="store_true", help="without those not built yet")
    options = parser.parse_args(arguments)
    one_thread()
    run = Run(options.work, options.quick, options.name, options.core, options.stored_peers)
    sections: dict[str, Any] = {}
    for name in options.only or SECTIONS:
        if name not in options.without:
            sections[name] = SECTIONS[name](run)
    if options.only:
        return
    ending = f"-{run.size}"
    figures = figures_of(sections, ending)
    path = options.work / "index.json" if options.quick else RESULT
    libraries = ("hnswlib", "faiss-cpu", "usearch", "voyager", "numba")
    write_record(
        path,
        name="index",
        command="python -m benchmarks.index",
        seeds=[1],
        figures=figures,
        definitions=DEFINITIONS,
        libraries={name: metadata.version(name) for name in libraries},
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
