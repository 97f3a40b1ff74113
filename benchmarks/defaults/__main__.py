"""What default settings reach next to the tuned presets, on validation.

Run ``python -m benchmarks.defaults`` with ``RECSYS_DATA_HOME`` set; an interrupted run continues.
``--dataset`` chooses a part. The configurations of this folder hold the data and the split; all
other settings are chosen from the data (``docs/explanation/defaults.md``). ``share_of_preset`` is
the validation NDCG divided by that of the data set's preset, the mean over its seeds in
``benchmarks/results/quality.json``. The test is not scored. The figures are merged into
``benchmarks/results/defaults.json``, and the table of the page is written from it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.defaults.training import validation_of_defaults
from benchmarks.pages import markdown_table, metric_title, read_record, update_page
from benchmarks.processes import ProcessFailed
from benchmarks.quality.datasets import DATA_SETS, DataSet
from benchmarks.quality.page import RESULT as QUALITY
from recsys.cli.output import print_json, print_table
from recsys.errors import RecsysError
from recsys.evaluation.record import write_record
from recsys.files import lock

COMMAND, RUNS = "python -m benchmarks.defaults", Path("runs/defaults")
RESULT = Path("benchmarks/results/defaults.json")
PAGE = Path("docs/explanation/defaults.md")
HEADER = ["data set", "metric", "defaults", "preset", "share", "minutes"]
SEED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen data sets; 1 where one of them failed."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dataset", action="append", choices=list(DATA_SETS), help="default: all")
    parser.add_argument("--json", action="store_true", help="print the record, not the table")
    options = parser.parse_args(arguments)
    failures = []
    for data in (DATA_SETS[name] for name in options.dataset or DATA_SETS):
        try:
            found = validation_of_defaults(data, RUNS, seed=SEED)
            merge(RESULT, data, found, preset=preset_figure(read_record(QUALITY), data))
        except (ProcessFailed, RecsysError, OSError) as error:
            failures.append(f"failed: {data.name}: {error}")
    record = read_record(RESULT)
    update_page(PAGE, {"defaults": markdown_table(HEADER, lines(record))})
    if options.json:
        print_json(record)
    else:
        print_table(HEADER, lines(record))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def preset_figure(record: Mapping[str, Any], data: DataSet) -> float:
    """Validation NDCG of a data set's preset, the mean over its seeds."""
    return float(np.mean(list(record["parts"][data.name]["validation"].values())))


def merge(path: Path, data: DataSet, found: Mapping[str, Any], *, preset: float) -> None:
    """Merge a data set's figures into the record at ``path``; the others stay."""
    metric = data.metrics[-1]
    own = {
        metric: found["figures"][metric],
        "preset": preset,
        "share_of_preset": found["figures"][metric] / preset,
        "minutes": found["seconds"] / 60,
        "encoding_minutes": found["encoding_seconds"] / 60,
        "peak_gib": found["peak_gib"],
    }
    with lock(path.parent / f".{path.name}.lock"):
        old = read_record(path)
        others = {k: v for k, v in old["figures"].items() if k.split(".")[0] != data.name}
        figures = others | {f"{data.name}.{name}": value for name, value in own.items()}
        origin = ("date", "commit", "machine", "chosen", "settings", "epochs")
        parts = {**old["parts"], data.name: {name: found[name] for name in origin}}
        write_record(
            path,
            name="defaults",
            command=COMMAND,
            seeds=[SEED],
            figures=dict(sorted(figures.items())),
            parts=dict(sorted(parts.items())),
        )


def lines(record: Mapping[str, Any]) -> list[list[str]]:
    """Cells of the table, a line per data set."""
    made = []
    for data in (data for data in DATA_SETS.values() if data.name in record["parts"]):
        metric = data.metrics[-1]
        names = (metric, "preset", "share_of_preset", "minutes")
        own = [record["figures"][f"{data.name}.{name}"] for name in names]
        cells = [f"{own[0]:.4f}", f"{own[1]:.4f}", f"{own[2]:.3f}", f"{own[3]:.1f}"]
        made.append([data.title, metric_title(metric), *cells])
    return made


if __name__ == "__main__":
    sys.exit(main())
