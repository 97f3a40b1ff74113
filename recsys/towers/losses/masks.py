"""Candidates that are no negatives of a query: its target and, by policy, its user's items."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf
from recsys.interactions import Interactions
from recsys.towers.losses.api import LossInput
from recsys.towers.losses.configs import Mask


def indices_among(candidates: Any, rows: Any) -> Any:
    """Index of each of ``rows`` ``[n]`` among the distinct ``candidates`` ``[c]``; c if absent."""
    size = tf.size(candidates)
    # Ids are by first occurrence, so that those of distinct candidates are their indices.
    _, ids = tf.unique(tf.concat([candidates, rows], axis=0))
    return tf.minimum(ids[size:], size)


class NegativeMask:
    """The policy ``mask`` of a loss, over one log.

    Memory grows with the batch and its users' items, never with the catalogue.
    """

    def __init__(self, policy: Mask, log: Interactions) -> None:
        self._policy = policy
        if policy == "user":
            self._offsets = tf.constant(log.offsets, tf.int64)
            self._items = tf.constant(log.item, tf.int32)

    def excluded(self, inputs: LossInput, *, targets: bool) -> Any:
        """Pairs (query, index of a candidate) that are no negatives, int32 ``[n, 2]``.

        Args:
            inputs: Queries and candidates.
            targets: Whether the pairs of a query and its own target are among them.
        """
        own = indices_among(inputs.candidates, inputs.positives)
        own = tf.stack([tf.range(tf.size(own)), own], axis=1)
        pairs = own[:0] if self._policy == "target" else self._user_items(inputs)
        if targets:
            pairs = tf.concat([pairs, own], axis=0)
        else:
            pairs = tf.boolean_mask(pairs, pairs[:, 1] != tf.gather(own[:, 1], pairs[:, 0]))
        return tf.boolean_mask(pairs, pairs[:, 1] < tf.size(inputs.candidates))

    def _user_items(self, inputs: LossInput) -> Any:
        """Pairs of each query with the items of its history, or of its user."""
        if self._policy == "history":
            indices = indices_among(inputs.candidates, tf.reshape(inputs.windows, [-1]))
            indices = tf.gather(tf.reshape(indices, tf.shape(inputs.windows)), inputs.window)
            before = tf.range(tf.shape(indices)[1])[None, :] < inputs.position[:, None]  # (p, l)
            query = tf.where(before)[:, 0]
            return tf.stack([tf.cast(query, tf.int32), tf.boolean_mask(indices, before)], axis=1)
        starts, stops = (tf.gather(self._offsets, inputs.users + at) for at in (0, 1))
        items = tf.ragged.range(starts, stops)  # positions in the log, (b, None)
        indices = indices_among(inputs.candidates, tf.gather(self._items, items.flat_values))
        indices = tf.gather(items.with_flat_values(indices), inputs.window)  # (p, None)
        query = tf.cast(indices.value_rowids(), tf.int32)
        return tf.stack([query, indices.flat_values], axis=1)
