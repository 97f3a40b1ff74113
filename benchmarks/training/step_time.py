"""Time of a training step over the size of the catalogue.

Run ``python -m benchmarks.training.step_time`` with nothing else on the machine; 10 million items
take about 12 GB. The logs are synthetic, with one interaction per item, so that all items are warm;
the towers have ids only and a sampled softmax. Each size has a process of its own and the same
batches. Writes ``benchmarks/results/step_time.json``: median milliseconds per step, and the ratio
of the largest catalogue to the smallest.
"""

from __future__ import annotations

import time
from itertools import chain, count, islice
from pathlib import Path

import numpy as np

from benchmarks.processes import answer_request, peak_gib, run_process
from recsys.evaluation.record import write_record
from recsys.ids import IdMap
from recsys.interactions import Interactions

RESULT = Path("benchmarks/results/step_time.json")
MODULE, RUNS = "benchmarks.training.step_time", Path("runs/step-time")
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
DIMENSION, WINDOW, POSITIONS, NEGATIVES, SEED = 64, 20, 2048, 1024, 1
WARM_UP, COUNTED = 10, 60


def main() -> dict[str, float]:
    """Measure each size; the figures."""
    figures: dict[str, float] = {}
    for size in SIZES:
        result = run_process(MODULE, {"items": size}, RUNS / str(size))
        figures |= {f"{size}.{name}": value for name, value in result.items()}
        peak = figures[f"{size}.peak_gib"]
        print(f"{size:>10,} items: {figures[f'{size}.milliseconds']:.1f} ms, {peak:.1f} GiB")
    smallest, *_, largest = (figures[f"{size}.milliseconds"] for size in SIZES)
    figures["step_time_10m_over_10k_items"] = largest / smallest
    write_record(
        RESULT,
        name="step-time",
        command="python -m benchmarks.training.step_time",
        seeds=[SEED],
        figures=figures,
        dimension=DIMENSION,
        positions=POSITIONS,
        negatives=NEGATIVES,
        steps=COUNTED,
    )
    return figures


def measure(items: int) -> dict[str, float]:
    """Median time of a step over a catalogue of ``items``, and the peak memory."""
    from benchmarks.training.steps import TowerSteps
    from recsys.towers import MeanHistory, SampledSoftmax, TowersConfig, TrainConfig

    towers = TowersConfig(dimension=DIMENSION, history=MeanHistory(window=WINDOW), terms="none")
    loss = SampledSoftmax(negatives=NEGATIVES)
    train = TrainConfig(loss=loss, batch_positions=POSITIONS, seed=SEED)
    steps, times = TowerSteps(log_of(items), towers, train), []
    batches = chain.from_iterable(steps.batches(epoch) for epoch in count(1))
    for batch in islice(batches, WARM_UP + COUNTED):
        start = time.perf_counter()
        steps.step(batch)
        times.append(time.perf_counter() - start)
    return {"milliseconds": float(np.median(times[WARM_UP:])) * 1000, "peak_gib": peak_gib()}


def log_of(items: int) -> Interactions:
    """A log with one interaction per item and ``WINDOW`` interactions per user."""
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
    import sys

    if len(sys.argv) > 1:
        answer_request(lambda request: measure(request["items"]))
    else:
        main()
