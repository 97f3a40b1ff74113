"""Means over what came so far, for every moment of a history at once."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf


def ages_of(moments: Any) -> Any:
    """How many items ago item i came, seen from item j: ``[t, t]``, negative for what follows j."""
    places = tf.range(moments)
    return places[:, None] - places[None, :]


def pooled(vectors: Any, scores: Any, ages: Any) -> Any:
    """State j = sum over the first j items of softmax(scores)_i v_i, zeros for an empty history.

    Args:
        vectors: ``[b, t, d]``.
        scores: What item i scores from item j's place: ``[t, t]``, or ``[b, t, t]``.
        ages: As :func:`ages_of` gives them.

    Returns:
        ``[b, t + 1, d]``.
    """
    shares = tf.nn.softmax(tf.where(ages >= 0, scores, float("-inf")))
    # One matrix for the whole batch or one each: matmul broadcasts.
    return tf.pad(tf.matmul(shares, vectors), [[0, 0], [1, 0], [0, 0]])
