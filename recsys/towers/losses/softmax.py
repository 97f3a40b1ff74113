"""The log of a sum of exponentials of scores, with its gradient written out.

A traced gradient keeps four matrices of a score per query and candidate; written out, it keeps one.
The matrices exceed every cache, so that each of them costs time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recsys._tf import tf

MASKED = -1e9
"""A masked score; finite, so that gradients stay finite where all candidates are masked."""


def log_sum_exp(queries: Any, vectors: Any, *, masked: Any = None, bias: Any = None) -> Any:
    """log sum over j of exp(q_i . v_j + b_j), ``[p]``.

    The softmax is exp(s) divided by its sums; the gradient divides on the side of ``d``, so that
    no second matrix is made.

    Args:
        queries: ``[p, d]``.
        vectors: ``[c, d]``.
        masked: Pairs (query, vector) left out of the sums, int32 ``[n, 2]``.
        bias: b ``[c]``, without a gradient.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def value(queries: Any, vectors: Any) -> tuple[Any, Callable[[Any], Any]]:
        scores = tf.matmul(queries, vectors, transpose_b=True)
        if bias is not None:
            scores += bias
        if masked is not None:
            fill = tf.fill([tf.shape(masked)[0]], MASKED)
            scores = tf.tensor_scatter_nd_update(scores, masked, fill)
        highest = tf.reduce_max(scores, axis=1, keepdims=True)
        powers = tf.exp(scores - highest)
        sums = tf.reduce_sum(powers, axis=1, keepdims=True)

        def gradient(upstream: Any) -> tuple[Any, Any]:
            scale = tf.convert_to_tensor(upstream)[:, None] / sums
            return scale * tf.matmul(powers, vectors), tf.matmul(powers, scale * queries, True)

        return tf.squeeze(highest + tf.math.log(sums), axis=1), gradient

    return value(queries, vectors)
