"""The best possible recall in the sample world: items ranked by their true probability.

No ranking has a higher expected recall, because the draws follow exactly these probabilities.
"""

from __future__ import annotations

import numpy as np

from .world import Step, World


class OracleTally:
    """Recall at `k` of the oracle, accumulated over the test interactions.

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
        """Count one draw if it is in the test period."""
        if step.timestamp < self._test_from:
            return
        best = self._top(step.probability)
        self._hits.append(bool(np.isin(step.item, best)))
        self._expected.append(float(step.probability[best].sum()))
        if self._cold[step.item]:
            among_cold = self._top(np.where(self._cold, step.probability, -1.0))
            self._cold_hits.append(bool(np.isin(step.item, among_cold)))

    def figures(self) -> dict[str, float]:
        """`recall`: share of drawn items in the top k; `expected_recall`: mean sum of the
        probabilities of the top k; `cold_recall`: drawn cold items, ranked among cold items alone.
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
