"""What the record says of a world, as rows: the best first, the base among the others.

A row is shown where it was measured beside the base as it stands in the record; what is older
waits for its own turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.levers.world import World


@dataclass(frozen=True)
class Row:
    """One variant.

    Attributes:
        name: The variant's.
        told: What it is.
        figures: A cell a metric of its world; empty where the training stopped.
        beside: The difference from the base, in the base's standard deviations; or "stopped".
        minutes: Of training, a seed.
    """

    name: str
    told: str
    figures: tuple[str, ...]
    beside: str
    minutes: str


def rows(record: Mapping[str, Any], world: World) -> list[Row]:
    """The rows of a world, none where its first variant was not measured."""
    parts = {
        variant: record["parts"][f"{world.name}.{variant.name}"]
        for variant in world.variants
        if f"{world.name}.{variant.name}" in record["parts"]
    }
    first = parts.get(world.variants[0])
    if first is None:
        return []
    shown = [(variant, part) for variant, part in parts.items() if part["base"] == first["base"]]
    by = world.metrics[0]
    shown.sort(key=lambda pair: -pair[1]["figures"].get(by, -1.0))
    return [
        Row(
            variant.name,
            variant.told + (f" (last in {variant.last_commit})" if variant.last_commit else ""),
            tuple(_cell(part["figures"], metric) for metric in world.metrics),
            _beside(part, first, by),
            f"{part['figures']['minutes']:.1f}",
        )
        for variant, part in shown
    ]


def _cell(figures: Mapping[str, float], metric: str) -> str:
    if metric not in figures:
        return ""
    spread = figures.get(f"{metric}.std")
    return f"{figures[metric]:.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _beside(part: Mapping[str, Any], base: Mapping[str, Any], by: str) -> str:
    if "stopped" in part:
        return "stopped"
    spread = base["figures"].get(f"{by}.std", 0.0)
    if part is base or spread == 0:
        return ""
    return f"{(part['figures'][by] - base['figures'][by]) / spread:+.1f}"
