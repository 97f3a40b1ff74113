"""Where the time of a training step goes, and how far it is from the machine's matrix product.

A part of ``python -m benchmarks.training``. Towers as one would train for quality, over the
training log of MovieLens-1M: 128 numbers wide, histories of 200 through a transformer of two
blocks, softmax over every film; the films' words and pictures are random numbers of the widths of
GloVe's and of a small MobileNet's, which costs the same. Some batches of an epoch, each with its
own lengths. Each part is run by itself on every batch, forward and backward, beside the whole step:

- ``input``: the batch is put together in numpy and handed over;
- ``item_tower``: vectors of every item that the step needs, and the gradients of its weights;
- ``history``: states of the histories, and their gradients;
- ``softmax``: the loss of the queries over all items, and its gradients;
- ``optimizer``: gradients are clipped and Adam takes its step;
- ``rest``: what the step takes beyond these: gathers, the queries, masks, calls.

Of several rounds the fastest of each batch and part counts. :func:`flops` says how many float32
operations in matrix products a step cannot do without; divided by its time, and by the rate that
numpy multiplies square matrices at, that is its share of the limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.movielens import MovieLens
from recsys.features import FeatureBlock
from recsys.interactions import Interactions
from recsys.splits import LeaveLastOutConfig, split
from recsys.towers import FullSoftmax, TowersConfig, TrainConfig, TransformerHistory

TOWERS = TowersConfig(
    dimension=128, history=TransformerHistory(window=200, expansion=2), terms="none"
)
TRAIN = TrainConfig(loss=FullSoftmax(), batch_positions=3200, learning_rate=2e-3, seed=1)
WIDTHS = {"text": 50, "image": 256}
BATCHES, ROUNDS = 24, 4
PARTS = ("input", "item_tower", "history", "softmax", "optimizer")


def profile() -> dict[str, Any]:
    """Milliseconds and operations of a mean step, and of its parts."""
    movielens = MovieLens()
    log = split(movielens.log, LeaveLastOutConfig()).train
    rng = np.random.default_rng(1)
    blocks = [movielens.attributes()]
    for name, width in WIDTHS.items():
        vectors = rng.standard_normal((len(log.items), width)).astype(np.float32)
        blocks.append(FeatureBlock(vectors, np.ones(len(log.items), np.bool_), name))
    return measure(log, blocks, TOWERS, TRAIN, batches=BATCHES, rounds=ROUNDS)


def measure(
    log: Interactions,
    blocks: Sequence[FeatureBlock],
    towers: TowersConfig,
    train: TrainConfig,
    *,
    batches: int,
    rounds: int,
) -> dict[str, Any]:
    """The profile of an epoch's first ``batches`` steps over one log; see the module."""
    from benchmarks.tower_parts import TowerParts
    from benchmarks.tower_steps import TowerSteps

    steps = TowerSteps(log, towers, train, blocks=blocks)
    parts = TowerParts(steps, log, train)
    seconds: dict[str, list[list[float]]] = {name: [] for name in ("step", *PARTS)}
    shapes: list[Shape] = []
    for turn in range(rounds):
        loaded = steps.batches(1)
        taken: dict[str, list[float]] = {name: [] for name in seconds}
        for _ in range(batches):
            began = time.perf_counter()
            batch = next(loaded)
            taken["input"].append(time.perf_counter() - began)
            taken["step"].append(_timed(partial(steps.step, batch)))
            for name in PARTS[1:]:
                taken[name].append(_timed(getattr(parts, name)(batch)))
            if turn == 0:
                shapes.append(Shape.of(batch, log))
        for name, times in taken.items():
            seconds[name].append(times)
    widths = [block.dimension for block in blocks if block.name in WIDTHS]
    counted = [flops(shape, towers, widths) for shape in shapes]
    return {
        "milliseconds": {
            name: 1000 * float(np.mean(np.min(of, axis=0))) for name, of in seconds.items()
        },
        "gflop": {name: float(np.mean([each[name] for each in counted])) / 1e9 for name in FLOPS},
        "positions": float(np.mean([shape.positions for shape in shapes])),
        "padded": float(np.mean([shape.windows * shape.length for shape in shapes])),
    }


@dataclass(frozen=True)
class Shape:
    """The sizes of a batch: what its operations depend on.

    Attributes:
        windows: Histories in it.
        length: Of the longest, padding of the others included.
        positions: Interactions that are predicted.
        items: Different items whose vectors the step needs.
        candidates: Items that every position is held against.
    """

    windows: int
    length: int
    positions: int
    items: int
    candidates: int

    @classmethod
    def of(cls, batch: dict[str, Any], log: Interactions) -> Shape:
        """Of a batch of the full softmax, which needs every warm item."""
        windows, length = batch["item"].shape
        warm = int(log.warm.sum())
        return cls(windows, length, int((batch["weight"].numpy() > 0).sum()), warm, warm)


FLOPS = ("item_tower", "history", "softmax")


def flops(shape: Shape, towers: TowersConfig, widths: Sequence[int]) -> dict[str, float]:
    """Operations in the matrix products of a step: 2 m n k for [m, k] x [k, n].

    With d = ``dimension`` and e = ``expansion``, forward:

        item tower  2 items d sum of the widths of dense blocks
        history     b tokens of n places a window: blocks (2 d^2 (4 + 2 e) + 4 n d) each, that is
                    queries, keys, values and their merging, the feed-forward part, and attention
                    of every place to every place
        softmax     2 positions candidates d

    and backward twice as much, once for each factor; but once for the blocks, which are constants.

    Args:
        shape: Of the batch.
        towers: Of which the history is a transformer of blocks as in SASRec.
        widths: Of the item tower's dense blocks.
    """
    history, d = towers.history, towers.dimension
    assert isinstance(history, TransformerHistory)
    tokens = shape.windows * shape.length
    a_token = 2 * d**2 * (4 + 2 * history.expansion) + 4 * shape.length * d
    return {
        "item_tower": 2 * 2 * shape.items * d * sum(widths),
        "history": 3 * tokens * history.blocks * a_token,
        "softmax": 3 * 2 * shape.positions * shape.candidates * d,
    }


def figures_of(told: dict[str, Any], sgemm_gflops: float) -> dict[str, float]:
    """The record's figures, from what :func:`profile` measured and the limit's rate."""
    milliseconds, gflop = told["milliseconds"], told["gflop"]
    step = milliseconds["step"] + milliseconds["input"]
    rest = step - sum(milliseconds[name] for name in PARTS)
    figures = {"profile.step.milliseconds": step}
    for name, taken in {**{name: milliseconds[name] for name in PARTS}, "rest": rest}.items():
        figures[f"profile.{name}.milliseconds"] = taken
        figures[f"profile.{name}.share_of_step"] = taken / step
    for name, operations in {**gflop, "step": sum(gflop.values())}.items():
        taken = figures[f"profile.{name}.milliseconds"]
        figures[f"profile.{name}.gflop"] = operations
        figures[f"profile.{name}.share_of_sgemm"] = operations / taken * 1000 / sgemm_gflops
    figures["profile.sgemm_gflops"] = sgemm_gflops
    figures["profile.positions_a_step"] = told["positions"]
    figures["profile.padding"] = 1 - told["positions"] / told["padded"]
    return figures


def _timed(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
