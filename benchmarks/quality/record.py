"""Record of the quality benchmark: figures of parts that are measured independently.

A part is the engine on a data set (``beauty``) or a peer on it (``beauty.ease``). It has its own
date, commit and machine, and replaces its own figures only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import read_record
from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.peers import SEED
from recsys.evaluation.record import write_record
from recsys.files import lock
from recsys.tuning.cached import Result
from recsys.tuning.table import figure_cell, means

COMMAND = "python -m benchmarks.quality"
Entry = dict[str, Any]
MEMORY = "peak_gib"


def entry_of_seeds(encoding: Result, seeds: Mapping[int, Result]) -> tuple[dict[str, float], Entry]:
    """Figures of the engine (means over the seeds, and ``.std``), and their entry."""
    results = list(seeds.values())
    figures = means([each["figures"] for each in results])
    trained = float(np.mean([each["seconds"] for each in results]))
    figures["minutes"] = (trained + encoding["seconds"]) / 60
    figures[MEMORY] = max(each["peak_gib"] for each in [*results, encoding])
    last = max(results, key=lambda each: str(each["date"]))
    return figures, {
        **_origin(last),
        "seeds": list(seeds),
        "validation": {str(seed): each["validation"] for seed, each in seeds.items()},
        "epochs": {str(seed): each["epochs"] for seed, each in seeds.items()},
        "settings": last["settings"],
    }


def entry_of_peer(result: Result) -> tuple[dict[str, float], Entry]:
    """Figures of a peer, and their entry."""
    figures = {**result["figures"], "minutes": result["seconds"] / 60, MEMORY: result[MEMORY]}
    chosen = {"seeds": [SEED], "chosen": result["chosen"], "tried": result["tried"]}
    return figures, {**_origin(result), **chosen}


def merge(path: Path, part: str, figures: Mapping[str, float], entry: Entry) -> Entry:
    """Merge a part into the record at ``path``; other parts stay.

    Raises:
        DataError: A figure is not finite.
    """
    with lock(path.parent / f".{path.name}.lock"):
        old = read_record(path)
        others = {name: value for name, value in old["figures"].items() if part_of(name) != part}
        merged = {**others, **{f"{part}.{name}": value for name, value in figures.items()}}
        parts = {**old["parts"], part: entry}
        write_record(
            path,
            name="quality",
            command=COMMAND,
            seeds=sorted({seed for each in parts.values() for seed in each["seeds"]}),
            figures=dict(sorted(merged.items())),
            parts=dict(sorted(parts.items())),
            published={name: dict(data.published) for name, data in DATA_SETS.items()},
        )
        return read_record(path)


def part_of(figure: str) -> str:
    """Part of a figure: ``beauty.ease`` of ``beauty.ease.ndcg@10.std``."""
    return figure.removesuffix(".std").rpartition(".")[0]


def table_lines(
    record: Mapping[str, Any], data: str, metrics: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Names and cells of a data set's table, the best by the last metric first."""
    lines = []
    for part in (part for part in record["parts"] if part.split(".")[0] == data):
        own = {
            name.removeprefix(f"{part}."): value
            for name, value in record["figures"].items()
            if part_of(name) == part
        }
        cells = [figure_cell(own, metric) for metric in metrics]
        minutes = own["minutes"]
        cells += [f"{minutes:.1f}" if minutes >= 1 else f"{minutes:.2f}", f"{own[MEMORY]:.1f}"]
        name = part.removeprefix(f"{data}.") if "." in part else "ours"
        lines.append((own[metrics[-1]], name, cells))
    quoted = {f"{name}, published": each for name, each in record["published"][data].items()}
    for name, figures in quoted.items():
        cells = [*(figure_cell(figures, metric) for metric in metrics), "", ""]
        lines.append((figures[metrics[-1]], name, cells))
    return [(name, cells) for _, name, cells in sorted(lines, key=lambda line: -line[0])]


def _origin(result: Result) -> Entry:
    return {name: result[name] for name in ("date", "commit", "machine")}
