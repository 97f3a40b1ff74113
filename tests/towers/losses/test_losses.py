"""Every loss against its formula in numpy; the contract has the other properties."""

from __future__ import annotations

import numpy as np

from recsys.towers import (
    FullSoftmax,
    InBatchSoftmax,
    InnerProduct,
    SampledSoftmax,
)
from tests.contracts.loss_contract import (
    LossContract,
    gradients,
)


class TestFullSoftmax(LossContract):
    config = FullSoftmax(temperature=0.5)

    def by_hand(self, numbers):
        assert numbers.candidates.tolist() == np.flatnonzero(numbers.counts).tolist()
        return -np.log(np.exp(numbers.own / 0.5) / np.exp(numbers.scores / 0.5).sum(axis=1))

    def test_a_target_is_not_a_negative_of_its_query(self, loss):
        """One summand: its gradients as positive and as candidate add up to its share less 1."""
        one = self.one_position(loss)
        moved = gradients(loss, one)
        own = one.candidates.numpy() == 1
        powers = np.exp(one.candidate_vectors.numpy() @ one.queries.numpy()[0] / 0.5)
        by = powers[own] / powers.sum() - 1
        net = moved["candidate_vectors"][own] + moved["positive_vectors"]
        np.testing.assert_allclose(net, by * one.queries.numpy() / 0.5, rtol=1e-5)


class Sampled(LossContract):
    """-log( e^l+ / (e^l+ + sum of e^l-) ), the sum over the candidates except the positive."""

    def chances(self, rows, numbers):
        """Probability of each of ``rows`` to be a candidate."""
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


def mean_of(costs, numbers):
    """Mean over the negatives of each query, 0 without any."""
    sums = (costs * numbers.others).sum(axis=1)
    return sums / np.maximum(numbers.others.sum(axis=1), 1)


class TestInnerProduct(LossContract):
    config = InnerProduct(negatives=4, negative_weight=0.5)

    def by_hand(self, numbers):
        return 0.5 * mean_of(numbers.scores, numbers) - numbers.own
