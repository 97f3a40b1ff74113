"""Training batches of windows of histories, every position of which is predicted.

A user's interactions are cut into windows at positions drawn in each epoch; windows of similar
length share a batch, to keep padding small. Plain numpy, and a function of the seed and the epoch
alone, so that a resumed training continues as without the interruption.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsys.interactions import Interactions

Batch = dict[str, npt.NDArray[np.generic]]
Spans = npt.NDArray[np.int64]


def step_seed(seed: int, epoch: int, step: int) -> npt.NDArray[np.int64]:
    """Seed of a step's random numbers, int64 ``[2]``; no two steps of a training share one."""
    return np.array([seed, (epoch << 32) + step], np.int64)


def cut_windows(log: Interactions, length: int, rng: np.random.Generator) -> Spans:
    """Windows ``[w, 2]`` (start, stop) over positions of the log, each of one user.

    Every interaction is in exactly one window of 1 to ``length``. The first window of a user with
    more interactions has a random length, so that the cuts differ between epochs.
    """
    starts, stops = log.offsets[:-1], log.offsets[1:]
    sizes = stops - starts
    first = np.where(sizes > length, rng.integers(1, length + 1, len(sizes)), sizes)
    # A first window of f leaves ceil((size - f) / length) further ones.
    counts = np.where(sizes > 0, 1 + -(-(sizes - first) // length), 0)
    user = np.repeat(np.arange(len(sizes)), counts)
    number = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = starts[user] + np.where(number > 0, first[user] + (number - 1) * length, 0)
    end = np.minimum(stops[user], starts[user] + first[user] + number * length)
    return np.stack([begin, end], axis=1)


def group_windows(spans: Spans, positions: int, rng: np.random.Generator) -> list[Spans]:
    """Windows in groups of at most ``positions`` with padding, in random order.

    A window longer than ``positions`` is a group by itself.
    """
    lengths = spans[:, 1] - spans[:, 0]
    # Random order first, so that windows of equal length share different groups in each epoch.
    order = rng.permutation(len(spans))
    order = order[np.argsort(lengths[order], kind="stable")[::-1]]
    groups, at = [], 0
    while at < len(order):
        size = max(1, positions // int(lengths[order[at]]))
        groups.append(spans[order[at : at + size]])
        at += size
    return [groups[index] for index in rng.permutation(len(groups))]


def training_batches(
    log: Interactions, *, window: int, positions: int, seed: int, epoch: int
) -> list[Spans]:
    """The groups of windows of one epoch."""
    rng = np.random.default_rng([seed, epoch])
    return group_windows(cut_windows(log, window + 1, rng), positions, rng)


def load_batches(
    log: Interactions, groups: list[Spans], *, seed: int, epoch: int, times: bool = False
) -> Iterator[Batch]:
    """Each group as padded arrays ``[b, length]``; ``weight`` is 0 in the padding.

    Keys: ``item`` (the target; the items before it are its history), ``weight`` (divided by the
    mean weight of the log), ``terms``, ``context_NAME``; ``user`` ``[b]``; ``seed`` of the step,
    int64 ``[2]``; with times ``seconds``, float32 since the first item of the window.
    """
    mean = log.weight.mean(dtype=np.float64)
    for step, spans in enumerate(groups):
        lengths = spans[:, 1] - spans[:, 0]
        offsets = np.arange(int(lengths.max()))
        real = offsets[None, :] < lengths[:, None]
        positions = np.where(real, spans[:, :1] + offsets[None, :], spans[:, :1])
        batch: Batch = {
            "item": np.where(real, log.item[positions], 0).astype(np.int32),
            "weight": np.where(real, log.weight[positions] / mean, 0).astype(np.float32),
            "terms": np.where(real, log.terms[positions], 0).astype(np.int32),
            "user": log.user[spans[:, 0]],
            "seed": step_seed(seed, epoch, step),
        }
        for name, rows in log.context_rows.items():
            batch[f"context_{name}"] = rows[positions]
        if times:
            since = log.time[positions] - log.time[spans[:, :1]]
            batch["seconds"] = np.where(real, since, 0).astype(np.float32)
        yield batch
