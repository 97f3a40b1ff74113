"""Features of all items of the sample world for some users, from the log so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from data.sample_world.world import World

NAMES = (
    "topic",
    "topic.shown",
    "style",
    "style.shown",
    "ease",
    "ease.strong",
    "lift",
    "popularity",
    "rate",
    "ignored",
)
Matrix = npt.NDArray[np.float32]
Counts = npt.NDArray[Any]


def traits_of(world: World) -> dict[str, Counts]:
    """The traits that a catalogue shows: the topic and the style. The group is hidden."""
    return {name: world.items.traits[name] for name in ("topic", "style")}


def features(
    traits: Mapping[str, Counts],
    taken: npt.NDArray[np.bool_],
    shown: Counts,
    clicks: Counts,
    users: Counts,
) -> Matrix:
    """The features of ``NAMES``, float32 ``[users, items, f]``.

    ``topic`` and ``style`` are the user's interactions with the item's value, and ``.shown`` the
    impressions; ``ease`` is an item-item regression over the history, with a weak and a strong
    regularisation; ``lift`` is the mean log-lift of the item's co-occurrence with the history;
    ``popularity`` counts interactions, ``rate`` clicks per impression of the item, and ``ignored``
    impressions of this item to this user.
    """
    log = taken.astype(np.float32)
    own, seen = log[users], shown[users].astype(np.float32)
    columns = {}
    for name, values in traits.items():
        one_hot = np.eye(int(values.max()) + 1, dtype=np.float32)[values]
        columns[name] = np.log(0.2 + own @ one_hot)[:, values]
        columns[f"{name}.shown"] = np.log1p(seen @ one_hot)[:, values]
    together = log.T @ log
    count = np.diagonal(together).copy()
    columns["ease"] = own @ _regression(together, 50.0)
    columns["ease.strong"] = own @ _regression(together, 400.0)
    chance = np.outer(count, count) / len(log)
    lift = np.log((together + 0.5) / (chance + 0.5))
    np.fill_diagonal(lift, 0)
    columns["lift"] = own @ lift / np.maximum(own.sum(axis=1, keepdims=True), 1)
    columns["popularity"] = np.broadcast_to(np.log1p(count), own.shape)
    impressions = shown.sum(axis=0)
    columns["rate"] = np.broadcast_to(np.log((clicks + 1) / (impressions + 12)), own.shape)
    columns["ignored"] = np.log1p(seen)
    return np.stack([columns[name] for name in NAMES], axis=2).astype(np.float32)


def _regression(together: Matrix, l2: float) -> Matrix:
    """EASE (Steck, 2019): each item predicted by the others, float32 ``[items, items]``."""
    inverse = np.linalg.inv(together + l2 * np.eye(len(together), dtype=np.float32))
    weights = -inverse / np.diagonal(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)
