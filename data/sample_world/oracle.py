"""The best possible recall in the sample world: rank by the probability that truly drew the item.

Measures only; it neither draws nor learns. No ranking can expect a higher recall than this one,
because the draws follow exactly these probabilities.
"""

from __future__ import annotations

import numpy as np

from .world import Step, World


class OracleTally:
    """Recall at `k` of the oracle, summed up step by step over the test interactions.

    Items of the user's history, and items not yet available, have probability 0: they rank last.
    """

    def __init__(self, world: World, *, k: int = 10) -> None:
        self._test_from = world.test_from
        self._cold = world.items.cold
        self._k = k
        self._hits: list[bool] = []
        self._expected: list[float] = []
        self._cold_hits: list[bool] = []

    def see(self, step: Step) -> None:
        """Count one draw, when it is in the test period."""
        if step.timestamp < self._test_from:
            return
        best = self._top(step.probability)
        self._hits.append(bool(np.isin(step.item, best)))
        self._expected.append(float(step.probability[best].sum()))
        if self._cold[step.item]:
            among_cold = self._top(np.where(self._cold, step.probability, -1.0))
            self._cold_hits.append(bool(np.isin(step.item, among_cold)))

    def figures(self) -> dict[str, float]:
        """`recall`: share of taken items in the top k; `expected_recall`: the mean probability
        that the top k holds; `cold_recall`: taken cold items, ranked among the cold items alone.
        """
        return {
            f"recall@{self._k}": round(float(np.mean(self._hits)), 6),
            f"expected_recall@{self._k}": round(float(np.mean(self._expected)), 6),
            f"cold_recall@{self._k}": round(float(np.mean(self._cold_hits)), 6),
            "test_interactions": len(self._hits),
            "cold_test_interactions": len(self._cold_hits),
        }

    def _top(self, scores: np.ndarray) -> np.ndarray:
        return np.argpartition(-scores, self._k)[: self._k]
