"""One request to a peer: learn from a log, and answer queries at each checkpoint.

A model is a function ``(log, setting, seed)`` that yields a :class:`Checkpoint` for each number of
epochs in ``setting["checkpoints"]``, or a single one where the number of epochs is no question.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import peak_mb
from benchmarks.quality.peer_models.files import Lists, Log, Queries

Setting = Mapping[str, Any]
TOLD = "told.json"


@dataclass(frozen=True)
class Checkpoint:
    """A model as it is after so many epochs (None where there is only one answer).

    Attributes:
        epochs: How many.
        lists: From queries and k to their lists.
    """

    epochs: int | None
    lists: Callable[[Queries, int], Lists]


Model = Callable[[Log, Setting, int], Iterator[Checkpoint]]


def answer(request: Mapping[str, Any], model: Model) -> None:
    """Write ``PART.npz`` or ``PART-EPOCHS.npz`` for each part asked, and last ``told.json``.

    Args:
        request: ``log`` and ``queries`` (from part to file) name files, ``out`` a folder;
            ``setting``, ``seed`` and ``k`` are the model's.
        model: The model.
    """
    log, out = Log.load(Path(request["log"])), Path(request["out"])
    asked = {part: Queries.load(Path(file)) for part, file in request["queries"].items()}
    seconds, told = 0.0, []
    learning = model(log, request["setting"], request["seed"])
    while True:
        began = time.perf_counter()
        checkpoint = next(learning, None)
        if checkpoint is None:
            break
        seconds += time.perf_counter() - began
        for part, queries in asked.items():
            checkpoint.lists(queries, request["k"]).save(
                out / lists_file(part, epochs=checkpoint.epochs)
            )
        told.append({"epochs": checkpoint.epochs, "seconds": seconds})
    (out / TOLD).write_text(json.dumps({"checkpoints": told, "peak_gib": peak_mb() / 1024}))


def lists_file(part: str, *, epochs: int | None) -> str:
    """The name of the file that holds a part's lists after so many epochs."""
    return f"{part}.npz" if epochs is None else f"{part}-{epochs}.npz"
