"""Features of all items of the sample world for some users, from the log so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import eigsh

from data.sample_world.world import World

NAMES = (
    "topic",
    "topic.shown",
    "style",
    "style.shown",
    "ease",
    "ease.strong",
    "lift",
    "hidden",
    "popularity",
    "rate",
    "ignored",
)
HIDDEN = 3
"""Number of dimensions of the hidden part of the co-occurrence."""
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
    ``hidden`` is the same of the part of the co-occurrence that topic and style do not explain;
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
    hidden = _unexplained(together, chance, traits)
    columns["hidden"] = own @ hidden / np.maximum(own.sum(axis=1, keepdims=True), 1)
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


def _unexplained(together: Matrix, chance: Matrix, traits: Mapping[str, Counts]) -> Matrix:
    """Co-occurrence beyond that of pairs with as many equal traits, of rank ``HIDDEN``.

    The deviations are divided by their standard deviations, as of Poisson counts.
    """
    kind = sum(
        2**at * (values[:, None] == values) for at, values in enumerate(traits.values())
    ).astype(np.int64)
    np.fill_diagonal(kind, kind.max() + 1)
    sums = [
        np.bincount(kind.ravel(), each.ravel().astype(np.float64)) for each in (together, chance)
    ]
    expected = chance * (sums[0] / np.maximum(sums[1], 1e-9))[kind]
    deviation = (together - expected) / np.sqrt(expected + 1)
    np.fill_diagonal(deviation, 0)
    values, vectors = eigsh(deviation.astype(np.float64), k=HIDDEN, which="LA")
    found = (vectors * values) @ vectors.T
    np.fill_diagonal(found, 0)
    return np.asarray(found, np.float32)
