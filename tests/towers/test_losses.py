import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers import FullSoftmax, InBatchSoftmax, SampledSoftmax
from recsys.towers.losses import build_loss

QUERIES = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
ITEMS = np.array([[0.8, 0.6], [0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]], np.float32)
POSITIVES = np.array([2, 1, 1], np.int32)
COUNTS = np.array([0, 6, 2, 2])  # item 0 is cold
WEIGHTS = np.array([1.0, 2.0, 1.0], np.float32)


def computed(config) -> tuple[float, np.ndarray]:
    loss = build_loss(config, COUNTS)
    candidates = loss.candidates(tf.constant(POSITIVES))
    value = loss.compute(
        tf.constant(QUERIES),
        tf.gather(tf.constant(ITEMS), candidates),
        tf.constant(POSITIVES),
        candidates,
        tf.constant(WEIGHTS),
    )
    return float(value), candidates.numpy()


def cross_entropy(logits: np.ndarray, label: int) -> float:
    return float(np.log(np.exp(logits).sum()) - logits[label])


def test_full_softmax_is_over_the_warm_items_and_weighted():
    logits = QUERIES @ ITEMS[1:].T / 0.5
    parts = [cross_entropy(logits[0], 1), cross_entropy(logits[1], 0), cross_entropy(logits[2], 0)]
    value, candidates = computed(FullSoftmax(temperature=0.5))
    assert candidates.tolist() == [1, 2, 3]
    assert value == pytest.approx((1 * parts[0] + 2 * parts[1] + 1 * parts[2]) / 4, rel=1e-5)


def test_in_batch_softmax_corrects_by_log_q_and_masks_accidental_hits():
    # Q is 2/10 for item 2 and 6/10 for item 1. Queries 1 and 2 share item 1: for either of them
    # the other's copy is an accidental hit and leaves the sum.
    logits = QUERIES @ ITEMS[[2, 1, 1]].T / 0.5 - np.log([0.2, 0.6, 0.6])
    parts = [
        cross_entropy(logits[0], 0),
        cross_entropy(logits[1][[0, 1]], 1),
        cross_entropy(logits[2][[0, 2]], 1),
    ]
    value, candidates = computed(InBatchSoftmax(temperature=0.5))
    assert candidates.tolist() == [2, 1, 1]
    assert value == pytest.approx((1 * parts[0] + 2 * parts[1] + 1 * parts[2]) / 4, rel=1e-5)


def test_sampled_softmax_adds_uniform_warm_negatives_to_the_batch():
    tf.random.set_seed(1)
    loss = build_loss(SampledSoftmax(temperature=0.5, negatives=5), COUNTS)
    candidates = loss.candidates(tf.constant(POSITIVES)).numpy()
    assert candidates[:3].tolist() == POSITIVES.tolist()
    assert len(candidates) == 8 and 0 not in candidates[3:]
    value = loss.compute(
        tf.constant(QUERIES),
        tf.constant(ITEMS[candidates]),
        tf.constant(POSITIVES),
        tf.constant(candidates),
        tf.constant(WEIGHTS),
    )
    # Expected number of copies of v among the candidates: 3 count(v) / 10 + 5 / 3 warm items.
    expected = 3 * COUNTS[candidates] / 10 + 5 / 3
    logits = QUERIES @ ITEMS[candidates].T / 0.5 - np.log(expected)
    parts = []
    for query, positive in enumerate(POSITIVES):
        mine = [c for c in range(8) if c == query or candidates[c] != positive]
        parts.append(cross_entropy(logits[query][mine], mine.index(query)))
    want = (1 * parts[0] + 2 * parts[1] + 1 * parts[2]) / 4
    assert float(value) == pytest.approx(want, rel=1e-5)
