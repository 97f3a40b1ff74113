"""The written-out sums of exponentials are TensorFlow's own, in value and gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers.losses.masks import MASKED
from recsys.towers.losses.softmax import cross_entropy, log_sum_exp, log_sum_exp_of_products


def both(function: Callable[..., Any], *inputs: Any) -> list[Any]:
    """A function's values, and the gradients of a weighted sum of them."""
    tensors = [tf.constant(each) for each in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        values = function(*tensors)
        total = tf.reduce_sum(values * tf.cast(tf.range(1, 1 + tf.size(values)), tf.float32))
    return [values.numpy(), *[part.numpy() for part in tape.gradient(total, tensors)]]


def same(one: list[Any], other: list[Any]) -> bool:
    return all(np.allclose(mine, theirs, rtol=1e-5, atol=1e-6) for mine, theirs in zip(one, other))


@pytest.mark.parametrize("scale", [0.1, 1.0, 1000.0])
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (0, 4)])
def test_sums_of_exponentials(scale: float, shape: tuple[int, int]) -> None:
    """Also where the exponentials themselves are beyond float32."""
    rng = np.random.default_rng(0)
    scores = (scale * rng.standard_normal(shape)).astype(np.float32)
    assert same(
        both(log_sum_exp, scores), both(lambda given: tf.reduce_logsumexp(given, axis=1), scores)
    )


@pytest.mark.parametrize("scale", [0.1, 20.0])
def test_sums_over_products(scale: float) -> None:
    rng = np.random.default_rng(0)
    queries = (scale * rng.standard_normal((6, 3))).astype(np.float32)
    vectors = rng.standard_normal((9, 3)).astype(np.float32)

    def plain(queries: Any, vectors: Any) -> Any:
        return tf.reduce_logsumexp(queries @ tf.transpose(vectors), axis=1)

    assert same(both(log_sum_exp_of_products, queries, vectors), both(plain, queries, vectors))


def test_cross_entropy_without_any_negative_is_zero_and_has_no_gradient() -> None:
    own, others = np.array([0.5, -2], np.float32), np.full((2, 3), MASKED, np.float32)
    assert not any(part.any() for part in both(cross_entropy, own, others))
