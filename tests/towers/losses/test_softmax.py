"""The log of a sum of exponentials equals that of TensorFlow, in value and gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers.losses.softmax import log_sum_exp

BIAS = np.random.default_rng(1).standard_normal(9).astype(np.float32)
MASKED = tf.constant([[0, 1], [0, 1], [2, 8]], tf.int32)


def values_and_gradients(function: Callable[..., Any], *inputs: Any) -> list[Any]:
    """Values of a function, and the gradients of a weighted sum of them."""
    tensors = [tf.constant(each) for each in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        values = function(*tensors)
        total = tf.reduce_sum(values * tf.cast(tf.range(1, 1 + tf.size(values)), tf.float32))
    return [values.numpy(), *[part.numpy() for part in tape.gradient(total, tensors)]]


@pytest.mark.parametrize("options", [{}, {"bias": BIAS}, {"bias": BIAS, "masked": MASKED}])
@pytest.mark.parametrize("scale", [0.1, 20.0, 1000.0])
def test_log_sum_exp_equals_tensorflow(scale: float, options: dict[str, Any]) -> None:
    """Also where the exponentials themselves exceed float32."""
    rng = np.random.default_rng(0)
    queries = (scale * rng.standard_normal((6, 3))).astype(np.float32)
    vectors = rng.standard_normal((9, 3)).astype(np.float32)

    def plain(queries: Any, vectors: Any) -> Any:
        scores = queries @ tf.transpose(vectors) + options.get("bias", 0)
        for query, index in options.get("masked", ()):
            scores -= 1e9 * tf.eye(6)[query][:, None] * tf.eye(9)[index]
        return tf.reduce_logsumexp(scores, axis=1)

    ours = values_and_gradients(lambda q, v: log_sum_exp(q, v, **options), queries, vectors)
    for mine, theirs in zip(ours, values_and_gradients(plain, queries, vectors)):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_no_queries_give_no_values() -> None:
    value, *_ = values_and_gradients(
        log_sum_exp, np.zeros((0, 3), np.float32), np.ones((4, 3), np.float32)
    )
    assert value.shape == (0,)
