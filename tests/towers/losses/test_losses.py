"""Every loss against its formula, written out in numpy; all else is in the contract."""

from __future__ import annotations

import numpy as np

from recsys.towers import (
    FullSoftmax,
    InBatchSoftmax,
    InnerProduct,
    SampledSoftmax,
)
from tests.contracts.loss_contract import (
    WINDOWS,
    LossContract,
    Numbers,
    gradients,
    log_of,
)


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


def mean_of(costs, numbers):
    """The mean over each query's negatives, 0 without any."""
    sums = (costs * numbers.others).sum(axis=1)
    return sums / np.maximum(numbers.others.sum(axis=1), 1)


class TestInnerProduct(LossContract):
    config = InnerProduct(negatives=4, negative_weight=0.5)

    def by_hand(self, numbers):
        return 0.5 * mean_of(numbers.scores, numbers) - numbers.own
