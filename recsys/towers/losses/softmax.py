"""What softmaxes share: the log of a sum of exponentials, with its gradient written out.

Traced, its gradient keeps four matrices of a score for each pair; written out it keeps one. The
matrices are larger than any cache, so that each of them is time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recsys._tf import tf
from recsys.towers.losses.masks import MASKED


def cross_entropy(own: Any, others: Any) -> Any:
    """-log( e^own / (e^own + sum e^others) ) = softplus(logsumexp(others) - own), ``[p]``.

    Args:
        own: Each query's score of its positive, ``[p]``.
        others: Its scores of negatives, ``[p, c]``; what is none holds ``masks.MASKED``.
    """
    return tf.nn.softplus(log_sum_exp(others) - own)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def log_sum_exp(scores: Any) -> tuple[Any, Callable[[Any], Any]]:
    """log sum over j of exp(s_ij), ``[p]``, of scores s ``[p, c]``."""
    powers, sums, totals = _powers(scores)

    def gradient(of_totals: Any) -> Any:
        return powers * (tf.convert_to_tensor(of_totals)[:, None] / sums)

    return totals, gradient


def log_sum_exp_of_products(queries: Any, vectors: Any, never: Any = None) -> Any:
    """log sum over j of exp(q_i . v_j), ``[p]``, of queries ``[p, d]`` and vectors ``[c, d]``.

    ``never`` are pairs of a query and a vector, int32 ``[n, 2]``, that the sum leaves out. The
    shares of the softmax are the powers divided by their sums; the gradient divides on the side of
    ``d``, so that no second matrix is made of them.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def totals_of(queries: Any, vectors: Any) -> tuple[Any, Callable[[Any], Any]]:
        scores = tf.matmul(queries, vectors, transpose_b=True)
        if never is not None:
            masked = tf.fill([tf.shape(never)[0]], MASKED)
            scores = tf.tensor_scatter_nd_update(scores, never, masked)
        powers, sums, totals = _powers(scores)

        def gradient(of_totals: Any) -> tuple[Any, Any]:
            scale = tf.convert_to_tensor(of_totals)[:, None] / sums
            return scale * tf.matmul(powers, vectors), tf.matmul(powers, scale * queries, True)

        return totals, gradient

    return totals_of(queries, vectors)


def _powers(scores: Any) -> tuple[Any, Any, Any]:
    """exp(s - the row's highest) ``[p, c]``, its sums ``[p, 1]``, and log sum exp(s) ``[p]``."""
    highest = tf.reduce_max(scores, axis=1, keepdims=True)
    powers = tf.exp(scores - highest)
    sums = tf.reduce_sum(powers, axis=1, keepdims=True)
    return powers, sums, tf.squeeze(highest + tf.math.log(sums), axis=1)
