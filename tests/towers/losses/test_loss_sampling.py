"""Sampled losses: candidates, the correction of their probabilities, excluded negatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys._tf import compiled, tf, tf_keras, tfrs
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import (
    FullSoftmax,
    InBatchSoftmax,
    InnerProduct,
    SampledSoftmax,
    TowersConfig,
    TrainConfig,
)
from recsys.towers.draws import Draws
from recsys.towers.histories.configs import MeanHistory
from recsys.towers.losses.build import build_loss
from recsys.towers.losses.masks import NegativeMask, indices_among
from recsys.towers.model.position_model import TwoTowerModel
from tests.contracts.loss_contract import (
    DIMENSION,
    ITEMS,
    WINDOWS,
    gradients,
    input_of,
    log_of,
    unit,
)

UNIFORM = InnerProduct(negatives=3)


def test_indices_among_finds_rows_in_candidates():
    found = indices_among(tf.constant([7, 3, 9]), tf.constant([9, 4, 7, 4, 9]))
    assert found.numpy().tolist() == [2, 3, 0, 3, 2]
    assert indices_among(tf.constant([], tf.int32), tf.constant([4, 4])).numpy().tolist() == [0, 0]


@pytest.mark.parametrize(
    "config",
    [UNIFORM, SampledSoftmax(negatives=3, in_batch="none"), SampledSoftmax(negatives=3)],
    ids=lambda config: f"{config.name} {getattr(config, 'in_batch', '')}",
)
def test_items_are_candidates_at_their_inclusion_probability(config):
    """1 - (5/6)^3 for 3 draws of 6 warm items, combined with positives drawn by count."""
    log, trials = log_of(WINDOWS), 3000
    loss = build_loss(config, log)
    positives = tf.constant(np.random.default_rng(5).choice(log.item, (trials, 4)))

    def count(seen, trial):
        batch, number = trial
        candidates = loss.candidates(batch, Draws(tf.stack([5, number])))
        return tf.tensor_scatter_nd_add(seen, candidates[:, None], tf.ones(tf.size(candidates)))

    chances = np.where(log.warm, 1 - (5 / 6) ** 3, 0)
    if getattr(config, "in_batch", "none") == "all":
        chances = 1 - (1 - chances) * (1 - log.item_counts / len(log)) ** 4
    numbered = positives, tf.range(trials, dtype=tf.int64)
    seen = compiled(tf.foldl)(count, numbered, tf.zeros(ITEMS))
    np.testing.assert_allclose(seen / trials, chances, atol=4 * 0.5 / trials**0.5)


def test_the_loss_equals_tfrs_on_distinct_items():
    windows = np.array([[2, 1, 3], [4, 5, 6]])
    queries, table = unit(6, DIMENSION, seed=1), unit(ITEMS, DIMENSION, seed=2)
    loss = build_loss(InBatchSoftmax(temperature=0.2, correction="all"), log_of(WINDOWS))
    inputs = input_of(loss, windows, queries, table)
    share = log_of(WINDOWS).item_counts[windows.ravel()] / 9
    theirs = tfrs_task(0.2)(
        queries,
        inputs.positive_vectors,
        candidate_sampling_probability=tf.constant(1 - (1 - share) ** 6, tf.float32),
        candidate_ids=inputs.positives,
    )
    assert float(loss.compute(inputs)) == pytest.approx(float(theirs) / 6, rel=1e-5)


def tfrs_task(temperature: float):
    return tfrs.tasks.Retrieval(
        loss=tf_keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum"),
        temperature=temperature,
        remove_accidental_hits=True,
    )


SOFTMAXES = {
    "in-batch": InBatchSoftmax(temperature=1),
    "in-batch of Yi": InBatchSoftmax(temperature=1, correction="all"),
    "mixed": SampledSoftmax(temperature=1, negatives=8),
    "uniform": SampledSoftmax(temperature=1, negatives=24, in_batch="none"),
}


@pytest.mark.parametrize("config", SOFTMAXES.values(), ids=SOFTMAXES)
def test_sampled_softmax_converges_to_the_full_softmax(config):
    """Free scores of 3 contexts and 12 items converge to log p(item | context), as with the
    full softmax, although popular items occur several times in every batch."""
    truth = probabilities()
    assert divergence(truth, descended_scores(truth, loss_step(config))) < 0.006


def test_counting_items_once_has_less_bias_than_removing_accidental_hits():
    """Comparison with TFRS, with the expected number of copies as Q."""
    truth = probabilities()
    share = tf.constant(truth.mean(axis=0), tf.float32)
    task = tfrs_task(1)

    def step(number, queries, table, item):
        expected = tf.gather(share, item)  # TFRS clips at 1, and a common factor cancels
        return (
            task(
                queries,
                tf.gather(table, item),
                candidate_sampling_probability=expected,
                candidate_ids=item,
                compute_metrics=False,
            )
            / item.shape[0]
        )

    theirs = divergence(truth, descended_scores(truth, step))
    ours = divergence(truth, descended_scores(truth, loss_step(SOFTMAXES["in-batch"])))
    assert ours < theirs / 5


def probabilities() -> np.ndarray:
    rng = np.random.default_rng(0)
    weights = rng.lognormal(sigma=1.2, size=(3, 12)) / np.arange(1, 13)
    return weights / weights.sum(axis=1, keepdims=True)


def loss_step(config):
    truth = probabilities()
    counts = np.round(truth.mean(axis=0) * 20_000).astype(int)
    item = np.repeat(np.arange(12), counts)
    log = Interactions.of(
        IdMap.of("user", ["u"]), IdMap.of("item", [f"i{row}" for row in range(12)]),
        user=np.zeros(len(item), int), item=item, time=np.arange(len(item)), clock="position",
    )  # fmt: skip
    loss = build_loss(config, log)

    def step(number, queries, table, item):
        draws = Draws(tf.stack([1, tf.cast(number, tf.int64)]))
        candidates = loss.candidates(item, draws)
        template = input_of(loss, np.array([[1]]), np.eye(1, 3, dtype=np.float32), np.eye(12, 3))
        return loss.compute(
            replace(
                template,
                queries=queries,
                positives=item,
                positive_vectors=tf.gather(table, item),
                weights=tf.ones(tf.size(item)),
                candidates=candidates,
                candidate_vectors=tf.gather(table, candidates),
            )
        )

    return step


def descended_scores(truth: np.ndarray, step) -> np.ndarray:
    """Scores by gradient descent on batches of 48, averaged over the second half of the steps."""
    rng, steps = np.random.default_rng(1), 1500
    contexts = rng.integers(3, size=(steps, 48))
    items = (truth[contexts].cumsum(axis=2) > rng.random((steps, 48, 1))).argmax(axis=2)

    def descend(state, batch):
        (scores, total), (number, context, item) = state, batch
        with tf.GradientTape() as tape:
            tape.watch(scores)
            value = step(number, tf.one_hot(context, 3), scores, item)
        slope = tf.convert_to_tensor(tape.gradient(value, scores))
        scores -= 3 * (1 - tf.cast(number / steps, tf.float32)) * slope
        return scores, total + scores * tf.cast(number >= steps // 2, tf.float32)

    batches = (tf.range(steps), tf.constant(contexts), tf.constant(items, tf.int32))
    _, total = compiled(tf.foldl)(descend, batches, 2 * (tf.zeros((12, 3)),))
    return total.numpy().T / (steps - steps // 2)


def divergence(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of softmax(scores) from the truth."""
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return float((truth * (np.log(truth) - logs)).sum(axis=1).mean())


@pytest.mark.parametrize("targets", [True, False])
def test_each_policy_excludes_its_candidates(targets):
    """Window 0 is 2, 1, 3, 1: the history of its second 1 holds all of its items."""
    log = log_of(WINDOWS)
    loss = build_loss(FullSoftmax(), log)
    inputs = input_of(loss, WINDOWS, unit(9, 4, seed=1), unit(ITEMS, 4, seed=2))
    own = inputs.positives.numpy()
    expected = {
        "target": [{each} for each in own],
        "history": [{2}, {2, 1}, {2, 1, 3}, {2, 1, 3}, {1}, {1, 4}, {5}, {5, 1}, {5, 1, 6}],
        "user": [{2, 1, 3}] * 4 + [{1, 4}] * 2 + [{5, 1, 6}] * 3,
    }
    for policy, items in expected.items():
        found = [set() for _ in own]
        for query, index in NegativeMask(policy, log).excluded(inputs, targets=targets).numpy():
            found[query].add(index + 1)  # the candidates of the full softmax are the rows 1 to 6
        assert found == [each if targets else each - {one} for each, one in zip(items, own)]


MASKING = [
    FullSoftmax(temperature=0.5),
    InBatchSoftmax(temperature=0.5),
    SampledSoftmax(temperature=0.5, negatives=40),
    InnerProduct(negatives=40),
]


@pytest.mark.parametrize("policy", ["target", "history", "user"])
@pytest.mark.parametrize("config", MASKING, ids=lambda config: config.name)
def test_masked_candidates_are_not_negatives(config, policy):
    """Loss of the third position of 2, 1, 3, 1 alone; 4, 5 and 6 are always negatives."""
    tf.random.set_seed(1)
    log = log_of(WINDOWS)
    loss = build_loss(config.model_copy(update={"mask": policy}), log)
    inputs = input_of(
        loss, WINDOWS, unit(9, 4, seed=1), unit(ITEMS, 4, seed=2), weights=np.eye(9)[2]
    )
    moved = gradients(loss, inputs)
    candidates = inputs.candidates.numpy()
    along = moved["candidate_vectors"] @ inputs.queries.numpy()[2]
    along[candidates == 3] += moved["positive_vectors"][2] @ inputs.queries.numpy()[2]
    negatives = set(candidates[along > 0].tolist())  # those that a step moves away from the query
    masked = {"target": {3}, "history": {2, 1, 3}, "user": {2, 1, 3}}[policy]
    assert negatives == {1, 2, 3, 4, 5, 6} - masked


@pytest.mark.parametrize("config", MASKING, ids=lambda config: config.name)
def test_padding_does_not_change_the_loss(config):
    """The same windows in wider batches, with any items in the padding."""
    log = log_of(WINDOWS)
    towers = TowersConfig(dimension=4, history=MeanHistory(window=8), id_dropout=0, terms="none")
    tf_keras.utils.set_random_seed(1)
    model = TwoTowerModel(towers, TrainConfig(loss=config), log, (), np.zeros((1, 0), np.float32))

    def value(width: int, filler: int) -> float:
        padded = np.full((3, width), -1)
        padded[:, :4] = WINDOWS
        item = np.where(padded < 0, filler, padded).astype(np.int32)
        batch = {
            "item": tf.constant(item),
            "weight": tf.constant(padded >= 0, tf.float32),
            "terms": tf.zeros(padded.shape, tf.int32),
            "user": tf.range(3),
            "seed": tf.zeros(2, tf.int64),
        }
        return float(model.compute_loss(batch))

    expected = value(4, 0)
    assert value(6, 0) == pytest.approx(expected, rel=1e-5)
    assert value(7, 3) == pytest.approx(expected, rel=1e-5)
