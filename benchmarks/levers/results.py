"""The record of the levers: of each variant its figures, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.levers import cold
from benchmarks.levers.world import Variant, World
from benchmarks.quality.kept import Made
from recsys.evaluation.record import write_record
from recsys.files import lock, read_json

COMMAND = "python -m benchmarks.levers"
Entry = dict[str, Any]


def entry(world: World, variant: Variant, seeds: Mapping[int, Made], *, mark: str) -> Entry:
    """What is recorded of a variant: means over its seeds, ``.std`` beside them.

    Where a seed stopped with an error there are no figures, and ``stopped`` says why.
    """
    made = list(seeds.values())
    figures = {"minutes": float(np.mean([each["seconds"] for each in made])) / 60}
    figures["peak_gib"] = max(each["peak_gib"] for each in made)
    stopped = [each["stopped"] for each in made if "stopped" in each]
    told: Entry = {"stopped": stopped[0]} if stopped else {}
    if not stopped:
        for metric in world.metrics:
            values = [each["figures"][metric] for each in made]
            figures[metric] = float(np.mean(values))
            if len(values) > 1:
                figures[f"{metric}.std"] = float(np.std(values, ddof=1))
        told = {name: _each(seeds, name) for name in ("validation", "epochs")}
        told["cold_items"] = made[0]["cold_items"]
    last = max(made, key=lambda each: each["date"])
    return {
        **{name: last[name] for name in ("date", "commit", "machine")},
        "base": mark,
        "changes": world.changes_of(variant),
        "seeds": list(seeds),
        "figures": figures,
        **told,
    }


def merge(path: Path, part: str, told: Entry) -> Entry:
    """Write a part, ``WORLD.VARIANT``, into the record at ``path``; what is there of others stays.

    Returns:
        The record.

    Raises:
        DataError: A figure is not finite.
    """
    with lock(path.with_name(f".{path.name}.lock")):
        parts = {**(_read(path)["parts"] if path.is_file() else {}), part: told}
        figures = {
            f"{name}.{figure}": value
            for name, each in parts.items()
            for figure, value in each["figures"].items()
        }
        write_record(
            path,
            name="levers",
            command=COMMAND,
            seeds=sorted({seed for each in parts.values() for seed in each["seeds"]}),
            figures=dict(sorted({**figures, **_of_cold(parts)}.items())),
            parts=dict(sorted(parts.items())),
        )
        return _read(path)


def _of_cold(parts: Mapping[str, Any]) -> dict[str, float]:
    """Chance, and whether content costs warm items anything."""
    own = [each for name, each in parts.items() if name.startswith(f"{cold.NAME}.")]
    items = [each["cold_items"] for each in own if each.get("cold_items")]
    figures = {f"{cold.NAME}.chance.{cold.COLD}": min(1.0, 10 / items[0])} if items else {}
    gap = cold.no_loss(parts)
    return figures if gap is None else {**figures, f"{cold.NAME}.no_loss": gap}


def _each(seeds: Mapping[int, Made], name: str) -> dict[str, Any]:
    return {str(seed): made[name] for seed, made in seeds.items()}


def _read(path: Path) -> Entry:
    record: Entry = read_json(path)
    return record
