"""Time of the parts of a training step.

A part of ``python -m benchmarks.training``. The towers are set for quality, on the training log of
MovieLens-1M: 128 numbers, histories of 200 through a transformer of two blocks, softmax over all
films; the films' words and pictures are random numbers of the widths of GloVe and a small
MobileNet. Each part is run by itself on some batches of an epoch, forward and backward:

- ``input``: the batch is assembled in numpy and converted to tensors;
- ``item_tower``: vectors of all items, and the gradients of its weights;
- ``history``: states of the histories, and their gradients;
- ``softmax``: the loss over all items, and its gradients;
- ``optimizer``: gradient clipping and the Adam update;
- ``rest``: time of the whole step in excess of these: gathers, queries, masks, calls.

The fastest of several rounds counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
    """Milliseconds of a mean step and of its parts."""
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
    """Profile of an epoch's first ``batches`` steps on a log; see the module."""
    from benchmarks.training.steps import TowerSteps

    steps = TowerSteps(log, towers, train, blocks=blocks)
    parts = _step_parts(steps, log, train)
    seconds: dict[str, list[list[float]]] = {name: [] for name in ("step", *PARTS)}
    for _ in range(rounds):
        loaded = steps.batches(1)
        turn_seconds: dict[str, list[float]] = {name: [] for name in seconds}
        for _ in range(batches):
            start = time.perf_counter()
            batch = next(loaded)
            turn_seconds["input"].append(time.perf_counter() - start)
            turn_seconds["step"].append(_timed(lambda batch=batch: steps.step(batch)))
            for name, prepare in parts.items():
                turn_seconds[name].append(_timed(prepare(batch)))
        for name, times in turn_seconds.items():
            seconds[name].append(times)
    return {
        "milliseconds": {
            name: 1000 * float(np.mean(np.min(times, axis=0))) for name, times in seconds.items()
        }
    }


def _step_parts(
    steps: Any, log: Interactions, train: TrainConfig
) -> dict[str, Callable[[Any], Callable[[], Any]]]:
    """Functions that prepare the input of a part from a batch and return what runs the part alone.

    The gradient of a part's output is that output itself, which has the same cost.
    """
    from recsys._tf import compiled, tf
    from recsys.towers.draws import Draws
    from recsys.towers.losses.api import LossInput
    from recsys.towers.losses.build import build_loss

    model, optimizer, loss = steps.model, steps.optimizer, build_loss(train.loss, log)
    warm = tf.constant(np.flatnonzero(log.warm), tf.int32)
    table = tf.constant(model.item_vectors())
    seed = tf.constant([train.seed, 0], tf.int64)

    @compiled(reduce_retracing=True)
    def item_tower() -> Any:
        with tf.GradientTape() as tape:
            vectors = model.item_tower(warm, draws=Draws(seed))
        variables = model.item_tower.trainable_variables
        return tape.gradient(vectors, variables, output_gradients=vectors)

    @compiled(reduce_retracing=True)
    def history(items: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(items)
            states = model.query_tower.states(items, None, draws=Draws(seed))
        sources = [items, *model.query_tower.trainable_variables]
        return tape.gradient(states, sources, output_gradients=states)

    @compiled(reduce_retracing=True)
    def softmax(fields: dict[str, Any]) -> Any:
        vectors = [fields[f"{name}"] for name in fields if fields[name].dtype == tf.float32]
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            value = loss.compute(LossInput(**fields))
        return value, tape.gradient(value, vectors)

    @compiled(reduce_retracing=True)
    def gradients(batch: Any) -> Any:
        with tf.GradientTape() as tape:
            value = model.compute_loss(batch, training=True)
        return tape.gradient(value, model.trainable_variables)

    @compiled(reduce_retracing=True)
    def update(found: Any) -> None:
        optimizer.apply_gradients(zip(found, model.trainable_variables))

    def positions(batch: Any) -> dict[str, Any]:
        candidates = loss.candidates(
            tf.boolean_mask(batch["item"], batch["weight"] > 0), Draws(batch["seed"])
        )
        return dict(vars(model._positions(batch, candidates, None)))

    def prepared(run: Callable[..., Any], prepare: Callable[[Any], Any]) -> Any:
        def for_batch(batch: Any) -> Callable[[], Any]:
            given = prepare(batch)
            return lambda: run(given)

        return for_batch

    return {
        "item_tower": lambda batch: item_tower,
        "history": prepared(history, lambda batch: tf.gather(table, batch["item"][:, :-1])),
        "softmax": prepared(softmax, positions),
        "optimizer": prepared(update, gradients),
    }


def figures_of(profile: dict[str, Any]) -> dict[str, float]:
    """Figures of the record, from :func:`profile`."""
    milliseconds = profile["milliseconds"]
    step = milliseconds["step"] + milliseconds["input"]
    parts = {name: milliseconds[name] for name in PARTS}
    parts["rest"] = step - sum(parts.values())
    figures = {"profile.step.milliseconds": step}
    for name, value in parts.items():
        figures[f"profile.{name}.milliseconds"] = value
        figures[f"profile.{name}.share_of_step"] = value / step
    return figures


def _timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
