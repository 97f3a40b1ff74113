"""The record of the benchmark: figures of parts, each of which may be measured at its own time.

A part is ours on a data set (``beauty``) or a peer on it (``beauty.ease``). Measured anew, it takes
the place of its own figures and leaves all others as they are; each tells its own date, commit and
machine, and what it was chosen among.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.kept import Made
from benchmarks.quality.peers import PeerResult
from recsys.evaluation.record import write_record
from recsys.files import lock, read_json

COMMAND = "python -m benchmarks.quality"
Entry = dict[str, Any]
MEMORY = "peak_gib"


def ours_entry(encoding: Made, seeds: Mapping[int, Made]) -> tuple[dict[str, float], Entry]:
    """Figures of ours (means over the seeds, ``.std`` beside them), and what is told of them."""
    made = list(seeds.values())
    figures: dict[str, float] = {}
    for metric in made[0]["figures"]:
        values = [each["figures"][metric] for each in made]
        figures[metric] = float(np.mean(values))
        if len(values) > 1:
            figures[f"{metric}.std"] = float(np.std(values, ddof=1))
    trained = float(np.mean([each["seconds"] for each in made]))
    figures["minutes"] = (trained + encoding["seconds"]) / 60
    figures[MEMORY] = max(each["peak_gib"] for each in [*made, encoding])
    last = max(made, key=lambda each: each["date"])
    return figures, {
        **_origin(last),
        "seeds": list(seeds),
        "validation": {str(seed): each["validation"] for seed, each in seeds.items()},
        "epochs": {str(seed): each["epochs"] for seed, each in seeds.items()},
        "settings": last["settings"],
    }


def peer_entry(result: PeerResult, *, seed: int) -> tuple[dict[str, float], Entry]:
    """Figures of a peer, and what is told of them."""
    figures = {
        **result.figures,
        "minutes": result.seconds / 60,
        MEMORY: result.peak_gib,
    }
    told = {"seeds": [seed], "chosen": dict(result.chosen), "tried": list(result.tried)}
    return figures, {**_origin(result.made), **told}


def merge(path: Path, part: str, figures: Mapping[str, float], told: Entry) -> Entry:
    """Write a part into the record at ``path``; what is there of others stays.

    Args:
        path: The record; it may not be there yet.
        part: ``DATASET`` or ``DATASET.PEER``.
        figures: By name within the part.
        told: Of the part.

    Returns:
        The record.

    Raises:
        DataError: A figure is not finite.
    """
    with lock(path.with_name(f".{path.name}.lock")):
        old = _read(path)
        kept = {name: value for name, value in old["figures"].items() if owner(name) != part}
        new = {**kept, **{f"{part}.{name}": value for name, value in figures.items()}}
        parts = {**old["parts"], part: told}
        write_record(
            path,
            name="quality",
            command=COMMAND,
            seeds=sorted({seed for each in parts.values() for seed in each["seeds"]}),
            figures=dict(sorted(new.items())),
            parts=dict(sorted(parts.items())),
            promised={name: dict(data.promised) for name, data in DATA_SETS.items()},
            published={name: dict(data.published) for name, data in DATA_SETS.items()},
            left_out={
                f"{name}.{peer}": why
                for name, data in DATA_SETS.items()
                for peer, why in data.left_out.items()
            },
        )
        return _read(path)


def owner(figure: str) -> str:
    """The part that a figure is of.

    Example:
        >>> owner("beauty.ndcg@10.std"), owner("beauty.ease.ndcg@10")
        ('beauty', 'beauty.ease')
    """
    data, rest = figure.split(".", 1)
    first = rest.split(".")[0]
    ours = "@" in first or first in ("minutes", MEMORY)
    return data if ours else f"{data}.{first}"


def _origin(made: Made) -> Entry:
    return {name: made[name] for name in ("date", "commit", "machine")}


def _read(path: Path) -> Entry:
    if not path.is_file():
        return {"figures": {}, "parts": {}}
    record: Entry = read_json(path)
    return record


def columns(record: Entry, data: str, metrics: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Rows of the table of a data set: a name and its cells, the best by the last metric first."""
    figures = record["figures"]
    rows = []
    for part in (part for part in record["parts"] if part.split(".")[0] == data):
        own = {
            name.removeprefix(f"{part}."): value
            for name, value in figures.items()
            if owner(name) == part
        }
        cells = [
            f"{own[metric]:.4f}"
            + (f" ± {own[f'{metric}.std']:.4f}" if f"{metric}.std" in own else "")
            for metric in metrics
        ]
        minutes = own["minutes"]
        cells += [f"{minutes:.1f}" if minutes >= 1 else f"{minutes:.2f}", f"{own[MEMORY]:.1f}"]
        rows.append(
            (own[metrics[-1]], part.removeprefix(f"{data}.") if "." in part else "ours", cells)
        )
    for name, told in record["published"][data].items():
        cells = [f"{told[metric]:.4f}" for metric in metrics]
        rows.append((told[metrics[-1]], f"{name}, published", [*cells, "", ""]))
    told = record["promised"][data]
    cells = [f"{told[metric]:.4f}" for metric in metrics]
    rows.append((told[metrics[-1]], "promised", [*cells, "", ""]))
    return [(name, cells) for _, name, cells in sorted(rows, key=lambda row: -row[0])]
