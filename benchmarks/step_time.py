"""A training step of the towers beside the size of their catalogue: it must not grow with it.

Run ``python -m benchmarks.step_time`` with nothing else on the machine; 10 million items take
about 12 GB. Made-up logs in which each item is met once, so that all are warm; towers of ids under
a sampled softmax. Each size in a process of its own; the same batches of positions, the first
steps not counted. Writes ``benchmarks/results/step_time.json``: milliseconds a step (the median),
and the largest catalogue's over the smallest's.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import chain, count, islice
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.apart import apart
from benchmarks.memory import peak_mb
from recsys.evaluation.record import write_record
from recsys.ids import IdMap
from recsys.interactions import Interactions

RESULT = Path("benchmarks/results/step_time.json")
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
DIMENSION, WINDOW, POSITIONS, NEGATIVES, SEED = 64, 20, 2048, 1024, 1
UNCOUNTED, COUNTED = 10, 60


def main() -> dict[str, float]:
    """Measure each size, write and print; the figures."""
    figures: dict[str, float] = {}
    for size in SIZES:
        told = apart("benchmarks.step_time", str(size))
        figures |= {f"{size}.{name}": value for name, value in told.items()}
    of = [figures[f"{size}.milliseconds"] for size in SIZES]
    figures["step_time_10m_over_10k_items"] = of[-1] / of[0]
    write_record(
        RESULT,
        name="step-time",
        command="python -m benchmarks.step_time",
        seeds=[SEED],
        figures=figures,
        dimension=DIMENSION,
        positions=POSITIONS,
        negatives=NEGATIVES,
        steps=COUNTED,
    )
    table = Table("items", "ms a step", "peak GiB")
    for size in SIZES:
        peak = figures[f"{size}.peak_gib"]
        table.add_row(f"{size:,}", f"{figures[f'{size}.milliseconds']:.1f}", f"{peak:.1f}")
    Console().print(table)
    return figures


def measure(items: int) -> dict[str, float]:
    """The median of ``COUNTED`` steps over a catalogue of so many items."""
    from benchmarks.tower_steps import TowerSteps
    from recsys.towers import MeanHistory, SampledSoftmax, TowersConfig, TrainConfig

    towers = TowersConfig(dimension=DIMENSION, history=MeanHistory(window=WINDOW), terms="none")
    loss = SampledSoftmax(negatives=NEGATIVES)
    train = TrainConfig(loss=loss, batch_positions=POSITIONS, seed=SEED)
    steps, times = TowerSteps(log_of(items), towers, train), []
    batches = chain.from_iterable(steps.batches(epoch) for epoch in count(1))
    for batch in islice(batches, UNCOUNTED + COUNTED):
        began = time.perf_counter()
        steps.step(batch)
        times.append(time.perf_counter() - began)
    return {
        "milliseconds": float(np.median(times[UNCOUNTED:])) * 1000,
        "peak_gib": peak_mb() / 1024,
    }


def log_of(items: int) -> Interactions:
    """Each item met once, ``WINDOW`` by each user."""
    row = np.random.default_rng(SEED).permutation(items)
    user = np.arange(items) // WINDOW
    return Interactions.of(
        IdMap.of("user", [f"u{at}" for at in range(int(user[-1]) + 1)]),
        IdMap.of("item", [f"i{at}" for at in range(items)]),
        user=user,
        item=row,
        time=np.arange(items),
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
