"""Which candidates are no negatives of a query: its own target, and by policy what its user met.

Cost grows with the batch and the candidates, never with the catalogue.
"""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses import configs
from recsys.towers.losses.api import Positions

MASKED = -1e9
"""A score that no softmax sees, and still a number: where all is masked, gradients stay finite."""


def places(candidates: Any, rows: Any) -> Any:
    """Where ``rows`` ``[n]`` stand among the different ``candidates`` ``[c]``; c if nowhere."""
    size = tf.size(candidates)
    # Numbered by first appearance: candidates, being different, are numbered as they stand.
    _, numbers = tf.unique(tf.concat([candidates, rows], axis=0))
    return tf.minimum(numbers[size:], size)


class Mask:
    """The policy ``mask`` of a loss, over one log."""

    def __init__(self, policy: configs.Mask, log: Interactions) -> None:
        self._policy = policy
        if policy == "user":
            self._offsets = tf.constant(log.offsets, tf.int64)
            self._items = tf.constant(log.item, tf.int32)

    def accidental(self, positions: Positions) -> Any:
        """Which candidates are no negatives, bool ``[p, c]``."""
        place = places(positions.candidates, positions.positives)
        own = place[:, None] == tf.range(tf.size(positions.candidates))[None, :]
        met = self._met(positions)
        return own if met is None else own | met

    def hide(self, scores: Any, positions: Positions) -> Any:
        """``scores`` ``[p, c]``, ``MASKED`` where a candidate is no negative."""
        met = self._met(positions)
        if met is not None:
            scores = tf.where(met, MASKED, scores)
        place = places(positions.candidates, positions.positives)
        # One entry a row, changed in place: cheaper than a mask of the whole matrix.
        inside = tf.where(place < tf.size(positions.candidates))[:, 0]
        at = tf.stack([tf.cast(inside, tf.int32), tf.gather(place, inside)], axis=1)
        return tf.tensor_scatter_nd_update(scores, at, tf.fill([tf.shape(at)[0]], MASKED))

    def _met(self, positions: Positions) -> Any:
        """Candidates that the query's user met, bool ``[p, c]``, or None if that does not count."""
        if self._policy == "target":
            return None
        if self._policy == "history":
            first = _first_places(positions)
            return tf.gather(first, positions.window) < positions.place[:, None]
        return tf.gather(self._met_ever(positions), positions.window)

    def _met_ever(self, positions: Positions) -> Any:
        """Which candidates each window's user met anywhere in the log, bool ``[b, c]``."""
        starts = tf.gather(self._offsets, positions.users)
        stops = tf.gather(self._offsets, positions.users + 1)
        interactions = tf.ragged.range(starts, stops)
        found = places(positions.candidates, tf.gather(self._items, interactions.flat_values))
        at = tf.stack([tf.cast(interactions.value_rowids(), tf.int32), found], axis=1)
        shape = [tf.size(positions.users), tf.size(positions.candidates) + 1]
        none = tf.zeros(shape, tf.bool)
        met = tf.tensor_scatter_nd_update(none, at, tf.ones([tf.shape(at)[0]], tf.bool))
        return met[:, :-1]


def met_before(positions: Positions) -> Any:
    """Pairs of a position and the place of a candidate in its history, int32 ``[n, 2]``.

    Without the position's own positive. Far fewer than pairs of a position and a candidate.
    """
    found = places(positions.candidates, tf.reshape(positions.items, [-1]))
    found = tf.reshape(found, tf.shape(positions.items))  # (b, l)
    items, found = (
        tf.gather(part, positions.window) for part in (positions.items, found)
    )  # (p, l)
    before = tf.range(tf.shape(items)[1])[None, :] < positions.place[:, None]
    known = found < tf.size(positions.candidates)
    at = tf.where(before & known & (items != positions.positives[:, None]))
    return tf.stack([tf.cast(at[:, 0], tf.int32), tf.gather_nd(found, at)], axis=1)


def _first_places(positions: Positions) -> Any:
    """At which place of each window each candidate first stands, int32 ``[b, c]``; else l."""
    windows, length = tf.shape(positions.items)[0], tf.shape(positions.items)[1]
    found = places(positions.candidates, tf.reshape(positions.items, [-1]))
    at = tf.stack([tf.repeat(tf.range(windows), length), found], axis=1)
    nowhere = tf.fill([windows, tf.size(positions.candidates) + 1], length)
    offsets = tf.tile(tf.range(length), [windows])
    return tf.tensor_scatter_nd_min(nowhere, at, offsets)[:, :-1]
