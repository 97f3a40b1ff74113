"""Answer to one request: train on a log, and rank items for queries at each checkpoint.

A model is a function ``(log, setting, seed)`` that yields a :class:`Checkpoint` per number of
epochs in ``setting["checkpoints"]``, or a single one for a model without epochs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import peak_gib
from benchmarks.quality.peer_models.files import Log, Queries, RankedLists

Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """A model after some epochs.

    Attributes:
        epochs: Number of epochs; None for a model without.
        lists: Function from queries and k to ranked lists.
    """

    epochs: int | None
    lists: Callable[[Queries, int], RankedLists]


Model = Callable[[Log, Setting, int], Iterator[Checkpoint]]


def answer(request: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Write ``PART.npz`` or ``PART-EPOCHS.npz`` per requested part; seconds per checkpoint.

    Args:
        request: ``log`` and ``queries`` (by part) name files, ``out`` a folder; ``setting``,
            ``seed`` and ``k`` are the model's.
        model: The model.
    """
    log, out = Log.load(Path(request["log"])), Path(request["out"])
    queries = {part: Queries.load(Path(file)) for part, file in request["queries"].items()}
    seconds, checkpoints = 0.0, []
    training = model(log, request["setting"], request["seed"])
    while True:
        start = time.perf_counter()
        checkpoint = next(training, None)
        if checkpoint is None:
            return {"checkpoints": checkpoints, "peak_gib": peak_gib()}
        seconds += time.perf_counter() - start
        for part, own in queries.items():
            lists = checkpoint.lists(own, request["k"])
            lists.save(out / lists_file(part, epochs=checkpoint.epochs))
        checkpoints.append({"epochs": checkpoint.epochs, "seconds": seconds})


def lists_file(part: str, *, epochs: int | None) -> str:
    """Name of the file with a part's lists."""
    return f"{part}.npz" if epochs is None else f"{part}-{epochs}.npz"
