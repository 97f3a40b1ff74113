"""From a log to training batches: windows of histories, every position of which is predicted.

A user's interactions are cut into windows at a place drawn anew each epoch; windows of like length
share a batch, so that little of it is padding. Plain numpy: the order is a function of the seed
and the epoch alone, which is what makes a resumed run continue as it would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.interactions import Interactions

Batch = dict[str, npt.NDArray[np.generic]]
Spans = npt.NDArray[np.int64]


def cut_windows(log: Interactions, length: int, rng: np.random.Generator) -> Spans:
    """Windows ``[w, 2]`` (start, stop) over the log's rows, each of one user, 1 .. length long.

    Every interaction is in just one window. A user with more than ``length`` has a first window of
    random length, so that the cuts fall elsewhere each time.
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
    """Windows grouped so that windows x longest stays within ``positions``, groups shuffled.

    A single window longer than ``positions`` makes a group of its own.
    """
    lengths = spans[:, 1] - spans[:, 0]
    # Random order first, so that windows of equal length meet others each epoch.
    order = rng.permutation(len(spans))
    order = order[np.argsort(lengths[order], kind="stable")[::-1]]
    groups, at = [], 0
    while at < len(order):
        size = max(1, positions // int(lengths[order[at]]))
        groups.append(spans[order[at : at + size]])
        at += size
    return [groups[place] for place in rng.permutation(len(groups))]


def training_batches(
    log: Interactions,
    *,
    window: int,
    positions: int,
    seed: int,
    epoch: int,
) -> list[Spans]:
    """The groups of windows of one epoch."""
    rng = np.random.default_rng([seed, epoch])
    spans = cut_windows(log, window + 1, rng)
    return group_windows(spans, positions, rng)


def load_batches(
    log: Interactions, groups: list[Spans], *, times: Literal["leave", "load"] = "leave"
) -> Iterator[Batch]:
    """Each group as padded arrays ``[b, length]``; ``weight`` is 0 where there is padding.

    Keys: ``item`` (the item to predict; those before it are its history), ``weight``, ``terms``,
    ``context_NAME``; and ``user`` ``[b]``. With times also ``seconds``, float32 since the first
    item of the window.
    """
    for spans in groups:
        lengths = spans[:, 1] - spans[:, 0]
        offsets = np.arange(int(lengths.max()))
        real = offsets[None, :] < lengths[:, None]
        places = np.where(real, spans[:, :1] + offsets[None, :], spans[:, :1])
        batch: Batch = {
            "item": np.where(real, log.item[places], 0).astype(np.int32),
            "weight": np.where(real, log.weight[places], 0).astype(np.float32),
            "terms": np.where(real, log.terms[places], 0).astype(np.int32),
            "user": log.user[spans[:, 0]],
        }
        for name, rows in log.context_rows.items():
            batch[f"context_{name}"] = rows[places]
        if times == "load":
            since = log.time[places] - log.time[spans[:, :1]]
            batch["seconds"] = np.where(real, since, 0).astype(np.float32)
        yield batch
