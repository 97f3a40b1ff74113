"""What the full and the sampled softmax share."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf


def cross_entropy(own: Any, others: Any) -> Any:
    """-log( e^own / (e^own + sum e^others) ) = softplus(logsumexp(others) - own), ``[p]``.

    Args:
        own: Each query's score of its positive, ``[p]``.
        others: Its scores of negatives, ``[p, c]``; what is none holds ``masks.MASKED``.
    """
    return tf.nn.softplus(tf.reduce_logsumexp(others, axis=1) - own)
