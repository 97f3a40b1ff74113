"""Every loss against its formula, written out in numpy; all else is in the contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys._tf import tf
from recsys.towers import (
    BPR,
    CCL,
    GBCE,
    DirectAU,
    FullSoftmax,
    InBatchSoftmax,
    InnerProduct,
    SampledSoftmax,
)
from tests.contracts.loss_contract import (
    DIMENSION,
    WINDOWS,
    LossContract,
    Numbers,
    gradients,
    log_of,
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Full(LossContract):
    def test_a_query_s_own_target_is_no_negative(self, loss):
        """It stands in the sum once: as pair and as candidate it moves by 1 less its share."""
        one = self.one_position(loss)
        moved = gradients(loss, one)
        own = one.candidates.numpy() == 1
        powers = np.exp(one.scores(0.5).numpy()[0])
        by = powers[own] / powers.sum() - 1 + self.config.smoothing * (1 - 1 / 6)
        net = moved["candidate_vectors"][own] + moved["positive_vectors"]
        np.testing.assert_allclose(net, by * one.queries.numpy() / 0.5, rtol=1e-5)


class TestFullSoftmax(Full):
    config = FullSoftmax(temperature=0.5)

    def by_hand(self, numbers):
        assert numbers.candidates.tolist() == np.flatnonzero(numbers.counts).tolist()
        return -np.log(np.exp(numbers.own / 0.5) / np.exp(numbers.scores / 0.5).sum(axis=1))


class TestSmoothedFullSoftmax(Full):
    config = FullSoftmax(temperature=0.5, smoothing=0.2)

    def by_hand(self, numbers):
        scores = numbers.scores / 0.5
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        target = 0.8 * ~numbers.others + 0.2 / scores.shape[1]
        return -(target * logs).sum(axis=1)


class Sampled(LossContract):
    """-log( e^l+ / (e^l+ + sum of e^l-) ), the sum over the candidates but the positive."""

    def chances(self, rows, numbers):
        """How probable it is that each of ``rows`` is a candidate."""
        share = numbers.counts[rows] / numbers.counts.sum()
        missed = np.ones(len(rows))
        if getattr(self.config, "in_batch", "all") == "all":
            missed *= (1 - share) ** len(numbers.positives)
        missed *= (1 - 1 / (numbers.counts > 0).sum()) ** getattr(self.config, "negatives", 0)
        return 1 - missed

    def by_hand(self, numbers):
        others = np.exp(numbers.scores / 0.5)
        if self.config.correction != "none":
            others = others / self.chances(numbers.candidates, numbers)
        own = np.exp(numbers.own / 0.5)
        if self.config.correction == "all":
            own = own / self.chances(numbers.positives, numbers)
        return -np.log(own / (own + (others * numbers.others).sum(axis=1)))


class TestInBatchSoftmax(Sampled):
    config = InBatchSoftmax(temperature=0.5)


class TestInBatchSoftmaxOfYi(Sampled):
    config = InBatchSoftmax(temperature=0.5, correction="all")


class TestInBatchSoftmaxUncorrected(Sampled):
    config = InBatchSoftmax(temperature=0.5, correction="none")


class TestSampledSoftmax(Sampled):
    config = SampledSoftmax(temperature=0.5, negatives=4)


class TestSampledSoftmaxOfUniformNegatives(Sampled):
    config = SampledSoftmax(temperature=0.5, negatives=4, in_batch="none", correction="all")


class TestSmoothedSampledSoftmax(Sampled):
    config = SampledSoftmax(temperature=0.5, negatives=4, smoothing=0.2)

    def by_hand(self, numbers):
        weights = 1 / self.chances(numbers.candidates, numbers)
        mean = numbers.scores @ weights / weights.sum()
        return super().by_hand(numbers) + 0.2 * (numbers.own - mean) / 0.5

    def test_a_query_s_own_target_is_no_negative(self, loss):
        """It is one of those whose mean smoothing raises."""
        one = self.one_position(loss)
        own = one.candidates.numpy() == 1
        pushed = gradients(loss, one)["candidate_vectors"][own]
        weights = 1 / self.chances(one.candidates.numpy(), Numbers.of(one, log_of(WINDOWS)))
        share = weights[own] / weights.sum()
        np.testing.assert_allclose(pushed, -0.2 * share * one.queries.numpy() / 0.5, rtol=1e-4)


class Calibrated(LossContract):
    def odds(self, beta, k):
        """Of a positive, at a cosine of 0."""
        return 1

    def by_hand(self, numbers):
        k = numbers.others.sum(axis=1)
        alpha = k / max((numbers.counts > 0).sum() - 1, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            beta = np.where(k > 0, alpha * (0.75 * (1 - 1 / alpha) + 1 / alpha), 0.25)
            bias = np.log(np.where(k > 0, self.odds(beta, k), 1))
        positive = np.log(sigmoid(numbers.own / 0.5 + bias) ** beta)
        others = sigmoid(numbers.scores / 0.5 + bias[:, None])
        negative = np.log(1 - others) * numbers.others
        return -(positive + negative.sum(axis=1)) / (k + 1)


class TestGBCE(Calibrated):
    config = GBCE(temperature=0.5, negatives=4, calibration=0.75)

    def odds(self, beta, k):
        return beta / k

    def test_nothing_is_learned_by_moving_all_scores_alike(self, loss):
        """From a cosine of 0, where no item is told from another."""
        one = self.one_position(loss)
        alike = np.zeros((1 + len(one.candidates), DIMENSION), np.float32)
        alike[:, 0] = 1
        moved = replace(
            one,
            queries=tf.zeros((1, DIMENSION)),
            positive_vectors=tf.constant(alike[:1]),
            candidate_vectors=tf.constant(alike[1:]),
        )
        np.testing.assert_allclose(gradients(loss, moved)["queries"], 0, atol=1e-6)


class TestGBCEWithoutBias(Calibrated):
    config = GBCE(temperature=0.5, negatives=4, calibration=0.75, bias="none")
    learner = GBCE(temperature=0.5, negatives=4, calibration=0, bias="none")


def mean_of(costs, numbers):
    """The mean over each query's negatives, 0 without any."""
    sums = (costs * numbers.others).sum(axis=1)
    return sums / np.maximum(numbers.others.sum(axis=1), 1)


class TestBPR(LossContract):
    config = BPR(temperature=0.5, negatives=4)

    def by_hand(self, numbers):
        ahead = (numbers.own[:, None] - numbers.scores) / 0.5
        return mean_of(-np.log(sigmoid(ahead)), numbers)


class TestCCL(LossContract):
    config = CCL(negatives=4, margin=0.1, negative_weight=3)
    learner = CCL(negatives=16, margin=0.5, negative_weight=1)

    def by_hand(self, numbers):
        return 1 - numbers.own + 3 * mean_of(np.maximum(0, numbers.scores - 0.1), numbers)


class TestInnerProduct(LossContract):
    config = InnerProduct(negatives=4, negative_weight=0.5)

    def by_hand(self, numbers):
        return 0.5 * mean_of(numbers.scores, numbers) - numbers.own


class TestDirectAU(LossContract):
    config = DirectAU(gamma=0.4)
    learner = DirectAU(gamma=0.2)

    def by_hand(self, numbers):
        vectors, weights = numbers.positive_vectors, numbers.weights
        distances = ((numbers.queries - vectors) ** 2).sum(axis=1)
        aligned = np.average(distances, weights=weights)
        uniform = self.uniformity(numbers.queries, weights, np.arange(len(weights)))
        uniform += self.uniformity(vectors, weights, numbers.positives)
        return aligned + 0.4 * uniform / 2

    def uniformity(self, vectors, weights, names):
        """log of the mean of e^(-2 |x - x'|^2) over pairs whose names differ."""
        total = mass = 0.0
        for one in range(len(names)):
            for other in range(len(names)):
                if names[one] != names[other]:
                    distance = ((vectors[one] - vectors[other]) ** 2).sum()
                    total += weights[one] * weights[other] * np.exp(-2 * distance)
                    mass += weights[one] * weights[other]
        return np.log(total / mass) if mass else 0.0
